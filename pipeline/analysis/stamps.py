"""Time stamps as files have them: equal ones, stale ones, small steps back; made increasing."""

from __future__ import annotations

import numpy as np

from sensor.samples import Floats

MOST_BACK_S = 1.0
"""If time runs back by more than this, the samples are not in its order."""


def repaired(time_s: Floats, force_n: Floats) -> tuple[Floats, Floats]:
    """Samples in order with increasing time; those without a force left out.

    A stamp that does not advance (a duplicate, a stale one, one that jitters back) is spread evenly
    up to the next that does: the samples came one after the other, their stamps did not.

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
    steps = np.diff(time_s)
    if not (steps <= 0).any():
        return time_s, force_n
    back = steps < 0
    if back.any():
        worst = int(np.argmin(steps))
        high = np.maximum.accumulate(time_s)
        if float((high - time_s).max()) > MOST_BACK_S:
            raise ValueError(
                f"the samples are not in the order of time: sample {worst + 1} lies "
                f"{-steps[worst]:.3f} s before the one above it, and {int(back.sum())} of "
                f"{steps.size} steps go back; sort them first"
            )
        time_s = high
    advancing = np.concatenate(([True], np.diff(time_s) > 0))
    # The last sample of equal ones keeps the stamp's successor in view: spread between advances.
    at = np.flatnonzero(advancing)
    last = at[-1]
    spread = np.interp(np.arange(time_s.size), at, time_s[at])
    if last < time_s.size - 1:
        usual = float(np.median(np.diff(spread[: last + 1]))) if last else 0.01
        spread[last:] = time_s[last] + usual * np.arange(time_s.size - last)
    return spread, force_n
