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
        self._origin_s = 0.0
        self._begun = False
        self._newest_s = -math.inf
        self._slot = 0
        self._sum, self._count = 0.0, 0
        self._value = 0.0
        self._one, self._two = 0.0, 0.0
        """The last two samples taken, the newer first."""
        self._waits: tuple[float, float] | None = None

    def push(self, time_s: Floats, force_n: Floats) -> list[float | None]:
        """Take samples, shape (n,) each, in the order of time."""
        values: list[float | None] = []
        for now_s, force in zip(time_s.tolist(), force_n.tolist(), strict=True):
            if math.isnan(force):
                continue
            if self._waits is not None:
                at_s, waited = self._waits
                self._waits = None
                if abs(force - waited) < abs(force - self._one):
                    self._take(at_s, waited, values)
            elif abs(force - self._one) > abs(self._one - self._two) + SPIKE_N and self._begun:
                self._waits = now_s, force
                continue
            self._take(now_s, force, values)
        return values

    def _take(self, now_s: float, force: float, values: list[float | None]) -> None:
        if now_s > self._newest_s + LONGEST_BRIDGE_S:
            if not self._begun:
                self._begun, self._origin_s = True, now_s
            values.append(None)
            self._value = self._one = force
            self._slot = int((now_s - self._origin_s) * GRID_HZ) - 1
            self._sum, self._count = 0.0, 0
        self._newest_s = max(now_s, self._newest_s)
        self._one, self._two = force, self._one
        self._sum += force
        self._count += 1
        slot = int((now_s - self._origin_s) * GRID_HZ)
        steps = slot - self._slot
        if steps < 1:
            return
        value = self._sum / self._count
        if steps > 1:
            each = (value - self._value) / steps
            values += [self._value + each * i for i in range(1, steps)]
        values.append(value)
        self._value, self._slot = value, slot
        self._sum, self._count = 0.0, 0
