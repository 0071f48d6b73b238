"""Small pulls beside greater ones: trials and shrugs near a set, stirs of hands that wait."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

import numpy as np

from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.pulls import Pull
from pipeline.analysis.verdict import Context, Judged, Verdict, slack_n

LONE_PULLS = 2
"""So many pulls between long pauses cannot say themselves what is typical."""
LONE_REACH_S = 30.0
FAR_REACH_S = 300.0
FAR_SHARE = 0.2
"""Against reps that are far, only what is smaller than this part of them is no rep."""
ALIKE = 2.0
HELD_SHARE = 1.25
"""Of what the hands hold between them, several such pulls must move as much to be reps."""
LONG_HOLD_S = 5.0
"""Nobody tries a band for so long: such a pull is meant."""


class Candidate(NamedTuple):
    """A pull that may be a rep."""

    pull: Pull
    amplitude_n: float
    width_s: float | None
    begin: int
    """Where it had clearly risen, and `end` where it clearly falls: between them is no pause."""
    end: int


Cluster = list[Candidate]
"""Candidates without a long pause between them."""


def weighted_median(values: Sequence[float]) -> float:
    """Median in which each value weighs as much as itself: many small ones outvote nobody."""
    ordered = sorted(values)
    passed = list(accumulate(ordered))
    return ordered[bisect_left(passed, passed[-1] / 2)]


def weighted_medians(values: Sequence[float], reach: int) -> list[float]:
    """For each value the weighted median of it and of `reach` values on each side; all are > 0."""
    padded = np.zeros(len(values) + 2 * reach)
    padded[reach : reach + len(values)] = values
    windows = padded[np.arange(len(values))[:, None] + np.arange(2 * reach + 1)]
    # The zeros beyond the ends weigh nothing.
    windows.sort(axis=1)
    passed = windows.cumsum(axis=1)
    at = (passed >= passed[:, -1:] / 2).argmax(axis=1)
    return windows[np.arange(at.size), at].tolist()  # type: ignore[no-any-return]


def leave_out_trials(
    clusters: list[Cluster],
    verdicts: dict[int, Judged],
    share: float,
    context: Context,
) -> None:
    """One or two small pulls on their own, near a set, are trials or shrugs."""
    kept = [_reps(cluster, verdicts) for cluster in clusters]
    for number, reps in enumerate(kept):
        if len(reps) > LONE_PULLS or (number == 0 and context.same_set):
            continue
        least = share * _usual_beside(number, clusters, kept, context)
        for one in reps:
            meant = one.pull.fell - one.pull.id >= LONG_HOLD_S * GRID_HZ
            if one.amplitude_n < least and not meant:
                _dismiss(one, verdicts, least / share)


def _usual_beside(
    number: int, clusters: list[Cluster], kept: list[list[Judged]], context: Context
) -> float:
    """Amplitude of the sets near a lone cluster; 0 where there are none."""
    begin, end = clusters[number][0].begin, clusters[number][-1].end
    near: list[Sequence[float]] = []
    if number == 0 and begin - context.ended < LONE_REACH_S * GRID_HZ:
        near.append(context.amplitudes_n)
    for other in (number - 1, number + 1):
        if 0 <= other < len(clusters):
            distance = max(begin - clusters[other][-1].end, clusters[other][0].begin - end)
            if distance < LONE_REACH_S * GRID_HZ:
                near.append([one.amplitude_n for one in kept[other]])
    usual = [weighted_median(amplitudes) for amplitudes in near if len(amplitudes) > LONE_PULLS]
    return min(usual, default=0.0)


def leave_out_stirs(clusters: list[Cluster], verdicts: dict[int, Judged], context: Context) -> None:
    """Hands that wait between great pulls stir: far smaller, and few, or held more than moved."""
    reps = [_reps(cluster, verdicts) for cluster in clusters]
    usual = max((one.amplitude_n for cluster in reps for one in cluster), default=0.0)
    slack = slack_n([one.pull for cluster in clusters for one in cluster], context.slack_n)
    for number, cluster in enumerate(reps):
        greatest = usual
        before: tuple[float, ...] = ()
        if cluster and context.amplitudes_n:
            if cluster[0].pull.id - context.ended < FAR_REACH_S * GRID_HZ:
                greatest = max(usual, *context.amplitudes_n)
            if number == 0 and context.same_set:
                before = context.amplitudes_n
        least = FAR_SHARE * greatest
        # Those a little greater are company too: a light set may lie across the limit.
        company = sum(amplitude < ALIKE * least for amplitude in before)
        for group in _small_groups(cluster, ALIKE * least):
            few = len(group) + company <= LONE_PULLS
            for one in group:
                held_n = one.pull.peak_n - one.amplitude_n - slack
                stirs = few or one.amplitude_n < HELD_SHARE * held_n
                if stirs and one.amplitude_n < least:
                    _dismiss(one, verdicts, greatest)


def _small_groups(reps: list[Judged], least: float) -> list[list[Judged]]:
    """Reps smaller than `least`, those that follow one another together."""
    groups: list[list[Judged]] = [[]]
    for one in reps:
        if one.amplitude_n >= least:
            groups.append([])
        else:
            groups[-1].append(one)
    return [group for group in groups if group]


def _reps(cluster: Cluster, verdicts: dict[int, Judged]) -> list[Judged]:
    rep = Verdict.REP
    judged = [verdicts[one.pull.id] for one in cluster]
    return [one for one in judged if one.verdict is rep]


def _dismiss(judged: Judged, verdicts: dict[int, Judged], typical_n: float) -> None:
    verdicts[judged.pull.id] = judged._replace(verdict=Verdict.PARTIAL, typical_n=typical_n)
