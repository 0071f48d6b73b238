"""Blocks of text that are nothing but samples, by parsers in C."""

from __future__ import annotations

import io
from collections.abc import Sequence

import numpy as np

from pipeline.files.dialect import Dialect
from pipeline.files.table import Cells


def fast_columns(
    block: bytes, dialect: Dialect, width: int, places: Sequence[int], stamped: Sequence[int], *,
    utc: bool,
) -> list[Cells] | None:  # fmt: skip
    """Columns of a block of lines; None if any cell of theirs is something else.

    Parameters
    ----------
    stamped, utc
        Those of the places that hold moments in ISO 8601, and whether they end with `Z`.
    """
    try:
        import pyarrow as pa
        from pyarrow import csv
    except ImportError:
        return _with_numpy(block, dialect, places, stamped)
    delimiter = dialect.delimiter
    if len(delimiter) > 1 or delimiter == " ":
        return _with_numpy(block, dialect, places, stamped)
    names = [str(k) for k in range(width)]
    wanted = [str(place) for place in places]
    moment = pa.timestamp("ns", "UTC" if utc else None)
    types = {str(p): moment if p in stamped else pa.float64() for p in places}
    try:
        found = csv.read_csv(
            pa.BufferReader(block),
            csv.ReadOptions(use_threads=False, column_names=names, block_size=len(block) + 1),
            csv.ParseOptions(delimiter=delimiter),
            csv.ConvertOptions(
                column_types=types, null_values=[""], include_columns=wanted,
                decimal_point=dialect.decimal,
            ),
        )  # fmt: skip
    except pa.ArrowException:
        return None
    out: list[Cells] = []
    for place in places:
        column = found[str(place)]
        if column.null_count:
            return None
        values = column.to_numpy()
        if place in stamped:
            whole = values.astype(np.int64)
            values = whole // 10**9 + (whole % 10**9) / 1e9
        elif not np.isfinite(values).all():
            return None
        out.append(values)
    return out


def _with_numpy(
    block: bytes, dialect: Dialect, places: Sequence[int], stamped: Sequence[int]
) -> list[Cells] | None:
    delimiter = dialect.delimiter
    if stamped or len(delimiter) > 1 or not block.strip():
        return None
    if dialect.decimal == ",":
        if b"." in block or b'"' in block:
            return None
        block = block.replace(b",", b".")
    text = block.decode("utf-8", "replace")
    try:
        values = np.loadtxt(
            io.StringIO(text), delimiter=None if delimiter == " " else delimiter, comments=None,
            usecols=places, ndmin=2, quotechar='"',
        )  # fmt: skip
    except ValueError:
        return None
    if not np.isfinite(values).all():
        return None
    return [np.ascontiguousarray(column) for column in values.T]
