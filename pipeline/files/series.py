"""Tables in long form: whose each row is stands in a column, and each is a table of its own.

Sessions of a backup, left and right in turn, force and temperature under one title.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

import numpy as np

from pipeline.files.moments import is_stamp
from pipeline.files.numbers import number
from pipeline.files.table import Cells, Loaded, Progress, Table
from pipeline.files.words import plain, tokens

OWNERS = frozenset(("session", "sessionid", "run", "recording"))
"""Rows of one are apart from those of another, wherever they stand."""
QUANTITIES = frozenset(
    ("field", "channel", "signal", "quantity", "metric", "measurement", "variable", "parameter",
     "entity", "topic")
)  # fmt: skip
"""What the rows hold: their names belong to the values."""
SIDES = frozenset(
    ("side", "limb", "hand", "leg", "arm", "foot", "cable", "device", "sensor", "id", "name", "mac",
     "address", "node", "band", "serial", "source", "user", "athlete", "person", "subject")
)  # fmt: skip
"""Whose the rows are."""
VALUES = frozenset(["value", "state", "reading", "payload", "val"])
MOST_SERIES, IN_TURN, HEAD_ROWS, LEAST_ROWS = 500, 0.05, 400, 4
"""Sides that change less often than every so many rows follow each other in one signal."""


class Series(Table):
    """The rows of a table that bear one key."""

    def __init__(
        self, table: Table, place: int, key: str, head: list[list[str]], *, named: bool, alone: bool
    ) -> None:
        self.table, self.place, self.key = table, place, key
        self.part = table.part if alone else f"{table.part} {key}".strip()
        self.titles = [
            f"{title} {key}" if named and VALUES.intersection(_words(title)) else title
            for title in table.titles
        ]
        self.units, self.decimal, self.notes = table.units, table.decimal, table.notes
        self.head = [list(column) for column in zip(*head, strict=True)]

    def rows(self) -> Iterator[list[str]]:
        return (row for row in self.table.rows() if row[self.place] == self.key)

    def load(self, places: Sequence[int], progress: Progress | None = None) -> Loaded:
        """The columns of its rows."""
        loaded = self.table.load([*places, self.place], progress)
        rows = np.flatnonzero(np.array(_keys(loaded.columns[-1])) == self.key)
        columns = [
            cells[rows] if isinstance(cells, np.ndarray) else [cells[row] for row in rows]
            for cells in loaded.columns[:-1]
        ]
        place_of = loaded.place_of
        return Loaded(
            columns, lambda row: place_of(int(rows[min(row, rows.size - 1)])), loaded.passed,
            loaded.words, loaded.wall,
        )  # fmt: skip


def series_of(table: Table) -> list[Table]:
    """The table itself, or its series apart where a column says whose each row is."""
    for place, title in enumerate(table.titles):
        words = _words(title)
        named = bool(QUANTITIES.intersection(words))
        owner = "".join(words) in OWNERS
        cells = table.head[place]
        turns = sum(one != two for one, two in pairwise(cells))
        in_turn = turns > IN_TURN * len(cells) and bool(named or SIDES.intersection(words))
        constant = named and turns == 0
        if not (owner or in_turn or constant) or not _are_keys(cells, any_order=owner):
            continue
        heads: dict[str, list[list[str]]] = {}
        size = 0
        for row in table.rows():
            size += 1
            rows = heads.setdefault(row[place], []) if row[place] else []
            if len(rows) < HEAD_ROWS:
                rows.append(row)
            if len(heads) > MOST_SERIES:
                break
        few = len(heads) <= MOST_SERIES and LEAST_ROWS * len(heads) <= size
        if (1 if named else 2) <= len(heads) and few:
            alone = len(heads) == 1
            return [
                Series(table, place, key, head, named=named, alone=alone)
                for key, head in heads.items()
            ]
    return [table]


def _words(title: str) -> list[str]:
    return [plain(word) for word in tokens(title)]


def _are_keys(cells: Sequence[str], *, any_order: bool) -> bool:
    """Whether cells are names, or whole numbers in turn; not readings or stamps."""
    filled = [cell for cell in cells if cell]
    if not filled or is_stamp(filled[0]):
        return False
    values = [value for cell in filled if (value := number(cell)) is not None]
    if any(value != round(value) for value in values):
        return False
    turn = len(set(filled))
    return (
        any_order or not values or all(a == b for a, b in zip(filled, filled[turn:], strict=False))
    )


def _keys(cells: Cells) -> list[str]:
    """Names as they stand in a table's first cells."""
    if isinstance(cells, np.ndarray):
        return [f"{value:.0f}" for value in cells]
    return cells
