"""Samples -> bouts -> reps and sets, of samples that are all there.

A bout ends at a pause, or after five minutes in a valley; what comes later cannot change it.
Whether and where it ends depends on its samples alone, so file and live part them alike.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from heapq import heappushpop
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from pipeline.analysis.classify import Label, Labels, classify, confidence
from pipeline.analysis.context import LATE_S, at_set_level, handling, lone_falls
from pipeline.analysis.preprocess import (
    Bins,
    Segment,
    binned,
    despike,
    find_gaps,
    segments,
)
from pipeline.analysis.quality import measure
from pipeline.analysis.segmentation import NO_CYCLES, Cycles, find_cycles
from pipeline.analysis.sets import NO_SETS, OpenSets, close_sets
from pipeline.analysis.types import (
    Analysis,
    Expect,
    Expectations,
    Partial,
    Rep,
    SetClosed,
    Settings,
)
from sensor.samples import Floats, Gap
from sensor.timeline.stamps import repaired
from sensor.wire.profile import BandCurve

PAUSE_S = 12
"""No set goes on after so long; and trials before a set come sooner than this before it."""
STILL_SHARE, LOW_SHARE, ZERO_SHARE = 0.05, 0.5, 0.1
"""Parts of the range of force that the bout has seen: in a pause the force moves by less than the
first, and stays below the second, or nearer to 0 than the third."""
KEPT_HALVES = 4
"""Half seconds, together, that the force must have been up for: a brief overshoot does not make the
hold that follows a pause."""
INVERTED_N, INVERTED_TIMES = 10.0, 3.0
"""A sensor's sign is inverted if the force falls so far below 0, and so much further below where it
rests than above."""
REST_SHARE, EXTREME_SHARE = 0.2, 0.05
"""It rests in the stillest seconds, so many of all; so few may be spikes."""
INVERTED = (
    "the sensor's sign is inverted: pulls were read as falls of its force; swap the wires of its "
    "signal, or turn the sign of its calibration"
)
LONGEST_S = 300
"""A bout is no longer: it bounds the memory and the time for looking at it again."""
LOOKS_S = (LONGEST_S / 4, LONGEST_S / 2, LONGEST_S)
"""Most pauses come early: so much is searched for one at a time."""
CUT_S = 240
"""Such a bout is cut in the valley next to this, so that what follows still helps to judge."""
AROUND_S = 2.0
"""So long before and after a bout its samples matter."""
REACH = 50
"""What is measured of a rep does not depend on what lies further than so many steps from it."""
MOST_CONTEXT = 50
"""So many reps are remembered at most, of the last `LATE_S`."""


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for all samples of a session."""

    settings: Settings
    curve: BandCurve | None
    expect: Expectations


@dataclass(frozen=True, slots=True, eq=False)
class Context:
    """What a bout must know of those before it."""

    cycles: Cycles = NO_CYCLES
    """The last reps."""
    begins: bool = True
    """Whether samples begin here, perhaps within a pull; else it is in a pause or a valley."""
    sign: int = 1
    """-1 where the sensor is wired the wrong way round: a pull is a fall of what it says."""
    sets: OpenSets = NO_SETS


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """What bouts are measured on: all samples around them, without spikes, and their gaps."""

    time_s: Floats
    force_n: Floats
    gaps: Sequence[Gap]

    def around(self, bins: Bins, sign: int) -> Samples:
        """Those that what is measured of these bins depends on, with this sign."""
        span_s = bins.time_s[0] - AROUND_S, bins.time_s[-1] + AROUND_S
        part = slice(*np.searchsorted(self.time_s, span_s).tolist())
        force_n = self.force_n[part]
        first = bisect_left(self.gaps, span_s[0], key=lambda gap: gap.end_s)
        stop = bisect_right(self.gaps, span_s[1], key=lambda gap: gap.start_s)
        gaps = self.gaps[first:stop]
        return Samples(self.time_s[part], force_n if sign > 0 else -force_n, gaps)


class Found(NamedTuple):
    """Cycles of a bout with their labels, and the reps and partials among them."""

    cycles: Cycles
    labels: Labels
    reps: list[Rep]
    partials: list[Partial]
    sign: int = 1
    """-1 where the sensor is wired the wrong way round."""

    @property
    def spans_s(self) -> list[tuple[float, float]]:
        """Begin and end of each cycle."""
        return list(zip(self.cycles.begin_s.tolist(), self.cycles.end_s.tolist(), strict=True))


