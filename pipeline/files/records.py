"""Files that libraries read: XML, Parquet, Arrow, Excel, OpenDocument."""

from __future__ import annotations

import io
from collections import Counter
from datetime import timedelta
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files.errors import FileError, shown
from pipeline.files.jsons import of_records
from pipeline.files.memory import MemoryTable, text_of
from sensor.extras import what_is_missing
from sensor.samples import Floats


def xml_tables(path: Path, data: bytes) -> list[MemoryTable]:
    """The elements that repeat, each a record of the elements and attributes within."""
    from defusedxml import DefusedXmlException
    from defusedxml.ElementTree import ParseError, fromstring

    try:
        root = fromstring(data)
    except (ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise FileError(f"{path}: is no XML that can be read: {shown(error, 80)}") from error
    records: dict[str, list[dict[str, Any]]] = {}
    for element in root.iter():
        element.tag = str(element.tag).rpartition("}")[2]
    for parent in root.iter():
        tags = Counter(child.tag for child in parent)
        for child in parent:
            if tags[child.tag] > 1 and (len(child) or child.attrib):
                record: dict[str, Any] = dict(child.attrib)
                for leaf in child.iter():
                    if leaf is not child and not len(leaf) and leaf.text:
                        name, copy = str(leaf.tag), 1
                        while name in record:
                            copy += 1
                            name = f"{leaf.tag}.{copy}"
                        record[name] = leaf.text.strip()
                records.setdefault(str(child.tag), []).append(record)
    return [of_records(path, rows, tag) for tag, rows in records.items() if len(rows) > 1]


class _Rows(HTMLParser):
    """The cells of the tables of a page, a list of rows for each."""

    def __init__(self) -> None:
        super().__init__()
        self.tables: list[list[list[str]]] = []
        self._within = False

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        if tag == "table":
            self.tables.append([])
        elif tag == "tr" and self.tables:
            self.tables[-1].append([])
        self._within = tag in ("td", "th") and bool(self.tables and self.tables[-1])
        if self._within:
            self.tables[-1][-1].append("")

    def handle_endtag(self, tag: str) -> None:
        self._within &= tag not in ("td", "th", "tr", "table")

    def handle_data(self, data: str) -> None:
        if self._within:
            self.tables[-1][-1][-1] += data


def html_tables(path: Path, text: str) -> dict[str, str]:
    """The tables of a page, as many programs call a workbook, each as text with tabs."""
    page = _Rows()
    try:
        page.feed(text)
    except AssertionError as error:  # of what is no page the library's own words
        raise FileError(f"{path}: is no page that can be read: {shown(error, 80)}") from error
    several = len(page.tables) > 1
    return {
        f"table {k}" if several else "": "\n".join("\t".join(map(_in_a_line, row)) for row in rows)
        for k, rows in enumerate(page.tables, 1)
    }


def arrow_tables(path: Path, data: bytes) -> list[MemoryTable]:
    """The columns of a Parquet or Arrow (Feather) file."""
    try:
        import pyarrow as pa
        from pyarrow import feather
        from pyarrow import parquet as pq
    except ImportError as error:
        raise FileError(f"{path}: {what_is_missing(error) or error}") from error
    try:
        read = pq.read_table if data.startswith(b"PAR1") else feather.read_table
        return [_arrow_table(path, read(pa.BufferReader(data)))]
    except (pa.ArrowException, OSError, ValueError, OverflowError) as error:
        raise FileError(f"{path}: is no Parquet that can be read: {shown(error, 80)}") from error


def _arrow_table(path: Path, table: Any) -> MemoryTable:
    """Its columns; ValueError where a name or a text is damaged."""
    from pyarrow import duration, float64, timestamp, types

    columns, walls = [], {}
    for place, column in enumerate(table.columns):
        kind = column.type
        if types.is_timestamp(kind):
            walls[place] = kind.tz is None
            whole = column.cast(timestamp("ns", kind.tz)).to_numpy().astype(np.int64)
            columns.append(_or_list(column, whole // 10**9 + (whole % 10**9) / 1e9))
        elif types.is_duration(kind):
            spans = column.cast(duration("ns")).to_numpy().astype(np.int64) / 1e9
            columns.append(_or_list(column, spans))
        elif types.is_floating(kind) or types.is_integer(kind) or types.is_decimal(kind):
            whole = column.cast(float64())
            columns.append(_or_list(whole, whole.to_numpy()))
        else:
            columns.append([None if cell is None else str(cell) for cell in column.to_pylist()])
    titles = ["" if name.startswith("__index_level_") else name for name in table.column_names]
    return MemoryTable(path, titles, columns, row="row", walls=walls)


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
    return " ".join(text_of(cell).split())
