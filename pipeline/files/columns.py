"""Which column is time, which is force, and in what unit: by names in many languages, and looks."""

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
    COUNTS,
    DATE_WORDS,
    DERIVED_WORDS,
    FORCE_UNITS,
    FORCE_WORDS,
    LEFT_WORDS,
    OTHER_UNITS,
    OTHER_WORDS,
    PROCESSED_WORDS,
    RIGHT_WORDS,
    TIME_WORDS,
    TOGETHER_WORDS,
    UNIT_WORDS,
    bracketed,
    force_unit,
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
    loose = [*said, *words[::-1], behind]
    return Look(
        place,
        title,
        tuple(plain(word) for word in words),
        np.array(values) if numeric else np.empty(0),
        stamps,
        stamps and has_date(stamped[0]),
        stamps and is_date(stamped[0]),
        filled[0] if filled and not numeric and not stamps else "",
        next((unit for text in loose if (unit := force_unit(text))), None),
        next((unit for text in loose if (unit := time_unit(text))), None),
        any(text.strip() in OTHER_UNITS and not force_unit(text) for text in said),
        len(set(filled)) == 1,
    )


# -- by name ---------------------------------------------------------------------------------------


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


def _folded(text: str) -> str:
    return text.strip().casefold()


def _in_words(text: str) -> str:
    return " ".join(tokens(plain(text)))


def listed(found: Sequence[Look]) -> str:
    """The columns and what each looks like, for a sentence."""
    some = [str(look) for look in found[:MOST_SHOWN]]
    more = f", and {len(found) - MOST_SHOWN} more" if len(found) > MOST_SHOWN else ""
    return f"the columns are {', '.join(some)}{more}"


# -- time ------------------------------------------------------------------------------------------


def time_column(found: Sequence[Look], side: str = "", before: int | None = None) -> Look | None:
    """The best column of times; None if there is none.

    Parameters
    ----------
    side, before
        Of the force that it belongs to, where several have times of their own.
    """
    ranked = sorted(
        ((rank, look) for look in found if (rank := _time_rank(look)) > 0),
        key=lambda item: (-item[0], item[1].place),
    )
    if not ranked:
        return None
    best = [look for rank, look in ranked if rank >= ranked[0][0] - 1e-9]
    if len(best) > 1:
        sided = [look for look in best if side and look.side == side]
        nearest = [look for look in best if before is not None and look.place < before]
        best = sided or nearest[-1:] or best
    return best[0]


def _time_rank(look: Look) -> float:
    words = set(look.words)
    time_word = words & TIME_WORDS
    if look.day_only:
        return 0.0
    if look.stamps:
        return (3.0 if time_word or words & DATE_WORDS else 2.0) + 0.2 * look.dates
    if not look.numeric or look.said_other:
        return 0.0
    strong = time_word - {"x", "t", "received"}
    if not look.rising:
        return 2.0 if strong and not words & (OTHER_WORDS | FORCE_WORDS.keys()) else 0.0
    if strong or ("t" in time_word and len(words) <= 3):
        return (
            4.0
            + 0.5 * (look.time_unit is not None and look.force_unit is None)
            - 0.3 * bool(words & {"received", "system", "host", "pc"})
        )
    if look.time_unit is not None and look.force_unit is None and not words & OTHER_WORDS:
        return 3.5
    if "x" in time_word and len(words) <= 2:
        return 1.0
    if "received" in time_word:
        return 2.5
    unnamed = not look.title and not _is_index(look.values)
    return 0.5 if unnamed else 0.0


def _is_index(values: Floats) -> bool:
    """Whether numbers only count the rows."""
    return values.size > 2 and bool((np.diff(values) == 1).all())


def date_column(found: Sequence[Look], clock: Look) -> Look | None:
    """A column of dates beside a clock that has none."""
    if not clock.stamps or clock.dates:
        return None
    return next((look for look in found if look.day_only), None)


