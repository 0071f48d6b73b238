"""Time stamps as files have them: repeated, stale, late or far off; made increasing."""

from __future__ import annotations

from bisect import bisect_right

import numpy as np
from numpy.typing import NDArray

from sensor.samples import Floats
from sensor.timeline.steady import steadied

MOST_BACK_S = 1.0
"""A stamp is further off only by a fault: its sample is left out."""
MOST_OFF_SHARE = 0.02
"""If more stamps are so far off, nobody can tell the order of the samples."""
BATCHED_SHARE = 0.3
"""If so many samples bear the stamp of the one before, stamps are of batches."""


def repaired(time_s: Floats, force_n: Floats) -> tuple[Floats, Floats]:
    """Samples in order with increasing time; those without a force left out.

    A stamp that does not advance (a stale one, one of a batch) or that jitters is made even with
    those around it: the samples came one after the other, their stamps did not. Of rows that came
    twice the first counts, and a stamp that is far off takes its sample with it.

    Raises
    ------
    ValueError
        If the arrays do not match, a time is not a number, or time runs back so far that
        nobody can tell the order of the samples.
    """
    time_s = np.asarray(time_s, dtype=np.float64)
    force_n = np.asarray(force_n, dtype=np.float64)
    if time_s.ndim != 1 or time_s.shape != force_n.shape:
        raise ValueError(
            f"time_s {time_s.shape} and force_n {force_n.shape} are not two rows of equal length"
        )
    if not np.isfinite(time_s).all():
        raise ValueError(f"time_s[{int(np.argmin(np.isfinite(time_s)))}] is not a number")
    known = np.isfinite(force_n)
    if not known.all():
        time_s, force_n = time_s[known], force_n[known]
    if (time_s[1:] > time_s[:-1]).all():
        return steadied(time_s), force_n
    first = _said_first(time_s, force_n)
    time_s, force_n = time_s[first], force_n[first]
    newest = np.maximum.accumulate(time_s)
    if float((newest - time_s).max()) > MOST_BACK_S:
        near = _in_order(time_s)
        off = time_s.size - np.count_nonzero(near)
        if off > MOST_OFF_SHARE * time_s.size:
            worst = int(np.argmin(np.diff(time_s)))
            raise ValueError(
                f"the samples are not in the order of time: sample {worst + 1} lies "
                f"{time_s[worst] - time_s[worst + 1]:.3f} s before the one above it, and {off} of "
                f"{time_s.size} would have to be left out; sort them first"
            )
        time_s, force_n = time_s[near], force_n[near]
    return steadied(time_s), force_n


def _said_first(time_s: Floats, force_n: Floats) -> NDArray[np.bool_]:
    """Rows that are no copies of an earlier one.

    A row is a copy if it comes late, or right after its twin. Where a stamp stands still for
    longer, for whole batches, or mostly between unlike forces, equal neighbours are samples.
    """
    rows = np.lexsort((force_n, time_s))
    again = np.zeros(time_s.size, dtype=np.bool_)
    same = (np.diff(time_s[rows]) == 0) & (np.diff(force_n[rows]) == 0)
    again[rows[1:][same]] = True
    still = np.diff(time_s) == 0
    twin = np.zeros(time_s.size, dtype=np.bool_)
    alike = np.count_nonzero(still & (np.diff(force_n) == 0))
    if (
        2 * alike >= np.count_nonzero(still)
        and np.count_nonzero(still) <= BATCHED_SHARE * still.size
    ):
        twin[1:] = still
        twin[1:-1] &= ~still[1:]
        twin[2:] &= ~still[:-1]
    late = np.maximum.accumulate(time_s) > time_s
    return ~(again & (twin | late))


def _in_order(time_s: Floats) -> NDArray[np.bool_]:
    """The most samples whose times never go back by more than `MOST_BACK_S`: nearly all."""
    tails: list[float] = []
    heads: list[int] = []
    before = np.full(time_s.size, -1)
    for at, value in enumerate(time_s.tolist()):
        place = bisect_right(tails, value)
        before[at] = heads[place - 1] if place else -1
        tails[place : place + 1] = [value]
        heads[place : place + 1] = [at]
    kept = np.zeros(time_s.size, dtype=np.bool_)
    at = heads[-1]
    while at >= 0:
        kept[at] = True
        at = int(before[at])
    # A little late is no fault of that kind: it is near to what was kept around it.
    newest = np.maximum.accumulate(np.where(kept, time_s, -np.inf))
    oldest = np.minimum.accumulate(np.where(kept, time_s, np.inf)[::-1])[::-1]
    return kept | ((newest - time_s <= MOST_BACK_S) & (time_s - oldest <= MOST_BACK_S))
