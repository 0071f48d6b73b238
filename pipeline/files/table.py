"""A table as any reader finds it: titles, a look at its cells, and columns read when asked for."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from sensor.samples import Floats

Cells = Floats | list[str]
"""One column: numbers, or stamps as they are written."""
Progress = Callable[[float], None]
"""Told which part is done, 0 to 1."""


@dataclass(slots=True, eq=False)
class Loaded:
    """Columns of one length, where each row stands, and what was passed over."""

    columns: list[Cells]
    place_of: Callable[[int], str]
    """`line 12` of a row."""
    passed: Counter[str] = field(default_factory=Counter)
    words: list[str] = field(default_factory=list)
    """What else the person should know."""
    wall: bool | None = None
    """Whether moments that are numbers already are as a clock on a wall says them, not UTC."""


class Table(Protocol):
    """What the readers make; rows are samples."""

    part: str
    """Sheet, or file within the file; empty where there is only one."""
    titles: list[str]
    units: list[str]
    """From a line of their own below the titles; else empty."""
    head: list[list[str]]
    """The first cells of each column, as text."""
    decimal: str
    notes: list[str]
    """What stands above the titles."""

    def rows(self) -> Iterator[list[str]]:
        """All rows as texts."""
        ...

    def load(self, places: Sequence[int], progress: Progress | None = None) -> Loaded:
        """Read these columns."""
        ...
