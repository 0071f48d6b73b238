"""How far a pull reaches: to its valleys, but not beyond a rest."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

import numpy as np

from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.phases import bounded
from pipeline.analysis.pulls import Pull
from pipeline.analysis.rows import Bools
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
AT_ONCE = 128
"""So many pulls are asked together: it bounds memory where holds are long."""
RING_SHARE = 0.2
"""Nothing rings deeper than this: a short pause above that is one within the rise."""


_PLACES = [Pull._fields.index(name) for name in ("id", "left", "peak", "right", "fell")]
_FORCES = [
    Pull._fields.index(name) for name in ("peak_n", "before_n", "after_n", "risen_n", "amplitude_n")
]


def limits(run: Run, judged: Sequence[Judged], stops: Ints) -> tuple[Ints, Ints]:
    """First grid index and stop of each pull with its valleys, without what lies beyond a rest.

    A band that is taken up and held before the first pull, put down long after the last, or that
    swings after a release, is no part of the pull.

    Parameters
    ----------
    stops : (m,)
        Where the stretch of each pull stops.
    """
    # Valleys that nobody saw are nan.
    pulls = chain.from_iterable([one.pull for one in judged])
    table = np.array(list(pulls), dtype=np.float64).reshape(len(judged), -1).T
    began, left, peak, right, fell = table[_PLACES].astype(np.int64)
    peak_n, before_n, after_n, risen_n, amplitude_n = table[_FORCES]
    around = int(LOOK_AROUND_S * GRID_HZ)
    first = np.maximum(np.maximum(left, began - around), run.measure.start)
    stop = np.minimum(np.minimum(right + 1, stops), run.measure.end)
    uneven = np.maximum(risen_n, peak_n - after_n) - amplitude_n > STEEP_SHARE * amplitude_n
    slow = np.maximum(peak - began, stop - fell) > LONG_SIDE_S * GRID_HZ
    rises, falls = before_n > -np.inf, after_n > -np.inf
    long = (uneven & rises) | slow
    # In the force of the turns what rings is half as deep.
    low_n, high_n = before_n + STEP_SHARE / 2 * risen_n, before_n + RING_SHARE * risen_n
    rings = _rings(run, began, left, peak, low_n, high_n)
    if (long | rings).any():
        _cut_at_rests(run, first, stop, peak, long & rises, long & falls, rings)
    # Two samples more let the first and last crossing be seen.
    return first, np.maximum(stop, first + 3)


def _cut_at_rests(
    run: Run, first: Ints, stop: Ints, peak: Ints, rising: Bools, falling: Bools, rings: Bools
) -> None:
    """Move `first` and `stop` of the chosen pulls to where the force rests."""
    origin = int(first.min())
    force_n = run.measure.view(origin, int(stop.max()))
    top = bounded(peak, first, stop - 1) - origin
    start, end = first - origin, stop - 1 - origin
    rise = rests_beyond(force_n, top[rising], start[rising], REST_S, REST_SHARE)
    fall = rests_beyond(force_n, top[falling], end[falling], REST_S, REST_SHARE)
    first[rising], stop[falling] = origin + rise, origin + fall + 1
    start = first[rings] - origin
    first[rings] = origin + rests_beyond(
        force_n, top[rings], start, QUIET_S, QUIET_SHARE, RING_SHARE
    )


def _rings(run: Run, began: Ints, left: Ints, peak: Ints, low_n: Floats, high_n: Floats) -> Bools:
    """Whether the force soon after each valley, or just before the rise, is a little above it.

    Where no valley was seen, nan says no.
    """
    quiet = int(QUIET_S * GRID_HZ)
    force = run.detect.view(run.detect.start, run.detect.end)
    at = np.array((left + quiet, left + 2 * quiet, began - quiet))
    place = at // DETECT_STEP - run.detect.start
    near = (left < at) & (at < peak) & (place >= 0) & (place < force.size)
    here_n = force[np.where(near, place, 0)]
    rings = near & (low_n < here_n) & (here_n < high_n)
    return np.asarray(rings[0] | rings[1] | rings[2])


def rests_beyond(
    force_n: Floats,
    peak: Ints,
    last: Ints,
    rest_s: float,
    rest_share: float,
    deepest_share: float = 1.0,
) -> Ints:
    """Where the force, going away from each peak, has come to rest for good; `last` if never.

    Parameters
    ----------
    force_n : (n,)
        Low-passed force on the grid.
    peak, last : (m,)
        Places in it: of each peak, and of the last sample to ask, before the peak or after it.
    rest_s, rest_share
        For how long the lowest force so far moves by less than a share of the pull.
    deepest_share
        A rest that is higher above the lowest force by this share of the pull is none.
    """
    if not peak.size:
        return last
    found = last.copy()
    rest = int(rest_s * GRID_HZ)
    way, size = np.sign(last - peak), np.abs(last - peak) + 1
    longest_first = np.argsort(-size)
    rows = longest_first[size[longest_first] > rest + 1]
    for some in (rows[at : at + AT_ONCE] for at in range(0, rows.size, AT_ONCE)):
        away_n = np.full((some.size, size[some[0]]), np.inf)
        ends = zip(peak[some].tolist(), last[some].tolist(), strict=True)
        for row, (top, end) in zip(away_n, ends, strict=True):
            one = force_n[top : end + 1] if top < end else force_n[end : top + 1][::-1]
            row[: one.size] = one
        steps = _steps_to_rest(away_n, rest, rest_share, deepest_share)
        found[some] = np.where(steps < 0, last[some], peak[some] + way[some] * steps)
    return found


def _steps_to_rest(away_n: Floats, rest: int, rest_share: float, deepest_share: float) -> Ints:
    """So many steps from the peak, the first of its row (m, n), the rest is over; -1 for never."""
    top, lowest = away_n[:, :1], away_n.min(axis=1, keepdims=True)
    least = np.minimum.accumulate(away_n, axis=1)
    later = least[:, rest + 1 :]
    still = least[:, 1:-rest] - later < rest_share * (top - later)
    # Where it is up by half, or goes up again by that, it dipped; it does not rest.
    up = (away_n >= (top + lowest) / 2).cumsum(axis=1)
    still &= up[:, rest + 1 :] == up[:, : -rest - 1]
    if deepest_share < 1:
        still &= later - lowest < deepest_share * (top - lowest)
    at = still.argmax(axis=1)
    row = np.arange(at.size)
    level = later[row, at]
    known = still[row, at] & (level - lowest[:, 0] >= STEP_SHARE * (top[:, 0] - level))
    return np.where(known, at + 1 + rest, -1)
