"""A person's hands on a band: movements become elongation, force and the truth of each rep.

A `Pull` is one rise and fall, a `Pause` a change of the resting tension. Movements have the
bell-shaped speed of minimum jerk (Flash and Hogan 1985), skewed and roughened as people do. The
truth is measured on the resulting force at 1 kHz, before tremor and before any gauge sees it, by
the definitions that the analysis uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from firmware_sim.elastic import Elastic, ElasticState
from sensor.samples import Floats

GRID_HZ = 1000


class Kind(StrEnum):
    """What a person would call a pull."""

    REP = "rep"
    PARTIAL = "partial"
    """A trial pull, a shrug, a rep given up: told, not counted."""
    KNOCK = "knock"
    """Narrower than 200 ms: the handle is bumped or put down."""


@dataclass(frozen=True, slots=True)
class Pull:
    """One rise and fall of the force. Durations are of the whole movement, foot to top.

    The fractions are of the peak: `sag` is lost steadily over the hold, `wander` is the range of a
    slow unsteadiness, `dip` a short fall in mid-hold, `hump` a broad one between two humps,
    `rebound` the bounce after a fast release, `tremor` the standard deviation of 6-12 Hz.
    """

    peak_n: float
    concentric_s: float
    hold_s: float
    eccentric_s: float
    bottom_s: float
    bottom_n: float = 0.0
    kind: Kind = Kind.REP
    skew: float = 1.0
    """Above 1 the movement starts slowly and ends fast, below 1 the reverse; 0.7-1.4 is human."""
    roughness: float = 0.15
    """Unsteadiness of the speed, relative."""
    tremor: float = 0.005
    sag: float = 0.0
    wander: float = 0.0
    dip: float = 0.0
    hump: float = 0.0
    rebound: float = 0.0

    def __post_init__(self) -> None:
        if not (self.peak_n > self.bottom_n >= 0 and self.concentric_s > 0 < self.eccentric_s):
            raise ValueError(f"a pull rises above its bottom, and rise and fall take time: {self}")
        if self.hold_s < 0 or self.bottom_s < 0:
            raise ValueError(f"hold and bottom last 0 s or more: {self}")


@dataclass(frozen=True, slots=True)
class Pause:
    """The tension goes to `level_n` within `move_s` and stays for `wait_s`; `fidget_n` of unrest.

    Valleys are not looked for beyond a pause's movement: taking up a taut band is no rep.
    """

    level_n: float
    move_s: float
    wait_s: float
    fidget_n: float = 0.0


@dataclass(frozen=True, slots=True)
class RepTruth:
    """What really happened in one pull; seconds since the simulation began, and newtons.

    Levels as in docs/analysis.md: `start_s` is the last rise through 10 % of (peak - valley
    before), `top_start_s` the first through 90 %, `top_end_s` the last fall through 90 % of (peak -
    valley after), `end_s` the first through 10 % after it. `rep` counts reps within the set from 1,
    and is 0 for what is none.
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


@dataclass(frozen=True, slots=True, eq=False)
class Stretch:
    """Consecutive force: `force_n` (n,) at `GRID_HZ` from grid point `first` on, and its truth."""

    first: int
    force_n: Floats
    truth: tuple[RepTruth, ...] = ()


@dataclass(slots=True)
class _Span:
    """Grid points of an action: from the start of its movement to the end of its last one."""

    start: int
    end: int
    pull: Pull | None