NOTHING = Found(NO_CYCLES, np.zeros(0, np.int8), [], [])


class Bout(NamedTuple):
    """A bout that has ended."""

    found: Found
    size: int
    """So many bins are used up."""
    closed: list[SetClosed]
    context: Context
    """For the next bout."""


def analyse(
    time_s: Floats,
    force_n: Floats,
    *,
    curve: BandCurve | None = None,
    settings: Settings | None = None,
    expect: Expect | None = None,
) -> Analysis:
    """Find the reps, partials, sets and gaps in samples of force.

    Parameters
    ----------
    time_s, force_n : (n,)
        Time in s in the order of the samples, at any rate from about 10 Hz, even or not; stamps may
        repeat or lag. Force in N; nan where a sample is unknown.
    curve
        The band's force-elongation curve, for the metrics that need it.
    expect
        What the exercise leads one to expect.

    Raises
    ------
    ValueError
        If the arrays do not match or the samples are not in the order of time.
    """
    time_s, force_n = repaired(time_s, force_n)
    force_n = despike(force_n)
    samples = Samples(time_s, force_n, find_gaps(time_s))
    expected = Expectations().then(-np.inf, expect or Expect())
    rules = Rules(settings or Settings(), curve, expected)
    bins, context = binned(time_s, force_n), Context()
    closed: list[SetClosed] = []
    while bins.size:
        bout = first_bout(bins, samples, context, rules) or last_bout(bins, samples, context, rules)
        closed += bout.closed
        bins, context = bins[bout.size :], bout.context
    last, left = close_sets(context.sets, [], [], np.inf, rules.settings)
    closed += last
    return Analysis(
        rate_hz=_rate_hz(time_s, samples.gaps),
        reps=[rep for event in closed for rep in event.reps],
        partials=[*(partial for event in closed for partial in event.partials), *left.partials],
        sets=[event.summary for event in closed],
        gaps=list(samples.gaps),
        remarks=[INVERTED] if context.sign < 0 else [],
    )


def first_bout(bins: Bins, samples: Samples, context: Context, rules: Rules) -> Bout | None:
    """The first bout of the bins, if it has ended."""
    time_s = bins.time_s
    longest = int(np.searchsorted(time_s, time_s[0] + LONGEST_S))
    holes = np.flatnonzero(np.diff(time_s[: longest + 1]) > PAUSE_S) + 1
    stop = int(holes[0]) if holes.size else longest
    for look_s in LOOKS_S:
        look = min(int(np.searchsorted(time_s, time_s[0] + look_s)), stop)
        pause = first_pause(bins[:look], rules.settings.floor_n)
        if pause is not None:
            return last_bout(bins[:pause], samples, context, rules, at_pause=True)
        if look == stop:
            break
    if holes.size:
        return last_bout(bins[:stop], samples, context, rules)
    if stop == time_s.size:
        return None
    found = find_reps(bins[:stop], samples, context, rules)
    cut_s = _valley_to_cut_in(found.reps, float(time_s[0]))
    before = Found(
        found.cycles[found.cycles.end_s < cut_s],
        found.labels[found.cycles.end_s < cut_s],
        [rep for rep in found.reps if rep.end_s < cut_s],
        [partial for partial in found.partials if partial.end_s < cut_s],
        found.sign,
    )
    return _ended(before, bins[: int(np.searchsorted(time_s, cut_s))], context, rules)


def last_bout(
    bins: Bins, samples: Samples, context: Context, rules: Rules, *, at_pause: bool = False
) -> Bout:
    """All bins as one bout."""
    found = find_reps(bins, samples, context, rules, at_pause=at_pause)
    return _ended(found, bins, context, rules, begins=not at_pause)


