"""Columns of times as seconds: which unit a number is in, and from when it counts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.files.epochs import FASTEST_HZ, SLOWEST_S, epoch_of, usual_step
from pipeline.files.errors import FileError, shown
from pipeline.files.looks import Look
from pipeline.files.moments import DAY_S, seconds
from pipeline.files.table import Loaded
from pipeline.files.words import TIME_UNITS
from sensor.samples import Floats


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
        return Times(cells, 0.0, local=loaded.wall is not False)
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
    values, wrapped = _unwrapped(values)
    epoch = epoch_of(values)
    if epoch is not None and look.time_unit in (None, epoch[0]):
        return Times(values * TIME_UNITS[epoch[0]] - epoch[1], 0.0)
    if look.time_unit is not None:
        return Times(values * TIME_UNITS[look.time_unit], said=wrapped)
    unit = _likely_unit(values)
    if unit is None:
        step = float(np.median(np.diff(values)))
        raise FileError(
            f"{path}: the unit of the times in {look} cannot be told (usually {step:g} apart): "
            "name the column `time_s`, `time_ms` or `time_us`, or say --rate HZ"
        )
    return Times(
        values * TIME_UNITS[unit], said=wrapped or ("" if unit == "s" else f"times taken as {unit}")
    )


def _likely_unit(values: Floats) -> str | None:
    """Seconds where they can be; else the one unit in which a gauge has such a rate."""
    step = usual_step(values)
    whole = bool((values[:1000] == np.round(values[:1000])).all())
    if values.size > 20 and whole and step == 1:
        return None
    if 1 / FASTEST_HZ < step <= SLOWEST_S and not (whole and step >= 1 and values.size > 20):
        return "s"
    if step <= 1 / FASTEST_HZ:
        minutes = step * TIME_UNITS["min"]
        days = step * TIME_UNITS["d"]
        if 1 / FASTEST_HZ < days < SLOWEST_S and float(values[-1]) < 2 and minutes < 1 / FASTEST_HZ:
            return "d"
        return "min" if 1 / FASTEST_HZ < minutes < 0.2 else "s"
    fits = [
        unit for unit in ("ms", "us", "ns")
        if 1 / 2000 <= step * TIME_UNITS[unit] <= 0.5
    ]  # fmt: skip
    if len(fits) == 2 and fits == ["ms", "us"]:
        return None
    return fits[0] if len(fits) == 1 else None


def _unwrapped(values: Floats) -> tuple[Floats, str]:
    """Counters of 16, 24 or 32 bits that began again at zero, counted on; and a word if any did."""
    if bool((values[1:] >= values[:-1]).all()) or float(values.min()) < 0:
        return values, ""
    steps = np.diff(values)
    usual = usual_step(values)
    for bits in (16, 24, 32):
        top = 2.0**bits
        back = steps < -0.9 * top
        if float(values.max()) < top and back.any():
            on = float((steps[back] + top).max())
            if 0 <= on <= 50 * max(usual, 1):
                return (
                    values + top * np.concatenate([[0], np.cumsum(back)]),
                    f"the clock of {bits} bits began again at zero: counted on",
                )
    return values, ""
