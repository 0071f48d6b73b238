"""Which pulls are reps: amplitude against what is typical around, width, and what goes before."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from pipeline.analysis.company import Cluster, leave_out_stirs, leave_out_trials
from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.levels import EVEN_SHARE, by_level
from pipeline.analysis.medians import weighted_median, weighted_medians
from pipeline.analysis.pulls import Pull
from pipeline.analysis.settings import Settings
from pipeline.analysis.trend import continue_trend
from pipeline.analysis.tuples import named
from pipeline.analysis.verdict import Context, Judged, Verdict

NEIGHBOURS = 5
"""Pulls on each side that say what is typical."""
CLUSTER_PAUSE_S = 12.0
EQUALS_WITHIN_S = 90.0
"""So long before a fall a rep may lie that it is compared with."""
_SURELY_WIDE, _ENDLESS = 0.5 * GRID_HZ, 60.0 * GRID_HZ
"""A pull whose certain rise and fall lie so far apart is neither a knock nor a load."""
RISE_S = 0.15
"""A rise cut off by the start of the samples is one if this much of it is left."""
NEAR_FLOOR = 4
"""Up to so many times the floor a pull may be much narrower than its certain rise and fall."""
_SLOW_START = 3.0 * GRID_HZ
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
    so_far = _SoFar(pulls)
    clusters = [
        part
        for cluster in _each_alone(pulls, so_far, half_span, settings, floor)
        for part in by_level(pulls, so_far.amplitudes, so_far.begins, cluster, settings.rep_share)
    ]
    for number, cluster in enumerate(clusters):
        before: tuple[float, ...] = ()
        soon = so_far.begins[cluster[0]] - context.ended <= CLUSTER_PAUSE_S * GRID_HZ
        if number == 0 and context.same_set and soon:
            before = context.amplitudes_n[-NEIGHBOURS:]
        falls = [pulls[at].fell for at in cluster]
        _among_others(so_far, cluster, falls, before, settings.rep_share)
    if clusters and _only_falls(pulls[clusters[0][0]], floor):
        soon = so_far.begins[clusters[0][0]] - context.ended <= EQUALS_WITHIN_S * GRID_HZ
        before = context.amplitudes_n if soon else ()
        _look_for_equals(so_far, clusters, before, settings.rep_share)
    judged = so_far.judged(pulls)
    leave_out_trials(judged, clusters, settings.rep_share, context)
    leave_out_stirs(judged, clusters, context)
    return judged


class _SoFar:
    """What is known of each pull, by column: an entry is a fifth of the work of an object."""

    def __init__(self, pulls: Sequence[Pull]) -> None:
        self.amplitudes = [pull.amplitude_n for pull in pulls]
        self.typical = self.amplitudes.copy()
        self.verdicts = [Verdict.REP] * len(pulls)
        self.widths: list[float | None] = [None] * len(pulls)
        self.begins = [pull.id for pull in pulls]

    def judged(self, pulls: Sequence[Pull]) -> list[Judged]:
        columns = (self.verdicts, self.amplitudes, self.typical, self.widths, self.begins)
        return named(Judged, zip(pulls, *columns, strict=True))


def _each_alone(
    pulls: Sequence[Pull], so_far: _SoFar, half_span: HalfSpan, settings: Settings, floor_n: float
) -> list[Cluster]:
    """What each pull is by itself; those that may be reps, in clusters without a long pause."""
    amplitudes, verdicts, begins = so_far.amplitudes, so_far.verdicts, so_far.begins
    near_n = NEAR_FLOOR * settings.floor_n
    longest = settings.longest_rep_s * GRID_HZ
    clusters: list[Cluster] = []
    end = -math.inf
    for at, (began, left, peak, right, _, _, _, fell, humps, _, _) in enumerate(pulls):
        amplitude = amplitudes[at]
        if amplitude < floor_n:
            verdicts[at] = Verdict.NOTHING
            continue
        # The width is looked at where it can matter: None says neither narrow nor endless.
        plain = humps == 1 and _SURELY_WIDE < fell - began < _ENDLESS and amplitude > near_n
        slow = peak - began >= _SLOW_START
        width_s = None
        if slow or not plain:
            begin, stop = half_span(pulls[at], amplitude)
            if slow:
                begins[at] = begin
            if not plain:
                width_s = so_far.widths[at] = (stop - begin - 1) / GRID_HZ
        if width_s is not None and width_s < settings.knock_s and _whole(pulls[at]):
            verdicts[at] = Verdict.KNOCK
        elif (width_s is not None and width_s > settings.longest_rep_s) or (
            (right - began > longest or fell - left > longest) and _stays(pulls[at])
        ):
            verdicts[at] = Verdict.STEP
        else:
            if begins[at] - end > CLUSTER_PAUSE_S * GRID_HZ:
                clusters.append([])
            clusters[-1].append(at)
            end = fell
    return clusters


def _among_others(
    so_far: _SoFar,
    cluster: Cluster,
    falls: list[int],
    before: Sequence[float],
    rep_share: float,
) -> None:
    """Which pulls of a cluster are partials, beside the others and the reps before."""
    amplitudes = [so_far.amplitudes[at] for at in cluster]
    typical = _typical(before, amplitudes)
    reps = [mine >= rep_share * usual for mine, usual in zip(amplitudes, typical, strict=True)]
    rises = [so_far.begins[at] for at in cluster]
    continue_trend(amplitudes, rises, falls, reps)
    for at, is_rep, usual in zip(cluster, reps, typical, strict=True):
        so_far.typical[at] = usual
        if not is_rep:
            so_far.verdicts[at] = Verdict.PARTIAL


def _stays(pull: Pull) -> bool:
    """Whether the force is up before a long pull or after it: a load hung up, and its swinging."""
    before, after = pull.before_n, pull.after_n
    if before is None or after is None:
        return False
    return 2 * pull.amplitude_n <= pull.peak_n - min(before, after)


def _whole(pull: Pull) -> bool:
    return pull.before_n is not None and pull.after_n is not None


def _only_falls(pull: Pull, floor_n: float) -> bool:
    """Whether the samples begin with a fall: of a rep, or of a load that is taken off."""
    if pull.before_n is not None:
        return False
    return pull.peak - pull.left <= RISE_S * GRID_HZ or pull.risen_n < floor_n


def _look_for_equals(
    so_far: _SoFar, clusters: list[Cluster], before: Sequence[float], rep_share: float
) -> None:
    """A fall that nothing near was compared with is a rep's if it is as high as those far off."""
    (first, *near), *far = clusters
    others = [*before, *(so_far.amplitudes[at] for cluster in far for at in cluster)]
    if near:
        return
    if not others or so_far.amplitudes[first] < rep_share * weighted_median(others):
        so_far.verdicts[first] = Verdict.STEP


def _typical(before: Sequence[float], amplitudes: list[float]) -> list[float]:
    if min(amplitudes) > EVEN_SHARE * max((*before, *amplitudes)):
        return [weighted_median(amplitudes)] * len(amplitudes)
    return weighted_medians([*before, *amplitudes], NEIGHBOURS)[len(before) :]