def first_pause(bins: Bins, floor_n: float) -> int | None:
    """The bin in the middle of the first pause of `PAUSE_S`.

    What decides is the highest and the lowest force of each second.
    """
    half = np.floor(2 * (bins.time_s - bins.time_s[0])).astype(np.intp)
    over = half[-1] // 2  # the second that is not over may still change
    if over < PAUSE_S:
        return None
    first = np.flatnonzero(np.diff(half, prepend=-1))
    highs_n, lows_n = np.full(2 * over + 2, -np.inf), np.full(2 * over + 2, np.inf)
    highs_n[half[first]] = np.maximum.reduceat(bins.force_n, first)
    lows_n[half[first]] = np.minimum.reduceat(bins.force_n, first)
    high_n, low_n = highs_n.reshape(-1, 2).max(axis=1), lows_n.reshape(-1, 2).min(axis=1)
    lowest_n = np.minimum.accumulate(low_n)[PAUSE_S - 1 : -1]
    range_n = np.maximum.accumulate(high_n)[PAUSE_S - 1 : -1] - lowest_n
    kept_n = _kept_up(lows_n)[1::2][PAUSE_S - 1 : -1] - lowest_n
    top_n = sliding_window_view(high_n[:-1], PAUSE_S).max(axis=1)
    bottom_n = sliding_window_view(low_n[:-1], PAUSE_S).min(axis=1)
    still = top_n - bottom_n < np.maximum(STILL_SHARE * range_n, floor_n)
    # A band at rest says 0 N, be the sensor wired the wrong way round.
    low = np.maximum(top_n, -bottom_n) < ZERO_SHARE * range_n
    low |= top_n < lowest_n + np.maximum(LOW_SHARE * kept_n, floor_n)
    if not (still & low).any():
        return None
    begin_s = bins.time_s[0] + int((still & low).argmax())
    return int(np.searchsorted(bins.time_s, begin_s + PAUSE_S / 2))


def _kept_up(lows_n: Floats) -> Floats:
    """The force that `KEPT_HALVES` have not fallen below so far, shape (n,); holes keep nothing."""
    highest = [-np.inf] * KEPT_HALVES
    kept_n = np.empty(lows_n.size)
    for k, low_n in enumerate(lows_n.tolist()):
        heappushpop(highest, low_n if low_n < np.inf else -np.inf)
        kept_n[k] = highest[0]
    return kept_n


def is_inverted(bins: Bins) -> bool:
    """Whether pulls make the force fall: it rests high and goes far below 0."""
    second = np.floor(bins.time_s - bins.time_s[0])
    first = np.flatnonzero(np.diff(second, prepend=-1))
    low_n = np.minimum.reduceat(bins.force_n, first)
    high_n = np.maximum.reduceat(bins.force_n, first)
    if low_n.min() > -INVERTED_N:
        return False
    moved_n, middle_n = high_n - low_n, (high_n + low_n) / 2
    bottom_n, top_n = np.quantile(low_n, EXTREME_SHARE), np.quantile(high_n, 1 - EXTREME_SHARE)
    rest_n = float(np.median(middle_n[moved_n <= np.quantile(moved_n, REST_SHARE)]))
    high = middle_n > (bottom_n + top_n) / 2
    if -bottom_n < INVERTED_N or not 0 < np.count_nonzero(high) < high.size:
        return False
    # A slack band is stiller than any hand, also where it was tared while it was stretched.
    slack_high = np.quantile(moved_n[high], REST_SHARE) <= np.quantile(moved_n[~high], REST_SHARE)
    far = max(rest_n, 0.0) - bottom_n > INVERTED_TIMES * (top_n - max(rest_n, 0.0))
    return bool(slack_high and far)


