"""A time axis without what stamps and loggers add; samples that lack are left to lack."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np

from pipeline.files.changes import held
from pipeline.files.epochs import FASTEST_HZ, SLOWEST_S
from pipeline.files.errors import FileError
from sensor.samples import Floats
from sensor.timeline.stamps import repaired

LONGEST_S = 72 * 3600.0
SLOW_S = 0.15
MOST_S, MOST_HZ = 1e17, 1e5
EVENED_S = 1e-3
"""Times moved by less need no word."""


def made_sound(
    time_s: Floats, force_n: Floats, place_of: Callable[[int], str], where: str
) -> tuple[Floats, Floats, list[str]]:
    """A time axis without what stamps and loggers add; samples that lack are left to lack."""
    _check_numbers(time_s, place_of, where)
    steps = np.diff(time_s)
    change = held(time_s, force_n, steps)
    if change is not None:
        step = float(np.median(np.diff(change[0])))
        return *change, [
            f"only changes were logged: values are held between them, every {step:.3g} s"
        ]
    disorder = int(np.count_nonzero(steps <= 0))
    try:
        times, forces = repaired(time_s, force_n)
    except ValueError as error:
        worst = int(np.argmin(steps)) + 1
        raise FileError(
            f"{where}: {place_of(worst)}: the time goes back by {-steps.min():.3g} s, and not "
            "there alone: sort the file by time, or split it where it begins anew"
        ) from error
    _check_span(times, where)
    words = []
    if disorder:
        words.append(
            f"{disorder} of {time_s.size} times repeat or go back: put right by interpolation"
        )
    if times.size < time_s.size:
        words.append(
            f"{time_s.size - times.size} lines that come twice or are far off are left out"
        )
    elif times is not time_s and not disorder:
        most_s = float(np.abs(times - time_s).max())
        if most_s > EVENED_S:
            words.append(f"times jitter, by up to {1000 * most_s:.0f} ms: made even")
    if float(forces.min()) == float(forces.max()):
        raise FileError(f"{where}: every force is {forces[0]:g}: nothing was pulled")
    usual_s = 1 / rate_hz_of(times)
    if usual_s < 1 / MOST_HZ:
        raise FileError(
            f"{where}: a sample every {usual_s:.2g} s, as the times are in seconds, is none of a "
            "force: name the column `time_min`, `time_ms` or `time_us`, or say --rate HZ"
        )
    if usual_s < 1 / FASTEST_HZ:
        words.append(
            f"a sample every {usual_s:.2g} s is faster than any gauge of a band: are the times in "
            "seconds? A column `time_min`, `time_ms` or `time_us` says otherwise"
        )
    if usual_s > SLOW_S:
        words.append(
            f"a sample every {usual_s:.2g} s is slow: reps shorter than {6 * usual_s:.2g} s may be "
            "missed, and times are rough"
        )
    return times, forces, words


def _check_numbers(time_s: Floats, place_of: Callable[[int], str], where: str) -> None:
    low, high = float(time_s.min()), float(time_s.max())
    if not -MOST_S < low <= high < MOST_S:
        bad = int(np.argmax(~(np.abs(time_s) < MOST_S)))
        raise FileError(f"{where}: {place_of(bad)}: no time; correct or remove the line")
    if low == high:
        raise FileError(f"{where}: every time is {low:g}: give --rate HZ")


def _check_span(time_s: Floats, where: str) -> None:
    """Whether times that were made sound are those of a session."""
    span_s, usual_s = float(time_s[-1] - time_s[0]), 1 / rate_hz_of(time_s)
    if (usual_s > SLOWEST_S and time_s.size > 3) or span_s > LONGEST_S:
        far = int(np.argmax(np.diff(time_s)))
        raise FileError(
            f"{where}: the times span {span_s:.3g} s, usually {usual_s:.3g} s apart, and jump from "
            f"{time_s[far]:g} to {time_s[far + 1]:g} s: are they in seconds? If not, name the "
            f"column `time_ms` or `time_us`. A sample every {SLOWEST_S:g} s and "
            f"{LONGEST_S / 3600:g} h are the most"
        )


def rate_hz_of(time_s: Floats) -> float:
    """Samples in a second as they usually come; stamps may repeat."""
    far = max(min(32, (time_s.size - 1) // 4), 1)
    every = max(time_s.size // 50_000, 1)
    step = float(np.median(time_s[far::every] - time_s[:-far:every])) / far
    return 1 / step if step > 0 else math.inf
