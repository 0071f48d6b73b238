"""Reps without a long pause between them make a set."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from pipeline.analysis.confidence import set_confidence
from pipeline.analysis.medians import median
from pipeline.analysis.result import Rep, SetSummary
from pipeline.analysis.settings import Settings
from pipeline.analysis.tuples import named


def part_sets(reps: Sequence[Rep], settings: Settings) -> list[list[Rep]]:
    """Cut reps into sets: at each pause longer than max(8 s, 3 × the set's median period).

    The longest pause is cut first, and each part is asked again with its own median period. So reps
    a minute apart make a set, and two sets a minute apart make two.
    """
    parts: list[list[Rep]] = []
    stack = [list(reps)] if reps else []
    while stack:
        part = stack.pop()
        if len(part) > 1:
            pauses = [b.start_s - a.end_s for a, b in pairwise(part)]
            longest = max(pauses)
            if longest > settings.set_pause_s and longest > (
                settings.set_pause_periods * median_period_s(part)
            ):
                cut = pauses.index(longest) + 1
                stack += [part[cut:], part[:cut]]
                continue
        parts.append(part)
    return parts


def median_period_s(reps: Sequence[Rep]) -> float:
    """Median time from the start of a rep to the start of the next."""
    return median(b.start_s - a.start_s for a, b in pairwise(reps)) if len(reps) > 1 else 0.0


_SET, _REP, _BOTTOM = map(Rep._fields.index, ("set", "rep", "bottom_s"))


def number_reps(reps: Sequence[Rep], set_number: int) -> tuple[Rep, ...]:
    """The reps of a set with their places in it and the pauses between them."""
    columns: list[Sequence[object]] = list(zip(*reps, strict=True))
    columns[_SET], columns[_REP] = [set_number] * len(reps), range(1, len(reps) + 1)
    columns[_BOTTOM] = [*(max(b.start_s - a.end_s, 0.0) for a, b in pairwise(reps)), None]
    return tuple(named(Rep, zip(*columns, strict=True)))


def summarise(set_number: int, reps: Sequence[Rep], previous_end_s: float | None) -> SetSummary:
    """The set as a whole."""
    metrics: dict[str, float] = {}
    absent: dict[str, str] = {}
    if len(reps) >= 3:
        metrics["force_loss_percent"] = force_loss_percent([rep.peak_n for rep in reps])
    else:
        absent["force_loss_percent"] = "it takes three reps"
    works = [rep.metrics.get("work_j") for rep in reps]
    if works and all(work is not None for work in works):
        metrics["work_j"] = sum(work for work in works if work is not None)
    if len(reps) >= 2:
        metrics["median_period_s"] = median_period_s(reps)
    missing = [rep.absent["tut_s"] for rep in reps if "tut_s" in rep.absent]
    if missing:
        absent["tut_s"] = f"{len(missing)} reps have missing samples, which are taken out"
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
