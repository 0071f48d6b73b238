"""Samples of a delimited text: lines that are samples read fast, all others told apart and counted.

The text is read in blocks. A block that is nothing but numbers goes through a parser in C; any
other is looked at line by line.
"""

from __future__ import annotations

import io
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import numpy as np

from pipeline.files.dialect import Dialect, is_value
from pipeline.files.errors import FileError, shown
from pipeline.files.fast import fast_columns
from pipeline.files.header import COMMENT, Header
from pipeline.files.moments import seconds
from pipeline.files.numbers import all_numbers, grouped, number, says_nothing, unit_behind
from pipeline.files.table import Cells, Loaded, Progress, Table
from pipeline.files.words import SUMMARY_WORDS, force_unit, plain, time_unit
from sensor.samples import Floats

BLOCK_BYTES = 2**20
HEAD_ROWS = 400
_ISO = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(Z?)")


class TextTable(Table):
    """A table in a text whose header was found."""

    def __init__(
        self, path: Path, data: bytes, lines: Sequence[str], dialect: Dialect, header: Header,
        part: str = "", folded: int = 0,
    ) -> None:  # fmt: skip
        self.path, self.part = path, part
        self.titles, self.units, self.notes = header.titles, header.units, header.notes
        self.decimal = dialect.decimal
        self._data, self._dialect = data, dialect
        self._first_line = header.body + 1 + folded
        self._start = _offset(data, header.body)
        width = len(header.titles)
        rows = [dialect.cells(line) for line in lines[header.body :][:HEAD_ROWS] if line.strip()]
        rows = [row for row in rows if len(row) == width]
        self.head = [[row[k] for row in rows] for k in range(width)]

    def rows(self) -> Iterator[list[str]]:
        for line in io.BytesIO(self._data[self._start :]):
            cells = self._dialect.cells(line.decode("utf-8", "replace"))
            if len(cells) == self.width():
                yield cells

    def load(self, places: Sequence[int], progress: Progress | None = None) -> Loaded:
        """Read these columns; the first is time if it is one of stamps.

        Raises
        ------
        FileError
            If a line among the samples has something else where a number belongs.
        """
        reader = _Reader(self, list(places))
        at, line = self._start, self._first_line
        while at < len(self._data):
            end = _block_end(self._data, at)
            block = self._data[at:end]
            reader.take(block, line)
            line += block.count(b"\n")
            at = end
            if progress is not None:
                progress(at / len(self._data))
        return reader.loaded()

    def width(self) -> int:
        return len(self.titles)


