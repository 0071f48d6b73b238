"""Which pulls are reps: amplitude against what is typical around, width, and what goes before."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import NamedTuple

from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.pulls import Pull
from pipeline.analysis.settings import Settings


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


class Judged(NamedTuple):
    """A pull with its verdict and what led to it."""

    pull: Pull
    verdict: Verdict
    amplitude_n: float
    typical_n: float
    """Amplitude typical around it; its own where nothing is around."""
    width_s: float | None
    """Width at half the amplitude, where it had to be looked at."""


@dataclass(frozen=True, slots=True)
class Found:
    """Judged pulls of one stretch, with the noise around them."""

    judged: list[Judged]
    first: int
    stop: int
    noise_n: float
    """Standard deviation of the noise in the measured force."""


NEIGHBOURS = 5
"""Pulls on each side that say what is typical."""
CLUSTER_PAUSE_S = 12.0
EVEN_SHARE = 0.7
"""If the least pull of a cluster is this part of the greatest, all are alike."""
LONE_PULLS = 2
"""So many pulls between long pauses cannot say themselves what is typical."""
LONE_REACH_S = 30.0
FAR_REACH_S = 300.0
FAR_SHARE = 0.2
"""Against reps that are far, only what is smaller than this part of them is no rep."""
LONG_HOLD_S = 5.0
"""Nobody tries a band for so long: such a pull is meant."""
SURELY_WIDE_S = 0.5
RISE_S = 0.15
"""A rise cut off by the start of the samples is one if this much of it is left."""

_Draft = tuple[Pull, float, float | None]


def judge(
    pulls: Sequence[Pull],
    width_s: Callable[[Pull, float], float],
    settings: Settings,
    noise_n: float,
    context: Context,
) -> list[Judged]:
    """Give each pull its verdict.

    Parameters
    ----------
    width_s
        Width at half amplitude of a pull in s, given its amplitude in N.
    noise_n
        Standard deviation of the noise in the force that the pulls were found in.
    """
    floor = max(settings.floor_n, settings.noise_factor * noise_n)
    verdicts: dict[int, Judged] = {}
    drafts: list[_Draft] = []
    for pull in pulls:
        amplitude = pull.amplitude_n
        if amplitude < floor:
            verdicts[pull.id] = Judged(pull, Verdict.NOTHING, amplitude, amplitude, None)
            continue
        width = _width(pull, amplitude, width_s)
        if width is not None and width < settings.knock_s and _whole(pull):
            verdicts[pull.id] = Judged(pull, Verdict.KNOCK, amplitude, amplitude, width)
        elif width is not None and width > settings.longest_rep_s:
            verdicts[pull.id] = Judged(pull, Verdict.STEP, amplitude, amplitude, width)
        else:
            drafts.append((pull, amplitude, width))
    clusters = _clusters(drafts)
    kept: list[list[float]] = []
    for number, cluster in enumerate(clusters):
        amplitudes = [amplitude for _, amplitude, _ in cluster]
        before: tuple[float, ...] = ()
        if number == 0 and context.same_set:
            before = context.amplitudes_n[-NEIGHBOURS:]
        typical = _typical(before, amplitudes)
        share = settings.rep_share
        reps = [a >= share * t for a, t in zip(amplitudes, typical, strict=True)]
        _continue_trend(cluster, reps)
        for (pull, amplitude, width), is_rep, usual in zip(cluster, reps, typical, strict=True):
            verdict = Verdict.REP if is_rep else Verdict.PARTIAL
            if not _rise_counts(pull, len(cluster) + len(before)):
                verdict = Verdict.STEP
            verdicts[pull.id] = Judged(pull, verdict, amplitude, usual, width)
        kept.append([a for a, is_rep in zip(amplitudes, reps, strict=True) if is_rep])
    _compare_lone(clusters, kept, verdicts, settings.rep_share, context)
    return [verdicts[pull.id] for pull in pulls]


def _whole(pull: Pull) -> bool:
    return pull.before_n is not None and pull.after_n is not None


def _rise_counts(pull: Pull, company: int) -> bool:
    """A fall without a rise is a rep's only if there are reps to compare it with."""
    return pull.before_n is not None or pull.peak - pull.left > RISE_S * GRID_HZ or company > 1


def _width(pull: Pull, amplitude: float, width_s: Callable[[Pull, float], float]) -> float | None:
    """Width where it can matter: None says neither narrow nor endless."""
    apart = (pull.fell - pull.id) / GRID_HZ
    if pull.humps == 1 and SURELY_WIDE_S < apart < 60:
        return None
    return width_s(pull, amplitude)


