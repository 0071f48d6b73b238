"""From judged pulls to reps and partials with their phases and metrics."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter

import numpy as np

from pipeline.analysis.absent import Axis, explained
from pipeline.analysis.confidence import rep_confidence
from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.limits import limits
from pipeline.analysis.metrics import Metrics, measure
from pipeline.analysis.phases import Phases, find_phases
from pipeline.analysis.pulls import Pull
from pipeline.analysis.result import Partial, Rep
from pipeline.analysis.settings import Settings
from pipeline.analysis.signals import Run
from pipeline.analysis.tuples import named
from pipeline.analysis.verdict import Found, Judged, Verdict
from sensor.samples import Floats
from sensor.wire.profile import BandCurve


def half_span(run: Run, pull: Pull, amplitude_n: float) -> tuple[int, int]:
    """Grid indices around the peak, the last and first at which less than half is left."""
    force = run.measure.view(pull.left, pull.right + 1)
    begin = max(pull.left, run.measure.start)
    if not force.size:
        return pull.id, pull.id
    peak = int(force.argmax())
    below = (force < float(force[peak]) - amplitude_n / 2).nonzero()[0]
    after = int(below.searchsorted(peak))
    left = int(below[after - 1]) if after else 0
    right = int(below[after]) if after < below.size else force.size - 1
    return begin + left, begin + right


def build(
    run: Run,
    found: Sequence[Found],
    axis: Axis,
    settings: Settings,
    curve: BandCurve | None,
) -> list[tuple[list[Rep], list[Partial]]]:
    """Measure the reps and partials of stretches of one run; one pair per stretch."""
    answer: list[tuple[list[Rep], list[Partial]]] = [([], []) for _ in found]
    is_rep, is_partial = Verdict.REP, Verdict.PARTIAL
    chosen = [
        (number, judged)
        for number, part in enumerate(found)
        for judged in part.judged
        if judged.verdict is is_rep or judged.verdict is is_partial
    ]
    if not chosen:
        return answer
    stretch_of, pulls = [number for number, _ in chosen], [judged for _, judged in chosen]
    noise_n = np.array([found[number].noise_n for number in stretch_of])
    first, stop = limits(run, pulls, np.array([found[number].stop for number in stretch_of]))
    origin = int(first.min())
    force = run.measure.view(origin, int(stop.max()) + 1)
    phases = find_phases(
        force,
        first - origin,
        np.minimum(stop - origin, force.size),
        np.array([judged.pull.rise_seen for judged in pulls]),
        np.array([judged.pull.after_n is not None for judged in pulls]),
        noise_n,
    )
    whole = phases.rise_seen & phases.fall_seen
    confidence = rep_confidence(pulls, settings, noise_n, whole)
    metrics = measure(force, phases, curve)
    plain = [False] * len(pulls)
    if not axis.gaps:
        plain = (whole & metrics.complete & axis.fast(phases.start + origin)).tolist()
    measured = _reps(pulls, phases, metrics, confidence, origin, axis)
    for place, (number, judged, rep) in enumerate(zip(stretch_of, pulls, measured, strict=True)):
        reps, partials = answer[number]
        if judged.verdict is is_partial:
            partials.append(
                Partial(rep.start_s, rep.end_s, rep.peak_s, rep.peak_n, judged.amplitude_n)
            )
        elif plain[place]:
            reps.append(rep)
        else:
            seen = bool(phases.rise_seen[place]), bool(phases.fall_seen[place])
            reps.append(explained(rep, axis, *seen))
    return [
        (reps, [each for each in partials if not _within(each, reps)])
        if partials
        else (reps, partials)
        for reps, partials in answer
    ]


def _within(partial: Partial, reps: list[Rep]) -> bool:
    """Whether the partial's peak lies within one of the reps, which are in order."""
    before = bisect_left(reps, partial.peak_s, key=_START) - 1
    return before >= 0 and partial.peak_s < reps[before].end_s


_START = attrgetter("start_s")


def _reps(
    pulls: list[Judged],
    phases: Phases,
    metrics: Metrics,
    confidence: Floats,
    origin: int,
    axis: Axis,
) -> list[Rep]:
    """One rep per pull, without a place, as if everything could be told of it."""

    edges = (phases.start, phases.top_start, phases.top_end, phases.end, phases.peak)
    times_s = axis.origin_s + (np.array(edges) + origin) / GRID_HZ
    lengths_s = times_s[1:4] - times_s[:3]
    totals = (times_s[3] - times_s[0], metrics.mean_n, metrics.impulse_n_s)
    columns = (
        [judged.pull.id for judged in pulls],
        repeat(0, len(pulls)),
        repeat(0, len(pulls)),
        *times_s.tolist(),
        *(column.tolist() for column in (phases.peak_n, phases.before_n, phases.after_n)),
        *lengths_s.tolist(),
        repeat(None, len(pulls)),
        *(column.tolist() for column in totals),
        _by_name(metrics.rfd_n_per_s),
        _by_name(metrics.columns),
        [{} for _ in pulls],
        confidence.tolist(),
    )
    return named(Rep, zip(*columns, strict=True))


def _by_name(columns: dict[str, Floats]) -> list[dict[str, float]]:
    """One dictionary for each row of the columns, of which there is at least one."""
    (first, values), *others = columns.items()
    rows = [{first: value} for value in values.tolist()]
    for name, values in others:
        for row, value in zip(rows, values.tolist(), strict=True):
            row[name] = value
    return rows
