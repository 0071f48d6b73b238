"""Reps -> sets: reps without a long pause between them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from pipeline.analysis.types import Partial, Rep, SetClosed, SetSummary, Settings

LONE_WAIT_S = 90.0
"""A set of one or two reps says nothing of its period: so long it may go on."""


@dataclass(frozen=True, slots=True)
class OpenSets:
    """What a set that may go on must know of what came before; nothing else is remembered."""

    reps: tuple[Rep, ...] = ()
    """Of the set that may go on."""
    partials: tuple[Partial, ...] = ()
    """Since the last set that was closed."""
    closed: int = 0
    """How many sets were closed."""
    last_end_s: float | None = None
    """End of the last of them."""


NO_SETS = OpenSets()


def close_sets(
    before: OpenSets,
    reps: Sequence[Rep],
    partials: Sequence[Partial],
    now_s: float,
    settings: Settings,
) -> tuple[list[SetClosed], OpenSets]:
    """Add reps and partials that are final; return the sets that are over at `now_s`."""
    parts = part_sets([*before.reps, *reps], settings)
    partials = [*before.partials, *partials]
    goes_on = parts.pop() if parts and not _is_over(parts[-1], now_s, settings) else []
    closed: list[SetClosed] = []
    number, last_end_s = before.closed, before.last_end_s
    for number, part in enumerate(parts, before.closed + 1):
        end_s = part[-1].end_s
        own = tuple(partial for partial in partials if partial.start_s < end_s)
        partials = [partial for partial in partials if partial.start_s >= end_s]
        numbered = number_reps(part, number)
        closed.append(SetClosed(summarise(number, numbered, last_end_s), numbered, own))
        last_end_s = end_s
    return closed, OpenSets(tuple(goes_on), tuple(partials), number, last_end_s)


def _is_over(reps: Sequence[Rep], now_s: float, settings: Settings) -> bool:
    pause_s = now_s - reps[-1].end_s
    wait_s = settings.set_pause_periods * median_period_s(reps) if len(reps) > 2 else LONE_WAIT_S
    return pause_s > max(settings.set_pause_s, wait_s)


def part_sets(reps: Sequence[Rep], settings: Settings) -> list[list[Rep]]:
    """Part reps into sets, at each pause longer than both limits of the settings.

    The longest pause is asked first, and each part again with its own median period. So reps a
    minute apart make a set, and two sets a minute apart make two.
    """
    parts: list[list[Rep]] = []
    waiting = [list(reps)] if reps else []
    while waiting:
        part = waiting.pop()
        pauses_s = [b.start_s - a.end_s for a, b in pairwise(part)]
        period_s = settings.set_pause_periods * median_period_s(part)
        if pauses_s and max(pauses_s) > max(settings.set_pause_s, period_s):
            cut = pauses_s.index(max(pauses_s)) + 1
            waiting += [part[cut:], part[:cut]]
        else:
            parts.append(part)
    return parts


def median_period_s(reps: Sequence[Rep]) -> float:
    """Median time from the start of a rep to the start of the next; 0 for a single one."""
    return median([b.start_s - a.start_s for a, b in pairwise(reps)] or [0.0])


def number_reps(reps: Sequence[Rep], set_number: int) -> tuple[Rep, ...]:
    """The reps of a set with their places in it and the pauses between them."""
    bottoms_s = [*(max(b.start_s - a.end_s, 0.0) for a, b in pairwise(reps)), None]
    return tuple(
        rep._replace(set=set_number, rep=place, bottom_s=bottom_s)
        for place, (rep, bottom_s) in enumerate(zip(reps, bottoms_s, strict=True), 1)
    )


def summarise(set_number: int, reps: Sequence[Rep], previous_end_s: float | None) -> SetSummary:
    """The set as a whole."""
    metrics: dict[str, float] = {}
    absent: dict[str, str] = {}
    if len(reps) >= 3:
        metrics["force_loss_percent"] = force_loss_percent([rep.peak_n for rep in reps])
    else:
        absent["force_loss_percent"] = "it takes three reps"
    if all("work_j" in rep.metrics for rep in reps):
        metrics["work_j"] = sum(rep.metrics["work_j"] for rep in reps)
    if len(reps) >= 2:
        metrics["median_period_s"] = median_period_s(reps)
    missing = sum("tut_s" in rep.absent for rep in reps)
    if missing:
        absent["tut_s"] = f"{missing} reps have missing samples, which are taken out"
    return SetSummary(
        set=set_number,
        start_s=reps[0].start_s,
        end_s=reps[-1].end_s,
        reps=len(reps),
        tut_s=sum(rep.tut_s for rep in reps),
        rest_s=None if previous_end_s is None else reps[0].start_s - previous_end_s,
        peak_n=max(rep.peak_n for rep in reps),
        metrics=metrics,
        absent=absent,
        confidence=set_confidence([rep.confidence for rep in reps]),
    )


def force_loss_percent(peaks_n: Sequence[float]) -> float:
    """From the best peak of the first third of a set to the mean of its last third, percent.

    Negative where the force grew. It takes three reps.
    """
    third = max(len(peaks_n) // 3, 1)
    best = max(peaks_n[:third])
    last = sum(peaks_n[-third:]) / third
    return 100 * (best - last) / best if best > 0 else 0.0


def set_confidence(reps: Sequence[float]) -> float:
    """Probability that every rep of the set is right.

    Reps of a set err together: the product would be too low, the least too high. Their geometric
    mean stands between.
    """
    return round(math.sqrt(math.prod(reps) * min(reps)), 3) if reps else 0.0
