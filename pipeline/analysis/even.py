"""Samples as they come made a value every 20 ms, in plain numbers, without waiting for the next.

For what is told at once and may be wrong for a moment; the answer comes from `grid.py`. A few
samples at a time are sooner added up in plain numbers than as arrays.
"""

from __future__ import annotations

import math

from pipeline.analysis.grid import GRID_HZ, LONGEST_BRIDGE_S
from pipeline.analysis.spikes import SPIKE_N
from sensor.samples import Floats


class Even:
    """Samples in, force every 20 ms out; None where samples were missing for long.

    Each value is the mean of the samples since the one before; where there are none, values lie on
    the line. A sample that stands out from the two before it waits for the next: if that goes back,
    it was a spike.
    """

    def __init__(self) -> None:
        self._begun = False
        self._origin_s = 0.0
        self._slot, self._next_s = -1, -math.inf
        """Of the last value; and where the next is due."""
        self._value = 0.0
        self._sum, self._count = 0.0, 0
        self._one, self._two = 0.0, 0.0
        """The last two samples taken, the newer first."""
        self._waits: tuple[float, float] | None = None

    def push(self, time_s: Floats, force_n: Floats) -> list[float | None]:
        """Take samples, shape (n,) each, in the order of time."""
        values: list[float | None] = []
        for now_s, force in zip(time_s.tolist(), force_n.tolist(), strict=True):
            if self._waits is not None and not math.isnan(force):
                at_s, waited = self._waits
                self._waits = None
                if abs(force - waited) < abs(force - self._one):
                    self._take(at_s, waited, values)
            if abs(force - self._one) <= abs(self._one - self._two) + SPIKE_N:
                self._take(now_s, force, values)
            elif not math.isnan(force):
                self._waits = now_s, force
        return values

    def _take(self, now_s: float, force: float, values: list[float | None]) -> None:
        self._one, self._two = force, self._one
        self._sum += force
        self._count += 1
        if now_s < self._next_s:
            return
        if not self._begun:
            self._begun, self._origin_s = True, now_s
        slot = max(int((now_s - self._origin_s) * GRID_HZ), self._slot + 1)
        value = self._sum / self._count
        if now_s > self._next_s + LONGEST_BRIDGE_S:
            value = force
            values.append(None)
        elif slot > self._slot + 1:
            each = (value - self._value) / (slot - self._slot)
            values += [self._value + each * i for i in range(1, slot - self._slot)]
        values.append(value)
        self._value, self._slot = value, slot
        self._next_s = self._origin_s + (slot + 1) / GRID_HZ
        self._sum, self._count = 0.0, 0
