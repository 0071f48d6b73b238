"""Where the phases of a pull begin and end: valleys, peak, and the crossings of 10 % and 90 %."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from pipeline.analysis.rows import Bools, Rows, over_segments
from sensor.samples import Floats, Ints

LOW_SHARE, HIGH_SHARE = 0.1, 0.9
"""Levels of a transition, as in IEEE 181."""

Numbers = TypeVar("Numbers", Floats, Ints)


@dataclass(frozen=True, slots=True, eq=False)
class Phases:
    """One entry per pull; grid indices with fractions, forces in N.

    Where `rise_seen` (`fall_seen`) is False, the samples begin (end) within the pull and its start
    (end) is theirs.
    """

    start: Floats
    top_start: Floats
    peak: Floats
    top_end: Floats
    end: Floats
    peak_n: Floats
    before_n: Floats
    after_n: Floats
    rise_seen: Bools
    fall_seen: Bools


def find_phases(
    force_n: Floats,
    first: Ints,
    stop: Ints,
    rise_seen: Bools,
    fall_seen: Bools,
    noise_n: Floats,
) -> Phases:
    """Phases of pulls that lie one after the other in a low-passed force.

    Parameters
    ----------
    force_n : (n,)
        Low-passed force on the grid.
    first, stop : (m,)
        Each pull with its valleys lies in [first, stop); neighbours may share a valley.
    rise_seen, fall_seen : (m,)
        Whether the pull's rise and fall were recorded.
    noise_n : (m,)
        Standard deviation of the noise in `force_n` around each pull.
    """
    whole = Rows.of(force_n, first, stop)
    top = np.maximum.reduceat(whole.values, whole.offsets)
    peak = whole.first(whole.values == whole.spread(top))
    left, right = Rows.of(force_n, first, peak + 1), Rows.of(force_n, peak, stop)
    before = np.minimum.reduceat(left.values, left.offsets)
    after = np.minimum.reduceat(right.values, right.offsets)
    swing = np.maximum(top - np.where(rise_seen, before, after), 1e-9)
    band = bounded(4 * noise_n, LEAST_BAND * swing, MOST_BAND * swing)
    top = _level(whole, top, band, sign=1)
    before = _level(left, before, band, sign=-1)
    after = _level(right, after, band, sign=-1)
    before, after = (
        np.where(rise_seen, before, np.where(fall_seen, after, before)),
        np.where(fall_seen, after, np.where(rise_seen, before, after)),
    )
    low_up = before + LOW_SHARE * (top - before)
    high_up = before + HIGH_SHARE * (top - before)
    low_down = after + LOW_SHARE * (top - after)
    high_down = after + HIGH_SHARE * (top - after)
    below_up = left.last(left.values < left.spread(low_up))
    below_down = right.first(right.values < right.spread(low_down))
    reached = left.first(left.values >= left.spread(high_up), since=np.maximum(below_up, first))
    until = np.where(below_down < 0, stop, below_down)
    held = right.last(right.values >= right.spread(high_down), until=until)
    start = np.where(below_up < 0, first, crossing(force_n, below_up, low_up))
    end = np.where(below_down < 0, stop - 1, crossing(force_n, below_down - 1, low_down))
    top_start = np.where(reached <= start, start, crossing(force_n, reached - 1, high_up))
    top_end = np.where((held < 0) | (held >= stop - 1), end, crossing(force_n, held, high_down))
    return Phases(
        start=start,
        top_start=bounded(top_start, start, end),
        peak=peak.astype(np.float64),
        top_end=bounded(top_end, np.maximum(top_start, start), end),
        end=end,
        peak_n=top,
        before_n=before,
        after_n=after,
        rise_seen=rise_seen & (below_up >= 0),
        fall_seen=fall_seen & (below_down >= 0),
    )


LEAST_BAND, MOST_BAND = 0.004, 0.06
"""Of the pull: values this near an extreme are averaged, so that noise does not choose it."""
_PLACES = np.linspace(0, 1, 9)


def _level(rows: Rows, extreme: Floats, band: Floats, sign: int) -> Floats:
    """Extreme of the force averaged over half the time that it stays within `band` of it."""
    limit = rows.spread(extreme - sign * band)
    at = np.flatnonzero(rows.values >= limit if sign > 0 else rows.values <= limit)
    begin_at, end_at = np.searchsorted(at, rows.offsets), np.searchsorted(at, rows.stops)
    stays = end_at - begin_at
    low = at[begin_at] - rows.offsets + rows.begin
    high = at[end_at - 1] - rows.offsets + rows.begin
    low, high = low[:, None], high[:, None]
    half = np.minimum(stays // 4, 25)[:, None]
    centres = low + np.rint((high - low) * _PLACES).astype(np.int64)
    begin = np.maximum(centres - half, low)
    stop = np.minimum(centres + half, high) + 1
    pairs = np.stack((begin, stop), axis=-1).reshape(-1)
    sums = over_segments(np.add, rows.force_n, pairs)
    sizes = stop - begin
    # Windows cut short at the ends of the stay would be noisier than the others.
    means = np.where(sizes > half, sums.reshape(sizes.shape) / sizes, -sign * np.inf)
    best = means.max(axis=1) if sign > 0 else means.min(axis=1)
    return np.asarray(np.where(stays > 3, best, extreme))


def crossing(force_n: Floats, index: Ints, level: Floats) -> Floats:
    """Where the line from `index` to the next value passes `level`.

    Rounded to 2⁻²⁰ of a grid step, so that the index keeps all its digits however far it is counted
    from.
    """
    here = bounded(index, 0, force_n.size - 2)
    low = force_n[here]
    step = force_n[here + 1] - low
    flat = step == 0
    part = np.where(flat, 0.0, (level - low) / np.where(flat, 1.0, step))
    return np.asarray(index + np.rint(bounded(part, 0.0, 1.0) * 2**20) / 2**20)


def bounded(values: Numbers, low: Numbers | float, high: Numbers | float) -> Numbers:
    """What `np.clip` says, several times as fast for the few values of one rep."""
    return np.minimum(np.maximum(values, low), high)
