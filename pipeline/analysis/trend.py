"""Effort that grows or fades over a set: its smallest reps are told by the line of the others."""

from __future__ import annotations

import math
from itertools import takewhile
from operator import mul

TREND_SIZES = 3, 5
"""A trend is told by so many reps: by few where it ends soon, by more where they are uneven."""
TREND_TOLERANCE, TREND_SPREAD = 0.25, 0.11
RHYTHM_TOLERANCE = 0.5


def continue_trend(
    amplitudes: list[float], rises: list[int], falls: list[int], reps: list[bool]
) -> None:
    """Make a small pull at the edge of a set a rep if it goes on the line of its neighbours.

    Effort that grows from a third to full makes the first reps small; trial pulls are off the line
    or off the rhythm. Where a band is taken up before the first pull, or bounces after one, the
    falls tell the rhythm better than the rises.
    """
    if all(reps):
        return
    for places, way in ((range(len(reps) - 4, -1, -1), 1), (range(3, len(reps)), -1)):
        for here in places:
            if reps[here]:
                continue
            row = list(takewhile(reps.__getitem__, _beside(here, way, len(reps))))
            sizes = [size for size in TREND_SIZES if size <= len(row)]
            reps[here] = any(
                _on_line(amplitudes[here], [amplitudes[at] for at in row[:size]]) for size in sizes
            ) and any(_in_rhythm(at[here], at[row[0]], at[row[1]]) for at in (rises, falls))


def _beside(here: int, way: int, stop: int) -> list[int]:
    """The places next to `here` on one side, the nearest first, as many as a trend may take."""
    furthest = here + way * (TREND_SIZES[-1] + 1)
    return [at for at in range(here + way, furthest, way) if 0 <= at < stop]


def _on_line(amplitude: float, row: list[float]) -> bool:
    """Whether the line through a row of amplitudes, if they lie on one, goes on to this."""
    middle = (len(row) + 1) / 2
    mean = sum(row) / len(row)
    steps = [place - middle for place in range(1, len(row) + 1)]
    slope = sum(map(mul, steps, row)) / sum(map(mul, steps, steps))
    off = [value - mean - slope * step for value, step in zip(row, steps, strict=True)]
    spread = math.sqrt(sum(map(mul, off, off)) / (len(row) - 2))
    even = spread < TREND_SPREAD * mean
    return even and abs(amplitude - (mean - slope * middle)) < TREND_TOLERANCE * row[0]


def _in_rhythm(first: int, second: int, third: int) -> bool:
    ratio = abs(second - first) / max(abs(third - second), 1)
    return 1 / (1 + RHYTHM_TOLERANCE) < ratio < 1 + RHYTHM_TOLERANCE
