"""The truth about a session, read off its noise-free curve by the definitions of the analysis.

A boundary is None where nobody could know it: it lies outside the recording. Where the band is
taken up or put down, the valley beside the rep is what it was taken up to and put down from.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from firmware_sim.generator.drawing import Drawing, Intent, Meant
from firmware_sim.generator.measures import TruePartial, impulse_n_s, partials_of, rates_of_rise
from firmware_sim.generator.shapes import GRID_HZ
from sensor.samples import Floats

VALLEY_S = 3.0
"""A valley is sought this far outside the pull, or until the next thing that was done."""


SWINGS = (Meant.REP, Meant.BUMP)
"""A valley beside them is sought as far as their peak; beside all else, as far as its edge."""
SOFT = int(0.1 * GRID_HZ)
"""So far the corner of a step is rounded."""
LEVELS = ((0.1, 0.9), (0.09, 0.89), (0.11, 0.91))
DECIDED_S = 0.3


@dataclass(frozen=True, slots=True)
class TrueRep:
    """A rep that the person would count; times in s from the start of the recording."""

    set: int
    span_s: tuple[float, float]
    """Start and end, or the recording's own where it was cut."""
    start_s: float | None
    top_start_s: float | None
    top_end_s: float | None
    end_s: float | None
    peak_s: float
    peak_n: float
    applied_n: float
    """Peak without the gauge's zero error."""
    decided: tuple[bool, bool, bool, bool]
    """Of each boundary, whether the curve decides it: with levels of 89 or 91 % (9 or 11 %)
    it would move by less than `DECIDED_S`. Where a long hold wanders along 90 %, it is a toss."""
    cut: bool
    valley_before_n: float | None = None
    valley_after_n: float | None = None
    impulse_n_s: float | None = None
    rfd_n_per_s: dict[str, float] = field(default_factory=dict)

    @property
    def tut_s(self) -> float | None:
        if self.start_s is None or self.end_s is None:
            return None
        return self.end_s - self.start_s


@dataclass(frozen=True, slots=True)
class Truth:
    """All reps of a session."""

    reps: list[TrueRep]
    duration_s: float
    optional: list[OptionalWindow] = field(default_factory=list)
    inverted: bool = False
    """Whether the gauge's sign is inverted; to say so is right, too."""
    partials: list[TruePartial] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class OptionalWindow:
    """Where a person could not say: from `least` to `most` reps between two times are right."""

    start_s: float
    end_s: float
    least: int
    most: int


def last_below(y: Floats, level: float, to: int) -> float | None:
    """Index, with fraction, of the last rise through `level` before `to`."""
    below = np.flatnonzero(y[:to] <= level)
    if not below.size:
        return None
    i = int(below[-1])
    return float(i + (level - y[i]) / (y[i + 1] - y[i])) if y[i + 1] > y[i] else float(i)


def first_above(y: Floats, level: float, start: int) -> float:
    """Index, with fraction, at which `y` first reaches `level` from `start` on."""
    i = start + int(np.argmax(y[start:] >= level))
    if i == start or y[i] == y[i - 1]:
        return float(i)
    return float(i - (y[i] - level) / (y[i] - y[i - 1]))


