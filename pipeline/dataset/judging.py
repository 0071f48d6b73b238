"""Found reps against true ones: matched one to one in time, with the errors of those that match."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, Protocol

import numpy as np

from firmware_sim.generator.truth import TrueRep, Truth
from sensor.samples import Floats

BOUNDARIES = ("start", "top start", "top end", "end")
FAST_ENOUGH_HZ = 70.0
"""Boundaries and time under tension are judged from here on: at nominal 80 Hz and above."""


class Known(Protocol):
    """A session whose truth is known."""

    @property
    def truth(self) -> Truth: ...
    @property
    def rate_hz(self) -> float: ...
    @property
    def gaps_s(self) -> Floats: ...


class FoundRep(Protocol):
    """What is judged of a found rep; NaN where the counter does not tell it."""

    @property
    def set(self) -> int: ...
    @property
    def start_s(self) -> float: ...
    @property
    def top_start_s(self) -> float: ...
    @property
    def top_end_s(self) -> float: ...
    @property
    def end_s(self) -> float: ...
    @property
    def peak_s(self) -> float: ...
    @property
    def peak_n(self) -> float: ...
    @property
    def tut_s(self) -> float: ...
    @property
    def confidence(self) -> float: ...


class EdgeError(NamedTuple):
    """One boundary of one rep, found minus true."""

    which: int
    """Index into `BOUNDARIES`."""
    error_s: float
    decided: bool
    """Whether the curve decides it (`TrueRep.decided`)."""
    outer: bool
    """Whether it is the first start or the last end of its set."""


@dataclass(slots=True)
class Score:
    """One session of one analysis."""

    right: bool = False
    reps: int = 0
    missed: int = 0
    extra: int = 0
    missed_s: list[float] = field(default_factory=list)
    extra_s: list[float] = field(default_factory=list)
    """Times of the peaks of the true reps that are missed, and of the found ones that are none."""
    edges: list[EdgeError] = field(default_factory=list)
    peak_share: list[float] = field(default_factory=list)
    """Found minus true, as a share of the true."""
    tut_share: list[float] = field(default_factory=list)
    wrong_remark: bool = False
    """Whether the sign is said to be inverted, and is not."""
    sets_right: bool | None = None
    """Whether the reps are divided into sets as meant; None where a pause leaves that open."""
    confidence: list[tuple[float, bool]] = field(default_factory=list)
    """Of each found rep, and whether it is right."""


def pair_up(truth: Sequence[TrueRep], found: Sequence[FoundRep]) -> list[tuple[int, int]]:
    """True and found reps that cover at least half of each other, by index."""
    pairs = []
    free = set(range(len(found)))
    for i, true in enumerate(truth):
        lo, hi = true.span_s
        best, most = -1, 0.0
        for j in free:
            rep = found[j]
            common = min(hi, rep.end_s) - max(lo, rep.start_s)
            # Where a rep is cut, its extent is open.
            least = (0.1 if true.cut else 0.5) * (hi - lo)
            if not true.cut:
                least = max(least, 0.5 * (rep.end_s - rep.start_s))
            if common >= least and common > most:
                best, most = j, common
        if best >= 0:
            free.discard(best)
            pairs.append((i, best))
    return pairs


def score(session: Known, found: Sequence[FoundRep], remarks: Sequence[str] = ()) -> Score:
    """Judge what an analysis found in a session, and remarked on it."""
    truth = session.truth.reps
    pairs = pair_up(truth, found)
    right = {j for _, j in pairs}
    others = [rep for j, rep in enumerate(found) if j not in right]
    matched = {i for i, _ in pairs}
    missed_s = [rep.peak_s for i, rep in enumerate(truth) if i not in matched]
    extra_s = []
    for window in session.truth.optional:
        inside = [r for r in others if window.start_s <= r.peak_s <= window.end_s]
        others = [r for r in others if r not in inside]
        right |= {found.index(r) for r in inside[: window.most]}
        missed_s += [window.start_s] * (window.least - len(inside))
        extra_s += [rep.peak_s for rep in inside[window.most :]]
    extra_s = sorted(extra_s + [rep.peak_s for rep in others])
    says_inverted = any("inverted" in remark for remark in remarks)
    if session.truth.inverted and says_inverted:
        return Score(right=True, reps=len(truth))
    result = Score(
        right=not missed_s and not extra_s and not says_inverted,
        reps=len(truth),
        missed=len(missed_s),
        extra=len(extra_s),
        missed_s=missed_s,
        extra_s=extra_s,
        wrong_remark=says_inverted,
        confidence=[(rep.confidence, j in right) for j, rep in enumerate(found)],
    )
    if len(pairs) == len(truth) == len(found) and sets_are_clear(truth):
        result.sets_right = [r.set for r in truth] == [r.set for r in found]
    if not session.truth.inverted:  # of such forces nothing but the count is asked
        for i, j in pairs:
            outer = (
                i == 0 or truth[i - 1].set != truth[i].set,
                i + 1 == len(truth) or truth[i + 1].set != truth[i].set,
            )
            _errors(result, session, truth[i], found[j], outer)
    return result


def sets_are_clear(truth: Sequence[TrueRep]) -> bool:
    """Whether every pause is by a quarter shorter or longer than what ends a set."""
    pauses = [(a, b, b.span_s[0] - a.span_s[1]) for a, b in itertools.pairwise(truth)]
    for one, two, pause_s in pauses:
        starts = [rep.span_s[0] for rep in truth if rep.set == one.set]
        periods_s = np.diff(starts) if len(starts) > 1 else [0.0]
        limit_s = max(8.0, 3 * float(np.median(periods_s)))
        if not (pause_s < limit_s / 1.25 if one.set == two.set else pause_s > 1.25 * limit_s):
            return False
    return True


def _errors(
    result: Score, session: Known, true: TrueRep, rep: FoundRep, outer: tuple[bool, bool]
) -> None:
    near_s = 2.5 / session.rate_hz
    lost = session.gaps_s

    def seen(start_s: float, end_s: float) -> bool:
        return not np.any((lost[:, 0] - near_s < end_s) & (lost[:, 1] + near_s > start_s))

    if seen(true.peak_s - 0.2, true.peak_s + 0.2) and not math.isnan(rep.peak_n):
        result.peak_share.append((rep.peak_n - true.peak_n) / true.applied_n)
    if session.rate_hz < FAST_ENOUGH_HZ:
        return
    times = (true.start_s, true.top_start_s, true.top_end_s, true.end_s)
    answer = (rep.start_s, rep.top_start_s, rep.top_end_s, rep.end_s)
    for k, (t, s) in enumerate(zip(times, answer, strict=True)):
        if t is None or math.isnan(s):
            continue
        if seen(t, t) and seen(true.peak_s - 0.2, true.peak_s + 0.2):
            is_outer = (k == 0 and outer[0]) or (k == 3 and outer[1])
            result.edges.append(EdgeError(k, s - t, true.decided[k], is_outer))
    if true.tut_s is not None and seen(*true.span_s) and not math.isnan(rep.tut_s):
        result.tut_share.append((rep.tut_s - true.tut_s) / true.tut_s)


def score_peaks(session: Known, peaks_s: Floats) -> Score:
    """Judge an analysis that reports no more than the times of the peaks."""
    truth = session.truth.reps
    extra = 0
    for window in session.truth.optional:
        inside = (peaks_s >= window.start_s) & (peaks_s <= window.end_s)
        extra += max(0, int(inside.sum()) - window.most)
        peaks_s = peaks_s[~inside]
    counts = [int(np.sum((peaks_s >= rep.span_s[0]) & (peaks_s <= rep.span_s[1]))) for rep in truth]
    hit = sum(count > 0 for count in counts)
    extra += int(peaks_s.size) - hit
    return Score(
        right=hit == len(truth) and extra == 0,
        reps=len(truth),
        missed=len(truth) - hit,
        extra=extra,
    )
