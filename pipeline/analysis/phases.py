"""Where the phases of a pull begin and end: valleys, peak, and the crossings of 10 % and 90 %."""

from __future__ import annotations

from typing import NamedTuple, TypeVar

import numpy as np

from pipeline.analysis.rows import Bools, Rows, over_segments, ratio
from sensor.samples import Floats, Ints

LOW_SHARE, HIGH_SHARE = 0.1, 0.9
"""Levels of a transition, as in IEEE 181."""
RISE_SHARES = 0.2, 0.8
"""Levels between which the rate of force development is told of the whole rise."""

Numbers = TypeVar("Numbers", Floats, Ints)


class Phases(NamedTuple):
    """One entry per pull; grid indices with fractions, forces in N.

    Where `rise_seen` (`fall_seen`) is False, the samples begin (end) within the pull and its start
    (end) is theirs.
    """

    start: Floats
    top_start: Floats
    peak: Floats
    top_end: Floats
    end: Floats
    peak_n: Floats
    before_n: Floats
    after_n: Floats
    rise_seen: Bools
    fall_seen: Bools
    passed: Floats
    """(2, m): where the rise first passes each of `RISE_SHARES`."""


def find_phases(
    force_n: Floats,
    first: Ints,
    stop: Ints,
    rise_seen: Bools,
    fall_seen: Bools,
    noise_n: Floats,
) -> Phases:
    """Phases of pulls that lie one after the other in a low-passed force.

    Parameters
    ----------
    force_n : (n,)
        Low-passed force on the grid.
    first, stop : (m,)
        Each pull with its valleys lies in [first, stop); neighbours may share a valley.
    rise_seen, fall_seen : (m,)
        Whether the pull's rise and fall were recorded.
    noise_n : (m,)
        Standard deviation of the noise in `force_n` around each pull.
    """
    pulls = first.size
    ends = zip(first.tolist(), stop.tolist(), strict=True)
    peak = first + np.array([force_n[begin:end].argmax() for begin, end in ends])
    highest = force_n[peak]
    # Rises, then falls, both as one goes away from the peak: what holds of one holds of the other.
    sides = _sides(force_n, first, peak, stop)
    way = _WAYS.repeat(pulls)
    beside = np.concatenate((peak, peak))
    furthest = np.concatenate((first, stop - 1))
    lowest = np.minimum.reduceat(sides.values, sides.offsets)
    swing = np.maximum(highest - np.where(rise_seen, lowest[:pulls], lowest[pulls:]), 1e-9)
    band = bounded(4 * noise_n, LEAST_BAND * swing, MOST_BAND * swing)
    band = np.concatenate((band, band))
    near, far, stays = sides.span(sides.values <= sides.spread(lowest + band))
    begin, end = beside + way * near, beside + way * far
    top = np.concatenate((highest, highest))
    _, away, above = sides.span(sides.values >= sides.spread(top - band))
    level = _averaged(
        force_n,
        np.concatenate((peak - away[:pulls], np.minimum(begin, end))),
        np.concatenate((peak + away[pulls:], np.maximum(begin, end))),
        np.concatenate((above[:pulls] + above[pulls:] - 1, stays)),
        np.concatenate((highest, lowest)),
        pulls,
    )
    top, before, after = level[:pulls], level[pulls : 2 * pulls], level[2 * pulls :]
    before, after = (
        np.where(rise_seen, before, np.where(fall_seen, after, before)),
        np.where(fall_seen, after, np.where(rise_seen, before, after)),
    )
    valley = np.concatenate((before, after))
    height = np.concatenate((top, top)) - valley
    low, high = valley + LOW_SHARE * height, valley + HIGH_SHARE * height
    below = sides.first(sides.values < sides.spread(low))
    left = below < 0
    until = np.where(left, sides.stops - sides.offsets, below)
    held = sides.last(sides.values >= sides.spread(high), until)
    held_at = beside + way * held
    rises = sides.until(pulls)
    shares = [before + share * height[:pulls] for share in RISE_SHARES]
    passed = [rises.last(rises.values >= rises.spread(each), until[:pulls]) for each in shares]
    crossed = crossing(
        force_n,
        np.concatenate(
            (
                beside + way * below - (way > 0),
                held_at - (way < 0),
                *(peak - np.maximum(each, 0) - 1 for each in passed),
            )
        ),
        np.concatenate((low, high, *shares)),
    )
    edge = np.where(left, furthest, crossed[: 2 * pulls])
    shoulder = np.where((held < 0) | (held_at == furthest), edge, crossed[2 * pulls : 4 * pulls])
    start, stop_at = edge[:pulls], edge[pulls:]
    top_start = bounded(shoulder[:pulls], start, stop_at)
    return Phases(
        start=start,
        top_start=top_start,
        peak=peak.astype(np.float64),
        top_end=bounded(shoulder[pulls:], np.maximum(shoulder[:pulls], start), stop_at),
        end=stop_at,
        peak_n=top,
        before_n=before,
        after_n=after,
        rise_seen=rise_seen & ~left[:pulls],
        fall_seen=fall_seen & ~left[pulls:],
        passed=crossed[4 * pulls :].reshape(2, pulls),
    )


