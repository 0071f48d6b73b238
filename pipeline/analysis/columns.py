"""Named tuples made of columns, at once: there are thousands, and calls would tell."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import repeat
from typing import TypeVar

Row = TypeVar("Row", bound=tuple[object, ...])


def rows_of(kind: type[Row], *columns: Iterable[object]) -> list[Row]:
    """One `kind` per row; a column for each of its fields, in their order."""
    fields = len(kind._fields)  # type: ignore[attr-defined]
    if len(columns) != fields:
        raise TypeError(f"{kind.__name__} has {fields} fields, not {len(columns)}")
    return list(map(tuple.__new__, repeat(kind), zip(*columns, strict=True)))
