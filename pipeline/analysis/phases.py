"""Where the phases of a pull begin and end: valleys, peak, and the crossings of 10 % and 90 %."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensor.samples import Floats, Ints

LOW_SHARE, HIGH_SHARE = 0.1, 0.9
"""Levels of a transition, as in IEEE 181."""

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
    whole = Rows.of(force_n, first, stop)
    top = np.maximum.reduceat(whole.values, whole.offsets)
    peak = whole.first(whole.values == whole.spread(top))
    left, right = Rows.of(force_n, first, peak + 1), Rows.of(force_n, peak, stop)
    before = np.minimum.reduceat(left.values, left.offsets)
    after = np.minimum.reduceat(right.values, right.offsets)
    swing = np.maximum(top - np.where(rise_seen, before, after), 1e-9)
    band = np.clip(4 * noise_n, LEAST_BAND * swing, MOST_BAND * swing)
    top = whole.level(top, band, sign=1)
    before = left.level(before, band, sign=-1)
    after = right.level(after, band, sign=-1)
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
class Rows:
    """A part of the samples for each pull, all in one row, and what is asked of each part."""

    force_n: Floats
    values: Floats
    begin: Ints
    offsets: Ints
    stops: Ints

    @classmethod
    def of(cls, force_n: Floats, first: Ints, stop: Ints) -> Rows:
        lengths = stop - first
        stops = np.cumsum(lengths)
        offsets = stops - lengths
        index = np.arange(stops[-1]) + np.repeat(first - offsets, lengths)
        return cls(force_n, force_n[index], first, offsets, stops)

    def spread(self, each: Floats) -> Floats:
        """One value per pull, repeated for its samples."""
        return np.repeat(each, self.stops - self.offsets)

    def first(self, mask: Bools, since: Ints | None = None) -> Ints:
        """First index of each part where `mask` holds, -1 where it never does."""
        at = np.flatnonzero(mask)
        low = self.offsets if since is None else self.offsets + since - self.begin
        found = np.append(at, -1)[np.searchsorted(at, low)]
        held = (found >= 0) & (found < self.stops)
        return np.where(held, found - self.offsets + self.begin, -1)

    def last(self, mask: Bools, until: Ints | None = None) -> Ints:
        """Last index of each part where `mask` holds, -1 where it never does."""
        at = np.flatnonzero(mask)
        stop = self.stops if until is None else self.offsets + until - self.begin
        found = np.append(at, -1)[np.searchsorted(at, stop) - 1]
        return np.where(found >= self.offsets, found - self.offsets + self.begin, -1)

    def level(self, extreme: Floats, band: Floats, sign: int) -> Floats:
        """Extreme of the force averaged over half the time that it stays within `band` of it."""
        limit = self.spread(extreme - sign * band)
        at = np.flatnonzero(self.values >= limit if sign > 0 else self.values <= limit)
        begin_at, end_at = np.searchsorted(at, self.offsets), np.searchsorted(at, self.stops)
        stays = end_at - begin_at
        low = at[begin_at] - self.offsets + self.begin
        high = at[end_at - 1] - self.offsets + self.begin
        half = np.clip(stays // 4, 0, 25)
        steps = np.linspace(0, 1, _PLACES)
        span = high - low
        centres = low[:, None] + np.rint(span[:, None] * steps).astype(np.int64)
        begin = np.clip(centres - half[:, None], low[:, None], None)
        stop = np.clip(centres + half[:, None] + 1, None, high[:, None] + 1)
        pairs = np.stack((begin, stop), axis=-1).reshape(-1)
        sums = over_segments(np.add, self.force_n, pairs)
        means = sums.reshape(centres.shape) / (stop - begin)
        # Windows cut short at the ends of the stay would be noisier than the others.
        means = np.where((stop - begin) > half[:, None], means, -sign * np.inf)
        best = sign * np.max(sign * means, axis=1)
        return np.asarray(np.where(stays > 3, best, extreme))


def crossing(force_n: Floats, index: Ints, level: Floats) -> Floats:
    """Where the line from `index` to the next value passes `level`.

    Rounded to 2⁻²⁰ of a grid step, so that the index keeps all its digits however far it is counted
    from.
    """
    here = np.clip(index, 0, force_n.size - 2)
    low, high = force_n[here], force_n[here + 1]
    step = high - low
    part = np.where(step == 0, 0.0, (level - low) / np.where(step == 0, 1.0, step))
    return np.asarray(index + np.rint(np.clip(part, 0.0, 1.0) * 2**20) / 2**20)


def over_segments(what: np.ufunc, values: Floats, pairs: Ints) -> Floats:
    """Sum, maximum or the like of values over segments, given as first, stop, first, stop, ...."""
    if int(pairs.max()) >= values.size:
        values = np.append(values, values[-1:])
    return np.asarray(what.reduceat(values, pairs)[::2])