# -- force -----------------------------------------------------------------------------------------


def force_columns(found: Sequence[Look], time: Look | None) -> list[Look]:
    """The best columns of force, equally likely each; none if nothing looks like one."""
    ranked: list[tuple[float, Look]] = []
    for look in found:
        if look is time or not look.numeric:
            continue
        rank = _force_rank(look)
        if rank > 0:
            ranked.append((rank, look))
    if not ranked:
        rest = [
            look for look in found
            if look is not time and look.numeric and not look.said_other and look.time_unit is None
            and not set(look.words) & (OTHER_WORDS | TIME_WORDS) and not _is_index(look.values)
        ]  # fmt: skip
        return rest if len(rest) == 1 else []
    top = max(rank for rank, _ in ranked)
    best = [look for rank, look in ranked if rank > top - 0.1]
    together = [look for look in best if set(look.words) & TOGETHER_WORDS]
    if len(together) == 1:
        return together
    upright = [look for look in best if set(look.words) & {"fz", "z", "vertical"}]
    if len(best) > 1 and len(upright) == 1:
        return upright
    return _different(best)


def _force_rank(look: Look) -> float:
    words = [word for word in look.words if not word.isdigit()]
    if look.said_other or (not words and not look.force_unit):
        return 0.0
    nouns = [FORCE_WORDS[word] for word in words if word in FORCE_WORDS]
    strong = any(noun != "sensor" for noun in nouns)
    rest = [word for word in words if not force_unit(word)]
    other = set(rest) & OTHER_WORDS
    if other and (not strong or (rest and rest[-1] in OTHER_WORDS)):
        return 0.0
    if not nouns and look.force_unit in (None, COUNTS) and COUNTS not in (look.force_unit,):
        return 0.0
    if set(words) & TIME_WORDS - {"x"} and not strong:
        return 0.0
    rank = (3.0 if strong else 1.0 if nouns else 0.0) + (2.0 if look.force_unit else 0.0)
    if look.force_unit == COUNTS:
        rank -= 1.5
    if set(words) & DERIVED_WORDS:
        rank -= 2.5
    if set(words) & PROCESSED_WORDS:
        rank -= 0.5
    return rank


def _different(best: list[Look]) -> list[Look]:
    """Those that are no others in another unit."""
    kept: list[Look] = []
    for look in sorted(best, key=lambda each: each.force_unit != "N"):
        if not any(_same_signal(look, other) for other in kept):
            kept.append(look)
    return sorted(kept, key=lambda look: look.place)


def _same_signal(look: Look, other: Look) -> bool:
    """Whether one column is the other in another unit, or twice."""
    one, two = look.values, other.values
    units = unit_of(look)[0], unit_of(other)[0]
    if one.size != two.size or one.size < 3 or look.side != other.side or None in units:
        return False
    newtons, others = (v * FORCE_UNITS[str(u)] for v, u in zip((one, two), units, strict=True))
    spread = float(np.std(others))
    return spread > 0 and float(np.abs(newtons - others).max()) < 0.05 * spread


def unit_of(look: Look) -> tuple[str | None, bool]:
    """The unit that a column's name says or means, and whether it says it."""
    if look.force_unit is not None:
        return look.force_unit, True
    nouns = [FORCE_WORDS[word] for word in look.words if word in FORCE_WORDS]
    for noun in nouns:
        if noun in ("N", "kg"):
            return noun, False
    return ("N", False) if "load" in nouns else (None, False)


def unit_column(found: Sequence[Look]) -> str | None:
    """The unit that a column of its own says, the same in all rows."""
    for look in found:
        if look.text and look.same and set(look.words) & UNIT_WORDS:
            return force_unit(look.text)
    return None


def side_of(look: Look) -> str | None:
    """`left` or `right` where a title says so."""
    return look.side or None


def short(text: str) -> str:
    """A title in one line."""
    return re.sub(r"\s+", " ", text).strip()