def _clusters(drafts: list[_Draft]) -> list[list[_Draft]]:
    clusters: list[list[_Draft]] = []
    end = None
    for draft in drafts:
        pull = draft[0]
        if end is None or pull.id - end > CLUSTER_PAUSE_S * GRID_HZ:
            clusters.append([])
        clusters[-1].append(draft)
        end = pull.fell
    return clusters


def weighted_median(values: Sequence[float]) -> float:
    """Median in which each value weighs as much as itself: many small ones outvote nobody."""
    ordered = sorted(values)
    half = sum(ordered) / 2
    passed = 0.0
    for value in ordered:
        passed += value
        if passed >= half:
            return value
    return ordered[-1]


def _typical(before: Sequence[float], amplitudes: list[float]) -> list[float]:
    if amplitudes and min(amplitudes) > EVEN_SHARE * max((*before, *amplitudes)):
        return [weighted_median(amplitudes)] * len(amplitudes)
    padded = [*before, *amplitudes]
    offset = len(before)
    return [
        weighted_median(padded[max(at - NEIGHBOURS, 0) : at + NEIGHBOURS + 1])
        for at in range(offset, len(padded))
    ]


TREND_TOLERANCE = 0.25
RHYTHM_TOLERANCE = 0.5


def _continue_trend(cluster: list[_Draft], reps: list[bool]) -> None:
    """A small pull at the edge of a set that goes on the line of its neighbours is a rep.

    Effort that grows from a third to full makes the first reps small; trial pulls are off the line
    or off the rhythm.
    """
    for order in (range(len(reps)), range(len(reps) - 1, -1, -1)):
        places = list(order)
        for position in range(len(places) - 4, -1, -1):
            here, one, two, three = places[position : position + 4]
            if reps[here] or not (reps[one] and reps[two] and reps[three]):
                continue
            amplitude, a, b, c = (cluster[at][1] for at in (here, one, two, three))
            slope = (c - a) / 2
            line = (a + b + c) / 3 - 2 * slope
            even = abs(b - (a + c) / 2) < TREND_TOLERANCE / 2 * b
            first, second, third = (cluster[at][0].peak for at in (here, one, two))
            rhythm = abs(second - first) / max(abs(third - second), 1)
            reps[here] = (
                even
                and abs(amplitude - line) < TREND_TOLERANCE * a
                and 1 / (1 + RHYTHM_TOLERANCE) < rhythm < 1 + RHYTHM_TOLERANCE
            )


def _compare_lone(
    clusters: list[list[_Draft]],
    kept: list[list[float]],
    verdicts: dict[int, Judged],
    share: float,
    context: Context,
) -> None:
    """One or two small pulls on their own, near a set, are trials or shrugs."""
    for number, cluster in enumerate(clusters):
        if len(kept[number]) > LONE_PULLS or (number == 0 and context.same_set):
            continue
        near_n, far_n = _usual_beside(number, clusters, kept, context)
        for pull, amplitude, width in cluster:
            held_s = (pull.fell - pull.id) / GRID_HZ
            meant = held_s >= LONG_HOLD_S
            least = max(0.0 if meant else share * near_n, FAR_SHARE * far_n / (2 if meant else 1))
            if verdicts[pull.id].verdict is Verdict.REP and amplitude < least:
                verdicts[pull.id] = Judged(pull, Verdict.PARTIAL, amplitude, least / share, width)


def _usual_beside(
    number: int,
    clusters: list[list[_Draft]],
    kept: list[list[float]],
    context: Context,
) -> tuple[float, float]:
    """Amplitudes near and far that a lone cluster is compared with; 0 where there are none.

    Near it a set says what is usual. Farther off any rep does, but only against something much
    smaller: a hand that stirs between pulls a minute apart.
    """
    begin, end = clusters[number][0][0].id, clusters[number][-1][0].fell
    near, far = [], []
    if context.amplitudes_n:
        distance = begin - context.ended
        if number == 0 and distance < LONE_REACH_S * GRID_HZ:
            near.append(context.amplitudes_n)
        if distance < FAR_REACH_S * GRID_HZ:
            far.append(max(context.amplitudes_n))
    for other, cluster in enumerate(clusters):
        distance = max(begin - cluster[-1][0].fell, cluster[0][0].id - end)
        if other != number and kept[other] and distance < FAR_REACH_S * GRID_HZ:
            far.append(max(kept[other]))
            if abs(other - number) == 1 and distance < LONE_REACH_S * GRID_HZ:
                near.append(tuple(kept[other]))
    usual = [weighted_median(amplitudes) for amplitudes in near if len(amplitudes) > LONE_PULLS]
    return min(usual, default=0.0), max(far, default=0.0)