def find_reps(
    bins: Bins,
    samples: Samples,
    context: Context,
    rules: Rules,
    *,
    at_pause: bool = False,
    more_may_come: bool = False,
    measured: dict[tuple[int, ...], Rep] | None = None,
) -> Found:
    """What a bout holds; more may come of a set that its last pulls begin.

    `measured` are reps by the places of their cycles that need not be measured again; those are
    added that what comes later will not change.
    """
    # Where reps were seen the sign is known.
    inverted = context.sign < 0 or (not len(context.cycles) and is_inverted(bins))
    sign = -1 if inverted else 1
    samples = samples.around(bins, sign)
    parts = segments(bins if sign > 0 else Bins(bins.time_s, -bins.force_n))
    cycles = []
    for k, part in enumerate(parts):
        within = k > 0 or context.begins, k + 1 < len(parts) or not at_pause
        cycles.append(find_cycles(part, rules.settings.floor_n, rules.expect, within))
    every = sum(cycles, start=context.cycles)
    labels, usual_n = classify(every, rules.settings)
    left = np.flatnonzero(labels == Label.REP)
    labels[left[lone_falls(every[left])]] = Label.LOAD
    left = np.flatnonzero(labels == Label.REP)
    labels[left[handling(every[left], more_may_come=more_may_come)]] = Label.HANDLING
    sure = confidence(every, usual_n, rules.settings)
    reps: list[Rep] = []
    partials: list[Partial] = []
    edges = np.cumsum([len(context.cycles), *map(len, cycles)])
    for part, own, lo, hi in zip(parts, cycles, edges[:-1], edges[1:], strict=True):
        is_rep = labels[lo:hi] == Label.REP
        reps += _measured(
            part, at_set_level(part, own[is_rep]), sure[lo:hi][is_rep], samples, rules, measured
        )
        small = own[(labels[lo:hi] == Label.PARTIAL) | (labels[lo:hi] == Label.HANDLING)]
        partials += _partials(part, small)
    return Found(every[len(context.cycles) :], labels[len(context.cycles) :], reps, partials, sign)


def _measured(
    segment: Segment,
    cycles: Cycles,
    sure: Floats,
    samples: Samples,
    rules: Rules,
    measured: dict[tuple[int, ...], Rep] | None,
) -> list[Rep]:
    """The cycles as reps; those that are in `measured` are not measured again."""

    around = (samples.time_s, samples.force_n)
    if measured is None:
        return measure(segment, cycles, sure, around, samples.gaps, rules.curve)
    places = np.array([cycles.left, cycles.peak, cycles.right]) + segment.first
    seen = [np.isfinite(cycles.before_n), np.isfinite(cycles.after_n)]
    keys = list(zip(*places.tolist(), *(each.tolist() for each in seen), strict=True))
    new = [k for k, key in enumerate(keys) if key not in measured]
    if new:
        # Only what lies around the new ones matters to them.
        first = max(int(cycles.left[new].min()) - REACH, 0)
        stop = int(cycles.right[new].max()) + REACH
        fresh = measure(
            segment[first:stop], cycles[new].moved(-first), sure[new],
            around, samples.gaps, rules.curve,
        )  # fmt: skip
        measured |= zip((keys[k] for k in new), fresh, strict=True)
    settled = segment.first + segment.force_n.size - REACH
    reps = [measured[key] for key in keys]
    for key in keys:
        if key[2] >= settled:
            del measured[key]
    return reps


def _partials(segment: Segment, cycles: Cycles) -> list[Partial]:
    peak_s = segment.time_s(cycles.peak.astype(np.float64))
    columns = (cycles.begin_s, cycles.end_s, peak_s, cycles.peak_n, cycles.amplitude_n)
    return [Partial(*row) for row in zip(*(c.tolist() for c in columns), strict=True)]


def _ended(
    found: Found, bins: Bins, context: Context, rules: Rules, *, begins: bool = False
) -> Bout:
    """The bout of these bins, with the sets that are over, and the context of what follows."""
    now_s = float(bins.time_s[-1]) + (0.0 if begins else PAUSE_S / 2)
    closed, sets = close_sets(context.sets, found.reps, found.partials, now_s, rules.settings)
    known = (context.cycles + found.cycles[found.labels == Label.REP])[-MOST_CONTEXT:]
    if len(known):
        known = known[known.end_s > known.end_s[-1] - LATE_S]
    return Bout(found, bins.size, closed, Context(known, begins, found.sign, sets))


def _valley_to_cut_in(reps: list[Rep], start_s: float) -> float:
    """Time between the reps of a bout that is too long, next to `CUT_S`."""
    begins_s, ends_s = [rep.start_s for rep in reps], [rep.end_s for rep in reps]
    between_s = np.mean([[start_s, *ends_s], [*begins_s, start_s + LONGEST_S]], axis=0)
    return float(between_s[np.abs(between_s - start_s - CUT_S).argmin()])


def _rate_hz(time_s: Floats, gaps: Sequence[Gap]) -> float:
    """Samples a second, without the gaps."""
    if time_s.size < 2:
        return 0.0
    span_s = float(time_s[-1] - time_s[0]) - sum(gap.end_s - gap.start_s for gap in gaps)
    return (time_s.size - 1 - len(gaps)) / span_s if span_s > 0 else 0.0
