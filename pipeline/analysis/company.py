"""Small pulls beside greater ones: trials and shrugs near a set, stirs of hands that wait."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.medians import weighted_median
from pipeline.analysis.verdict import Context, Judged, Verdict, median_length_s, slack_n

LONE_PULLS = 2
"""So many pulls between long pauses cannot say themselves what is typical."""
LONE_REACH_S = 30.0
FAR_REACH_S = 300.0
FAR_SHARE = 0.2
"""Against reps that are far, only what is smaller than this part of them is no rep."""
ALIKE = 2.0
HELD_SHARE = 1.25
"""Of what the hands hold between them, several such pulls must move as much to be reps."""
SLACK_SHARE = 0.25
"""A pull from a band that bears less than this part of it is from the slack band."""
AS_LONG_SHARE = 0.7
"""A pull lasts as long as the reps before if it does so for this part of their median."""
LONG_HOLD_S = 5.0
"""Nobody tries a band for so long: such a pull is meant."""


Cluster = list[int]
"""Places of pulls that may be reps, without a long pause between them."""


def leave_out_trials(
    judged: list[Judged], clusters: list[Cluster], share: float, context: Context
) -> None:
    """One or two small pulls on their own, near a set, are trials or shrugs."""
    reps = [_reps(judged, cluster) for cluster in clusters]
    kept = [[judged[at].amplitude_n for at in places] for places in reps]
    for number, places in enumerate(reps):
        if len(places) > LONE_PULLS or (number == 0 and context.same_set):
            continue
        spans = [(judged[places[0]].begin, judged[places[-1]].pull.fell) for places in clusters]
        least = share * _usual_beside(number, spans, kept, context)
        for at in places:
            meant = judged[at].pull.length_s >= LONG_HOLD_S
            if judged[at].amplitude_n < least and not meant:
                _dismiss(judged, at, least / share)


def _usual_beside(
    number: int, spans: list[tuple[int, int]], kept: list[list[float]], context: Context
) -> float:
    """Amplitude of the sets near a lone cluster; 0 where there are none."""
    begin, end = spans[number]
    near: list[Sequence[float]] = []
    if number == 0 and begin - context.ended < LONE_REACH_S * GRID_HZ:
        near.append(context.amplitudes_n)
    for other in (number - 1, number + 1):
        if 0 <= other < len(spans):
            distance = max(begin - spans[other][1], spans[other][0] - end)
            if distance < LONE_REACH_S * GRID_HZ:
                near.append(kept[other])
    usual = [weighted_median(amplitudes) for amplitudes in near if len(amplitudes) > LONE_PULLS]
    return min(usual, default=0.0)


def leave_out_stirs(judged: list[Judged], clusters: list[Cluster], context: Context) -> None:
    """Hands that wait between great pulls stir: far smaller, and few, or held more than moved."""
    reps = [_reps(judged, cluster) for cluster in clusters]
    usual = max([judged[at].amplitude_n for places in reps for at in places], default=0.0)
    for number, places in enumerate(reps):
        greatest = usual
        before: tuple[float, ...] = ()
        if places and context.amplitudes_n:
            if judged[places[0]].pull.id - context.ended < FAR_REACH_S * GRID_HZ:
                greatest = max(usual, *context.amplitudes_n)
            if number == 0 and context.same_set:
                before = context.amplitudes_n
        least = FAR_SHARE * greatest
        if all(judged[at].amplitude_n >= least for at in places):
            continue
        small = [at for at in places if judged[at].amplitude_n < ALIKE * least]
        slack = slack_n([judged[at].pull for each in clusters for at in each], context.slack_n)
        meant_from_s = _meant_from_s(
            judged[at] for each in reps for at in each if judged[at].amplitude_n >= ALIKE * least
        )
        # Those a little greater are company too: a light set may lie across the limit.
        company = sum(amplitude < ALIKE * least for amplitude in before)
        for group in _neighbours(small, places):
            few = len(group) + company <= LONE_PULLS
            for at in group:
                amplitude = judged[at].amplitude_n
                held_n = judged[at].pull.peak_n - amplitude - slack
                meant = (
                    held_n < SLACK_SHARE * amplitude and judged[at].pull.length_s >= meant_from_s
                )
                if amplitude < least and ((few and not meant) or amplitude < HELD_SHARE * held_n):
                    _dismiss(judged, at, greatest)


def _meant_from_s(great: Iterable[Judged]) -> float:
    """How long a pull from the slack band lasts that is no stir, beside the great reps."""
    usual_s = median_length_s(great)
    return LONG_HOLD_S if usual_s is None else min(AS_LONG_SHARE * usual_s, LONG_HOLD_S)


def _neighbours(chosen: list[int], places: list[int]) -> list[list[int]]:
    """The chosen places, those together that follow one another among all `places`."""
    groups: list[list[int]] = [[]]
    for at in places:
        if at in chosen:
            groups[-1].append(at)
        else:
            groups.append([])
    return groups


def _reps(judged: list[Judged], cluster: Cluster) -> list[int]:
    rep = Verdict.REP
    return [at for at in cluster if judged[at].verdict is rep]


def _dismiss(judged: list[Judged], at: int, typical_n: float) -> None:
    judged[at] = judged[at]._replace(verdict=Verdict.PARTIAL, typical_n=typical_n)
