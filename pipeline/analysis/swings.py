"""Turning points: the highs and lows between which the force swings by at least a threshold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.analysis.rows import Rows
from sensor.samples import Floats, Ints

_TOGETHER = 16


class Turn(NamedTuple):
    """A high or a low of the force; a tuple, because there are thousands.

    `at` is where it lies on the grid, `seen` where the force had swung back far enough to know.
    """

    at: int
    force_n: float
    high: bool
    seen: int


class Swings:
    """Finds turns as values come: one is certain when the force has swung back by `threshold_n`."""

    def __init__(self, threshold_n: float) -> None:
        self._threshold = threshold_n
        self._direction = 0
        self._high = (0, -np.inf)
        self._low = (0, np.inf)
        self._tail: Floats = np.empty(0)

    def copy(self) -> Swings:
        other = Swings(self._threshold)
        other.__dict__.update(self.__dict__)
        return other

    @property
    def rising(self) -> bool:
        """Whether the last certain turn was a low."""
        return self._direction > 0

    def push(self, first: int, step: int, values: Floats) -> list[Turn]:
        """Take values at grid indices first, first + step, ...; return the turns now certain."""
        if not values.size:
            return []
        held = self._tail.size
        values = np.concatenate((self._tail, values))
        origin = first - step * held
        # What was taken last is the second of two values held, or the only one.
        taken = min(held, 2) - 1
        at = [0] if not held else []
        steps = np.diff(values)
        moving = np.flatnonzero(steps)
        if moving.size:
            # Between bends only the newest value can matter.
            bends = self._without_ripple(values, _bends(steps, moving))
            newest = int(moving[-1]) + 1
            at += [b for b in (*bends.tolist(), newest) if b > taken]
            self._tail = values[newest - 1 : newest + 1].copy()
        else:
            self._tail = values[:1].copy()
        return self._take(values, at, origin, step, max(taken, 0))

    def end(self) -> Turn | None:
        """The turn that the run's end leaves open, if there is one."""
        if self._direction > 0:
            return Turn(*self._high, True, self._high[0])
        if self._direction < 0:
            return Turn(*self._low, False, self._low[0])
        return None

    def _without_ripple(self, values: Floats, bends: Ints) -> Ints:
        """Leave out bends that cannot matter; it saves time and nothing else.

        Of bends that lie together within the threshold only the highest and lowest can. Of the
        others, a pair nearer than the threshold within a greater swing tells nothing new.
        """
        whole = bends.size // _TOGETHER * _TOGETHER
        if whole:
            groups = values[bends[:whole]].reshape(-1, _TOGETHER)
            high, low = groups.argmax(axis=1), groups.argmin(axis=1)
            row = np.arange(high.size)
            still = groups[row, high] - groups[row, low] < self._threshold
            keep = np.ones(bends.size, dtype=np.bool_)
            keep[:whole] = np.repeat(~still, _TOGETHER)
            row = row[still] * _TOGETHER
            keep[row + high[still]] = keep[row + low[still]] = True
            bends = bends[keep]
            # Highs and lows must take turns again, or a pair of lows would look like a ripple.
            way = np.diff(values[bends])
            keep = np.ones(bends.size, dtype=np.bool_)
            keep[1:-1] = way[:-1] * way[1:] <= 0
            bends = bends[keep]
        for _ in range(4):
            if bends.size < _TOGETHER:
                break
            way = np.diff(values[bends])
            swing = np.abs(way)
            small = (swing[1:-1] < self._threshold) & (way[1:-1] * way[:-2] < 0)
            small &= (swing[1:-1] <= swing[:-2]) & (swing[1:-1] < swing[2:])
            small &= way[1:-1] * way[2:] < 0
            at = np.flatnonzero(small) + 1
            if at.size < bends.size // 20:
                break
            keep = np.ones(bends.size, dtype=np.bool_)
            keep[at] = keep[at + 1] = False
            bends = bends[keep]
        return bends

    def _take(
        self, values: Floats, at: list[int], origin: int, step: int, came_from: int
    ) -> list[Turn]:
        threshold, direction = self._threshold, self._direction
        (high_at, high), (low_at, low) = self._high, self._low
        turns: list[tuple[int, float, bool]] = []
        known: list[int] = []
        """Place at which each is certain: there or before it was seen."""
        for position, value in zip(at, values[at].tolist(), strict=True):
            if direction >= 0 and value > high:
                high_at, high = origin + step * position, value
            if direction <= 0 and value < low:
                low_at, low = origin + step * position, value
            if direction >= 0 and high - value >= threshold:
                turns.append((high_at, high, True))
                known.append(position)
                direction, low_at, low = -1, origin + step * position, value
            elif direction <= 0 and value - low >= threshold:
                turns.append((low_at, low, False))
                known.append(position)
                direction, high_at, high = 1, origin + step * position, value
        self._direction = direction
        self._high, self._low = (high_at, high), (low_at, low)
        if not turns:
            return []
        # Not from the bend before this one: a ripple left out may have been there already.
        turn_at, force_n, high_ones = zip(*turns, strict=True)
        since = np.maximum((np.array(turn_at) - origin) // step, came_from)
        way = Rows.between(values, since, np.array(known) + 1)
        extreme = way.spread(np.array(force_n))
        seen = origin + step * (since + way.first(np.abs(way.values - extreme) >= threshold))
        return list(map(Turn, turn_at, force_n, high_ones, seen.tolist()))


def _bends(steps: Floats, moving: Ints) -> Ints:
    """Where values turn, told by their steps, of which those in `moving` are not 0.

    All local highs and lows, a plateau as its first value: what `scipy.signal.find_peaks` finds in
    the values and in their negatives; loading it would take most of the time in which a session
    starts.
    """
    up = steps[moving] > 0
    return np.asarray(moving[:-1][up[1:] != up[:-1]] + 1)
