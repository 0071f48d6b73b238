"""Cells as numbers: either decimal mark, thousands apart, a unit behind."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from sensor.samples import Floats

NUMBER = {
    mark: re.compile(
        rf"[+\-−]?(?:\d+(?:{re.escape(mark)}\d*)?|{re.escape(mark)}\d+)(?:[eE][+\-]?\d+)?"
    )
    for mark in ".,"
}
_GROUPED = {
    "." : re.compile(r"[+\-−]?\d{1,3}(?:[,'’ \u00a0\u202f]\d{3})+(?:\.\d*)?"),
    ",": re.compile(r"[+\-−]?\d{1,3}(?:[.'’ \u00a0\u202f]\d{3})+(?:,\d*)?"),
}  # fmt: skip
_UNIT_BEHIND = re.compile(r"\s*([^\W\d_]{1,9})\.?")
_NOT_NUMBERS = frozenset(
    [
        "nan",
        "na",
        "n/a",
        "#n/a",
        "null",
        "none",
        "nil",
        "inf",
        "-inf",
        "+inf",
        "infinity",
        "-infinity",
        "#div/0!",
        "#value!",
        "-",
        "--",
        "?",
    ]
)


@lru_cache(4096)
def is_number(cell: str, decimal: str = ".") -> bool:
    """Whether a cell is a plain number with this decimal mark."""
    return NUMBER[decimal].fullmatch(cell.strip()) is not None


def says_nothing(cell: str) -> bool:
    """Whether a cell says that there is no number, as `nan` does."""
    return cell.strip().casefold() in _NOT_NUMBERS


@lru_cache(4096)
def number(cell: str, decimal: str = ".") -> float | None:
    """The number that a cell holds, thousands apart or a unit behind; None if there is none."""
    cell = cell.strip()
    found = NUMBER[decimal].match(cell)
    if found is None:
        return None
    if found.end() < len(cell):
        grouped = _GROUPED[decimal].match(cell)
        if grouped is not None and grouped.end() > found.end():
            found = grouped
        if found.end() < len(cell) and not _UNIT_BEHIND.fullmatch(cell, found.end()):
            return None
    digits = re.sub(r"['’ \u00a0\u202f]|" + ("," if decimal == "." else r"\."), "", found[0])
    return float(digits.replace(",", ".").replace("−", "-"))


def grouped(cell: str, decimal: str = ".") -> bool:
    """Whether a cell's number has signs between its thousands."""
    return _GROUPED[decimal].match(cell.strip()) is not None


def unit_behind(cell: str, decimal: str = ".") -> str:
    """What stands behind a cell's number: `kg` of `12.5 kg`."""
    found = NUMBER[decimal].match(cell.strip())
    behind = _UNIT_BEHIND.fullmatch(cell.strip(), found.end()) if found else None
    return behind[1] if behind else ""


def all_numbers(cells: Sequence[str], decimal: str = ".") -> Floats | None:
    """Plain numbers of many cells at once, shape (n,); None if any is something else."""
    if decimal == ",":
        joined = "\n".join(cells)
        if "." in joined:
            return None
        cells = joined.replace(",", ".").split("\n") if cells else cells
    try:
        values = np.array(cells, dtype=np.str_).astype(np.float64)
    except ValueError:
        return None
    return values if np.isfinite(values).all() else None
