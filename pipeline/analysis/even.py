"""Samples as they come made a value every 20 ms, in plain numbers, without waiting for the next.

For what is told at once and may be wrong for a moment; the answer comes from `grid.py`. A few
samples at a time are sooner added up in plain numbers than as arrays.
"""

from __future__ import annotations

import math

from pipeline.analysis.grid import GRID_HZ, LONGEST_BRIDGE_S
from pipeline.analysis.spikes import SPIKE_N

STEP_S = 1 / GRID_HZ


class Even:
    """Samples in, force every 20 ms out; None where samples were missing for long.

    Each value is the mean of the samples since the one before; where there are none, values lie on
    the line. A sample that stands out from the two before it waits for the next: if that goes back,
    it was a spike.
    """

    def __init__(self) -> None:
        self._origin_s = 0.0
        self._slot, self._next_s = -1, -math.inf
        """Of the last value; and where the next is due."""
        self._value = 0.0
        self._sum, self._count = 0.0, 0
        self._one, self._two = 0.0, 0.0
        """The last two samples taken, the newer first."""
        self._waits: tuple[float, float] | None = None

    def push(self, times_s: list[float], forces_n: list[float]) -> list[float | None]:
        """Take samples in the order of time."""
        values: list[float | None] = []
        total, count, next_s = self._sum, self._count, self._next_s
        for time_s, force in self._without_spikes(times_s, forces_n):
            total += force
            count += 1
            if time_s >= next_s:
                if time_s < next_s + STEP_S:  # as nearly always
                    self._value = total / count
                    values.append(self._value)
                    self._slot += 1
                    self._next_s = self._origin_s + (self._slot + 1) / GRID_HZ
                else:
                    self._give(time_s, force, total / count, values)
                total, count, next_s = 0.0, 0, self._next_s
        self._sum, self._count = total, count
        return values

    def _without_spikes(
        self, times_s: list[float], forces_n: list[float]
    ) -> list[tuple[float, float]]:
        """Those samples that stay; one that waits is not among them yet."""
        sound: list[tuple[float, float]] = []
        one, two, waits = self._one, self._two, self._waits
        for sample in zip(times_s, forces_n, strict=True):
            force = sample[1]
            if waits is not None and not math.isnan(force):
                if abs(force - waits[1]) < abs(force - one):
                    sound.append(waits)
                    one, two = waits[1], one
                waits = None
            if abs(force - one) <= abs(one - two) + SPIKE_N:
                sound.append(sample)
                one, two = force, one
            elif not math.isnan(force):
                waits = sample
        self._one, self._two, self._waits = one, two, waits
        return sound

    def _give(self, now_s: float, force: float, value: float, values: list[float | None]) -> None:
        """Add the value that is due, and those on the line before it."""
        if self._slot < 0:
            self._origin_s = now_s
        slot = max(int((now_s - self._origin_s) * GRID_HZ), self._slot + 1)
        if now_s > self._next_s + LONGEST_BRIDGE_S:
            value = force
            values.append(None)
        elif slot > self._slot + 1:
            each = (value - self._value) / (slot - self._slot)
            values += [self._value + each * i for i in range(1, slot - self._slot)]
        values.append(value)
        self._value, self._slot = value, slot
        self._next_s = self._origin_s + (slot + 1) / GRID_HZ
