"""Which pulls are reps: amplitude against what is typical around, width, and what goes before."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from pipeline.analysis.company import (
    Candidate,
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
    verdicts: dict[int, Judged] = {}
    candidates: list[Candidate] = []
    longest_s = settings.longest_rep_s
    for pull in pulls:
        amplitude = pull.amplitude_n
        if amplitude < floor:
            verdicts[pull.id] = Judged(pull, Verdict.NOTHING, amplitude, amplitude, None)
            continue
        one = _candidate(pull, amplitude, half_span, settings.floor_n)
        width = one.width_s
        if width is not None and width < settings.knock_s and _whole(pull):
            verdicts[pull.id] = Judged(pull, Verdict.KNOCK, amplitude, amplitude, width)
        elif (width is not None and width > longest_s) or _stays(pull, longest_s * GRID_HZ):
            verdicts[pull.id] = Judged(pull, Verdict.STEP, amplitude, amplitude, width)
        else:
            candidates.append(one)
    clusters = _clusters(candidates)
    rep, partial, share = Verdict.REP, Verdict.PARTIAL, settings.rep_share
    for number, cluster in enumerate(clusters):
        before: tuple[float, ...] = ()
        if number == 0 and context.same_set:
            before = context.amplitudes_n[-NEIGHBOURS:]
        typical = _typical(before, [one.amplitude_n for one in cluster])
        reps = [
            one.amplitude_n >= share * usual for one, usual in zip(cluster, typical, strict=True)
        ]
        _continue_trend(cluster, reps)
        for one, is_rep, usual in zip(cluster, reps, typical, strict=True):
            pull, amplitude, width, _, _ = one
            verdict = rep if is_rep else partial
            if pull.before_n is None and not _rise_counts(pull, len(cluster) + len(before), floor):
                verdict = Verdict.STEP
            verdicts[pull.id] = Judged(pull, verdict, amplitude, usual, width)
    leave_out_trials(clusters, verdicts, share, context)
    leave_out_stirs(clusters, verdicts, context)
    return [verdicts[pull.id] for pull in pulls]


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


def _candidate(pull: Pull, amplitude: float, half_span: HalfSpan, floor_n: float) -> Candidate:
    """The pull with its width where that can matter: None says neither narrow nor endless."""
    apart = (pull.fell - pull.id) / GRID_HZ
    plain = pull.humps == 1 and SURELY_WIDE_S < apart < 60 and amplitude > NEAR_FLOOR * floor_n
    if plain and pull.peak - pull.id < SLOW_START_S * GRID_HZ:
        return Candidate(pull, amplitude, None, pull.id, pull.fell)
    left, right = half_span(pull, amplitude)
    slow = pull.peak - pull.id >= SLOW_START_S * GRID_HZ
    width = None if plain else (right - left - 1) / GRID_HZ
    return Candidate(pull, amplitude, width, left if slow else pull.id, pull.fell)


def _clusters(candidates: list[Candidate]) -> list[Cluster]:
    clusters: list[Cluster] = []
    end = None
    for one in candidates:
        if end is None or one.begin - end > CLUSTER_PAUSE_S * GRID_HZ:
            clusters.append([])
        clusters[-1].append(one)
        end = one.end
    return clusters


def _typical(before: Sequence[float], amplitudes: list[float]) -> list[float]:
    if amplitudes and min(amplitudes) > EVEN_SHARE * max((*before, *amplitudes)):
        return [weighted_median(amplitudes)] * len(amplitudes)
    return weighted_medians([*before, *amplitudes], NEIGHBOURS)[len(before) :]


TREND_TOLERANCE = 0.25
RHYTHM_TOLERANCE = 0.5


def _continue_trend(cluster: Cluster, reps: list[bool]) -> None:
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
            amplitude, a, b, c = (cluster[at].amplitude_n for at in (here, one, two, three))
            slope = (c - a) / 2
            line = (a + b + c) / 3 - 2 * slope
            even = abs(b - (a + c) / 2) < TREND_TOLERANCE / 2 * b
            first, second, third = (cluster[at].begin for at in (here, one, two))
            rhythm = abs(second - first) / max(abs(third - second), 1)
            reps[here] = (
                even
                and abs(amplitude - line) < TREND_TOLERANCE * a
                and 1 / (1 + RHYTHM_TOLERANCE) < rhythm < 1 + RHYTHM_TOLERANCE
            )
