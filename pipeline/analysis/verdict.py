"""What is said of a pull: rep, partial, knock or load; and what was known when it was said."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.medians import median
from pipeline.analysis.pulls import Pull


class Verdict(Enum):
    """What a pull is."""

    REP = "rep"
    PARTIAL = "partial"
    KNOCK = "knock"
    STEP = "step"
    """Force that came and stayed, or went and was never seen to come: a load, not a pull."""
    NOTHING = "nothing"
    """Below the floor."""


@dataclass(frozen=True, slots=True)
class Context:
    """What is known of the reps before: of the same set, or of the set before."""

    amplitudes_n: tuple[float, ...] = ()
    """Of the last reps, oldest first."""
    ended: int = -(10**9)
    """Grid index at which the last of them ended."""
    same_set: bool = False
    slack_n: float = math.inf
    """Lowest force so far: what the band bears when nobody holds it."""


class Judged(NamedTuple):
    """A pull with its verdict and what led to it."""

    pull: Pull
    verdict: Verdict
    amplitude_n: float
    typical_n: float
    """Amplitude typical around it; its own where nothing is around."""
    width_s: float | None
    """Width at half the amplitude, where it had to be looked at."""
    begin: int
    """Grid index at which it had clearly risen; at `pull.fell` it clearly falls."""


class Found(NamedTuple):
    """Judged pulls of one stretch, with the noise around them."""

    judged: list[Judged]
    first: int
    stop: int
    noise_n: float
    """Standard deviation of the noise in the measured force."""


def slack_n(pulls: Sequence[Pull], before_n: float) -> float:
    """Lowest force in and before these pulls."""
    valleys = [n for pull in pulls for n in (pull.before_n, pull.after_n) if n is not None]
    return min([before_n, *valleys])


def median_length_s(judged: Iterable[Judged]) -> float | None:
    """How long the reps among these pulls rose and were held; None without any."""
    rep = Verdict.REP
    lengths = [one.pull.fell - one.pull.id for one in judged if one.verdict is rep]
    return median(lengths) / GRID_HZ if lengths else None


def context_after(context: Context, found: Found, *, same_set: bool) -> Context:
    """What is known after a stretch; `same_set` says that its set goes on."""
    rep = Verdict.REP
    reps = [judged for judged in found.judged if judged.verdict is rep]
    slack = slack_n([judged.pull for judged in found.judged], context.slack_n)
    if not reps:
        return replace(context, same_set=same_set and context.same_set, slack_n=slack)
    before = context.amplitudes_n if context.same_set else ()
    amplitudes = (*before, *[judged.amplitude_n for judged in reps[-8:]])[-8:]
    last = reps[-1].pull
    return Context(amplitudes, last.fell, same_set, slack)
