"""Low-pass filters without delay, the same bit for bit however the signal is cut.

Both are a Gaussian applied as 2 G - G², whose response is flat to the fourth order: it takes noise
away and leaves the height of a peak and the time of a crossing where they were.
"""

from __future__ import annotations

import numpy as np

from sensor.samples import Floats


def flat_gaussian(cutoff_hz: float, rate_hz: float) -> Floats:
    """Symmetric kernel (2 reach + 1,) of a filter that is 3 dB down at `cutoff_hz`; sums to 1."""
    # 2 h - h² = 0.7071 at h = 0.4588; h = exp(-2 (π σ f)²).
    sigma = float(np.sqrt(-np.log(0.4588) / 2)) / (np.pi * cutoff_hz) * rate_hz
    reach = int(np.ceil(3 * sigma))
    once = np.exp(-0.5 * (np.arange(-reach, reach + 1) / sigma) ** 2)
    once /= once.sum()
    twice = np.convolve(once, once)
    kernel = -twice
    kernel[reach:-reach] += 2 * once
    # Beyond 4 σ of the wider one nothing is left to weigh.
    cut = max(kernel.size // 2 - int(np.ceil(4 * sigma)), 0)
    kernel = kernel[cut : kernel.size - cut]
    return np.asarray(kernel / kernel.sum())


class Smoother:
    """A symmetric kernel over one run of values that come piece by piece.

    The run's first and last values are taken to go on beyond its ends. With `step` 2 only values at
    even indices are computed. Outputs lag the kernel's reach behind.
    """

    def __init__(self, kernel: Floats, first: int, step: int = 1) -> None:
        self._kernel = kernel
        self._parts = [np.ascontiguousarray(kernel[phase::step]) for phase in range(step)]
        self._reach = kernel.size // 2
        self._step = step
        self._held: Floats | None = None
        self._next = first
        """Index at which the next output's window is centred, before it is made even."""

    def copy(self) -> Smoother:
        other = Smoother.__new__(Smoother)
        other.__dict__.update(self.__dict__)
        return other

    def push(self, values: Floats, *, last: bool = False) -> Floats:
        """Take values; return those outputs whose whole window is known."""
        if not values.size and (self._held is None or not last):
            return values
        if self._held is None:
            values = np.concatenate((np.full(self._reach, values[0]), values))
        else:
            values = np.concatenate((self._held, values))
        if last:
            values = np.concatenate((values, np.full(self._reach, values[-1])))
        centres = values.size - 2 * self._reach
        if centres <= 0:
            self._held = values
            return np.empty(0)
        self._held = values[centres:].copy()
        skip = -self._next % self._step
        self._next += centres
        count = -(-(centres - skip) // self._step)
        if count <= 0:
            return np.empty(0)
        rows = (values[skip + phase :: self._step] for phase in range(self._step))
        outputs, *more = (
            np.correlate(row[: count + part.size - 1], part, "valid")
            for row, part in zip(rows, self._parts, strict=True)
        )
        for each in more:
            outputs += each
        return np.asarray(outputs)
