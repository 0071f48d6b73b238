"""How much of the force is noise: what pulls must stand clear of."""

from __future__ import annotations

import numpy as np

from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.signals import Run

MOST_SAMPLES = 3000
SLOW_HZ = 40.0
"""Below this the filters, which pass what people do, pass the samples' noise too."""
MOST_SLOW_N = 1.2
"""Fast pulls look like noise where samples are few; no gauge is worse than this."""


def noise_of(run: Run, first: int, stop: int) -> float:
    """Standard deviation of the noise that the measuring filter lets through.

    What the filter takes away, between its cut-off and the grid's Nyquist frequency, tells how much
    white noise there is; a third of its deviation remains.
    """
    rough, smooth = run.grid.view(first, stop), run.measure.view(first, stop)
    size = min(rough.size, smooth.size, MOST_SAMPLES)
    if not size:
        return 0.0
    taken = np.abs(rough[:size] - smooth[:size])
    # `mean` itself would take as long again.
    return 0.45 * float(np.add.reduce(taken) / size) * 1.25


def detection_noise_of(run: Run, first: int, stop: int, rate_hz: float, noise_n: float) -> float:
    """Standard deviation of the noise among which pulls are found, in N.

    Of slow samples it is that of the samples themselves, told by their fourth differences: people
    move more smoothly than that.
    """
    lag = round(GRID_HZ / rate_hz) if 0 < rate_hz < SLOW_HZ else 1
    force = run.grid.view(first, stop)[:MOST_SAMPLES]
    if lag < 2 or force.size <= 5 * lag:
        return 0.7 * noise_n
    for _ in range(4):
        force = force[lag:] - force[:-lag]
    # Of white noise at 10 Hz, drawn on the grid by lines, the median is three deviations.
    return min(max(0.7 * noise_n, float(np.median(np.abs(force))) / 3), MOST_SLOW_N)
