"""Logs that keep a value only when it changed: held until the next one.

Home automation, scales with a dead band and some exports write so. Between two lines nothing was
lost, and a line drawn from one to the next would be a slow pull that nobody made.
"""

from __future__ import annotations

import numpy as np

from sensor.samples import Floats

LEAST_SAMPLES, LEAST_HOLDS = 12, 3
LONG_STEPS = 2.5
"""A step of so many usual ones is a hold or a gap."""
EQUAL_SHARE = 0.01
"""A logger of every sample repeats a coarse value more often."""
SMALL_SHARE = 0.75
"""So many of the holds end with the least change that there is."""
HELD_SHARE = 0.15
"""Holds take at least so much of the time; a file with a few gaps is none of these."""
FINEST = (1, 2, 3)
"""The least change of a short log, or beyond a dead band, may be so many steps of its scale."""
MOST_SAMPLES = 20_000_000


def held(time_s: Floats, force: Floats, steps: Floats) -> tuple[Floats, Floats] | None:
    """Samples at the logger's own pace with values held between changes; None if it logs all.

    `steps` are those between the times.
    """
    if time_s.size < LEAST_SAMPLES or float(steps.min()) <= 0:
        return None
    base = _pace(steps)
    if float(steps.max()) <= LONG_STEPS * base:
        return None
    moves = np.abs(np.diff(force))
    if np.count_nonzero(moves == 0) > EQUAL_SHARE * moves.size:
        return None
    long = steps > LONG_STEPS * base
    if np.count_nonzero(long) < LEAST_HOLDS or steps[long].sum() < HELD_SHARE * steps.sum():
        return None
    least = float(np.min(moves[moves > 0]))
    least = float(np.median(moves[moves < 1.15 * least]))
    # Values on a coarse scale, as noise would otherwise be a change each time.
    span = float(np.ptp(force))
    if span > 20_000 * least or not any(_on_scale(moves, least / k) for k in FINEST):
        return None
    if (moves[long] < 3.5 * least).mean() < SMALL_SHARE:
        return None
    return _filled(time_s, force, steps, base)


def _on_scale(moves: Floats, step: float) -> bool:
    """Whether nearly all changes are so many steps of a scale."""
    count = moves / step
    return bool((np.abs(count - np.round(count)) < 0.1).mean() >= 0.9)


def _pace(steps: Floats) -> float:
    """The logger's own pace: the usual step of those that are not long."""
    steps = steps[:: max(steps.size // 50_000, 1)]
    low = float(np.percentile(steps, 10))
    return float(np.median(steps[steps <= 1.5 * low]))


def _filled(
    time_s: Floats, force: Floats, steps: Floats, base: float
) -> tuple[Floats, Floats] | None:
    copies = np.maximum(np.round(steps / base).astype(np.int64), 1)
    if copies.sum() > MOST_SAMPLES:
        return None
    copies = np.append(copies, 1)
    first = np.repeat(np.cumsum(copies) - copies, copies)
    within = np.arange(first.size) - first
    pitch = np.append(steps, base) / copies
    return np.repeat(time_s, copies) + within * np.repeat(pitch, copies), np.repeat(force, copies)
