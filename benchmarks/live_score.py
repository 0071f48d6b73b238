"""The live analysis against the truth: how soon it announces, what it takes back, where it ends."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from firmware_sim.generator.kinds import Session
from firmware_sim.generator.truth import TrueRep
from pipeline.analysis.live import LiveAnalysis
from pipeline.analysis.types import (
    AnalysisEvent,
    LiveState,
    Phase,
    Rep,
    RepAnnounced,
    RepWithdrawn,
    SetClosed,
    SetSummary,
)
from sensor.samples import ForceBlock

LONGEST_BLOCKS_S = (0.1, 2.0)
"""The same samples are cut twice at random: as a band notifies them, and as after a bad link."""
PHASE_LATE_S = 0.15
LEAST_PHASE_S = 0.4
EARLY_S, LATE_S = 0.1, 0.3
"""A phase shown sooner before its begin, or later after its end, is not meant."""


@dataclass(slots=True)
class LiveScore:
    """One session analysed live."""

    agrees: bool = False
    """Whether reps and sets are, for both ways to cut, to the last bit those of offline."""
    latency_s: list[float] = field(default_factory=list)
    """From the true end of a rep to the sample at which it is announced for good."""
    early: int = 0
    """Announced before the fall of the rep began."""
    unannounced: int = 0
    """True reps that were not announced before their set closed."""
    withdrawn: int = 0
    changed_ids: int = 0
    """Announcements of a pull that had been announced before, under another id or again."""
    phase_right: list[bool] = field(default_factory=list)
    """At each block within a rep and a second around it, whether the phase that was shown last was
    true at some time of the last 150 ms."""
    phase_late_s: list[float] = field(default_factory=list)
    """From the true begin of a phase of 0.4 s and more until it is shown; infinite if never."""


def suits(session: Session) -> bool:
    """Whether the session can be analysed live: its samples have the band's own steady clock."""
    gauge = session.plan.gauge
    return not (gauge.irregular or gauge.jitter or gauge.stuck or gauge.late or gauge.duplicates)


def blocks(session: Session, longest_s: float, rng: np.random.Generator) -> list[ForceBlock]:
    """The samples cut at random, and at every gap."""
    t, y = session.time_s, session.force_n
    index = np.round(t * session.rate_hz).astype(np.int64)
    longest = max(1, int(longest_s * session.rate_hz))
    cuts = np.cumsum(rng.integers(1, longest + 1, t.size))
    holes = np.flatnonzero(np.diff(index) > 1) + 1
    edges = np.unique(np.r_[0, cuts[cuts < t.size], holes, t.size])
    return [ForceBlock(int(index[lo]), t[lo:hi], y[lo:hi]) for lo, hi in itertools.pairwise(edges)]


def emitted(session: Session, longest_s: float) -> list[tuple[float, list[AnalysisEvent]]]:
    """What each block of a session makes known, with the time of its last sample."""
    rng = np.random.default_rng([session.seed, 7, round(10 * longest_s)])
    analysis = LiveAnalysis()
    result: list[tuple[float, list[AnalysisEvent]]] = []
    now_s = 0.0
    for block in blocks(session, longest_s, rng):
        now_s = float(block.time_s[-1])
        result.append((now_s, list(analysis.push(block))))
    result.append((now_s, list(analysis.flush())))
    return result


def score_live(session: Session, reps: Sequence[Rep], sets: Sequence[SetSummary]) -> LiveScore:
    """Run a session live and judge it against the truth and what offline found."""
    events, other = (emitted(session, longest_s) for longest_s in LONGEST_BLOCKS_S)
    answer = (list(reps), list(sets))
    result = LiveScore(agrees=_final(events) == answer == _final(other))
    if not session.truth.inverted:
        judge(result, session, events)
    return result


def _final(events: list[tuple[float, list[AnalysisEvent]]]) -> tuple[list[Rep], list[SetSummary]]:
    closed = [event for _, some in events for event in some if isinstance(event, SetClosed)]
    return [rep for event in closed for rep in event.reps], [event.summary for event in closed]


def judge(
    result: LiveScore, session: Session, events: list[tuple[float, list[AnalysisEvent]]]
) -> None:
    """Judge the events of each block, with the time of its last sample, against the truth."""
    truth = session.truth.reps
    phases = _phases(truth)
    windows = _around(truth)
    announced: dict[int, tuple[float, Rep]] = {}
    before: list[Rep] = []
    shown = Phase.REST
    seen: list[tuple[float, Phase]] = []
    for now_s, some in events:
        for event in some:
            if isinstance(event, RepAnnounced):
                peak_s = event.rep.peak_s
                result.changed_ids += any(r.start_s < peak_s < r.end_s for r in before)
                before.append(event.rep)
                announced[event.rep.id] = (now_s, event.rep)
            elif isinstance(event, RepWithdrawn):
                announced.pop(event.id, None)
                result.withdrawn += 1
            elif isinstance(event, LiveState):
                shown = event.phase
                seen.append((now_s, shown))
        if phases and any(a < now_s < b for a, b in windows):
            result.phase_right.append(_phase_fits(phases, shown, now_s))
    for begin_s, end_s, name in phases or []:
        if np.isfinite(begin_s) and end_s - begin_s >= LEAST_PHASE_S:
            times = [
                at - begin_s
                for at, phase in seen
                if phase is name and begin_s - EARLY_S <= at < end_s + LATE_S
            ]
            result.phase_late_s.append(min(times, default=np.inf))
    for true in truth:
        if true.end_s is None:
            continue
        times = [
            now_s for now_s, rep in announced.values() if rep.start_s < true.peak_s < rep.end_s
        ]
        if times:
            result.latency_s.append(min(times) - true.end_s)
            result.early += true.top_end_s is not None and min(times) < true.top_end_s
        else:
            result.unannounced += 1


def _around(truth: Sequence[TrueRep]) -> list[tuple[float, float]]:
    """Each rep, with a second before and after where another of its set is there.

    Before the first and after the last the band is taken up and put down: no phase of a rep.
    """
    sets = [0, *(rep.set for rep in truth), 0]
    return [
        (rep.span_s[0] - (before == rep.set), rep.span_s[1] + (after == rep.set))
        for rep, before, after in zip(truth, sets[:-2], sets[2:], strict=True)
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
