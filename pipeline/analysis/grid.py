"""From samples as they come to force on an even grid: holes found, rates made one.

Each output depends on a few samples around it and on nothing else, so that it does not matter how
the samples were cut into blocks.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.analysis.counts import Counts
from pipeline.analysis.medians import median
from pipeline.analysis.spikes import Despiker
from sensor.samples import Floats, Gap, Ints

FINE_HZ = 100.0
"""Rate at which samples are drawn: no hum of a fast gauge folds into what a person does."""
FINE = 2
GRID_HZ = FINE_HZ / FINE
"""Rate of everything behind the first filter. Every index of the analysis counts on this grid,
from the session's first sample."""

LONGEST_BRIDGE_S = 1.0
"""Force across a shorter hole is drawn as a line; a longer one ends the run."""
LONGEST_STEP_S = 5.0
"""Longer than between any two samples that belong together, whatever the usual step."""

_HISTORY = 16
_HOLE_FACTOR = 1.75
_HOLE_JITTERS = 5.0


@dataclass(frozen=True, slots=True)
class GridPiece:
    """Force at consecutive ticks of the fine grid, from `first` on.

    `new_run` says that nothing joins it to what was before.
    """

    first: int
    force_n: Floats
    new_run: bool


class Grid:
    """Samples in, force at multiples of 10 ms since the first sample out.

    Fast samples are averaged over each 10 ms with their mean time, then joined by lines; slow ones
    are joined by lines. Spikes are taken out before.
    """

    def __init__(self) -> None:
        self.origin_s: float | None = None
        self.gaps: list[Gap] = []
        """Holes found so far that the caller has not taken yet."""
        self._despiker = Despiker()
        self._newest_s = -np.inf
        self._next = 0
        self._intervals: list[float] = []
        self._new_run = True
        self._last_s: float | None = None
        self._one_a_bin = False
        self._ticks: Floats = np.empty(0)
        self._forces: Floats = np.empty(0)
        """Where the last line ended, and samples that wait for the rest of their bin."""
        self._drawn = 0
        """1 if a line has ended yet, else 0."""
        self.counts = Counts(FINE_HZ)

    def copy(self) -> Grid:
        other = Grid.__new__(Grid)
        other.__dict__.update(self.__dict__)
        other._despiker = self._despiker.copy()
        other.gaps = []
        other._intervals = list(self._intervals)
        other.counts = Counts(FINE_HZ)
        return other

    def time_s(self, index: float) -> float:
        """Time on the samples' axis of a grid index, which may lie between two."""
        return (self.origin_s or 0.0) + index / GRID_HZ

    def push(self, time_s: Floats, force_n: Floats, *, last: bool = False) -> list[GridPiece]:
        """Take samples in the order of time; return the grid as far as it is settled.

        With `last` everything is returned: the run ends here.
        """
        if time_s.size:
            good = np.isfinite(force_n)
            if not good.all():
                time_s, force_n = time_s[good], force_n[good]
        if time_s.size:
            if self.origin_s is None:
                self.origin_s = float(time_s[0])
            if time_s[0] < self._newest_s or (time_s[1:] < time_s[:-1]).any():
                time_s = np.maximum(np.maximum.accumulate(time_s), self._newest_s)
            self._newest_s = float(time_s[-1])
        times, forces = self._despiker.push(time_s, force_n, last=last)
        pieces: list[GridPiece] = []
        if times.size:
            for low, high, hole in self._runs(times):
                if hole:
                    pieces += self._end_run()
                pieces += self._lay(times[low:high], forces[low:high])
        if last:
            pieces += self._end_run()
        return pieces

    def _runs(self, times: Floats) -> list[tuple[int, int, bool]]:
        """Ranges of samples without a long hole; the flag says that a hole comes before."""
        previous = times[0] if self._last_s is None else self._last_s
        steps = np.empty(times.size)
        steps[0] = times[0] - previous
        np.subtract(times[1:], times[:-1], out=steps[1:])
        # Before the first of all there is no step, however short.
        shortest = float(steps[self._last_s is None :].min(initial=np.inf))
        longest, self._last_s = float(steps.max()), float(times[-1])
        self._one_a_bin = shortest * FINE_HZ > 1 + 1e-6
        history = self._intervals
        offset = len(history)
        plain = longest <= LONGEST_STEP_S and offset == _HISTORY
        if plain and 0 < longest <= _HOLE_FACTOR * min(shortest, *history):
            self._intervals = (history + steps[-_HISTORY:].tolist())[-_HISTORY:]
            return [(0, times.size, False)]
        # A hole is judged by the sixteen intervals before it; a cheap test finds candidates.
        padded = np.concatenate((np.asarray(history), steps))
        near = padded.copy()
        near[1:] += padded[:-1]
        near[2:] = padded[1:-1] + padded[:-2]
        suspect = np.flatnonzero((padded > _HOLE_FACTOR / 2 * near) | (padded > LONGEST_STEP_S))
        cuts = [0]
        for at in suspect[suspect >= offset].tolist():
            recent = padded[max(at - _HISTORY, 0) : at]
            recent = recent[recent > 0]
            if recent.size < 4:
                if padded[at] > LONGEST_BRIDGE_S:
                    self.gaps.append(
                        Gap(float(times[at - offset] - padded[at]), float(times[at - offset]), None)
                    )
                    cuts.append(at - offset)
                continue
            usual = median(recent.tolist())
            jitter = 1.4826 * median(np.abs(recent - usual).tolist())
            longest_step_s = min(_HOLE_FACTOR * usual + _HOLE_JITTERS * jitter, LONGEST_STEP_S)
            if padded[at] > longest_step_s:
                end = float(times[at - offset])
                missing = max(round(float(padded[at]) / usual) - 1, 1)
                self.gaps.append(Gap(end - float(padded[at]), end, missing))
                if padded[at] > LONGEST_BRIDGE_S:
                    cuts.append(at - offset)
        self._intervals = padded[-_HISTORY:].tolist()
        cuts.append(times.size)
        return [
            (low, high, number > 0)
            for number, (low, high) in enumerate(pairwise(cuts))
            if high > low or number == 0
        ]

    def _lay(self, times: Floats, forces: Floats) -> list[GridPiece]:
        """Average within each 10 ms, join by lines, read off at the grid's instants."""
        if not times.size:
            return []
        held, drawn = self._ticks.size, self._drawn
        ticks = np.empty(held + times.size)
        ticks[:held] = self._ticks
        np.subtract(times, self.origin_s or 0.0, out=ticks[held:])
        ticks[held:] *= FINE_HZ
        self.counts.add(ticks[held:])
        forces = np.concatenate((self._forces, forces))
        # The last bin may still get samples; they wait.
        if self._one_a_bin and held - drawn < 2:
            return self._draw(ticks[:-1], forces[:-1], ticks[-1:], forces[-1:])
        starts = np.flatnonzero(np.diff(ticks[drawn:].astype(np.int64), prepend=-1)) + drawn
        last = int(starts[-1])
        knots = _bin_means(ticks[:last], starts[:-1], drawn)
        values = _bin_means(forces[:last], starts[:-1], drawn)
        return self._draw(knots, values, ticks[last:], forces[last:])

    def _draw(
        self, ticks: Floats, forces: Floats, waiting_ticks: Floats, waiting_forces: Floats
    ) -> list[GridPiece]:
        """Lines through these points, the first of which may be the last of those before."""
        self._ticks = np.concatenate((ticks[-1:], waiting_ticks))
        self._forces = np.concatenate((forces[-1:], waiting_forces))
        if not ticks.size:
            return []
        if not self._drawn:
            self._next = math.ceil(ticks[0])
        self._drawn = 1
        stop = math.floor(ticks[-1]) + 1
        if stop <= self._next:
            return []
        first, self._next = self._next, stop
        values = np.interp(np.arange(first, stop, dtype=np.float64), ticks, forces)
        piece = GridPiece(first, values, self._new_run)
        self._new_run = False
        return [piece]

    def _end_run(self) -> list[GridPiece]:
        pieces = []
        if self._ticks.size > self._drawn:
            start = np.array([self._drawn])
            knots = _bin_means(self._ticks, start, self._drawn)
            values = _bin_means(self._forces, start, self._drawn)
            pieces = self._draw(knots, values, np.empty(0), np.empty(0))
        self._ticks = self._forces = np.empty(0)
        self._drawn = 0
        self._new_run = True
        return pieces


def _bin_means(values: Floats, starts: Ints, drawn: int) -> Floats:
    """The first values, which are `drawn` already, and the mean of each bin after them."""
    if starts.size == values.size - drawn:
        return values
    counts = np.diff(starts, append=values.size)
    return np.concatenate((values[:drawn], np.add.reduceat(values, starts) / counts))
