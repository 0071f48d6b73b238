"""How far a pull reaches: to its valleys, but not beyond a rest."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.signals import DETECT_STEP, Run
from pipeline.analysis.verdict import Judged
from sensor.samples import Floats, Ints

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


def limits(run: Run, judged: Sequence[Judged], stops: Ints) -> tuple[Ints, Ints]:
    """First grid index and stop of each pull with its valleys, without what lies beyond a rest.

    A band that is taken up and held before the first pull, put down long after the last, or that
    swings after a release, is no part of the pull.

    Parameters
    ----------
    stops : (m,)
        Where the stretch of each pull stops.
    """
    columns = np.array([one.pull for one in judged], dtype=np.float64).T
    peak_n, before_n, after_n, risen_n = columns[[4, 5, 6, 9]]
    began, left, peak, right, fell = columns[[0, 1, 2, 3, 7]].astype(np.int64)
    rises, falls = ~np.isnan(before_n), ~np.isnan(after_n)
    amplitude_n = np.array([one.amplitude_n for one in judged])
    around = int(LOOK_AROUND_S * GRID_HZ)
    first = np.maximum(np.maximum(left, began - around), run.measure.start)
    stop = np.minimum(np.minimum(right + 1, stops), run.measure.end)
    uneven = np.maximum(risen_n, peak_n - after_n) - amplitude_n > STEEP_SHARE * amplitude_n
    slow = np.maximum(peak - began, stop - fell) > LONG_SIDE_S * GRID_HZ
    for at in ((uneven & rises & falls) | slow).nonzero()[0].tolist():
        force = run.measure.view(int(first[at]), int(stop[at]))
        top = min(max(int(peak[at] - first[at]), 0), force.size - 1)
        if falls[at]:
            stop[at] = first[at] + top + rest_beyond(force[top:], REST_S, REST_SHARE) + 1
        if rises[at]:
            first[at] += top - rest_beyond(force[top::-1], REST_S, REST_SHARE)
    # In the force of the turns what rings is half as deep.
    low_n, high_n = before_n + STEP_SHARE / 2 * risen_n, before_n + RING_SHARE * risen_n
    for at in _rings(run, began, left, peak, low_n, high_n).nonzero()[0].tolist():
        away_n = run.measure.view(int(first[at]), int(peak[at]) + 1)[::-1]
        if away_n.size > 1:
            quiet = rest_beyond(away_n, QUIET_S, QUIET_SHARE, RING_SHARE)
            first[at] = max(first[at], peak[at] - quiet)
    # Two samples more let the first and last crossing be seen.
    return first, np.maximum(stop, first + 3)


def _rings(
    run: Run, began: Ints, left: Ints, peak: Ints, low_n: Floats, high_n: Floats
) -> NDArray[np.bool_]:
    """Whether the force soon after each valley, or just before the rise, is a little above it.

    Where no valley was seen, nan says no.
    """
    quiet = int(QUIET_S * GRID_HZ)
    force = run.detect.view(run.detect.start, run.detect.end)
    at = np.array((left + quiet, left + 2 * quiet, began - quiet))
    place = at // DETECT_STEP - run.detect.start
    near = (left < at) & (at < peak) & (place >= 0) & (place < force.size)
    here_n = force[np.where(near, place, 0)]
    return np.asarray((near & (low_n < here_n) & (here_n < high_n)).any(axis=0))


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
    rest = int(rest_s * GRID_HZ)
    if rest > whole:
        return whole
    top, lowest = float(away_n[0]), float(away_n.min())
    below = away_n < (top + lowest) / 2
    under = int(below.argmax())
    if not below[under] or under + rest >= away_n.size:
        return whole
    least = np.minimum.accumulate(away_n[under:])
    later = least[rest:]
    still = least[:-rest] - later < rest_share * (top - later)
    if not below[under:].all():
        # Where it goes up again by half, it dipped; it does not rest.
        high = np.concatenate(([0], (~below[under:]).cumsum()))
        still &= high[rest + 1 :] == high[: -rest - 1]
    if deepest_share < 1:
        still &= later - lowest < deepest_share * (top - lowest)
    at = int(still.argmax())
    if not still[at]:
        return whole
    level = float(later[at])
    if level - lowest < STEP_SHARE * (top - level):
        return whole
    return under + at + rest
