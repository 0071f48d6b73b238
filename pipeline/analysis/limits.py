"""How far a pull reaches: to its valleys, but not beyond a rest."""

from __future__ import annotations

import numpy as np

from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.signals import DETECT_STEP, Run
from pipeline.analysis.verdict import Found, Judged
from sensor.samples import Floats

LOOK_AROUND_S = 5.0
"""A valley lies at most this long before the rise or after the fall."""
STEEP_SHARE = 0.15
LONG_SIDE_S = 3.0
REST_S, REST_SHARE = 2.0, 0.08
"""The force rests where it moves by less than this share of the pull for so long."""
QUIET_S, QUIET_SHARE = 0.5, 0.02
"""Before a rise, less will do: what rings below zero after a fast release is no valley."""
STEP_SHARE = 0.05
"""What lies beyond a rest is another valley if it is this share of the pull lower."""
RING_SHARE = 0.2
"""Nothing rings deeper than this: a short pause above that is one within the rise."""


def limits(run: Run, judged: Judged, part: Found) -> tuple[int, int]:
    """First grid index and stop of a pull with its valleys, without what lies beyond a rest.

    A band that is taken up and held before the first pull, put down long after the last, or that
    swings after a release, is no part of the pull.
    """
    pull = judged.pull
    around = int(LOOK_AROUND_S * GRID_HZ)
    first = max(pull.left, pull.id - around, run.measure.start)
    stop = min(pull.right + 1, part.stop, run.measure.end)
    rises, falls = pull.before_n is not None, pull.after_n is not None
    uneven = rises and falls and pull.risen_n - judged.amplitude_n > _steep(judged)
    uneven = uneven or (rises and falls and _fallen_n(judged) - judged.amplitude_n > _steep(judged))
    slow_rise = pull.peak - pull.id > LONG_SIDE_S * GRID_HZ
    slow_fall = stop - pull.fell > LONG_SIDE_S * GRID_HZ
    if uneven or slow_rise or slow_fall:
        force = run.measure.view(first, stop)
        peak = min(max(pull.peak - first, 0), force.size - 1)
        if falls:
            stop = first + peak + rest_beyond(force[peak:], REST_S, REST_SHARE) + 1
        if rises:
            first += peak - rest_beyond(force[peak::-1], REST_S, REST_SHARE)
    if rises and _rings(run, judged):
        away_n = run.measure.view(first, pull.peak + 1)[::-1]
        if away_n.size > 1:
            quiet = rest_beyond(away_n, QUIET_S, QUIET_SHARE, RING_SHARE)
            first = max(first, pull.peak - quiet)
    # Two samples more let the first and last crossing be seen.
    return first, max(stop, first + 3)


def _steep(judged: Judged) -> float:
    return STEEP_SHARE * judged.amplitude_n


def _fallen_n(judged: Judged) -> float:
    return judged.pull.peak_n - (judged.pull.after_n or 0.0)


def _rings(run: Run, judged: Judged) -> bool:
    """Whether the force soon after the valley, or just before the rise, is a little above it."""
    pull = judged.pull
    if pull.before_n is None:
        return False
    quiet = int(QUIET_S * GRID_HZ)
    # In the force of the turns what rings is half as deep.
    low_n = pull.before_n + STEP_SHARE / 2 * pull.risen_n
    high_n = pull.before_n + RING_SHARE * pull.risen_n
    for at in (pull.left + quiet, pull.left + 2 * quiet, pull.id - quiet):
        if pull.left < at < pull.peak:
            here_n = run.detect.view(at // DETECT_STEP, at // DETECT_STEP + 1)
            if here_n.size and low_n < here_n[0] < high_n:
                return True
    return False


def rest_beyond(
    away_n: Floats, rest_s: float, rest_share: float, deepest_share: float = 1.0
) -> int:
    """How far from the peak, going away from it, the force rests for good; all of it if never.

    Parameters
    ----------
    away_n : (n,)
        Low-passed force from the peak on, in either direction.
    rest_s, rest_share
        For how long the lowest force so far moves by less than a share of the pull.
    deepest_share
        A rest that is higher above the lowest force by this share of the pull is none.
    """
    whole = away_n.size - 1
    top, lowest = float(away_n[0]), float(away_n.min())
    under = np.flatnonzero(away_n < (top + lowest) / 2)
    rest = int(rest_s * GRID_HZ)
    if not under.size or under[0] + rest >= away_n.size:
        return whole
    least = np.minimum.accumulate(away_n[under[0] :])
    still = least[:-rest] - least[rest:] < rest_share * (top - least[rest:])
    still &= least[rest:] - lowest < deepest_share * (top - lowest)
    at = int(np.argmax(still))
    if not still[at]:
        return whole
    level = float(least[at + rest])
    if level - lowest < STEP_SHARE * (top - level):
        return whole
    return int(under[0]) + at + rest
