"""The judge of live events: what comes late, early, twice or not at all is seen."""

from __future__ import annotations

import numpy as np
import pytest

from benchmarks.live_score import LONGEST_BLOCKS_S, LiveScore, blocks, judge
from firmware_sim.generator import TrueRep, make_session
from firmware_sim.generator.kinds import Session
from pipeline.analysis.types import AnalysisEvent, Rep, RepAnnounced, RepWithdrawn
from tests.example_session import rep

Events = list[tuple[float, list[AnalysisEvent]]]


@pytest.fixture(scope="module")
def session() -> Session:
    return make_session("fast 0.6-1 s", 2)


def found(true: TrueRep, number: int) -> Rep:
    start_s, end_s = true.span_s
    return rep(true.set, number, start_s)._replace(id=number, end_s=end_s, peak_s=true.peak_s)


def announcements(session: Session, late_s: float) -> Events:
    return [
        (true.span_s[1] + late_s, [RepAnnounced(found(true, i))])
        for i, true in enumerate(session.truth.reps)
    ]


def judged(session: Session, events: Events) -> LiveScore:
    result = LiveScore()
    judge(result, session, sorted(events, key=lambda item: item[0]))
    return result


def test_the_time_from_the_true_end_to_the_announcement_is_the_latency(session: Session) -> None:
    result = judged(session, announcements(session, 0.05))
    assert result.latency_s == pytest.approx([0.05] * len(session.truth.reps))
    assert (result.early, result.unannounced, result.withdrawn, result.changed_ids) == (0, 0, 0, 0)


def test_a_rep_that_is_announced_while_it_is_held_is_early(session: Session) -> None:
    events = announcements(session, 0.05)
    top_end_s = session.truth.reps[3].top_end_s
    assert top_end_s is not None
    events[3] = (top_end_s - 0.01, events[3][1])
    assert judged(session, events).early == 1


def test_a_rep_that_is_never_announced_is_counted(session: Session) -> None:
    assert judged(session, announcements(session, 0.05)[1:]).unannounced == 1


def test_a_rep_withdrawn_and_announced_again_has_changed_its_id(session: Session) -> None:
    events = announcements(session, 0.05)
    first = session.truth.reps[0]
    again = found(first, 99)
    events += [
        (events[0][0] + 0.2, [RepWithdrawn(0, events[0][0], "joined")]),
        (events[0][0] + 0.3, [RepAnnounced(again)]),
    ]
    result = judged(session, events)
    assert (result.withdrawn, result.changed_ids, result.unannounced) == (1, 1, 0)
    assert result.latency_s[0] == pytest.approx(0.35)


@pytest.mark.parametrize("longest_s", LONGEST_BLOCKS_S)
def test_blocks_are_the_samples_whole_and_never_reach_over_a_hole(longest_s: float) -> None:
    session = make_session("gaps", 0)
    cut = blocks(session, longest_s, np.random.default_rng(1))
    assert np.array_equal(np.concatenate([b.force_n for b in cut]), session.force_n)
    for block in cut:
        assert np.all(np.diff(block.time_s) < 1.5 / session.rate_hz)
        assert block.time_s.size <= max(1, longest_s * session.rate_hz)
