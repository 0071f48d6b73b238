"""Calibrations of sensors whose files hold counts, kept by the name of the sensor."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from pipeline.files.errors import FileError, shown
from sensor.samples import Floats

FILE_NAME = "calibrations.json"
LEAST_PLATEAU_S = 1.0
WORST_PART = 0.02
"""Weights may lie so far off their line, as a part of the heaviest."""
SAME = 0.05
"""Levels that differ by less of all that the file spans are of one weight."""


@dataclass(frozen=True, slots=True)
class KeptCalibration:
    """Newtons are `(counts - zero_counts) * newtons_per_count`."""

    sensor: str
    zero_counts: float
    newtons_per_count: float
    made: str
    """The day."""

    def force_n(self, counts: Floats) -> Floats:
        """Counts (n,) as newtons (n,)."""
        return (counts - self.zero_counts) * self.newtons_per_count


def kept(path: Path, sensor: str) -> KeptCalibration | None:
    """The calibration of a sensor; None if there is none."""
    return _all(path).get(sensor)


def keep(path: Path, calibration: KeptCalibration) -> None:
    """Keep it in place of an earlier one of the same sensor."""
    everything = _all(path) | {calibration.sensor: calibration}
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        new = path.with_name(f".{path.name}.part")
        new.write_text(json.dumps([asdict(each) for each in everything.values()], indent=2) + "\n")
        new.replace(path)
    except OSError as error:
        raise FileError(f"{path}: cannot be written: {error.strerror}") from error


def _all(path: Path) -> dict[str, KeptCalibration]:
    try:
        rows = json.loads(path.read_text("utf-8"))
        return {row["sensor"]: KeptCalibration(**row) for row in rows}
    except FileNotFoundError:
        return {}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise FileError(
            f"{path}: the kept calibrations cannot be read ({shown(error)}): correct or remove it"
        ) from error


def fit(counts: Floats, known_n: Floats) -> tuple[float, float, float]:
    """Zero, newtons per count, and the greatest error in N of a line through two points or more.

    Raises
    ------
    ValueError
        If the counts do not tell the weights apart, or lie on no line with them.
    """
    if np.ptp(known_n) == 0:
        raise ValueError("two different weights at least are needed")
    # Newtons are exact, counts are not: the line is of counts on newtons.
    slope, zero = np.polyfit(known_n, counts, 1)
    spread = float(np.ptp(counts))
    if spread == 0 or abs(slope) * np.ptp(known_n) < 0.2 * spread:
        raise ValueError("the counts do not follow the weights: are they in the order of the file?")
    found = (counts - zero) / slope
    worst_n = float(np.abs(found - known_n).max())
    if worst_n > WORST_PART * float(np.abs(known_n).max()):
        off = ", ".join(f"{each:+.2f} N" for each in found - known_n)
        raise ValueError(
            f"the weights lie on no line (off by {off}): hang them again, each still and freely, "
            "in the order that was named"
        )
    return float(zero), float(1 / slope), worst_n


def plateaus(time_s: Floats, counts: Floats, number: int) -> Floats:
    """Levels at which the counts rest, in order: the `number` longest.

    Raises
    ------
    ValueError
        If there are fewer, or others about as long, or all are of one weight.
    """
    step = float(np.median(np.diff(time_s)))
    width = max(int(LEAST_PLATEAU_S / step), 3)
    if counts.size < width * number:
        raise ValueError(f"too short for {number} weights that hang for a second each")
    span = float(np.ptp(counts))
    windows = np.lib.stride_tricks.sliding_window_view(counts, width)
    still = np.percentile(windows, 90, axis=1) - np.percentile(windows, 10, axis=1) < SAME * span
    level = np.median(windows, axis=1)
    runs: list[list[int]] = []
    for at in np.flatnonzero(still):
        same = runs and at == runs[-1][-1] + 1 and abs(level[at] - level[runs[-1][0]]) < SAME * span
        if same:
            runs[-1].append(int(at))
        else:
            runs.append([int(at)])
    if len(runs) < number:
        raise ValueError(f"{len(runs)} weights hang still for a second, not {number}")
    runs.sort(key=len, reverse=True)
    rest = [float(np.median(level[run])) for run in runs]
    longest, others = rest[:number], rest[number:]
    for other, run in zip(others, runs[number:], strict=True):
        if min(abs(other - each) for each in longest) > SAME * span and 2 * len(run) > len(
            runs[number - 1]
        ):
            raise ValueError(
                f"more than {number} weights hang still for about as long: give them all in "
                "--known-kg, in the order of the file, or cut the others out of it"
            )
    if np.ptp(longest) < SAME * span:
        raise ValueError(
            f"what hangs still there for longest is all one weight: a file is needed in which "
            f"{number} hang still, one after the other, each for a second or more"
        )
    return np.array([float(np.median(level[run])) for run in sorted(runs[:number])])
