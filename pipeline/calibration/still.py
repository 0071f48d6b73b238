"""Weights that hang still, one after the other: pure, from values as they come to levels."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field

import numpy as np

from sensor.samples import Floats

STILL_S = 2.0
PARTS = 4
LEAST_SAMPLES = 12
NOISES = 6.0
"""Means of the parts may differ by as many standard errors."""
SWING = 0.004
"""And by this part of the whole level: a weight on a band swings for long."""
CHANGE = 0.02
"""And by this part of what the weight before it differs by."""
OTHER = 4.0
"""Another weight differs by as many times what a still one may."""


@dataclass(frozen=True, slots=True)
class Level:
    """A sensor's value while a weight hung still, and what it may be off by."""

    value: float
    tolerance: float


@dataclass(slots=True)
class Hanging:
    """Tells when the next weight hangs still: after something moved, at another level."""

    _recent: deque[tuple[float, float]] = field(default_factory=deque)
    _levels: list[Level] = field(default_factory=list)
    _moved: bool = True
    _step: float = np.inf
    """The least by which two values ever differed."""

    def receive(self, time_s: float, values: Floats) -> Level | None:
        """Take what came at a time, (n,); the level if another weight hangs still now."""
        self._recent.extend((time_s, float(each)) for each in values if np.isfinite(each))
        while self._recent and self._recent[0][0] < time_s - STILL_S:
            self._recent.popleft()
        level = self._still()
        if level is None:
            # What one looks at may be old: only when all of it hangs still it is still again.
            self._moved = True
            return None
        if not self._moved or (self._levels and self._near(level, self._levels[-1])):
            return None
        self._levels.append(level)
        self._moved = False
        return level

    @staticmethod
    def _near(one: Level, other: Level) -> bool:
        return abs(one.value - other.value) < OTHER * max(one.tolerance, other.tolerance)

    def _still(self) -> Level | None:
        if len(self._recent) < LEAST_SAMPLES:
            return None
        at = np.array(self._recent)
        if at[-1, 0] - at[0, 0] < 0.8 * STILL_S:
            return None
        values = at[:, 1]
        means = np.array([float(np.mean(part)) for part in np.array_split(values, PARTS)])
        noise = float(np.median(np.abs(np.diff(values)))) / 0.954  # of a normal's differences
        steps = np.abs(np.diff(np.unique(values)))
        if steps.size:
            self._step = min(self._step, float(steps.min()))
        step = 0.0 if np.isinf(self._step) else self._step
        zero = self._levels[0].value if self._levels else float(values[0])
        tolerance = max(
            NOISES * noise / np.sqrt(values.size / PARTS),
            SWING * abs(float(np.median(values)) - zero),
            step,
            1e-9,
        )
        if self._levels:
            # What swings at a slow rate looks like noise: of the change it must be little.
            change = abs(float(np.median(values)) - self._levels[-1].value)
            tolerance = min(tolerance, max(CHANGE * change, step, 1e-9))
        if float(np.ptp(means)) > tolerance:
            return None
        return Level(float(np.mean(values)), tolerance)
