"""What else a noise-free curve tells: impulse, rates of rise, and pulls too small to count."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.generator.drawing import Intent, Meant
from firmware_sim.generator.shapes import GRID_HZ
from sensor.samples import Floats

FLOOR_N = 3.0
"""Pulls smaller than this are nothing."""
KNOCK_S = 0.2
"""What is narrower at half its amplitude is a knock or a rebound, no pull."""
AROUND = int(1.0 * GRID_HZ)
RFD_WINDOWS_S = (0.05, 0.1, 0.2)


@dataclass(frozen=True, slots=True)
class TruePartial:
    """A pull that is not counted: a practice pull, a shrug, half a rep; times in s."""

    start_s: float
    end_s: float
    peak_s: float
    peak_n: float
    amplitude_n: float


def impulse_n_s(force_n: Floats, start_s: float, end_s: float) -> float:
    """∫ force dt between two times of a curve on the grid, (n,)."""
    at_s = np.r_[start_s, np.arange(int(start_s * GRID_HZ) + 1, int(end_s * GRID_HZ) + 1) / GRID_HZ]
    at_s = np.r_[at_s[at_s < end_s], end_s]
    y = np.interp(at_s * GRID_HZ, np.arange(force_n.size), force_n)
    return float(np.sum(np.diff(at_s) * (y[1:] + y[:-1]) / 2))


def rates_of_rise(
    force_n: Floats, start_s: float, peak: int, valley_n: float
) -> dict[str, float]:  # fmt: skip
    """N/s by window: over 50, 100 and 200 ms from the start, and from 20 to 80 % of the rise.

    `force_n` (n,) is the curve on the grid, `peak` the index of the rep's peak. A window in which
    the peak lies is left out.
    """

    def at(index: float) -> float:
        return float(np.interp(index, np.arange(force_n.size), force_n))

    start, found = start_s * GRID_HZ, {}
    for window_s in RFD_WINDOWS_S:
        if start + window_s * GRID_HZ < peak:
            slope = (at(start + window_s * GRID_HZ) - at(start)) / window_s
            found[f"0-{round(1000 * window_s)} ms"] = slope
    rise = force_n[int(start) : peak + 1]
    height = float(force_n[peak]) - valley_n
    low = int(np.argmax(rise >= valley_n + 0.2 * height))
    high = int(np.argmax(rise >= valley_n + 0.8 * height))
    if high > low:
        found["20-80 %"] = float(rise[high] - rise[low]) / ((high - low) / GRID_HZ)
    return found


def partials_of(force_n: Floats, intents: list[Intent]) -> list[TruePartial]:
    """The pulls of a curve (n,) that are none of its reps, above the floor and no knocks."""
    found = []
    for intent in intents:
        lo, hi = max(0, intent.start), min(force_n.size, intent.end)
        if intent.meant is not Meant.BUMP or hi - lo < KNOCK_S * GRID_HZ:
            continue
        peak = lo + int(np.argmax(force_n[lo:hi]))
        before = float(force_n[max(0, lo - AROUND // 10) : peak + 1].min())
        after = float(force_n[peak : hi + AROUND // 10].min())
        peak_n, height_n = float(force_n[peak]), float(force_n[peak]) - max(before, after)
        half = np.flatnonzero(force_n[lo:hi] >= peak_n - height_n / 2)
        if height_n < FLOOR_N or half[-1] - half[0] < KNOCK_S * GRID_HZ:
            continue
        tenth = lo + np.flatnonzero(force_n[lo:hi] >= peak_n - 0.9 * height_n)
        found.append(
            TruePartial(
                float(tenth[0]) / GRID_HZ, float(tenth[-1]) / GRID_HZ, peak / GRID_HZ,
                peak_n, height_n,
            )
        )  # fmt: skip
    return found
