"""Which column is time and which is force: by names in many languages, and looks."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from pipeline.files.epochs import epoch_of
from pipeline.files.looks import Look
from pipeline.files.units import unit_of
from pipeline.files.words import (
    COUNTS,
    DATE_WORDS,
    DERIVED_WORDS,
    FORCE_UNITS,
    FORCE_WORDS,
    OTHER_WORDS,
    PROCESSED_WORDS,
    TIME_WORDS,
    TOGETHER_WORDS,
    force_noun,
    force_unit,
)
from sensor.samples import Floats


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
        steps = np.diff(look.values)
        begins_again = steps.size > 20 and bool((steps > 0).mean() > 0.95)
        named = strong or (begins_again and look.time_unit and not look.force_unit)
        return 2.0 if named and not words & (OTHER_WORDS | FORCE_WORDS.keys()) else 0.0
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
    if epoch_of(look.values) is not None and not words & (OTHER_WORDS | FORCE_WORDS.keys()):
        return 2.0
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
            and not look.same
            and not set(look.words) & (OTHER_WORDS | TIME_WORDS) and not _is_index(look.values)
        ]  # fmt: skip
        return rest if len(rest) == 1 else []
    top = max(rank for rank, _ in ranked)
    best = [look for rank, look in ranked if rank > top - 0.1]
    together = [look for look in best if set(look.words) & TOGETHER_WORDS]
    if len(together) == 1:
        return together
    total = _total(found, best)
    if total is not None:
        return [total]
    upright = [look for look in best if set(look.words) & {"fz", "z", "vertical"}]
    if len(best) > 1 and len(upright) == 1:
        return upright
    return _different(best)


def _force_rank(look: Look) -> float:
    words = [word for word in look.words if not word.isdigit()]
    if look.said_other or (not words and not look.force_unit):
        return 0.0
    nouns = [noun for word in words if (noun := force_noun(word))]
    strong = any(noun != "sensor" for noun in nouns)
    rest = [word for word in words if not force_unit(word)]
    other = set(rest) & OTHER_WORDS
    if other and (not strong or (rest and rest[-1] in OTHER_WORDS)):
        return 0.0
    if not nouns and look.force_unit in (None, COUNTS) and COUNTS not in (look.force_unit,):
        return 0.0
    if not strong and (set(words) & TIME_WORDS - {"x"} or _is_index(look.values)):
        return 0.0
    rank = 3.0 if strong else 1.0 if nouns else 0.0
    if look.force_unit == COUNTS:
        rank += -0.75 if nouns else 0.5
    elif look.force_unit:
        rank += 2.0
    if set(words) & DERIVED_WORDS:
        rank -= 2.5
    if set(words) & PROCESSED_WORDS:
        rank -= 0.5
    return rank


def _total(found: Sequence[Look], best: Sequence[Look]) -> Look | None:
    """The column that says it is all of these together, and is."""
    if len(best) < 2 or len({look.values.size for look in best}) > 1:
        return None
    added: Floats = np.sum([look.values for look in best], axis=0)
    for look in found:
        named = set(look.words) & TOGETHER_WORDS and look.force_unit and not look.said_other
        if not named or look.force_unit != best[0].force_unit or look.values.size != added.size:
            continue
        if float(np.abs(look.values - added).max()) <= 0.01 * float(np.abs(added).max()):
            return look
    return None


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
