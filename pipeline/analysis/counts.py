"""How many samples each second holds: it tells the rate where they came, holes left out."""

from __future__ import annotations

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
        known, counted = self._all()
        goes_on = known.size > 0 and known[-1] == first
        if goes_on and first == last:
            counted[-1] += ticks.size
            return
        seconds: Ints = np.arange(first, last + 1)
        edges = np.empty(seconds.size + 1, dtype=np.int64)
        edges[0], edges[-1] = 0, ticks.size
        if last > first:
            edges[1:-1] = ticks.searchsorted(seconds[1:] * self._ticks_per_s)
        counts = edges[1:] - edges[:-1]
        if goes_on:
            counted[-1] += counts[0]
            seconds, counts = seconds[1:], counts[1:]
        self._seconds.append(seconds.astype(np.float64))
        self._counts.append(counts.astype(np.float64))

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
        low, high = int(known.searchsorted(first)), int(known.searchsorted(stop))
        return float(max(counts[low:high].tolist(), default=0.0))

    def least(self, first: int, stop: int) -> float:
        """Fewest samples in one of the seconds in [first, stop), of which there is at least one."""
        known, counts = self._all()
        low, high = int(known.searchsorted(first)), int(known.searchsorted(stop))
        return float(counts[low:high].min()) if high - low == stop - first else 0.0

    def forget_before(self, second: int) -> None:
        known, _ = self._all()
        keep = self._seconds.start + int(known.searchsorted(second))
        self._seconds.forget_before(keep)
        self._counts.forget_before(keep)

    def _all(self) -> tuple[Floats, Floats]:
        """The seconds and their counts, to read and to add to."""
        known, counts = self._seconds, self._counts
        return known.view(known.start, known.end), counts.view(counts.start, counts.end)