class _Reader:
    """Takes blocks, keeps samples; knows between blocks whether another table has begun."""

    def __init__(self, table: TextTable, places: list[int]) -> None:
        self.table, self.places = table, places
        self.split = table._dialect.split
        self.decimal = table.decimal
        self.stamped = [
            place for place in places
            if not _mostly_numbers(table.head[place], table.decimal)
        ]  # fmt: skip
        self.texts = {
            place for place in self.stamped
            if not any(is_value(cell, table.decimal) for cell in table.head[place])
        }  # fmt: skip
        first = next((cell for place in self.stamped for cell in table.head[place] if cell), "")
        iso = _ISO.fullmatch(first)
        self.iso = iso[1] if iso is not None and len(self.stamped) == 1 else None
        self.chunks: list[list[Cells]] = []
        self.lines: list[tuple[int, bytes | None, list[int]]] = []
        self.passed: Counter[str] = Counter()
        self._elsewhere = self._begun = False
        self._grouped = ""
        self._behind: dict[int, str] = {}
        self._doubt: FileError | None = None
        self._titles = [plain(title) for title in table.titles]

    def take(self, block: bytes, line: int) -> None:
        columns = None if self._elsewhere or self._doubt is not None else self._fast(block)
        if columns is None:
            self._slow(block, line)
        elif len(columns[0]):
            self.chunks.append(columns)
            self.lines.append((line, block, []))
            self._begun = True

    def loaded(self) -> Loaded:
        if self._doubt is not None:
            self.passed["line"] += 1
        columns: list[Cells] = []
        for k, place in enumerate(self.places):
            parts = [chunk[k] for chunk in self.chunks]
            if place in self.stamped and self.iso is None:
                columns.append([str(cell) for part in parts for cell in part])
            else:
                columns.append(np.concatenate([np.empty(0), *parts]))
        words = [f"'{self._grouped}' is read with thousands apart"] if self._grouped else []
        wall = None if self.iso is None else not self.iso
        return Loaded(columns, self._place_of, self.passed, words, wall)

    def _place_of(self, row: int) -> str:
        for (first, block, lines), chunk in zip(self.lines, self.chunks, strict=True):
            size = len(chunk[0])
            if row < size:
                if block is None:
                    return f"line {lines[row]}"
                full = (n for n, text in enumerate(block.split(b"\n"), first) if text.strip())
                return f"line {next(islice(full, row, None))}"
            row -= size
        return "the last line"

    def _fast(self, block: bytes) -> list[Cells] | None:
        """All columns of a block that has nothing but samples; None for any other."""
        if self.stamped and self.iso is None:
            return None
        how = self.table._dialect
        return fast_columns(
            block, how, self.table.width(), self.places, self.stamped, utc=bool(self.iso)
        )

    # -- slow ------------------------------------------------------------------------------------

    def _slow(self, block: bytes, first: int) -> None:
        texts: list[list[str]] = [[] for _ in self.places]
        lines: list[int] = []
        for line, text in enumerate(block.decode("utf-8", "replace").split("\n"), first):
            if not text.strip():
                continue
            cells = self.split(text)
            taken = [cells[place] if place < len(cells) else "" for place in self.places]
            if self._is_sample(taken) and not self._elsewhere:
                if self._doubt is not None:
                    raise self._doubt
                for column, cell in zip(texts, taken, strict=True):
                    column.append(cell)
                lines.append(line)
                self._begun = True
            else:
                self._pass_over(text, cells, taken, line)
        if not lines:
            return
        chunk: list[Cells] = []
        for place, column in zip(self.places, texts, strict=True):
            if place not in self.stamped:
                chunk.append(self._numbers(column, place, lines))
            elif self.iso is None:
                chunk.append(column)
            else:
                moments = seconds(column)
                if isinstance(moments, int):
                    raise self._wrong(lines[moments], column[moments], "time")
                chunk.append(moments[0])
        self.chunks.append(chunk)
        self.lines.append((first, None, lines))

    def _is_sample(self, taken: list[str]) -> bool:
        return all(
            is_value(cell, self.decimal)
            or (place in self.texts and bool(cell))
            or (place not in self.stamped and number(cell, self.decimal) is not None)
            for place, cell in zip(self.places, taken, strict=True)
        )

    def _numbers(self, cells: list[str], place: int, lines: list[int]) -> Floats:
        quick = all_numbers(cells, self.decimal)
        if quick is not None:
            return quick
        for cell, line in zip(cells, lines, strict=True):
            behind = unit_behind(cell, self.decimal)
            unit = force_unit(behind) or time_unit(behind) if behind else None
            if unit and unit != self._behind.setdefault(place, unit):
                raise FileError(
                    f"{self.table.path}: line {line}: '{shown(cell)}' is in {unit} where others "
                    f"are in {self._behind[place]}; write all of them in one unit"
                )
        self._grouped = self._grouped or next((c for c in cells if grouped(c, self.decimal)), "")
        return np.array([number(cell, self.decimal) or 0.0 for cell in cells])

    def _pass_over(self, text: str, cells: list[str], taken: list[str], line: int) -> None:
        """Count a line that is no sample, or raise where it ought to be one."""
        filled = [cell for cell in cells if cell]
        values = [self._is_value(cell) for cell in taken]
        words = plain(filled[0]).split() if filled else []
        if [plain(cell) for cell in cells[: len(self._titles)]] == self._titles:
            self._elsewhere = False
        elif (
            self._elsewhere
            or COMMENT.match(text)
            or not any(taken)
            or (words and words[0].strip(":") in SUMMARY_WORDS)
        ):
            pass
        elif not any(values):
            if any(says_nothing(cell) for cell in taken):
                raise self._wrong(line, next(c for c in taken if says_nothing(c)), "sample")
            # Titles of another table: what follows belongs to them.
            texts = sum(not self._is_value(cell) for cell in filled)
            titles = len(filled) > 1 and texts == len(filled) and not self._are_units(cells)
            self._elsewhere = titles and self._begun
        elif all(self._is_value(cell) or not cell for cell in taken) and len(cells) >= len(
            self._titles
        ):
            self.passed["line without a force"] += 1
            return
        else:
            cell = next((c for c, value in zip(taken, values, strict=True) if not value), "")
            wrong = self._wrong(line, cell, "sample")
            first_is_text = bool(filled) and not self._is_value(filled[0])
            if (cell and not first_is_text) or self._doubt is not None:
                raise wrong
            self._doubt = self._doubt or wrong  # unless nothing follows it
            return
        self.passed["line"] += 1

    def _is_value(self, cell: str) -> bool:
        return is_value(cell, self.decimal) or number(cell, self.decimal) is not None

    def _are_units(self, cells: list[str]) -> bool:
        units = [unit.strip() for unit in self.table.units]
        return any(units) and [cell.strip(" ()[]{}") for cell in cells] == units

    def _wrong(self, line: int, cell: str, what: str) -> FileError:
        other = "," if self.decimal == "." else "."
        if re.fullmatch(r"[+-]?\d+[.,]\d+", cell):
            problem = f"'{shown(cell)}' has a {other!r} where other numbers have a {self.decimal!r}"
        elif cell:
            problem = f"'{shown(cell)}' is not a number"
        else:
            problem = "a cell is missing"
        return FileError(
            f"{self.table.path}: line {line}: {problem}; correct or remove the line"
            + ("" if not cell else ", or leave the cell empty")
        )


def _mostly_numbers(cells: Sequence[str], decimal: str) -> bool:
    filled = [cell for cell in cells if cell]
    return sum(number(cell, decimal) is not None for cell in filled) >= 0.5 * len(filled)


def _offset(data: bytes, lines: int) -> int:
    """Where line `lines` (from 0) begins."""
    at = 0
    for _ in range(lines):
        at = data.index(b"\n", at) + 1
    return at


def _block_end(data: bytes, at: int) -> int:
    """A line's end about `BLOCK_BYTES` on."""
    if at + BLOCK_BYTES >= len(data):
        return len(data)
    end = data.rfind(b"\n", at, at + BLOCK_BYTES)
    if end < 0:
        end = data.find(b"\n", at)
    return len(data) if end < 0 else end + 1
