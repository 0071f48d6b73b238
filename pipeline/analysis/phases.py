"""Where the phases of a pull begin and end: valleys, peak, and the crossings of 10 % and 90 %."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analysis.grid import GRID_HZ
from sensor.samples import Floats, Ints

LOW_SHARE, HIGH_SHARE = 0.1, 0.9
"""Levels of a transition, as in IEEE 181."""

REST_S = 2.0
"""The force rests where it moves by less than `REST_SHARE` of the pull for this long."""
REST_SHARE = 0.08
STEP_SHARE = 0.15
"""A lower valley beyond such a rest is another one if it is this part of the pull lower."""

Bools = NDArray[np.bool_]


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
    lengths = stop - first
    offsets = np.concatenate(([0], np.cumsum(lengths)[:-1]))
    pull = np.repeat(np.arange(first.size), lengths)
    index = np.arange(lengths.sum()) + np.repeat(first - offsets, lengths)
    side = _Sides(force_n, force_n[index], index, offsets, pull)
    top = np.maximum.reduceat(side.values, offsets)
    peak = side.first(side.values == top[pull])
    right = index > peak[pull]
    from_peak = index >= peak[pull]
    before = np.minimum.reduceat(np.where(right, np.inf, side.values), offsets)
    after = np.minimum.reduceat(np.where(from_peak, side.values, np.inf), offsets)
    swing = np.maximum(top - np.where(rise_seen, before, after), 1e-9)
    band = np.clip(4 * noise_n, LEAST_BAND * swing, MOST_BAND * swing)
    top = side.level(top, band, np.ones(index.size, dtype=np.bool_), sign=1)
    before = side.level(before, band, ~right, sign=-1)
    after = side.level(after, band, from_peak, sign=-1)
    before, after = (
        np.where(rise_seen, before, np.where(fall_seen, after, before)),
        np.where(fall_seen, after, np.where(rise_seen, before, after)),
    )
    low_up = before + LOW_SHARE * (top - before)
    high_up = before + HIGH_SHARE * (top - before)
    low_down = after + LOW_SHARE * (top - after)
    high_down = after + HIGH_SHARE * (top - after)
    below_up = side.last(~right & (side.values < low_up[pull]))
    below_down = side.first(right & (side.values < low_down[pull]))
    inside = (index > below_up[pull]) & ((below_down[pull] < 0) | (index < below_down[pull]))
    reached = side.first(~right & inside & (side.values >= high_up[pull]))
    left = side.last(from_peak & inside & (side.values >= high_down[pull]))
    start = np.where(below_up < 0, first, side.crossing(below_up, low_up))
    end = np.where(below_down < 0, stop - 1, side.crossing(below_down - 1, low_down))
    top_start = np.where(reached <= start, start, side.crossing(reached - 1, high_up))
    top_end = np.where((left < 0) | (left >= stop - 1), end, side.crossing(left, high_down))
    return Phases(
        start=start,
        top_start=np.clip(top_start, start, end),
        peak=peak.astype(np.float64),
        top_end=np.clip(top_end, np.maximum(top_start, start), end),
        end=end,
        peak_n=top,
        before_n=before,
        after_n=after,
        rise_seen=rise_seen & (below_up >= 0),
        fall_seen=fall_seen & (below_down >= 0),
    )


LEAST_BAND, MOST_BAND = 0.004, 0.06
"""Of the pull: values this near an extreme are averaged, so that noise does not choose it."""
_PLACES = 9


@dataclass(frozen=True, slots=True, eq=False)
class _Sides:
    """The samples of all pulls in one row, and what is asked of each pull's part."""

    force_n: Floats
    values: Floats
    index: Ints
    offsets: Ints
    pull: Ints

    def first(self, mask: Bools) -> Ints:
        """First index in each pull where `mask` holds, -1 where it never does."""
        never = np.iinfo(np.int64).max
        found = np.minimum.reduceat(np.where(mask, self.index, never), self.offsets)
        return np.where(found == never, -1, found)

    def last(self, mask: Bools) -> Ints:
        return np.asarray(np.maximum.reduceat(np.where(mask, self.index, -1), self.offsets))

    def level(self, extreme: Floats, band: Floats, where: Bools, sign: int) -> Floats:
        """Extreme of the force averaged over half the time that it stays within `band` of it."""
        near = where & (sign * (extreme[self.pull] - self.values) <= band[self.pull])
        low, high = self.first(near), self.last(near)
        stays = np.add.reduceat(near.astype(np.int64), self.offsets)
        half = np.clip(stays // 4, 0, 50)
        steps = np.linspace(0, 1, _PLACES)
        span = high - low
        centres = np.rint(low[:, None] + span[:, None] * steps).astype(np.int64)
        begin = np.clip(centres - half[:, None], low[:, None], None)
        stop = np.clip(centres + half[:, None] + 1, None, high[:, None] + 1)
        pairs = np.stack((begin, stop), axis=-1).reshape(-1)
        sums = np.add.reduceat(np.append(self.force_n, 0.0), pairs)[::2]
        means = sums.reshape(centres.shape) / (stop - begin)
        # Windows cut short at the ends of the stay would be noisier than the others.
        means = np.where((stop - begin) > half[:, None], means, -sign * np.inf)
        best = sign * np.max(sign * means, axis=1)
        return np.asarray(np.where(stays > 4, best, extreme))

    def crossing(self, index: Ints, level: Floats) -> Floats:
        """Where the line from `index` to the next value passes `level`."""
        here = np.clip(index, 0, self.force_n.size - 2)
        low, high = self.force_n[here], self.force_n[here + 1]
        step = high - low
        part = np.where(step == 0, 0.0, (level - low) / np.where(step == 0, 1.0, step))
        return np.asarray(index + np.clip(part, 0.0, 1.0))


def local_limits(force_n: Floats, peak: int) -> tuple[int, int]:
    """Where the rise from the last rest begins, and where the fall to the next rest ends.

    A valley counts as far as the force gets there without resting on the way: a band that is taken
    up and held before the first pull, or put down long after the last, is no part of the pull.

    Parameters
    ----------
    force_n : (n,)
        Low-passed force of one pull with all that lies around it.
    peak
        Index of its peak.

    Returns
    -------
    tuple of int
        First index and last index, both within the pull's samples.
    """
    left = peak - _rest_beyond(force_n[peak::-1])
    return left, peak + _rest_beyond(force_n[peak:])


def _rest_beyond(away_n: Floats) -> int:
    """How far from the peak, going away from it, the force rests for good; all of it if never."""
    whole = away_n.size - 1
    top, lowest = float(away_n[0]), float(away_n.min())
    under = np.flatnonzero(away_n < (top + lowest) / 2)
    rest = int(REST_S * GRID_HZ)
    if not under.size or under[0] + rest >= away_n.size:
        return whole
    least = np.minimum.accumulate(away_n[under[0] :])
    still = least[:-rest] - least[rest:] < REST_SHARE * (top - least[rest:])
    at = int(np.argmax(still))
    if not still[at]:
        return whole
    level = float(least[at + rest])
    if level - lowest < STEP_SHARE * (top - level):
        return whole
    return int(under[0]) + at + rest
