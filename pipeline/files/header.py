"""Where a table begins in a text, and what its columns are called."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.files.dialect import Dialect, is_cell
from pipeline.files.moments import is_stamp
from pipeline.files.words import COUNTS, OTHER_UNITS, force_unit, time_unit

COMMENT = re.compile(r"\s*(?:#|%|//|--|\*)+\s?")
LINES_ABOVE = 8
"""Titles stand no higher above the first sample."""


@dataclass(frozen=True, slots=True)
class Header:
    """Titles and units by column, the line below them (from 0), and what is above."""

    titles: list[str]
    units: list[str]
    body: int
    notes: list[str]


def find_header(lines: Sequence[str], dialect: Dialect) -> Header | None:
    """The header of the largest table among the first lines of a text; None without samples."""
    rows = [dialect.cells(line) if line.strip() else [] for line in lines]
    numeric = [[is_cell(cell, dialect.decimal) for cell in row] for row in rows]
    counts: dict[int, int] = {}
    for flags in numeric:
        if any(flags):
            counts[len(flags)] = counts.get(len(flags), 0) + sum(flags)
    if not counts:
        return None
    width = max(counts, key=lambda key: counts[key])
    usual = [flags for flags in numeric if len(flags) == width and any(flags)]
    columns = [2 * sum(flags[k] for flags in usual) >= len(usual) for k in range(width)]
    need = max(sum(columns), 1)

    def is_row(at: int) -> bool:
        hits = sum(flag for flag, wanted in zip(numeric[at], columns, strict=False) if wanted)
        wrong = sum(
            bool(cell) and not flag
            for cell, flag, wanted in zip(rows[at], numeric[at], columns, strict=False)
            if wanted
        )
        return len(rows[at]) == width and hits > 0 and 2 * hits >= need and not wrong

    body = _largest(rows, numeric, [is_row(at) for at in range(len(rows))])
    if body is None:
        return None
    titles, units, top, below = _titles(lines, rows, body, dialect, width)
    notes = [line.strip() for line in lines[:top] if line.strip()]
    return Header(titles, units, below, notes)


def _largest(rows: list[list[str]], numeric: list[list[bool]], samples: list[bool]) -> int | None:
    """The first row of the table with the most; other titles between begin another table."""
    begins: list[int] = []
    sizes: list[int] = []
    titles: list[str] = []
    for at, row in enumerate(rows):
        if samples[at]:
            if not begins or titles:
                begins.append(at)
                sizes.append(0)
                titles = []
            sizes[-1] += 1
        elif begins and _names(row, numeric[at], len(rows[begins[-1]])):
            known = rows[max(begins[-1] - LINES_ABOVE, 0) : begins[-1]]
            titles = titles if row in known else row
    return begins[sizes.index(max(sizes))] if begins else None


def _names(row: list[str], numeric: list[bool], width: int) -> bool:
    """Whether a line can be the titles of so many columns."""
    filled = [cell for cell in row if re.search(r"[^\W\d_]", cell)]
    return len(row) == width > 1 and not any(numeric) and 2 * len(filled) > width


def _titles(
    lines: Sequence[str], rows: list[list[str]], body: int, dialect: Dialect, width: int
) -> tuple[list[str], list[str], int, int]:
    """Titles and units above line `body`, the line where they begin, and the one below them."""
    above = [at for at in range(body - 1, max(body - 1 - LINES_ABOVE, -1), -1) if rows[at]]
    units = [""] * width
    keyed = {rows[at][0].casefold(): rows[at][1:] for at in above if rows[at][0].endswith("=")}
    if "channeltitle=" in keyed:  # LabChart: a key before each line
        channels, their_units = keyed["channeltitle="], keyed.get("unitname=", [])
        blank = [""] * width
        return (
            ["t", *channels, *blank][:width],
            ["s", *their_units, *blank][:width],
            above[-1],
            body,
        )
    below = 0
    open_end = all(row[-1] == "" for row in rows[body:] if len(row) == width)
    for order, at in enumerate(above):
        cells = _fitted(lines[at], dialect, width, open_end=open_end)
        if cells is None:
            continue
        named = any(_fitted(lines[up], dialect, width) for up in above[order + 1 :])
        if named and not any(units) and _are_units(cells):
            units, below = [cell.strip(" ()[]{}") for cell in cells], at + 1
            continue
        if 2 * sum(is_cell(cell, dialect.decimal) for cell in cells) >= len(cells):
            continue
        if named and any(is_stamp(cell) for cell in cells):  # a sample without its number
            below = below or at + 1
            continue
        group = above[order + 1] if order + 1 < len(above) else None
        over = _fitted(lines[group], dialect, width) if group is not None else None
        if over is not None and len(set(cells)) < len(cells) and any(over):
            return _under_groups(over, cells), units, int(group or 0), below or at + 1
        return cells, units, at, below or at + 1
    return [""] * width, units, body, body


def _fitted(line: str, dialect: Dialect, width: int, *, open_end: bool = False) -> list[str] | None:
    """The cells of a line of titles made as many as the columns are; None if they cannot be.

    Parameters
    ----------
    open_end
        Whether all rows end with a delimiter.
    """
    bare = COMMENT.sub("", line, count=1) if COMMENT.match(line) else line
    cells = dialect.cells(bare)
    if dialect.delimiter == " " and len(cells) != width:
        other = [cell.strip() for cell in re.split(r"\t|\s{2,}|[,;|]", bare.strip())]
        cells = next((each for each in (_joined(bare), other) if len(each) == width), cells)
    while len(cells) > width and not cells[-1]:
        cells.pop()
    words = [cell for cell in cells if re.search(r"[^\W\d_]|[#%°]", cell)]
    if not words or (len(words) == 1 and width > 2 and len(cells) == 1):
        return None
    if len(cells) == width - 1 and width > 2:  # row names have no title, nor has an empty end
        return [*cells, ""] if open_end else ["", *cells]
    if width < len(cells) <= width + 2 and len(words) == len(cells):  # notes that are not there
        return cells[:width]
    return cells if len(cells) == width else None


def _joined(line: str) -> list[str]:
    """Words parted by blanks, with the unit in brackets that belongs to each."""
    out: list[str] = []
    for word in line.split():
        if out and (word[0] in "([" or out[-1].count("(") > out[-1].count(")")):
            out[-1] += f" {word}"
        else:
            out.append(word)
    return out


def _are_units(cells: list[str]) -> bool:
    """Whether a line holds the units of the titles above it."""
    filled = [cell.strip() for cell in cells if cell.strip(" ()[]{}-")]
    known = [cell for cell in filled if _is_unit(cell)]
    unknown = [cell for cell in filled if cell not in known]
    few = 3 * len(unknown) <= len(filled) and all(len(cell) <= 4 for cell in unknown)
    return bool(known) and few


def _is_unit(cell: str) -> bool:
    bare = cell.strip(" ()[]{}")
    if re.fullmatch(r"[(\[{].{1,9}[)\]}]", cell):
        return True
    return bare in OTHER_UNITS or bool(force_unit(bare) not in (None, COUNTS) or time_unit(bare))


def _under_groups(over: list[str], cells: list[str]) -> list[str]:
    """Titles with the name of their group before them: Left over Time, Force."""
    group, out = "", []
    for name, cell in zip(over, cells, strict=True):
        group = name or group
        out.append(f"{group} {cell}".strip())
    return out
