"""Rough stamps made even: rounded, jittered, one for a batch. Samples that are missing stay so.

A stamp says when a line was written, not when the sample was taken. Where no sample is missing,
stamps scatter about an even line and come back to it; a gap moves all that follow.
"""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from sensor.samples import Floats, Ints

HOLE_STEPS = 0.75
"""A stamp that is late by so much of a step may follow a hole."""
STAYS_STEPS = 0.6
"""And does if those after it stay late by this much."""
TICK_STEPS = 1.5
"""Stamps that differ by less than so many of their smallest unit are those of a coarse clock."""
BATCH_STEPS = 1.5
"""Which sample a batch's stamp belongs to is known no better."""
ROUGH_SHARE = 0.05
"""If more stamps are off, all are made even; else those that are."""
OFF_STEPS = 0.45
SMOOTHED_S = 0.5
"""On each side; the pace of a gauge does not change faster."""
COARSE_STEPS = 0.3
"""Stamps rounded to more than this part of a step jump by one or two of it, and none is missing."""
EVEN_STEPS = 0.9
"""No step shorter than this: nothing catches up, so each long step is a hole."""
SHORT_STEPS = 0.7
"""Stamps that are late and catch up have steps shorter than this."""
BLOCK = 256
SLOPE_SHARE = 0.25
NEAR, FAR = 8, 64
"""Stamps that are looked at on each side of a suspected hole."""
LEAST_SAMPLES = 16


def steadied(time_s: Floats) -> Floats:
    """Increasing times of samples in order, shape (n,), whose stamps may repeat and jitter.

    Times that are even already come back as they are.
    """
    n = time_s.size
    if n < LEAST_SAMPLES:
        return _spread(time_s)
    steps = np.diff(time_s)
    new = np.concatenate(([True], steps != 0))
    if new.all() and steps.min() > 0 and _plain(steps):
        return time_s
    at = np.flatnonzero(new)
    if at.size < LEAST_SAMPLES:
        return _spread(time_s)
    line, pace = _line(time_s, at)
    off = time_s[at] - line[at]
    lead = _stale_lead(at)
    holes, rejected = _holes(off, pace[at], at)
    usual = float(np.median(steps))
    odd = int(np.count_nonzero((steps > (1 + HOLE_STEPS) * usual) | (steps <= 0.25 * usual)))
    coarse = odd > ROUGH_SHARE * n and _resolution_s(time_s) > COARSE_STEPS * np.median(pace)
    if coarse:
        rejected = odd
    elif 2 * np.count_nonzero(steps < SHORT_STEPS * pace[1:]) < rejected:
        rejected = 0  # nothing makes up for the long steps: they are holes, and many
    if not rejected and steps.min() > 0:
        return time_s
    rough = max(rejected, n - at.size) > ROUGH_SHARE * n
    cuts = [0, *holes.tolist(), at.size]
    shift = np.empty(at.size)
    for low, high in pairwise(cuts):
        part = off[low:high]
        length_s = max(float(line[at[high - 1]] - line[at[low]]), 1e-9)
        width = max(int(SMOOTHED_S * (high - low) / length_s), NEAR)
        level = _mean(part, width) if rough else _median(part)
        far = np.abs(part - level) > OFF_STEPS * pace[at[low:high]]
        shift[low:high] = level if rough else np.where(far, level, part)
    fixed = line + np.interp(np.arange(n), at, shift)
    for hole in holes.tolist():  # within a batch before a hole, what was before it goes on
        first, stop = at[hole - 1], at[hole]
        fixed[first:stop] = line[first:stop] + shift[hole - 1]
    if lead:
        fixed[: at[1]] = fixed[at[1]] - pace[at[1]] * np.arange(at[1], 0, -1)
    batch = float(np.median(np.diff(at)))
    if batch >= 2 and np.median(np.diff(time_s[at])) > TICK_STEPS * _resolution_s(time_s):
        # No slow clock: a batch is stamped as it arrives, when its last sample has been taken.
        fixed = fixed - (batch - 1) * float(np.median(pace))
    return fixed if (np.diff(fixed) > 0).all() else _spread(np.maximum.accumulate(time_s))


