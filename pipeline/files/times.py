"""Columns of times as seconds: which unit a number is in, and from when it counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.files.errors import FileError, shown
from pipeline.files.looks import Look
from pipeline.files.moments import DAY_S, seconds
from pipeline.files.table import Loaded
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


@dataclass(frozen=True, slots=True, eq=False)
class Times:
    """Seconds of each row, and UTC of second 0 if the file tells it."""

    time_s: Floats
    utc_s: float | None = None
    local: bool = False
    """UTC is as a clock on the wall says it."""
    said: str = ""
    """What was understood, where the name alone does not say it."""


def of_stamps(loaded: Loaded, place: int, path: object, days: int | None) -> Times:
    """Times of a column of stamps; with a column of dates beside it, from 1970."""
    cells = loaded.columns[place]
    if isinstance(cells, np.ndarray):
        return Times(cells, 0.0, local=True)
    if days is not None:
        dates = loaded.columns[days]
        assert isinstance(dates, list)
        cells = [f"{day} {cell}" for day, cell in zip(dates, cells, strict=True)]
    found = seconds(cells)
    if isinstance(found, int):
        raise FileError(
            f"{path}: {loaded.place_of(found)}: '{shown(cells[found])}' is no time; correct or "
            "remove the line"
        )
    time_s, zoned = found
    dated = bool(time_s.size) and float(time_s[0]) > 10 * DAY_S
    return Times(time_s, 0.0 if dated else None, local=not zoned)


def of_numbers(values: Floats, look: Look, path: object) -> Times:
    """Times of a column of numbers.

    Raises
    ------
    FileError
        If the name says no unit and several are as likely.
    """
    epoch = _epoch(values)
    if epoch is not None and look.time_unit in (None, epoch[0]):
        return Times(values * TIME_UNITS[epoch[0]] - epoch[1], 0.0)
    if look.time_unit is not None:
        return Times(values * TIME_UNITS[look.time_unit])
    unit = _likely_unit(values)
    if unit is None:
        step = float(np.median(np.diff(values)))
        raise FileError(
            f"{path}: the unit of the times in {look} cannot be told (usually {step:g} apart): "
            "name the column `time_s`, `time_ms` or `time_us`, or say --rate HZ"
        )
    return Times(values * TIME_UNITS[unit], said="" if unit == "s" else f"times taken as {unit}")


def _epoch(values: Floats) -> tuple[str, float] | None:
    """The unit, and where 1970 lies, of numbers that count from a day of the calendar."""
    middle, step = float(values[values.size // 2]) if values.size else 0.0, _usual_step(values)
    ages = [(unit, low, 3.4 * low, 0.0) for unit, low in EPOCHS.items()]
    ages.append(("s", 3.4e9, 4.2e9, LABVIEW_S))
    ages += [("d", 3e4, 6e4, SHEET_DAYS * DAY_S), ("d", 7.25e5, 7.5e5, MATLAB_DAYS * DAY_S)]
    for unit, low, high, offset_s in ages:
        if low <= middle < high and 1 / FASTEST_HZ < step * TIME_UNITS[unit] < SLOWEST_S:
            return unit, offset_s
    return None


def _usual_step(values: Floats) -> float:
    """Between rows, over stretches of rows, as stamps may repeat."""
    if values.size < 2:
        return 0.0
    far = min(16, values.size - 1)
    return float(np.median(values[far:] - values[:-far])) / far


def _likely_unit(values: Floats) -> str | None:
    """Seconds where they can be; else the one unit in which a gauge has such a rate."""
    step = _usual_step(values)
    whole = bool((values[:1000] == np.round(values[:1000])).all())
    if values.size > 20 and whole and step == 1:
        return None
    if 1 / FASTEST_HZ < step <= SLOWEST_S and not (whole and step >= 1 and values.size > 20):
        return "s"
    if step <= 1 / FASTEST_HZ:
        minutes = step * TIME_UNITS["min"]
        return "min" if 1 / FASTEST_HZ < minutes < 0.2 else "s"
    fits = [
        unit for unit in ("ms", "us", "ns")
        if 1 / 2000 <= step * TIME_UNITS[unit] <= 0.5
    ]  # fmt: skip
    if len(fits) == 2 and fits == ["ms", "us"]:
        return None
    return fits[0] if len(fits) == 1 else None
