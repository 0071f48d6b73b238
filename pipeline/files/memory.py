"""Tables that are in memory already: columns of numbers or texts, with gaps."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import numpy as np

from pipeline.files.errors import FileError
from pipeline.files.moments import is_stamp
from pipeline.files.numbers import all_numbers, is_number, number
from pipeline.files.table import Cells, Loaded, Progress, Table
from sensor.samples import Floats

HEAD_ROWS = 400


class MemoryTable(Table):
    """Columns that are read already; a cell is a number, a text, or None.

    Parameters
    ----------
    walls
        Of columns of moments, whether a clock on a wall says them.
    """

    def __init__(
        self, path: Path, titles: list[str], columns: list[Any], part: str = "", first: int = 1,
        units: list[str] | None = None, row: str = "record", notes: Sequence[str] = (),
        walls: dict[int, bool] | None = None,
    ) -> None:  # fmt: skip
        self.path, self.titles, self.part = path, titles, part
        self.notes = list(notes)
        self.units = units or [""] * len(titles)
        self._columns, self._first, self._row = columns, first, row
        self._walls = walls or {}
        self.head = [[text_of(cell) for cell in column[:HEAD_ROWS]] for column in columns]
        texts = [c for column in columns for c in column[:HEAD_ROWS] if isinstance(c, str)]
        commas, points = (sum(is_number(c, mark) and mark in c for c in texts) for mark in ",.")
        self.decimal = "," if commas > points else "."

    def rows(self) -> Iterator[list[str]]:
        for row in zip(*self._columns, strict=True):
            yield [text_of(cell) for cell in row]

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
                found = _numbers(kept, self.decimal)
                cells = [text_of(cell) for cell in kept] if found is None else found
            if isinstance(cells, np.ndarray) and not np.isfinite(cells).all():
                at = int(np.argmin(np.isfinite(cells)))
                raise FileError(
                    f"{self.path}: {place_of(at)}: '{cells[at]}' is not a number; correct or "
                    "remove it, or leave it empty"
                )
            out.append(cells)
        walls = [wall for place in places if (wall := self._walls.get(place)) is not None]
        return Loaded(out, place_of, +passed, wall=walls[0] if walls else None)


def _numbers(cells: list[Any], decimal: str) -> Floats | None:
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
        plain = all_numbers(cells, decimal)
        values = [number(cell, decimal) for cell in cells] if plain is None else []
        behind = all(value is not None for value in values) and not any(map(is_stamp, cells[:9]))
        return np.array(values, np.float64) if plain is None and cells and behind else plain
    return None


def _naive(moment: datetime) -> float:
    return (moment - datetime(1970, 1, 1)).total_seconds()


def text_of(cell: Any) -> str:
    """A cell as it would stand in a text."""
    if cell is None or (isinstance(cell, float) and math.isnan(cell)):
        return ""
    if isinstance(cell, datetime | date | time):
        return cell.isoformat()
    if isinstance(cell, float | np.floating) and float(cell).is_integer():
        return f"{float(cell):.0f}" if abs(float(cell)) < 1e15 else str(cell)
    return str(cell)