_WAYS = np.array((-1, 1))


def _sides(force_n: Floats, first: Ints, peak: Ints, stop: Ints) -> Rows:
    """From each peak back to its first sample; then, from each on to its last."""
    size = force_n.size
    return Rows.between(
        np.concatenate((force_n[::-1], force_n)),
        np.concatenate((size - 1 - peak, size + peak)),
        np.concatenate((size - first, size + stop)),
    )


LEAST_BAND, MOST_BAND = 0.004, 0.06
"""Of the pull: values this near an extreme are averaged, so that noise does not choose it."""
_PLACES = np.linspace(0, 1, 9)


def _averaged(
    force_n: Floats, low: Ints, high: Ints, stays: Ints, extreme: Floats, highs: int
) -> Floats:
    """Extremes of the force, each averaged over half the time that it stays near.

    Parameters
    ----------
    low, high, stays : (m,)
        First and last sample near the extreme, and how many are.
    highs
        So many are highs; the others are lows.
    """
    low, high = low[:, None], high[:, None]
    half = np.minimum(stays // 4, 25)[:, None]
    centres = low + np.rint((high - low) * _PLACES).astype(np.int64)
    begin = np.maximum(centres - half, low)
    stop = np.minimum(centres + half, high) + 1
    sizes = stop - begin
    means = over_segments(np.add, force_n, begin, stop).reshape(sizes.shape) / sizes
    # Windows cut short at the ends of the stay would be noisier than the others.
    short = sizes <= half
    means[:highs][short[:highs]] = -np.inf
    means[highs:][short[highs:]] = np.inf
    # The methods `max` and `min` do the same in twice the time.
    highest, lowest = np.maximum.reduce(means[:highs], 1), np.minimum.reduce(means[highs:], 1)
    best = np.concatenate((highest, lowest))
    return np.where(stays > 3, best, extreme)


_DIGITS = 2.0**20


def crossing(force_n: Floats, index: Ints, level: Floats) -> Floats:
    """Where the line from `index` to the next value passes `level`.

    Rounded to 2⁻²⁰ of a grid step, so that the index keeps all its digits however far it is counted
    from.
    """
    here = bounded(index, 0, force_n.size - 2)
    low = force_n[here]
    step = force_n[here + 1] - low
    part = ratio(level - low, step, 0.0)
    return np.asarray(index + np.rint(bounded(part, 0.0, 1.0) * _DIGITS) / _DIGITS)


def bounded(values: Numbers, low: Numbers | float, high: Numbers | float) -> Numbers:
    """What `np.clip` says, several times as fast for the few values of one rep."""
    return np.minimum(np.maximum(values, low), high)
