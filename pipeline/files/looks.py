"""What a table's columns look like: their words, their first cells, the units they name."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.files.errors import FileError, shown
from pipeline.files.moments import has_date, is_date, is_stamp
from pipeline.files.numbers import number, unit_behind
from pipeline.files.table import Table
from pipeline.files.words import (
    LEFT_WORDS,
    OTHER_UNITS,
    RIGHT_WORDS,
    bracketed,
    force_unit,
    is_ratio,
    is_word,
    plain,
    time_unit,
    tokens,
)
from sensor.samples import Floats

MOST_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Look:
    """What one column looks like."""

    place: int
    title: str
    words: tuple[str, ...]
    values: Floats
    """Of its first cells that are numbers."""
    stamps: bool
    dates: bool
    day_only: bool
    text: str
    """A cell, where it holds neither numbers nor stamps."""
    force_unit: str | None
    time_unit: str | None
    said_other: bool
    """Its unit is of something else."""
    unknown_unit: str
    """What stands where a unit does, and is none that is known."""
    same: bool
    """All cells are alike."""

    @property
    def numeric(self) -> bool:
        return self.values.size > 0

    @property
    def rising(self) -> bool:
        """Numbers that go on, as times do; a few may stutter."""
        steps = np.diff(self.values)
        return (
            self.values.size > 1
            and steps.size > 0
            and bool((steps >= 0).mean() > 0.9 and self.values[-1] > self.values[0])
        )

    @property
    def side(self) -> str:
        """`left`, `right`, or neither."""
        if set(self.words) & (LEFT_WORDS - {"a"}):
            return "left"
        return "right" if set(self.words) & (RIGHT_WORDS - {"b"}) else ""

    def __str__(self) -> str:
        name = f"'{shown(self.title)}'" if self.title else f"column {self.place + 1}"
        if self.stamps:
            return f"{name} (stamps)"
        if not self.numeric:
            return f"{name} (text: {shown(self.text, 12)})" if self.text else f"{name} (empty)"
        low, high = float(self.values.min()), float(self.values.max())
        span = f"always {low:g}" if low == high else f"{low:g} to {high:g}"
        return f"{name} ({span}{', rising' if self.rising else ''})"


def looks(table: Table) -> list[Look]:
    """A look at every column."""
    return [_look(table, place) for place in range(len(table.titles))]


def _look(table: Table, place: int) -> Look:
    title = table.titles[place]
    filled = [cell for cell in table.head[place] if cell]
    values = [value for cell in filled if (value := number(cell, table.decimal)) is not None]
    numeric = bool(filled) and len(values) >= 0.5 * len(filled)
    stamped = [cell for cell in filled if is_stamp(cell)]
    stamps = not numeric and bool(filled) and len(stamped) >= 0.9 * len(filled)
    words = tokens(title)
    in_brackets = bracketed(title)
    said = [*in_brackets, *([table.units[place]] if table.units[place] else [])]
    behind = unit_behind(filled[0], table.decimal) if numeric else ""
    said += [behind] if behind else []
    unknown = next((text for text in in_brackets if _is_unknown_unit(text)), "")
    below = [*said[len(in_brackets) :], *([behind] if behind else [])]
    unknown = unknown or next((t for t in below if _is_unknown_unit(t, title=False)), "")
    known = next((unit for text in said if (unit := force_unit(text))), None)
    loose = [*said, *([] if unknown else words[::-1])]
    return Look(
        place,
        title,
        tuple(plain(word) for word in words),
        np.array(values) if numeric else np.empty(0),
        stamps,
        stamps and has_date(stamped[0]),
        stamps and is_date(stamped[0]),
        filled[0] if filled and not numeric and not stamps else "",
        known or next((unit for text in loose if (unit := force_unit(text))), None),
        next((unit for text in loose if (unit := time_unit(text))), None),
        is_ratio(title) or any(_is_other(text) for text in said),
        "" if known else unknown,
        len(set(filled)) == 1,
    )


def _is_other(text: str) -> bool:
    """Whether a text says that a column is something else: `V`, `% MVC`."""
    text = text.strip()
    return (text in OTHER_UNITS or text.startswith("%")) and not force_unit(text)


def _is_unknown_unit(text: str, *, title: bool = True) -> bool:
    """Whether a text in brackets, below a title or behind a number can only be a unit."""
    text = text.strip(" .")
    shaped = bool(re.fullmatch(r"[^\d\W_](?:[^\d]{0,12}[^\d\W_])?", text))
    known = force_unit(text) or time_unit(text) or text in OTHER_UNITS or (title and is_word(text))
    return shaped and not known


def named(found: Sequence[Look], name: str, option: str, path: object) -> Look:
    """The column that an option names: by its title, nearly so, or by its number from 1."""
    for same in (
        str,
        lambda text: str(text).strip().casefold(),
        lambda text: " ".join(tokens(plain(str(text)))),
    ):
        hits = [look for look in found if look.title and same(look.title) == same(name)]
        if hits:
            return hits[0]
    if name.isdecimal() and 1 <= int(name) <= len(found):
        return found[int(name) - 1]
    raise FileError(f"{path}: there is no column '{shown(name)}' for {option}; {listed(found)}")


def listed(found: Sequence[Look]) -> str:
    """The columns and what each looks like, for a sentence."""
    some = [str(look) for look in found[:MOST_SHOWN]]
    more = f", and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
    return f"the columns are {', '.join(some)}{more}"
