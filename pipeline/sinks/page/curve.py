"""The last minute of force as a page draws it: few points, and the same ones however it arrived.

Above 200 Hz each bucket of samples becomes its lowest and its highest point. Buckets lie on a grid
of absolute sample indices, so that a point once drawn stays where it is while the curve moves on.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from sensor.samples import Floats, Ints

SPAN_S = 60.0
MAX_SAMPLES = 120_000
DECIMATE_FROM_HZ = 195.0  # a band of 200 Hz whose clock is slow is still one
BUCKETS_PER_S = 50.0
BREAK_PERIODS = 8.0
MAX_DIRTY_RANGES = 32


@dataclass(frozen=True, slots=True, eq=False)
class Patch:
    """Points that replace all those strictly between `after_s` and `before_s` (None: no limit).

    `time_s`, `force_n` are (n,); a force of NaN breaks the line.
    """

    after_s: float | None
    before_s: float | None
    time_s: Floats
    force_n: Floats


def bucket_samples(rate_hz: float) -> int:
    """Samples in a bucket: 1 below some 200 Hz, else the power of two nearest to 20 ms."""
    if rate_hz < DECIMATE_FROM_HZ:
        return 1
    return int(2 ** round(math.log2(rate_hz / BUCKETS_PER_S)))


def decimate(index: Ints, time_s: Floats, force_n: Floats, step: int) -> tuple[Floats, Floats]:
    """Lowest and highest sample of each bucket of `step` indices, in the order of time."""
    if step == 1 or not index.size:
        return time_s, force_n
    bucket = index // step
    order = np.lexsort((force_n, bucket))
    edges = np.flatnonzero(np.diff(bucket[order])) + 1
    lowest = order[np.concatenate(([0], edges))]
    highest = order[np.concatenate((edges - 1, [index.size - 1]))]
    keep = np.unique(np.concatenate((lowest, highest)))
    return time_s[keep], force_n[keep]


class CurveWindow:
    """Samples of the last minute by index, and which of them nobody has drawn yet."""

    def __init__(self, span_s: float = SPAN_S) -> None:
        self._span_s = span_s
        self.clear()

    def clear(self) -> None:
        """Forget everything: another session, or a band whose clock started again."""
        self._index: Ints = np.empty(0, np.int64)
        self._time_s: Floats = np.empty(0)
        self._force_n: Floats = np.empty(0)
        self._used = slice(0, 0)
        self._dirty: list[tuple[int, int]] = []
        self._restarted = True
        self._period_s: float | None = None
        self.step = 1

    def __len__(self) -> int:
        return self._used.stop - self._used.start

    @property
    def newest_s(self) -> float | None:
        """Time of the newest sample."""
        return float(self._time_s[self._used.stop - 1]) if len(self) else None

    def push(self, index: int, time_s: Floats, force_n: Floats) -> None:
        """Take samples `index`, `index + 1`, ... in; late ones go where their index says.

        What cannot be drawn (not finite, or out of order in time) is left out.
        """
        indices = np.arange(index, index + time_s.size, dtype=np.int64)
        good = np.isfinite(time_s) & np.isfinite(force_n)
        if not good.all():
            indices, time_s, force_n = indices[good], time_s[good], force_n[good]
        if not indices.size or np.any(np.diff(time_s) <= 0):
            return
        stop = self._used.stop
        newest_s = self.newest_s
        if newest_s is None or indices[0] > self._index[stop - 1]:
            if newest_s is not None and time_s[0] <= newest_s:
                self.clear()
            self._note_rate(indices, time_s)
            self._append(indices, time_s, force_n)
        elif not self._insert(indices, time_s, force_n):
            return
        self._mark(int(indices[0]), int(indices[-1]) + 1)
        self._trim()

    def take(self) -> list[Patch]:
        """What changed since the last call, in as few patches as there are places."""
        if self._restarted:
            patches = [self.whole()] if len(self) else []
        else:
            patches = [patch for low, high in self._merged() if (patch := self._patch(low, high))]
        self._dirty.clear()
        self._restarted = self._restarted and not patches
        return patches

    def skip(self) -> None:
        """Nobody looked on: what has changed is in `whole`."""
        self._dirty.clear()
        self._restarted = self._restarted and not len(self)

    def whole(self) -> Patch:
        """The whole minute, replacing whatever was drawn before."""
        index, time_s, force_n = self._views()
        return Patch(None, None, *self._points(index, time_s, force_n))

    def _views(self) -> tuple[Ints, Floats, Floats]:
        return self._index[self._used], self._time_s[self._used], self._force_n[self._used]

    def _note_rate(self, indices: Ints, time_s: Floats) -> None:
        if indices.size > 1:
            period_s = float(time_s[-1] - time_s[0]) / int(indices[-1] - indices[0])
        elif len(self) and indices[0] == self._index[self._used.stop - 1] + 1:
            period_s = float(time_s[0]) - float(self._time_s[self._used.stop - 1])
        else:
            return
        # A steady band must not change its grid because its rate reads 199 Hz now and 201 then.
        if self._period_s is None or not 0.7 < period_s / self._period_s < 1.4:
            self._period_s = period_s
            self.step = bucket_samples(1 / period_s)
            if len(self):
                self._mark(int(self._index[self._used.start]), int(indices[0]))

    def _append(self, indices: Ints, time_s: Floats, force_n: Floats) -> None:
        start, stop = self._used.start, self._used.stop
        if stop + indices.size > self._index.size:
            kept, size = len(self), max(1024, 2 * (len(self) + indices.size))
            for name in ("_index", "_time_s", "_force_n"):
                old = getattr(self, name)
                new = np.empty(size, old.dtype)
                new[:kept] = old[start:stop]
                setattr(self, name, new)
            start, stop = 0, kept
        grown = slice(stop, stop + indices.size)
        self._index[grown] = indices
        self._time_s[grown] = time_s
        self._force_n[grown] = force_n
        self._used = slice(start, grown.stop)

    def _insert(self, indices: Ints, time_s: Floats, force_n: Floats) -> bool:
        index, old_time_s, old_force_n = self._views()
        low = int(np.searchsorted(index, indices[0]))
        high = int(np.searchsorted(index, indices[-1], side="right"))
        if (low and time_s[0] <= old_time_s[low - 1]) or (
            high < index.size and time_s[-1] >= old_time_s[high]
        ):
            return False
        self._index = np.concatenate((index[:low], indices, index[high:]))
        self._time_s = np.concatenate((old_time_s[:low], time_s, old_time_s[high:]))
        self._force_n = np.concatenate((old_force_n[:low], force_n, old_force_n[high:]))
        self._used = slice(0, self._index.size)
        return True

    def _trim(self) -> None:
        start, stop = self._used.start, self._used.stop
        oldest_s = self._time_s[stop - 1] - self._span_s
        start += int(np.searchsorted(self._time_s[start:stop], oldest_s))
        self._used = slice(max(start, stop - MAX_SAMPLES), stop)

    def _mark(self, low: int, high: int) -> None:
        if self._dirty and self._dirty[-1][1] == low:
            self._dirty[-1] = (self._dirty[-1][0], high)
        else:
            self._dirty.append((low, high))
        if len(self._dirty) > MAX_DIRTY_RANGES:
            self._dirty = [(min(low for low, _ in self._dirty), max(h for _, h in self._dirty))]

    def _merged(self) -> list[tuple[int, int]]:
        """Dirty ranges widened to whole buckets, those that touch as one."""
        merged: list[tuple[int, int]] = []
        for low, high in sorted(self._dirty):
            first, last = low // self.step * self.step, -(-high // self.step) * self.step
            if merged and first <= merged[-1][1]:
                merged[-1] = (merged[-1][0], max(last, merged[-1][1]))
            else:
                merged.append((first, last))
        return merged

    def _patch(self, low: int, high: int) -> Patch | None:
        index, time_s, force_n = self._views()
        first, last = (int(i) for i in np.searchsorted(index, (low, high)))
        if first == last:
            return None
        # One sample more on either side shows whether the line is joined to what lies there.
        left, right = max(first - 1, 0), min(last + 1, index.size)
        around = slice(left, right)
        point_s, point_n = self._points(index[around], time_s[around], force_n[around])
        after_s = float(time_s[left]) if left < first else None
        before_s = float(time_s[right - 1]) if right > last else None
        inside = np.ones(point_s.size, bool)
        if after_s is not None:
            inside &= point_s > after_s
        if before_s is not None:
            inside &= point_s < before_s
        return Patch(after_s, before_s, point_s[inside], point_n[inside])

    def _points(self, index: Ints, time_s: Floats, force_n: Floats) -> tuple[Floats, Floats]:
        point_s, point_n = decimate(index, time_s, force_n, self.step)
        broken = np.diff(index) > 1
        if self._period_s is not None:
            broken |= np.diff(time_s) > BREAK_PERIODS * self._period_s
        breaks = np.flatnonzero(broken)
        if not breaks.size:
            return point_s.copy(), point_n.copy()
        break_s = (time_s[breaks] + time_s[breaks + 1]) / 2
        at = np.searchsorted(point_s, break_s)
        return np.insert(point_s, at, break_s), np.insert(point_n, at, np.nan)
