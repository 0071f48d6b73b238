"""How a text is cut into cells: the delimiter and the decimal mark, told together.

The two depend on each other (`0,5;1,2` and `0,5,1`), which is why no sniffer of delimiters alone
does: of all pairs the one counts that makes the most numbers of most lines.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from pipeline.files.moments import is_stamp
from pipeline.files.numbers import is_number, number

DELIMITERS = ("\t", ";", ",", "|", "->", " ")
"""A blank stands for any stretch of blanks."""
_THOUSANDS = {
    mark: re.compile(rf"[+\-−]?[1-9]\d{{0,2}}(?:{re.escape(mark)}\d{{3}})+") for mark in ".,"
}


@dataclass(frozen=True, slots=True)
class Dialect:
    """Cells of a line, and the decimal mark of its numbers."""

    delimiter: str
    decimal: str

    def cells(self, line: str) -> list[str]:
        """The cells of one line, without blanks around them."""
        return self.split(line)

    @property
    def split(self) -> Callable[[str], list[str]]:
        return splitter(self.delimiter)


def splitter(delimiter: str) -> Callable[[str], list[str]]:
    """What cuts a line at a delimiter; quotes count."""

    def cut(line: str) -> list[str]:
        line = line.strip("\r\n")
        if delimiter == " ":
            return [cell.strip('"') for cell in line.split()]
        if '"' in line and len(delimiter) == 1:
            try:
                return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]
            except csv.Error:
                pass
        return [cell.strip().strip('"') for cell in line.split(delimiter)]

    return cut


def detect(lines: Sequence[str]) -> Dialect | None:
    """The dialect of a text by some of its lines; None if no line holds a number."""
    best, most = None, 0.0
    lines = [line for line in lines if line.strip()]
    fractions = _are_fractions(lines)
    for delimiter in DELIMITERS:
        cut = splitter(delimiter)
        table = [cut(line) for line in lines]
        for decimal in ".,":
            if decimal == delimiter and not any('"' in line for line in lines):
                continue
            if delimiter == "," and fractions:
                continue
            score = _score(table, decimal) * (0.5 if _parts_thousands(table, decimal) else 1.0)
            if score > most * 1.001:
                best, most = Dialect(delimiter, decimal), score
    return best


def _are_fractions(lines: Sequence[str]) -> bool:
    """Whether all lines are numbers like `5,07`: no whole number begins with a zero."""
    bare = [line.strip() for line in lines]
    return any(re.fullmatch(r"[+-]?\d+,0\d+", line) for line in bare) and all(
        re.fullmatch(r"[+-]?\d+,\d+", line) for line in bare
    )


def _parts_thousands(table: list[list[str]], mark: str) -> bool:
    """Whether a mark stands between thousands in a column: in `980`, `1,040` it is no decimal one.

    Fractions are written with their zeros and then always have the mark, or without any zeros.
    """
    columns: dict[int, list[str]] = {}
    for cells in table:
        for place, cell in enumerate(cells):
            columns.setdefault(place, []).append(cell)
    for column in columns.values():
        marked = [cell for cell in column if mark in cell and re.fullmatch(r"[+\-−]?[\d.,]+", cell)]
        if (
            any(cell.endswith("0") for cell in marked)
            and all(_THOUSANDS[mark].fullmatch(cell) for cell in marked)
            and any(re.fullmatch(r"[+\-−]?[1-9]\d{0,2}", cell) for cell in column)
        ):
            return True
    return False


def is_cell(cell: str, decimal: str) -> bool:
    """The same, or a number with its unit behind or with thousands apart."""
    return is_value(cell, decimal) or number(cell, decimal) is not None


def is_value(cell: str, decimal: str) -> bool:
    """Whether a cell is what a sample is made of."""
    return is_number(cell, decimal) or is_stamp(cell)


def _score(table: list[list[str]], decimal: str) -> float:
    """How many numbers the most usual kind of line holds, less where other text is between them.

    Thousands apart and units behind count a little less; a column that goes on as times do, more.
    """
    widths: dict[int, list[float]] = {}
    for cells in table:
        filled = [cell for cell in cells if cell]
        values = sum(_worth(cell, decimal) for cell in filled)
        if values:
            sums = widths.setdefault(len(cells), [0, 0])
            sums[0] += values
            sums[1] += len(filled)
    if not widths:
        return 0.0
    width, (values, full) = max(widths.items(), key=lambda item: item[1][0])
    texts = [cells for cells in table if not any(is_value(cell, decimal) for cell in cells)]
    factor = 1.0
    if texts and not any(_like_titles(cells, width) for cells in texts):
        factor = 0.4 if width > 1 else 0.9
    elif width == 1 and any(re.search(r"\w[,;|\t]\s*\w", cells[0]) for cells in texts if cells):
        factor = 0.5
    if any(_rises(table, width, place, decimal) for place in range(width)):
        factor *= 1.6
    return float(values * (values / full) ** 0.5 * factor)


def _worth(cell: str, decimal: str) -> float:
    if is_value(cell, decimal):
        return 1.0
    return 0.8 if number(cell, decimal) is not None else 0.0


def _rises(table: list[list[str]], width: int, place: int, decimal: str) -> bool:
    """Whether a column's numbers go on from line to line, and somewhere."""
    found = [number(cells[place], decimal) for cells in table if len(cells) == width]
    values = [value for value in found if value is not None]
    if len(values) < 4 or values[-1] <= values[0]:
        return False
    falls = [before - after for before, after in pairwise(values) if after < before]
    return 20 * len(falls) <= len(values) and 5 * max(falls, default=0) < max(values) - min(values)


def _like_titles(cells: list[str], width: int) -> bool:
    words = sum(bool(re.search(r"[^\W\d_]", cell)) for cell in cells)
    return words > 0 and (len(cells) == width or (width > 2 and len(cells) == width - 1))
