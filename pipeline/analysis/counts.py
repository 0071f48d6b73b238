"""How many samples each second holds: it tells the rate where they came, holes left out."""

from __future__ import annotations

from bisect import bisect_left

import numpy as np

from pipeline.analysis.tape import Tape
from sensor.samples import Floats, Ints


class Counts:
    """Samples by whole seconds since the first; only seconds between samples take memory."""

    def __init__(self, ticks_per_s: float) -> None:
        self._ticks_per_s = ticks_per_s
        self._seconds = Tape(0)
        self._counts = Tape(0)
        """Of each of these seconds, which increase."""

    def add(self, ticks: Floats) -> None:
        """Count samples by their ticks; none of them lies a long time after another."""
        first, last = int(ticks[0] / self._ticks_per_s), int(ticks[-1] / self._ticks_per_s)
        seconds = np.arange(first, last + 1, dtype=np.float64)
        edges = ticks.searchsorted(seconds * self._ticks_per_s)
        counts = np.diff(edges, append=ticks.size)
        known, at = self._seconds, self._counts
        if known.end > known.start and known.view(known.end - 1, known.end)[0] == first:
            at.view(at.end - 1, at.end)[0] += counts[0]
            seconds, counts = seconds[1:], counts[1:]
        known.append(seconds)
        at.append(counts)

    def at(self, seconds: Ints) -> Floats:
        """Samples in each of these seconds."""
        known, counts = self._all()
        if not known.size:
            return np.zeros(seconds.size)
        place = np.minimum(known.searchsorted(seconds), known.size - 1)
        return np.where(known[place] == seconds, counts[place], 0.0)

    def most(self, first: int, stop: int) -> float:
        """Most samples in one of the seconds in [first, stop); 0 without any."""
        known, counts = self._all()
        low = bisect_left(known, first)
        return float(max(counts[low : bisect_left(known, stop, low)].tolist(), default=0.0))

    def forget_before(self, second: int) -> None:
        known, counts = self._seconds, self._counts
        keep = known.start + int(known.view(known.start, known.end).searchsorted(second))
        known.forget_before(keep)
        counts.forget_before(keep)

    def _all(self) -> tuple[Floats, Floats]:
        known, counts = self._seconds, self._counts
        return known.view(known.start, known.end), counts.view(counts.start, counts.end)
