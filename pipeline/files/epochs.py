"""Numbers that count from a day of the calendar: since 1970, 1904, or as spreadsheets do."""

from __future__ import annotations

import numpy as np

from pipeline.files.moments import DAY_S
from pipeline.files.words import TIME_UNITS
from sensor.samples import Floats

FASTEST_HZ = 3000.0
"""No gauge of a band is faster: then the times are in another unit."""
SLOWEST_S = 2.0
"""Samples further apart are no record of a pull."""
EPOCHS = {"s": 1e9, "ms": 1e12, "us": 1e15, "ns": 1e18}
"""From these numbers on, to 3.4 times as much, a time counts from 1970 in the unit."""
LABVIEW_S = 2_082_844_800.0
"""From 1904 to 1970."""
SHEET_DAYS, MATLAB_DAYS = 25_569.0, 719_529.0
"""1970 as spreadsheets count days, and as MATLAB does."""


def epoch_of(values: Floats) -> tuple[str, float] | None:
    """The unit, and where 1970 lies, of numbers that count from a day of the calendar."""
    middle, step = float(values[values.size // 2]) if values.size else 0.0, usual_step(values)
    ages = [(unit, low, 3.4 * low, 0.0) for unit, low in EPOCHS.items()]
    ages.append(("s", 3.4e9, 4.2e9, LABVIEW_S))
    ages += [("d", 3e4, 6e4, SHEET_DAYS * DAY_S), ("d", 7.25e5, 7.5e5, MATLAB_DAYS * DAY_S)]
    for unit, low, high, offset_s in ages:
        if low <= middle < high and 1 / FASTEST_HZ < step * TIME_UNITS[unit] < SLOWEST_S:
            return unit, offset_s
    return None


def usual_step(values: Floats) -> float:
    """Between rows, over stretches of rows, as stamps may repeat."""
    if values.size < 2:
        return 0.0
    far = min(16, values.size - 1)
    return float(np.median(values[far:] - values[:-far])) / far
