"""The live analysis against the truth: how soon it tells, what it takes back, where it ends."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from benchmarks.generator.kinds import Session
from benchmarks.generator.truth import TrueRep
from pipeline.analysis.live import LiveAnalysis
from pipeline.analysis.result import Rep
from pipeline.session.events import Event, LiveState, Phase, RepAnnounced, RepWithdrawn, SetClosed
from sensor.samples import ForceBlock

LONGEST_BLOCK_S = 0.1
PHASE_LATE_S = 0.15
LEAST_PHASE_S = 0.4
EARLY_S, LATE_S = 0.1, 0.3
"""A phase told sooner before its begin, or later after its end, is not meant."""


@dataclass(slots=True)
class LiveScore:
    """One session told live."""

    agrees: bool = False
    """Whether the reps of the closed sets are those of the offline analysis."""
    latency_s: list[float] = field(default_factory=list)
    """From the true end of a rep to the sample at which it is announced for good."""
    unannounced: int = 0
    """Right in the end, but not announced before the set closed."""
    withdrawn: int = 0
    phase_right: list[bool] = field(default_factory=list)
    """At each block within a rep and a second around it, whether the phase that was told last was
    true at some time of the last 150 ms."""
    phase_late_s: list[float] = field(default_factory=list)
    """From the true begin of a phase of 0.4 s and more until it is told; infinite if it is not."""


def suits(session: Session) -> bool:
    """Whether the session can be told live: its samples have the band's own steady clock."""
    gauge = session.plan.gauge
    return not (gauge.irregular or gauge.jitter or gauge.stuck or gauge.late or gauge.duplicates)


def blocks(session: Session, rng: np.random.Generator) -> list[ForceBlock]:
    """The samples cut at random, and at every gap."""
    t, y = session.time_s, session.force_n
    index = np.round(t * session.rate_hz).astype(np.int64)
    longest = max(1, int(LONGEST_BLOCK_S * session.rate_hz))
    cuts = np.cumsum(rng.integers(1, longest + 1, t.size))
    holes = np.flatnonzero(np.diff(index) > 1) + 1
    edges = np.unique(np.r_[0, cuts[cuts < t.size], holes, t.size])
    return [ForceBlock(int(index[lo]), t[lo:hi], y[lo:hi]) for lo, hi in itertools.pairwise(edges)]


def told_live(session: Session) -> list[tuple[float, list[Event]]]:
    """What each block of a session makes known, with the time of its last sample."""
    rng = np.random.default_rng([session.seed, 7])
    analysis = LiveAnalysis()
    told: list[tuple[float, list[Event]]] = []
    now_s = 0.0
    for block in blocks(session, rng):
        now_s = float(block.time_s[-1])
        told.append((now_s, list(analysis.push(block))))
    told.append((now_s, list(analysis.flush())))
    return told


def score_live(session: Session, offline: Sequence[Rep]) -> LiveScore:
    """Run a session live and judge what was told."""
    told = told_live(session)
    closed = [event for _, events in told for event in events if isinstance(event, SetClosed)]
    final = [rep for event in closed for rep in event.reps]
    result = LiveScore(agrees=_timing(final) == _timing(offline))
    phases = _phases(session.truth.reps)
    spans = [rep.span_s for rep in session.truth.reps]
    announced: dict[int, tuple[float, Rep]] = {}
    shown = Phase.REST
    seen: list[tuple[float, Phase]] = []
    for now_s, events in told:
        for event in events:
            if isinstance(event, RepAnnounced):
                announced[event.rep.id] = (now_s, event.rep)
            elif isinstance(event, RepWithdrawn):
                announced.pop(event.id, None)
                result.withdrawn += 1
            elif isinstance(event, LiveState):
                shown = event.phase
                seen.append((now_s, shown))
        if phases and any(a - 1 < now_s < b + 1 for a, b in spans):
            result.phase_right.append(_phase_fits(phases, shown, now_s))
    for begin_s, end_s, name in phases or []:
        if np.isfinite(begin_s) and end_s - begin_s >= LEAST_PHASE_S:
            times = [
                at - begin_s
                for at, phase in seen
                if phase is name and begin_s - EARLY_S <= at < end_s + LATE_S
            ]
            result.phase_late_s.append(min(times, default=np.inf))
    for true in session.truth.reps:
        if true.end_s is None:
            continue
        times = [
            now_s for now_s, rep in announced.values() if rep.start_s < true.peak_s < rep.end_s
        ]
        if times:
            result.latency_s.append(min(times) - true.end_s)
        else:
            result.unannounced += 1
    return result


def _timing(reps: Sequence[Rep]) -> list[tuple[float, ...]]:
    return [
        tuple(round(x, 6) for x in (r.start_s, r.top_start_s, r.top_end_s, r.end_s, r.peak_n))
        for r in reps
    ]


def _phases(reps: Sequence[TrueRep]) -> list[tuple[float, float, Phase]] | None:
    """Start, end and name of every phase of a session; None where some are not known."""
    phases: list[tuple[float, float, Phase]] = []
    rest_from = -np.inf
    for rep in reps:
        times = [
            t for t in (rep.start_s, rep.top_start_s, rep.top_end_s, rep.end_s) if t is not None
        ]
        if len(times) < 4:
            return None
        edges = [rest_from, *times]
        names = (Phase.REST, Phase.CONCENTRIC, Phase.HOLD, Phase.ECCENTRIC)
        phases += list(zip(edges[:-1], edges[1:], names, strict=True))
        rest_from = times[-1]
    return [*phases, (rest_from, np.inf, Phase.REST)]


def _phase_fits(phases: list[tuple[float, float, Phase]], shown: Phase, now_s: float) -> bool:
    """Whether the phase shown was true at some time of the last 150 ms."""
    since_s = now_s - PHASE_LATE_S
    return any(a <= now_s and b >= since_s and name is shown for a, b, name in phases)
