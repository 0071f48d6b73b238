"""Files that are not delimited text: JSON, JSON Lines, XML, Parquet, Excel.

Each is made columns of numbers or texts; libraries do the reading.
"""

from __future__ import annotations

import io
import json
import math
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files.errors import FileError, shown
from pipeline.files.numbers import all_numbers
from pipeline.files.table import Cells, Loaded, Progress, Table
from pipeline.files.words import plain
from sensor.samples import Floats

HEAD_ROWS = 400
MOST_DEPTH = 6
LEAST_ROWS, MOST_SESSIONS = 2, 500


class MemoryTable(Table):
    """Columns that are read already; a cell is a number, a text, or None."""

    def __init__(
        self, path: Path, titles: list[str], columns: list[Any], part: str = "", first: int = 1,
        units: list[str] | None = None, row: str = "record",
    ) -> None:  # fmt: skip
        self.path, self.titles, self.part = path, titles, part
        self.decimal, self.notes = ".", []
        self.units = units or [""] * len(titles)
        self._columns, self._first, self._row = columns, first, row
        self.head = [[_text(cell) for cell in column[:HEAD_ROWS]] for column in columns]

    def load(self, places: Sequence[int], progress: Progress | None = None) -> Loaded:
        """The columns without the rows in which any of them says nothing."""
        columns = [self._columns[place] for place in places]
        keep = np.ones(len(columns[0]) if columns else 0, bool)
        for column in columns:
            if not isinstance(column, np.ndarray):
                keep &= np.array([cell is not None and cell != "" for cell in column], bool)
        rows = np.flatnonzero(keep)
        passed = Counter({f"{self._row} without a force": int(keep.size - rows.size)})

        def place_of(row: int) -> str:
            return f"{self._row} {int(rows[row]) + self._first if row < rows.size else '?'}"

        out: list[Cells] = []
        for column in columns:
            if isinstance(column, np.ndarray):
                cells: Cells = column[rows]
            else:
                kept = [column[row] for row in rows]
                found = _numbers(kept)
                cells = [_text(cell) for cell in kept] if found is None else found
            if isinstance(cells, np.ndarray) and not np.isfinite(cells).all():
                at = int(np.argmin(np.isfinite(cells)))
                raise FileError(
                    f"{self.path}: {place_of(at)}: '{cells[at]}' is not a number; correct or "
                    "remove it, or leave it empty"
                )
            out.append(cells)
        return Loaded(out, place_of, +passed)

    def sessions(self) -> list[MemoryTable]:
        """Itself, or its sessions apart where a column says whose each row is."""
        names = [plain(title).replace("_", "") for title in self.titles]
        place = next((k for k, name in enumerate(names) if name in ("sessionid", "session")), None)
        if place is None:
            return [self]
        owners = [str(cell) for cell in self._columns[place]]
        each = list(dict.fromkeys(owners))
        if not 1 < len(each) <= MOST_SESSIONS:
            return [self]
        parts = []
        for owner in each:
            rows = [row for row, name in enumerate(owners) if name == owner]
            columns = [[column[row] for row in rows] for column in self._columns]
            parts.append(MemoryTable(self.path, self.titles, columns, owner, 1, None, self._row))
        return parts


def _numbers(cells: list[Any]) -> Floats | None:
    if all(isinstance(cell, int | float) and not isinstance(cell, bool) for cell in cells):
        try:
            return np.array(cells, dtype=np.float64)
        except OverflowError:  # a number of more than 308 digits
            return None
    if all(isinstance(cell, datetime) for cell in cells):
        return np.array([cell.timestamp() if cell.tzinfo else _naive(cell) for cell in cells])
    if all(isinstance(cell, timedelta) for cell in cells):
        return np.array([cell.total_seconds() for cell in cells])
    if all(isinstance(cell, str) for cell in cells):
        return all_numbers(cells)
    return None


def _naive(moment: datetime) -> float:
    return (moment - datetime(1970, 1, 1)).total_seconds()


def _text(cell: Any) -> str:
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return f"{float(cell):.0f}" if abs(float(cell)) < 1e15 else str(cell)
    return str(cell)


# -- JSON -----------------------------------------------------------------------------------------


