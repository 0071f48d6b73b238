"""Columns of forces as newtons, and what they can be no newtons of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.files.words import COUNTS, FORCE_UNITS
from sensor.samples import Floats

MOST_N = 10_000.0
"""More than a tonne: nobody pulls so much, nor does a sensor for people measure it."""
MOST_UNSAID_N = 3_000.0
"""Whole numbers above this, where no unit is said, are counts of a converter or grams."""
PULL_N = 200.0
"""Counts are scaled so that their pulls are about this high, for the rules of the analysis."""
SURE_N = 10.0
"""Less than this below zero is a wrong zero, or drift."""


@dataclass(frozen=True, slots=True, eq=False)
class Forces:
    """Newtons; or counts made as large as newtons, with how many of them are one."""

    force_n: Floats
    counts_per_n: float | None = None
    """None for true newtons; else force_n is only for finding pulls."""
    zero_counts: float = 0.0
    doubt: str = ""
    """Why they are no newtons."""

    def reading(self, force_n: float) -> float:
        """What the sensor read at a force of the analysis."""
        return force_n * (self.counts_per_n or 1.0) + self.zero_counts

    def readings(self, force_n: Floats) -> Floats:
        """The same of many."""
        return force_n * (self.counts_per_n or 1.0) + self.zero_counts


def in_newtons(values: Floats, unit: str, *, said: bool) -> Forces:
    """Values in their unit as newtons, or as counts where they cannot be newtons.

    Parameters
    ----------
    said
        Whether the unit stands in the file or was given; else it is what the name means.
    """
    if unit == COUNTS:
        return as_counts(values, "")
    force_n = values * FORCE_UNITS[unit] if unit != "N" else values
    most = _most(force_n)
    if most > MOST_N:
        return as_counts(values, f"up to {most:.3g} N, which nobody pulls")
    whole = not said and most > MOST_UNSAID_N and bool((values == np.round(values)).all())
    if whole:
        return as_counts(values, f"whole numbers up to {_most(values):.0f} without a unit")
    return Forces(force_n)


def as_counts(values: Floats, doubt: str) -> Forces:
    """Counts for finding pulls: zero where they rest, pulls upwards."""
    low, rest, high = (float(v) for v in np.percentile(values, (0.5, 50, 99.5)))
    # Most of the time nobody pulls: the side that lies further from the middle is the pull.
    down = rest - low > high - rest
    span = max(high - low, 1e-12)
    per_n = -span / PULL_N if down else span / PULL_N
    zero = high if down else low
    return Forces((values - zero) / per_n, per_n, zero, doubt)


def wired_backwards(force_n: Floats) -> str:
    """A remark where the force is hardly ever above zero; empty where it is."""
    thinned = force_n[:: max(force_n.size // 100_000, 1)]
    low, high = np.percentile(thinned, (0.5, 99.5))
    if low > -SURE_N or high > -0.1 * low:
        return ""
    return (
        f"the force is hardly ever above zero (from {low:.0f} to {high:.0f} N): if it falls as one "
        "pulls, swap the sensor's signal wires and multiply this column by -1"
    )


def _most(values: Floats) -> float:
    """The greatest amount, a few wild samples apart."""
    high = max(float(values.max()), -float(values.min()))
    if high <= MOST_UNSAID_N:
        return high
    low, top = np.percentile(values, (0.1, 99.9))
    return max(abs(float(low)), abs(float(top)))