def render(
    actions: Sequence[Pull | Pause],
    elastic: Elastic,
    rng: np.random.Generator,
    *,
    first: int = 0,
    set_number: int = 1,
    exercise: str = "unknown",
    state: ElasticState | None = None,
) -> tuple[Stretch, ElasticState]:
    """Carry out `actions` one after the other on `elastic`, from the elongation in `state`.

    Returns the force from grid point `first` on, and the band's state for what follows.
    """
    state = state or ElasticState()
    pieces: list[Floats] = []
    extras: list[tuple[int, Floats]] = []
    spans: list[_Span] = []
    at, place = 0, state.elongation

    def append(piece: Floats) -> None:
        nonlocal at, place
        if piece.size:
            pieces.append(piece)
            at, place = at + piece.size, float(piece[-1])

    for action in actions:
        start = at
        if isinstance(action, Pause):
            append(_move(place, float(elastic.elongation(action.level_n)), action.move_s, rng))
            spans.append(_Span(start, at, None))
            if action.fidget_n:
                extras.append((at, action.fidget_n * np.abs(_slow(_points(action.wait_s), rng))))
            append(np.full(_points(action.wait_s), place))
        elif action.kind is Kind.KNOCK:
            append(np.full(_points(action.concentric_s + action.eccentric_s), place))
            extras.append((start, (action.peak_n - action.bottom_n) * _bump(at - start)))
            spans.append(_Span(start, at, action))
            append(np.full(_points(action.bottom_s), place))
        else:
            top = float(elastic.elongation(action.peak_n))
            bottom = float(elastic.elongation(action.bottom_n))
            append(
                _move(
                    place,
                    top,
                    action.concentric_s,
                    rng,
                    skew=action.skew,
                    roughness=action.roughness,
                )
            )
            append(elastic.elongation(action.peak_n * _hold(action, rng)))
            append(
                _move(
                    place,
                    bottom,
                    action.eccentric_s,
                    rng,
                    skew=1 / action.skew,
                    roughness=action.roughness,
                )
            )
            spans.append(_Span(start, at, action))
            if action.rebound:
                extras.append((at, action.peak_n * action.rebound * _ringing()))
            append(np.full(_points(action.bottom_s), place))
    elongation = np.concatenate(pieces) if pieces else np.empty(0)
    force_n, state = elastic.pull(elongation, GRID_HZ, state)
    for start, extra in extras:
        cut = extra[: force_n.size - start]
        force_n[start : start + cut.size] += cut
    force_n = np.maximum(force_n, 0.0)
    truth = _truth(force_n, spans, first, set_number, exercise)
    return Stretch(first, _with_tremor(force_n, spans, rng), truth), state


def _points(duration_s: float) -> int:
    return max(round(duration_s * GRID_HZ), 0)


def _move(
    start: float,
    end: float,
    duration_s: float,
    rng: np.random.Generator,
    *,
    skew: float = 1.0,
    roughness: float = 0.0,
) -> Floats:
    """Elongation on the way from `start` to `end`; never turns back."""
    n = _points(duration_s)
    if n < 1:
        return np.full(1, end) if start != end else np.empty(0)
    u = np.linspace(0, 1, n + 1)
    unrest = _cosines(u, rng, 1.0, 4.0) if roughness else np.zeros(n + 1)
    speed = 30 * u**2 * (1 - u) ** 2 * np.exp(roughness * unrest)
    done = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2)])
    warped = np.interp(u**skew, u, done / done[-1]) if skew != 1 else done / done[-1]
    return np.asarray(start + (end - start) * warped[1:])


def _hold(pull: Pull, rng: np.random.Generator) -> Floats:
    """Force during the hold as a part of the peak; starts at 1."""
    n = _points(pull.hold_s)
    if not n:
        return np.empty(0)
    u = (np.arange(n) + 1) / n
    level = 1 - pull.sag * u - pull.hump * np.sin(np.pi * u) ** 2
    if pull.dip:
        level = level - pull.dip * np.exp(-(((u - 0.5) / 0.12) ** 2))
    if pull.wander:
        slow = _slow(n, rng)
        ramp = np.minimum(np.arange(n) / (0.3 * GRID_HZ), 1.0)
        level = level - pull.wander * ramp * (slow.max() - slow) / max(np.ptp(slow), 1e-9)
    return np.asarray(np.maximum(level, 0.05))


