"""Turning points: the highs and lows between which the force swings by at least a threshold."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from pipeline.analysis.rows import Rows
from pipeline.analysis.tuples import named
from sensor.samples import Floats, Ints

_WORTH_A_LOOK = 16


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
        steps = values[1:] - values[:-1]
        moving = steps.nonzero()[0]
        newest = int(moving[-1]) + 1 if moving.size else 0
        self._tail = values[max(newest - 1, 0) : newest + 1].copy()
        # Between bends only the newest value can matter; what was held last has been taken.
        taken = max(held - 1, 0)
        bends = self._without_ripple(values, _bends(steps, moving))
        at = np.concatenate(([taken], bends[bends > taken], [newest]))
        return self._take(values, at, first - step * held, step)

    def end(self) -> Turn | None:
        """The turn that the run's end leaves open, if there is one."""
        if self._direction > 0:
            return Turn(*self._high, True, self._high[0])
        if self._direction < 0:
            return Turn(*self._low, False, self._low[0])
        return None

    def _without_ripple(self, values: Floats, bends: Ints) -> Ints:
        """Leave out bends that tell nothing new; it saves time and nothing else.

        Such is a pair nearer than the threshold within a greater swing.
        """
        for _ in range(2):
            if bends.size < _WORTH_A_LOOK:
                break
            force = values[bends]
            swing = np.abs(force[1:] - force[:-1])
            least = np.minimum(swing[2:], self._threshold)
            small = (swing[1:-1] < least) & (swing[1:-1] <= swing[:-2])
            keep = np.ones(bends.size, dtype=np.bool_)
            keep[1:-2] ^= small
            keep[2:-1] ^= small
            bends = bends[keep]
        return bends

    def _take(self, values: Floats, at: Ints, origin: int, step: int) -> list[Turn]:
        """The turns that are certain at some of the places `at`; the first of these is no news."""
        threshold, direction = self._threshold, self._direction
        (high_at, high), (low_at, low) = self._high, self._low
        turn_at: list[int] = []
        force_n: list[float] = []
        highs: list[bool] = []
        known: list[int] = []
        """Where each is certain: there or before it was seen."""
        places = (origin + step * at).tolist()
        for place, value in zip(places, values[at].tolist(), strict=True):
            if direction >= 0:
                if value > high:
                    high_at, high = place, value
                elif high - value >= threshold:
                    turn_at.append(high_at)
                    force_n.append(high)
                    highs.append(True)
                    known.append(place)
                    direction, low_at, low = -1, place, value
            if direction <= 0:
                if value < low:
                    low_at, low = place, value
                elif value - low >= threshold:
                    turn_at.append(low_at)
                    force_n.append(low)
                    highs.append(False)
                    known.append(place)
                    direction, high_at, high = 1, place, value
        self._direction = direction
        self._high, self._low = (high_at, high), (low_at, low)
        if not known:
            return []
        # Certain since the place asked before, or since a ripple between that was left out.
        asked = at.searchsorted((np.array(known) - origin) // step)
        since = at[asked - 1] + 1
        ways = Rows.between(values, since, at[asked] + 1)
        back = ways.first(np.abs(ways.values - ways.spread(np.array(force_n))) >= threshold)
        seen = origin + step * (since + back)
        return named(Turn, zip(turn_at, force_n, highs, seen.tolist(), strict=True))


def _bends(steps: Floats, moving: Ints) -> Ints:
    """Where values turn, told by their steps, of which those in `moving` are not 0.

    All local highs and lows, a plateau as its first value: what `scipy.signal.find_peaks` finds in
    the values and in their negatives; loading it would take most of the time in which a session
    starts.
    """
    up = steps[moving] > 0
    return np.asarray(moving[(up[1:] != up[:-1]).nonzero()[0]] + 1)
