"""Which pulls are reps: amplitude against what is typical around, width, and what goes before."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from pipeline.analysis.company import (
    Cluster,
    leave_out_stirs,
    leave_out_trials,
    weighted_median,
    weighted_medians,
)
from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.pulls import Pull
from pipeline.analysis.settings import Settings
from pipeline.analysis.verdict import Context, Judged, Verdict

NEIGHBOURS = 5
"""Pulls on each side that say what is typical."""
CLUSTER_PAUSE_S = 12.0
EVEN_SHARE = 0.7
"""If the least pull of a cluster is this part of the greatest, all are alike."""
SURELY_WIDE_S = 0.5
RISE_S = 0.15
"""A rise cut off by the start of the samples is one if this much of it is left."""
NEAR_FLOOR = 4
"""Up to so many times the floor a pull may be much narrower than its certain rise and fall."""
SLOW_START_S = 3.0
"""If the rise was certain so long before the peak, the pull proper may have begun later."""

HalfSpan = Callable[[Pull, float], tuple[int, int]]


def judge(
    pulls: Sequence[Pull],
    half_span: HalfSpan,
    settings: Settings,
    noise_n: float,
    context: Context,
) -> list[Judged]:
    """Give each pull its verdict.

    Parameters
    ----------
    half_span
        Grid indices between which a pull's force is above half its amplitude, given in N.
    noise_n
        Standard deviation of the noise in the force that the pulls were found in.
    """
    floor = max(settings.floor_n, settings.noise_factor * noise_n)
    near_n = NEAR_FLOOR * settings.floor_n
    knock_s, longest_s, share = settings.knock_s, settings.longest_rep_s, settings.rep_share
    rep, partial, step = Verdict.REP, Verdict.PARTIAL, Verdict.STEP
    amplitudes = [pull.amplitude_n for pull in pulls]
    typical = amplitudes.copy()
    verdicts = [rep] * len(amplitudes)
    widths: list[float | None] = [None] * len(amplitudes)
    begins = [pull.id for pull in pulls]
    clusters: list[Cluster] = []
    end = -math.inf
    for at, pull in enumerate(pulls):
        if amplitudes[at] < floor:
            verdicts[at] = Verdict.NOTHING
            continue
        width, begin = _width_and_begin(pull, amplitudes[at], half_span, near_n)
        widths[at], begins[at] = width, begin
        if width is not None and width < knock_s and _whole(pull):
            verdicts[at] = Verdict.KNOCK
        elif (width is not None and width > longest_s) or _stays(pull, longest_s * GRID_HZ):
            verdicts[at] = step
        else:
            if begin - end > CLUSTER_PAUSE_S * GRID_HZ:
                clusters.append([])
            clusters[-1].append(at)
            end = pull.fell
    for number, cluster in enumerate(clusters):
        before: tuple[float, ...] = ()
        soon = begins[cluster[0]] - context.ended <= CLUSTER_PAUSE_S * GRID_HZ
        if number == 0 and context.same_set and soon:
            before = context.amplitudes_n[-NEIGHBOURS:]
        among = [amplitudes[at] for at in cluster]
        around = _typical(before, among)
        reps = [mine >= share * usual for mine, usual in zip(among, around, strict=True)]
        _continue_trend(among, [begins[at] for at in cluster], reps)
        for at, is_rep, usual in zip(cluster, reps, around, strict=True):
            pull, typical[at] = pulls[at], usual
            if pull.before_n is None and not _rise_counts(pull, len(among) + len(before), floor):
                verdicts[at] = step
            elif not is_rep:
                verdicts[at] = partial
    rows = zip(pulls, verdicts, amplitudes, typical, widths, begins, strict=True)
    judged = list(map(Judged._make, rows))
    leave_out_trials(judged, clusters, share, context)
    leave_out_stirs(judged, clusters, context)
    return judged


def _stays(pull: Pull, longest: float) -> bool:
    """Whether the force stays up for long beside the pull: a load hung up, and its swinging."""
    before, after = pull.before_n, pull.after_n
    if pull.right - pull.id <= longest and pull.fell - pull.left <= longest:
        return False
    if before is None or after is None:
        return False
    return 2 * pull.amplitude_n <= pull.peak_n - min(before, after)


def _whole(pull: Pull) -> bool:
    return pull.before_n is not None and pull.after_n is not None


def _rise_counts(pull: Pull, company: int, floor_n: float) -> bool:
    """A fall without a rise is a rep's only if there are reps to compare it with."""
    if company > 1:
        return True
    return pull.peak - pull.left > RISE_S * GRID_HZ and pull.risen_n >= floor_n


def _width_and_begin(
    pull: Pull, amplitude: float, half_span: HalfSpan, near_n: float
) -> tuple[float | None, int]:
    """The width where that can matter, None says neither narrow nor endless; and the beginning."""
    began = pull.id
    slow = pull.peak - began >= SLOW_START_S * GRID_HZ
    apart_s = (pull.fell - began) / GRID_HZ
    plain = pull.humps == 1 and SURELY_WIDE_S < apart_s < 60 and amplitude > near_n
    if plain and not slow:
        return None, began
    left, right = half_span(pull, amplitude)
    return None if plain else (right - left - 1) / GRID_HZ, left if slow else began


def _typical(before: Sequence[float], amplitudes: list[float]) -> list[float]:
    if min(amplitudes) > EVEN_SHARE * max((*before, *amplitudes)):
        return [weighted_median(amplitudes)] * len(amplitudes)
    return weighted_medians([*before, *amplitudes], NEIGHBOURS)[len(before) :]


TREND_TOLERANCE = 0.25
RHYTHM_TOLERANCE = 0.5


def _continue_trend(amplitudes: list[float], begins: list[int], reps: list[bool]) -> None:
    """A small pull at the edge of a set that goes on the line of its neighbours is a rep.

    Effort that grows from a third to full makes the first reps small; trial pulls are off the line
    or off the rhythm.
    """
    if all(reps):
        return
    edges = ((range(len(reps) - 4, -1, -1), 1), (range(3, len(reps)), -1))
    for places, way in edges:
        for here in places:
            one, two, three = here + way, here + 2 * way, here + 3 * way
            if reps[here] or not (reps[one] and reps[two] and reps[three]):
                continue
            amplitude, a, b, c = (amplitudes[at] for at in (here, one, two, three))
            slope = (c - a) / 2
            line = (a + b + c) / 3 - 2 * slope
            even = abs(b - (a + c) / 2) < TREND_TOLERANCE / 2 * b
            first, second, third = (begins[at] for at in (here, one, two))
            rhythm = abs(second - first) / max(abs(third - second), 1)
            reps[here] = (
                even
                and abs(amplitude - line) < TREND_TOLERANCE * a
                and 1 / (1 + RHYTHM_TOLERANCE) < rhythm < 1 + RHYTHM_TOLERANCE
            )