def rep_truth(
    force_n: Floats,
    zero_n: Floats,
    number: int,
    peak: int,
    *,
    room: tuple[int, int],
    cut: tuple[bool, bool],
) -> TrueRep:
    """One rep from the curve as an ideal gauge sees it.

    Parameters
    ----------
    force_n, zero_n : ndarray of float64, shape (n,)
        Force with the gauge's slow zero error, and that error alone, on the grid of 1 kHz.
    number
        Of the set.
    peak
        Index of the peak.
    room
        Indices between which the valleys are sought.
    cut
        Whether the recording begins or ends within the rep.
    """
    lo, hi = room
    y = force_n[lo:hi]
    top = peak - lo
    up = [_rise(y[: top + 1], low, high) for low, high in LEVELS]
    down = [_rise(y[top:][::-1], low, high) for low, high in LEVELS]
    times = np.array([[*u, *((y.size - 1 - d) for d in reversed(v))]
                      for u, v in zip(up, down, strict=True)])  # fmt: skip
    times = (times + lo) / GRID_HZ
    moved = np.ptp(times, axis=0)
    start, top_start, top_end, end = (float(x) for x in times[0])
    # Samples end just before the curve does.
    last_s = (force_n.size - 1) / GRID_HZ
    before, after = float(y[: top + 1].min()), float(y[top:].min())
    return TrueRep(
        set=number,
        span_s=(0.0 if cut[0] else start, last_s if cut[1] else end),
        start_s=None if cut[0] else start,
        top_start_s=None if cut[0] else top_start,
        top_end_s=None if cut[1] else top_end,
        end_s=None if cut[1] else end,
        peak_s=peak / GRID_HZ,
        peak_n=float(y[top]),
        applied_n=float(y[top] - zero_n[peak]),
        decided=(
            bool(moved[0] < DECIDED_S),
            bool(moved[1] < DECIDED_S),
            bool(moved[2] < DECIDED_S),
            bool(moved[3] < DECIDED_S),
        ),
        cut=any(cut),
        valley_before_n=None if cut[0] else before,
        valley_after_n=None if cut[1] else after,
        impulse_n_s=None if any(cut) else impulse_n_s(force_n, start, end),
        rfd_n_per_s={} if cut[0] else rates_of_rise(force_n, start, peak, before),
    )


def _rise(y: Floats, low: float, high: float) -> tuple[float, float]:
    """Indices where `y`, which ends at the peak, leaves `low` and first reaches `high`.

    The levels are shares of the way from the lowest value to the last.
    """
    valley, peak = float(y.min()), float(y[-1])
    start = last_below(y, valley + low * (peak - valley), y.size - 1)
    if start is None:
        return 0.0, 0.0
    return start, first_above(y, valley + high * (peak - valley), int(start))


def truth_of(drawing: Drawing, zero_n: Floats) -> Truth:
    """Read the reps off a drawing that the gauge sees with the zero error `zero_n` (n,)."""
    force = drawing.force_n + zero_n
    intents = sorted(
        (i for i in drawing.intents if i.end > 0 and i.start < force.size), key=lambda i: i.start
    )

    def middle(intent: Intent) -> int:
        lo, hi = max(0, intent.start), min(force.size, intent.end)
        return lo + int(np.argmax(force[lo:hi]))

    reps = []
    for k, intent in enumerate(intents):
        if intent.meant is not Meant.REP:
            continue
        lo = max(0, intent.start - int(VALLEY_S * GRID_HZ))
        hi = min(force.size, intent.end + int(VALLEY_S * GRID_HZ))
        if k:
            other = intents[k - 1]
            edge = min(other.end + SOFT, max(other.end, intent.start))
            edge = middle(other) if other.meant in SWINGS else edge
            lo = max(lo, edge)
        if k + 1 < len(intents):
            other = intents[k + 1]
            edge = max(other.start - SOFT, min(other.start, intent.end))
            edge = middle(other) if other.meant in SWINGS else edge
            hi = min(hi, edge + 1)
        cut = (intent.start < 0, intent.end > force.size)
        rep = rep_truth(
            force, zero_n, intent.set, middle(intent),
            room=(lo, hi), cut=cut,
        )  # fmt: skip
        reps.append(rep)
    optional = [
        OptionalWindow(o.start / GRID_HZ, o.end / GRID_HZ, o.least, o.most)
        for o in drawing.optional
    ]
    partials = [
        each
        for each in partials_of(force, intents)
        if not any(window.start_s <= each.peak_s <= window.end_s for window in optional)
    ]
    return Truth(reps, (force.size - 1) / GRID_HZ, optional, partials=partials)
