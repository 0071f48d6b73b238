"""A person's hands on a band: movements become elongation, force and the truth of each rep.

A `Pull` is one rise and fall, a `Pause` a change of the resting tension. Movements have the
bell-shaped speed of minimum jerk (Flash and Hogan 1985), skewed and roughened as people do. The
truth is measured on the resulting force at 1 kHz, before tremor and before any gauge sees it, by
the definitions that the analysis uses.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from firmware_sim.person import shapes
from firmware_sim.person.elastic import Elastic, ElasticState
from firmware_sim.person.truth import GRID_HZ, Kind, RepTruth, Span, measure
from sensor.samples import Floats


@dataclass(frozen=True, slots=True)
class Pull:
    """One rise and fall of the force. Durations are of the whole movement, foot to top.

    The fractions are of the peak: `sag` is lost steadily over the hold, `wander` is the range of a
    slow unsteadiness, `dip` a short fall in mid-hold, `hump` a broad one between two humps,
    `rebound` the bounce after a fast release, `tremor` the standard deviation of 6-12 Hz; `steady`
    is how even the speed is.
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
    steady: float = 0.0

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


@dataclass(frozen=True, slots=True, eq=False)
class Chunk:
    """Consecutive force: `force_n` (n,) at `GRID_HZ` from grid point `first` on, and its truth."""

    first: int
    force_n: Floats
    truth: tuple[RepTruth, ...] = ()


def render(
    actions: Sequence[Pull | Pause],
    elastic: Elastic,
    rng: np.random.Generator,
    *,
    first: int = 0,
    set_number: int = 1,
    exercise: str = "unknown",
    state: ElasticState | None = None,
) -> tuple[Chunk, ElasticState]:
    """Carry out `actions` one after the other on `elastic`, from the elongation in `state`.

    Returns the force from grid point `first` on, and the band's state for what follows.
    """
    state = state or ElasticState()
    pieces: list[Floats] = []
    extras: list[tuple[int, Floats]] = []
    spans: list[Span] = []
    at, place = 0, state.elongation

    def append(piece: Floats) -> None:
        nonlocal at, place
        if piece.size:
            pieces.append(piece)
            at, place = at + piece.size, float(piece[-1])

    for action in actions:
        start = at
        if isinstance(action, Pause):
            append(
                shapes.move(place, float(elastic.elongation(action.level_n)), action.move_s, rng)
            )
            spans.append(Span(start, at, None))
            if action.fidget_n:
                extras.append(
                    (at, action.fidget_n * np.abs(shapes.slow(shapes.points(action.wait_s), rng)))
                )
            append(np.full(shapes.points(action.wait_s), place))
        elif action.kind is Kind.KNOCK:
            append(np.full(shapes.points(action.concentric_s + action.eccentric_s), place))
            extras.append((start, (action.peak_n - action.bottom_n) * shapes.bump(at - start)))
            spans.append(Span(start, at, action.kind))
            append(np.full(shapes.points(action.bottom_s), place))
        else:
            top = float(elastic.elongation(action.peak_n))
            bottom = float(elastic.elongation(action.bottom_n))
            append(
                shapes.move(
                    place,
                    top,
                    action.concentric_s,
                    rng,
                    skew=action.skew,
                    roughness=action.roughness,
                    steady=action.steady,
                )
            )
            append(elastic.elongation(action.peak_n * _hold(action, rng)))
            append(
                shapes.move(
                    place,
                    bottom,
                    action.eccentric_s,
                    rng,
                    skew=1 / action.skew,
                    roughness=action.roughness,
                    steady=action.steady,
                )
            )
            spans.append(Span(start, at, action.kind))
            if action.rebound:
                extras.append((at, action.peak_n * action.rebound * shapes.ringing()))
            append(np.full(shapes.points(action.bottom_s), place))
    elongation = np.concatenate(pieces) if pieces else np.empty(0)
    force_n, state = elastic.pull(elongation, GRID_HZ, state)
    for start, extra in extras:
        cut = extra[: force_n.size - start]
        force_n[start : start + cut.size] += cut
    force_n = np.maximum(force_n, 0.0)
    truth = measure(force_n, spans, first, set_number, exercise)
    return Chunk(first, _with_tremor(force_n, actions, spans, rng), truth), state


def _hold(pull: Pull, rng: np.random.Generator) -> Floats:
    """Force during the hold as a part of the peak; starts at 1."""
    n = shapes.points(pull.hold_s)
    if not n:
        return np.empty(0)
    u = (np.arange(n) + 1) / n
    level = 1 - pull.sag * u - pull.hump * np.sin(np.pi * u) ** 2
    if pull.dip:
        level = level - pull.dip * np.exp(-(((u - 0.5) / 0.12) ** 2))
    if pull.wander:
        slow = shapes.slow(n, rng)
        ramp = np.minimum(np.arange(n) / (0.3 * GRID_HZ), 1.0)
        level = level - pull.wander * ramp * (slow.max() - slow) / max(np.ptp(slow), 1e-9)
    return np.asarray(np.maximum(level, 0.05))


def _with_tremor(
    force_n: Floats,
    actions: Sequence[Pull | Pause],
    spans: Sequence[Span],
    rng: np.random.Generator,
) -> Floats:
    """The force with each pull's tremor, in proportion to the force at each moment."""
    shaken = force_n.copy()
    for action, span in zip(actions, spans, strict=True):
        if isinstance(action, Pull) and action.tremor and span.end > span.start:
            part = slice(span.start, span.end)
            unrest = shapes.unrest(span.end - span.start, 250, rng, 6.0, 12.0)
            shaken[part] *= 1 + action.tremor * unrest
    return np.maximum(shaken, 0.0)