def _slow(n: int, rng: np.random.Generator) -> Floats:
    """Unrest of 0.15-0.9 Hz with a variance of about 1, shape (n,)."""
    return _unrest(n, 50, rng, 0.15, 0.9)


def _unrest(n: int, coarse_hz: int, rng: np.random.Generator, low: float, high: float) -> Floats:
    """Unrest between two frequencies on n grid points, drawn on a coarser grid for speed."""
    every = GRID_HZ // coarse_hz
    coarse = _cosines(np.arange(n // every + 2) / coarse_hz, rng, low, high)
    return np.interp(np.arange(n) / every, np.arange(coarse.size), coarse)


def _cosines(
    time: Floats, rng: np.random.Generator, low: float, high: float, count: int = 5
) -> Floats:
    """A sum of cosines of random frequency and phase with a variance of 1."""
    total = np.zeros(time.size)
    for frequency, phase in zip(
        rng.uniform(low, high, count), rng.uniform(0, 2 * np.pi, count), strict=True
    ):
        total += np.cos(2 * np.pi * frequency * time + phase)
    return np.asarray(total * np.sqrt(2 / count))


def _bump(n: int) -> Floats:
    """A raised cosine from 0 to 1 and back."""
    return np.asarray(np.sin(np.pi * (np.arange(n) + 0.5) / max(n, 1)) ** 2)


def _ringing() -> Floats:
    """What a band does after a fast release: 7 Hz, dying within a third of a second."""
    time_s = np.arange(int(0.4 * GRID_HZ)) / GRID_HZ
    return np.asarray(np.sin(2 * np.pi * 7 * time_s) * np.exp(-time_s / 0.09))


def _with_tremor(force_n: Floats, spans: Sequence[_Span], rng: np.random.Generator) -> Floats:
    """The force with each pull's tremor, in proportion to the force at each moment."""
    shaken = force_n.copy()
    for span in spans:
        if span.pull is not None and span.pull.tremor and span.end > span.start:
            part = slice(span.start, span.end)
            unrest = _unrest(span.end - span.start, 250, rng, 6.0, 12.0)
            shaken[part] *= 1 + span.pull.tremor * unrest
    return np.maximum(shaken, 0.0)


def _truth(
    force_n: Floats, spans: Sequence[_Span], first: int, set_number: int, exercise: str
) -> tuple[RepTruth, ...]:
    peaks = [
        span.start + int(np.argmax(force_n[span.start : max(span.end, span.start + 1)]))
        for span in spans
    ]
    found: list[RepTruth] = []
    reps = 0
    for k, span in enumerate(spans):
        if span.pull is None:
            continue
        peak = peaks[k]
        left = 0 if k == 0 else peaks[k - 1] if spans[k - 1].pull else spans[k - 1].end
        if k + 1 == len(spans):
            right = force_n.size
        else:
            right = peaks[k + 1] if spans[k + 1].pull else spans[k + 1].start
        left, right = min(left, peak), max(right, peak + 1)
        peak_n = float(force_n[peak])
        before_n = float(force_n[left : peak + 1].min())
        after_n = float(force_n[peak:right].min())
        rise = force_n[left : peak + 1]
        low, high = before_n + 0.1 * (peak_n - before_n), before_n + 0.9 * (peak_n - before_n)
        # Where a rebound of the pull before is still in view, the rise starts after it.
        top_start = span.start + int(np.argmax(force_n[span.start : peak + 1] >= high))
        start = left + _last(rise[: top_start - left + 1] < low)
        fall = force_n[peak:right]
        low, high = after_n + 0.1 * (peak_n - after_n), after_n + 0.9 * (peak_n - after_n)
        top_end = peak + _last(fall[: max(span.end - peak, 1)] >= high)
        end = top_end + int(np.argmax(force_n[top_end:right] < low))
        rep = 0
        if span.pull.kind is Kind.REP:
            reps += 1
            rep = reps
        found.append(
            RepTruth(
                set_number,
                rep,
                span.pull.kind,
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