def json_tables(path: Path, text: str) -> list[MemoryTable]:
    """All lists of records, and all equal lists of numbers, in a JSON text or JSON Lines.

    Raises
    ------
    FileError
        If it is neither.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        whole = _json_lines(path, text, error)
    found: list[MemoryTable] = []
    _collect(path, whole, "", found, 0)
    return [part for table in found for part in table.sessions()]


def _json_lines(path: Path, text: str, error: Exception) -> list[Any]:
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    out = []
    for order, (n, line) in enumerate(lines):
        try:
            out.append(json.loads(line))
        except (ValueError, RecursionError) as wrong:
            if order == len(lines) - 1 and len(out) > 1:
                break  # cut off while it was written
            words = str(error if order == 0 else wrong).split(": line")[0]
            raise FileError(
                f"{path}: line {n}: is no JSON ({shown(words, 60)}); correct or remove the line"
            ) from wrong
    return out


def _collect(path: Path, value: Any, name: str, found: list[MemoryTable], depth: int) -> None:
    if depth > MOST_DEPTH:
        return
    if isinstance(value, list):
        _from_list(path, value, name, found, depth)
    elif isinstance(value, dict):
        lists = {
            str(key): each for key, each in value.items() if _is_column(each)
        }  # fmt: skip
        for size in dict.fromkeys(len(each) for each in lists.values()):
            same = {key: each for key, each in lists.items() if len(each) == size}
            columns = [[_flat(cell) for cell in each] for each in same.values()]
            found.append(MemoryTable(path, list(same), columns, name))
        for key, each in value.items():
            if key not in lists and isinstance(each, dict | list):
                _collect(path, each, f"{name}.{key}" if name else str(key), found, depth + 1)


def _is_column(value: Any) -> bool:
    """Whether a list holds cells."""
    many = isinstance(value, list) and len(value) >= LEAST_ROWS
    return many and not isinstance(value[0], dict | list)


def _from_list(
    path: Path, value: list[Any], name: str, found: list[MemoryTable], depth: int
) -> None:
    if len(value) < LEAST_ROWS:
        for each in value:
            _collect(path, each, name, found, depth + 1)
        return
    if all(isinstance(each, dict) for each in value):
        rows = [_flattened(each) for each in value]
        titles = list(dict.fromkeys(key for row in rows[:HEAD_ROWS] for key in row))
        columns = [[row.get(title) for row in rows] for title in titles]
        found.append(MemoryTable(path, titles, columns, name))
        if max(len(each) for each in value) and any(isinstance(v, list) for v in value[0].values()):
            for number_, each in enumerate(value, 1):
                for key, inner in each.items():
                    if isinstance(inner, list) and len(inner) > LEAST_ROWS:
                        _collect(path, {key: inner}, f"{name}[{number_}]", found, depth + 1)
    elif all(isinstance(each, list) for each in value):
        width = max(len(each) for each in value)
        if 0 < width <= 64:
            columns = [
                [_flat(each[k]) if k < len(each) else None for each in value] for k in range(width)
            ]
            found.append(MemoryTable(path, [""] * width, columns, name))
    elif all(isinstance(each, int | float | str) or each is None for each in value):
        found.append(MemoryTable(path, [name.rsplit(".", 1)[-1]], [value], name))


def _flattened(record: dict[str, Any]) -> dict[str, Any]:
    """A record in one level: what is within is named `outer.inner`, or `outer.1` in a list."""
    out: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            out |= {f"{key}.{inner}": each for inner, each in _flattened(value).items()}
        elif isinstance(value, list):
            if len(value) == 1:
                out[key] = _flat(value[0])
            elif len(value) <= 8:
                out |= {f"{key}.{place}": _flat(each) for place, each in enumerate(value, 1)}
        else:
            out[key] = _flat(value)
    return out


def _flat(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value.strip()
    return value if isinstance(value, int | float) else None


# -- XML, Parquet, Excel --------------------------------------------------------------------------


def xml_tables(path: Path, data: bytes) -> list[MemoryTable]:
    """The elements that repeat, each a record of the elements and attributes within."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise FileError(f"{path}: is no XML that can be read: {shown(error, 80)}") from error
    records: dict[str, list[dict[str, Any]]] = {}
    for parent in root.iter():
        tags = Counter(child.tag for child in parent)
        for child in parent:
            if tags[child.tag] >= LEAST_ROWS and (len(child) or child.attrib):
                record: dict[str, Any] = dict(child.attrib)
                for leaf in child.iter():
                    if leaf is not child and not len(leaf) and leaf.text:
                        name, copy = str(leaf.tag), 1
                        while name in record:
                            copy += 1
                            name = f"{leaf.tag}.{copy}"
                        record[name] = leaf.text.strip()
                records.setdefault(str(child.tag), []).append(record)
    found: list[MemoryTable] = []
    for tag, rows in records.items():
        _from_list(path, rows, tag, found, 0)
    return found


def parquet_tables(path: Path) -> list[MemoryTable]:
    """The columns of a Parquet file."""
    try:
        import pyarrow as pa
        import pyarrow.parquet as pq
    except ImportError as error:
        raise FileError(f"{path}: is Parquet: `pip install pyarrow` reads it") from error
    try:
        table = pq.read_table(path)
    except (pa.ArrowException, OSError) as error:
        raise FileError(f"{path}: is no Parquet that can be read: {shown(error, 80)}") from error
    columns = []
    for column in table.columns:
        kind = column.type
        if pa.types.is_timestamp(kind):
            whole = column.cast(pa.timestamp("ns", kind.tz)).to_numpy().astype(np.int64)
            columns.append(_or_list(column, whole // 10**9 + (whole % 10**9) / 1e9))
        elif pa.types.is_duration(kind):
            columns.append(
                _or_list(column, column.cast(pa.duration("ns")).to_numpy().astype(np.int64) / 1e9)
            )
        elif pa.types.is_floating(kind) or pa.types.is_integer(kind):
            columns.append(_or_list(column, column.to_numpy().astype(np.float64)))
        else:
            columns.append([None if cell is None else str(cell) for cell in column.to_pylist()])
    return [MemoryTable(path, list(table.column_names), columns, row="row")]


def _or_list(column: Any, values: Floats) -> Any:
    return column.to_pylist() if column.null_count else values


def sheets(path: Path, data: bytes) -> dict[str, str]:
    """The sheets of a workbook by name, each as text with tabs, a row a line."""
    from python_calamine import CalamineError, CalamineWorkbook

    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(data))
        rows = {
            name: book.get_sheet_by_name(name).to_python(skip_empty_area=False)
            for name in book.sheet_names
        }
    except (CalamineError, ValueError, OSError) as error:
        raise FileError(f"{path}: is no workbook that can be read: {shown(error, 80)}") from error
    return {
        name: "\n".join("\t".join(_in_a_line(cell) for cell in row) for row in each)
        for name, each in rows.items()
    }


def _in_a_line(cell: Any) -> str:
    if isinstance(cell, timedelta):
        return repr(cell.total_seconds())
    return " ".join(_text(cell).split())