def _resolution_s(time_s: Floats) -> float:
    """The decimal place that stamps are rounded to, s; 0 for finer than 0.1 ms."""
    some = time_s[:: max(time_s.size // 1000, 1)]
    for place in (1.0, 0.1, 0.01, 0.001, 0.0001):
        if (np.abs(some / place - np.round(some / place)) < 1e-2).all():
            return place
    return 0.0


def _plain(steps: Floats) -> bool:
    """Whether no step may be a hole, or none is so short that it makes up for a long one."""
    usual = float(np.median(steps[:: max(steps.size // 50_000, 1)]))
    return float(steps.max()) < (1 + HOLE_STEPS) * usual or float(steps.min()) > EVEN_STEPS * usual


def _line(time_s: Floats, at: Ints) -> tuple[Floats, Floats]:
    """An even line through the samples, and the pace at each: what the next step would be."""
    n = time_s.size
    batch = float(np.median(np.diff(at)))
    span = int(min(max(32, 8 * batch), max(n // 4, 4)))
    slopes = (time_s[span:] - time_s[:-span]) / span
    blocks = max(slopes.size // max(BLOCK, span), 1)
    usual = float(np.median(slopes))
    # The mean, as the median of rounded stamps is rounded; without what a hole makes steep.
    near = np.abs(slopes - usual) < usual * SLOPE_SHARE
    ends = np.linspace(0, slopes.size, blocks + 1).astype(np.int64)
    counts = np.diff(np.concatenate(([0], np.cumsum(near)))[ends])
    sums = np.diff(np.concatenate(([0.0], np.cumsum(np.where(near, slopes, 0.0))))[ends])
    paces = np.where(4 * counts >= np.diff(ends), sums / np.maximum(counts, 1), usual)
    centres = (np.arange(blocks) + 0.5) * (slopes.size / blocks) + span / 2
    pace = np.interp(np.arange(n), centres, paces)
    line = np.concatenate(([0.0], np.cumsum(pace[:-1]))) + time_s[0]
    return line, pace


def _stale_lead(at: Ints) -> bool:
    """Whether a clock stood still at the start, unlike later."""
    return at.size > 2 and at[1] >= 3 and at[1] > 2 * float(np.max(np.diff(at)[1:65]))


def _holes(off: Floats, pace: Floats, at: Ints) -> tuple[Ints, int]:
    """Places before which samples are missing, and how many that looked so were only late."""
    late = np.diff(off)
    suspects = np.flatnonzero(late > HOLE_STEPS * pace[:-1]) + 1
    if not suspects.size:
        return suspects, 0
    scatter = 1.4826 * float(np.median(np.abs(np.diff(off) - np.median(np.diff(off))))) / np.sqrt(2)
    typical = float(np.median(pace))
    width = int(np.clip(np.ceil((7 * scatter / (STAYS_STEPS * typical)) ** 2), NEAR, FAR))
    width = min(width, off.size - 1)
    padded = np.pad(off, width, mode="reflect")
    windows = sliding_window_view(padded, width)
    # The stamps beside the step were chosen as they are far off: they do not tell the level.
    before = np.median(windows[np.maximum(suspects - 1, 0)], axis=1)
    after = np.median(windows[np.minimum(suspects + 1, off.size) + width], axis=1)
    batch = np.diff(at)
    usual = float(np.median(batch))
    least = np.full(suspects.size, STAYS_STEPS if usual == 1 else BATCH_STEPS)
    # The first batch may lack its beginning, the last one its end: that is no hole.
    least[(suspects <= 1) | (suspects >= off.size - 1)] *= usual
    stays = after - before > np.maximum(least * pace[suspects], 3 * scatter / np.sqrt(width))
    holes = suspects[stays]
    if holes.size > 1:  # of late stamps around a hole, the one that jumps the furthest is it
        keep = np.ones(holes.size, bool)
        for k in np.flatnonzero(np.diff(holes) < width / 2):
            one, other = holes[k], holes[k + 1]
            small = k if late[one - 1] < late[other - 1] else k + 1
            both = after[stays][k] - before[stays][k] > 1.5 * max(late[one - 1], late[other - 1])
            keep[small] &= both
        holes = holes[keep]
    return holes, int(suspects.size - holes.size)


def _mean(values: Floats, width: int) -> Floats:
    """Mean over `width` on each side, as far as there is."""
    sums = np.concatenate(([0.0], np.cumsum(values)))
    low = np.maximum(np.arange(values.size) - width, 0)
    high = np.minimum(np.arange(values.size) + width + 1, values.size)
    out: Floats = (sums[high] - sums[low]) / (high - low)
    return out


def _median(values: Floats) -> Floats:
    """Median of the sixteen around each."""
    if values.size <= 2 * NEAR:
        return np.full(values.size, float(np.median(values)))
    padded = np.concatenate(
        (np.full(NEAR, np.median(values[:NEAR])), values, np.full(NEAR, np.median(values[-NEAR:])))
    )
    out: Floats = np.median(sliding_window_view(padded, 2 * NEAR + 1), axis=1)
    return out


def _spread(time_s: Floats) -> Floats:
    """Stamps that do not advance spread evenly up to the next that does."""
    newest = np.maximum.accumulate(time_s)
    if newest.size < 2:
        return newest
    at = np.flatnonzero(np.concatenate(([True], np.diff(newest) > 1e-6)))
    last = int(at[-1])
    fixed = np.interp(np.arange(newest.size), at, newest[at])
    if last < newest.size - 1:
        usual = float(np.median(np.diff(fixed[: last + 1]))) if last else 0.01
        fixed[last:] = newest[last] + usual * np.arange(newest.size - last)
    return fixed
