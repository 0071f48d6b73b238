"""The truth about each pull: what an analysis should find in its force."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from sensor.samples import Floats

GRID_HZ = 1000
"""The simulation's own resolution."""


class Kind(StrEnum):
    """What a person would call a pull."""

    REP = "rep"
    PARTIAL = "partial"
    """A trial pull, a shrug, a rep given up: reported, not counted."""
    KNOCK = "knock"
    """Narrower than 200 ms: the handle is bumped or put down."""


@dataclass(frozen=True, slots=True)
class RepTruth:
    """What really happened in one pull; seconds since the simulation began, and newtons.

    Levels as in docs/analysis.md, to the millisecond: `start_s` is the last rise through 10 % of
    (peak - valley before), `top_start_s` the first through 90 %, `top_end_s` the last fall through
    90 % of (peak - valley after), `end_s` the first through 10 % after it. `rep` counts reps within
    the set from 1, and is 0 for what is none.
    """

    set: int
    rep: int
    kind: Kind
    exercise: str
    start_s: float
    top_start_s: float
    top_end_s: float
    end_s: float
    peak_s: float
    peak_n: float
    valley_before_n: float
    valley_after_n: float

    @property
    def counted(self) -> bool:
        return self.kind is Kind.REP

    def shifted(self, by_s: float) -> RepTruth:
        """The same on a time axis whose zero lies `by_s` earlier."""
        return replace(
            self,
            start_s=self.start_s + by_s,
            top_start_s=self.top_start_s + by_s,
            top_end_s=self.top_end_s + by_s,
            end_s=self.end_s + by_s,
            peak_s=self.peak_s + by_s,
        )

    @property
    def concentric_s(self) -> float:
        return self.top_start_s - self.start_s

    @property
    def hold_s(self) -> float:
        return self.top_end_s - self.top_start_s

    @property
    def eccentric_s(self) -> float:
        return self.end_s - self.top_end_s

    @property
    def tut_s(self) -> float:
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Span:
    """Grid points of an action, from the start of its movement to the end of its last one.

    `kind` is None where the resting tension changes: valleys are not looked for beyond.
    """

    start: int
    end: int
    kind: Kind | None


def measure(
    force_n: Floats, spans: Sequence[Span], first: int, set_number: int, exercise: str
) -> tuple[RepTruth, ...]:
    """What each pull among `spans` came to in `force_n` (n,), which starts at point `first`."""
    peaks = [
        span.start + int(np.argmax(force_n[span.start : max(span.end, span.start + 1)]))
        for span in spans
    ]
    found: list[RepTruth] = []
    reps = 0
    for k, span in enumerate(spans):
        if span.kind is None:
            continue
        peak = peaks[k]
        left = 0 if k == 0 else peaks[k - 1] if spans[k - 1].kind else spans[k - 1].end
        if k + 1 == len(spans):
            right = force_n.size
        else:
            right = peaks[k + 1] if spans[k + 1].kind else spans[k + 1].start
        left, right = min(left, peak), max(right, peak + 1)
        peak_n = float(force_n[peak])
        before_n = float(force_n[left : peak + 1].min())
        after_n = float(force_n[peak:right].min())
        rise = force_n[left : peak + 1]
        low, high = before_n + 0.1 * (peak_n - before_n), before_n + 0.9 * (peak_n - before_n)
        # A rebound of the pull before may still be in view: the rise starts after it.
        start = left + _last(rise < low)
        top_start = start + int(np.argmax(force_n[start : peak + 1] >= high))
        fall = force_n[peak:right]
        low, high = after_n + 0.1 * (peak_n - after_n), after_n + 0.9 * (peak_n - after_n)
        top_end = peak + _last(fall[: max(span.end - peak, 1)] >= high)
        end = top_end + int(np.argmax(force_n[top_end:right] < low))
        rep = 0
        if span.kind is Kind.REP:
            reps += 1
            rep = reps
        found.append(
            RepTruth(
                set_number,
                rep,
                span.kind,
                exercise,
                (first + start) / GRID_HZ,
                (first + top_start) / GRID_HZ,
                (first + top_end) / GRID_HZ,
                (first + end) / GRID_HZ,
                (first + peak) / GRID_HZ,
                peak_n,
                before_n,
                after_n,
            )
        )
    return tuple(found)


def _last(hits: NDArray[np.bool_]) -> int:
    """Index of the last true element, 0 if there is none."""
    where = np.flatnonzero(hits)
    return int(where[-1]) if where.size else 0
