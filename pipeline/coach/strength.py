"""Strength tests: pure functions from the reps of a test, and the force around them, to its values.

Each test's definition, uncertainty and source stand in docs/strength-tests.md.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from math import sqrt
from statistics import mean, stdev

import numpy as np
from scipy.ndimage import uniform_filter1d

from pipeline.analysis.types import Rep
from sensor.samples import Floats

GRID_HZ = 50.0
LEVEL_S = (0.5, 2.5)
"""After its top is reached, the level of a hold is its median force in this time."""
KEPT_SHARE, KEPT_OVER_S = 0.9, 1.0
"""A hold is over when its force, averaged over so long, falls below this part of its level."""
FIRST, REPEATED_SHARE, REPEATED_S = 3, 0.8, 6.0
"""Repeaters count while the mean force of a pull is at least this part of that of the first pulls,
and the pull is so long."""
CONTRACTIONS, LEAST_CONTRACTIONS, LAST = 24, 22, 3
"""Of the all-out test; so few are too few; the critical force is that of the last."""
END_S, BEFORE_RELEASE_S = 1.0, 0.2
"""The end force is the mean of a second that ends so long before the force falls to its half."""

VARIATION = {"mvc_n": 0.056, "critical_force": 0.21, "w_prime": 0.132}
"""Published coefficients of variation from test to test (McClean et al. 2023, 13 climbers)."""


@dataclass(frozen=True, slots=True)
class Measured:
    """What a test came to: values by name with unit, the spread of its trials, what is lacking."""

    values: dict[str, float] = field(default_factory=dict)
    spread: dict[str, float] = field(default_factory=dict)
    """Standard deviation of the trials, where there are two or more."""
    absent: dict[str, str] = field(default_factory=dict)
    """Why a value is not there, in words."""


def maximal_pull(time_s: Floats, force_n: Floats, trials: Sequence[Rep]) -> Measured:
    """The highest force of all trials (MVC)."""
    peaks_n = [rep.peak_n for rep in trials]
    return Measured({"mvc_n": max(peaks_n)}, _spread("mvc_n", peaks_n))


def force_development(time_s: Floats, force_n: Floats, trials: Sequence[Rep]) -> Measured:
    """The steepest rate of force development of all trials, by window."""
    values, spread = dict[str, float](), dict[str, float]()
    windows = dict.fromkeys(window for rep in trials for window in rep.rfd_n_per_s)
    for window in windows:
        rates = [rep.rfd_n_per_s[window] for rep in trials if window in rep.rfd_n_per_s]
        name = f"rfd_{_word(window)}_n_per_s"
        values[name] = max(rates)
        spread |= _spread(name, rates)
    absent = {} if values else {"rfd": next(iter(_reasons(trials, "rfd")), "no trial allows it")}
    return Measured(values, spread, absent)


def endurance(time_s: Floats, force_n: Floats, trials: Sequence[Rep]) -> Measured:
    """How long the force of the longest hold stays up, and at which level."""
    rep = max(trials, key=lambda each: each.tut_s)
    level_n = float(np.median(_between(time_s, force_n, *(rep.top_start_s + s for s in LEVEL_S))))
    if rep.end_s - rep.top_start_s < LEVEL_S[1]:
        return Measured(absent={"endurance_s": f"no hold is longer than {LEVEL_S[1]} s"})
    grid_s = np.arange(rep.top_start_s, rep.end_s, 1 / GRID_HZ)
    mean_n = uniform_filter1d(
        np.interp(grid_s, time_s, force_n), round(KEPT_OVER_S * GRID_HZ), mode="nearest"
    )
    low = (mean_n < KEPT_SHARE * level_n) & (grid_s > rep.top_start_s + LEVEL_S[1])
    kept_s = (int(low.argmax()) if low.any() else grid_s.size) / GRID_HZ
    return Measured({"endurance_s": kept_s, "level_n": level_n, "impulse_n_s": kept_s * level_n})


def repeaters(time_s: Floats, force_n: Floats, trials: Sequence[Rep]) -> Measured:
    """How many pulls are as strong as the first ones, and how much the last has lost."""
    means_n = [rep.mean_n for rep in trials]
    if len(means_n) < FIRST:
        return Measured(absent={"repeaters": f"needs {FIRST} pulls, found {len(means_n)}"})
    level_n = mean(means_n[:FIRST])
    least_n = REPEATED_SHARE * level_n
    kept = list(takewhile(lambda r: r.mean_n >= least_n and r.tut_s >= REPEATED_S, trials))
    return Measured(
        {
            "repeaters": float(len(kept)),
            "level_n": level_n,
            "loss_percent": 100 * (1 - means_n[-1] / level_n),
        }
    )


def critical_force(time_s: Floats, force_n: Floats, trials: Sequence[Rep]) -> Measured:
    """Critical force and W′ of 24 pulls of 7 s with all one's strength, by both definitions.

    `mean` takes the mean force of the last three pulls (Giles et al. 2021), `end` the force at
    their ends (Baláš et al. 2024). W′ is the impulse of all pulls above that.
    """
    if len(trials) < LEAST_CONTRACTIONS:
        why = f"needs {CONTRACTIONS} pulls, found {len(trials)}"
        return Measured(absent={"critical_force": why, "w_prime": why})
    means_n = [rep.mean_n for rep in trials]
    force = {
        "mean": mean(means_n[-LAST:]),
        "end": mean(_end_n(time_s, force_n, rep) for rep in trials[-LAST:]),
    }
    values = {"mvc_n": max(rep.peak_n for rep in trials)}
    for name, critical_n in force.items():
        values[f"critical_force_{name}_n"] = critical_n
        values[f"w_prime_{name}_n_s"] = sum(
            max(rep.mean_n - critical_n, 0.0) * rep.tut_s for rep in trials
        )
    return Measured(values)


TESTS: Mapping[str, Callable[[Floats, Floats, Sequence[Rep]], Measured]] = {
    "mvc": maximal_pull,
    "rfd": force_development,
    "endurance": endurance,
    "repeaters": repeaters,
    "critical-force": critical_force,
}
"""By name: of samples (n,) and the reps of one side, which are at least one."""


def difference_percent(right: float, left: float) -> float:
    """100 (right - left) / the larger of both: above 0 where the right side is stronger."""
    larger = max(abs(right), abs(left))
    return 100 * (right - left) / larger if larger else 0.0


def detectable(name: str, spread: float | None, value: float) -> float | None:
    """The change from test to test beyond which it is no chance (95 %); None where unknown.

    1.96 √2 times the published variation; where there is none, the spread of this test's trials.
    """
    variation = next((cv for key, cv in VARIATION.items() if name.startswith(key)), None)
    deviation = spread if variation is None else variation * value
    return None if deviation is None else 1.96 * sqrt(2) * deviation


def _spread(name: str, trials: Sequence[float]) -> dict[str, float]:
    return {name: stdev(trials)} if len(trials) > 1 else {}


def _word(window: str) -> str:
    """`0-100 ms` as part of a name."""
    return window.replace(" ", "_").replace("-", "_").replace("%", "percent")


def _reasons(trials: Sequence[Rep], about: str) -> list[str]:
    return [why for rep in trials for name, why in rep.absent.items() if about in name]


def _between(time_s: Floats, force_n: Floats, begin_s: float, end_s: float) -> Floats:
    """The samples in that time, at least one."""
    first, stop = np.searchsorted(time_s, (begin_s, end_s)).tolist()
    first = min(first, time_s.size - 1)
    return force_n[first : max(stop, first + 1)]


def _end_n(time_s: Floats, force_n: Floats, rep: Rep) -> float:
    """Force in the last second before a pull is let go."""
    first, stop = np.searchsorted(time_s, (rep.start_s, rep.end_s)).tolist()
    pull_n = force_n[first:stop]
    if not pull_n.size:  # its samples are lost
        return rep.mean_n
    last = first + int(np.flatnonzero(pull_n >= pull_n.mean() / 2)[-1])
    end_s = float(time_s[last]) - BEFORE_RELEASE_S
    return float(np.median(_between(time_s, force_n, end_s - END_S, end_s)))
