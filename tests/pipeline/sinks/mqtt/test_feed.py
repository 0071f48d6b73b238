"""How often a running session is shown, on a clock of the test's own."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.analysis.types import LiveState, Phase, RepAnnounced, RepCorrected, RepWithdrawn
from pipeline.session.events import (
    BatteryChanged,
    Emitted,
    Event,
    ForceSamples,
    GapFound,
    LinkChanged,
    SessionEnded,
)
from pipeline.session.facts import SessionFacts
from pipeline.sinks.mqtt.feed import (
    FORCE_EVERY_S,
    HEARTBEAT_S,
    MOST_SAMPLES,
    STATE_EVERY_S,
    LiveFeed,
)
from pipeline.sinks.mqtt.messages import Message
from sensor.samples import Gap
from tests.example_session import FACTS, START_US, closed_set, rep, session


def emitted(*events: Event) -> list[Emitted]:
    return [Emitted(seq, seq, START_US + seq, event) for seq, event in enumerate(events)]


def samples(index: int, count: int, *, late: bool = False) -> ForceSamples:
    number = index + np.arange(count)
    return ForceSamples(
        index, number / 80, number.astype(np.float64), START_US + number * 12_500, 0, late
    )


def feed(home_assistant: bool = False, facts: SessionFacts = FACTS) -> LiveFeed:
    """A feed that has told its first status and state at 0 s."""
    made = LiveFeed("forceband", facts, home_assistant)
    made.take(facts, emitted(LinkChanged(True, "connected")))
    assert [m.topic.rsplit("/", 1)[1] for m in made.due(0.0)] == ["state", "status"]
    return made


def bodies(messages: list[Message], name: str) -> list[dict[str, Any]]:
    return [json.loads(m.payload) for m in messages if m.topic.endswith(f"/{name}")]


def live(force_n: float = 12.0, reps: int = 0) -> LiveState:
    return LiveState(1.0, force_n, Phase.REST, 1, reps, None)


def test_state_is_told_when_it_changes_and_at_most_once_a_second() -> None:
    one = feed()
    for step in range(1, 40):
        one.take(FACTS, emitted(live(float(step))))
        states = bodies(one.due(step * 0.25), "state")
        assert len(states) == (step * 0.25 % STATE_EVERY_S == 0)


def test_a_change_within_the_second_is_told_at_its_end() -> None:
    one = feed()
    one.take(FACTS, emitted(live(50.0)))
    assert one.due(0.5) == []
    assert one.next_due_s() == STATE_EVERY_S
    assert bodies(one.due(STATE_EVERY_S), "state")[0]["force_n"] == 50.0


def test_an_unchanged_state_is_told_by_the_heartbeat_only() -> None:
    one = feed()
    one.take(FACTS, emitted(live()))
    assert len(one.due(STATE_EVERY_S)) == 1
    one.take(FACTS, emitted(live(12.04)))  # noise
    assert one.due(10.0) == []
    assert one.next_due_s() == STATE_EVERY_S + HEARTBEAT_S
    assert len(bodies(one.due(STATE_EVERY_S + HEARTBEAT_S), "state")) == 1


def test_force_comes_in_batches_of_what_arrived_meanwhile() -> None:
    one = feed()
    one.take(FACTS, emitted(samples(0, 4)))
    assert [len(b["n"]) for b in bodies(one.due(0.1), "force")] == [4]
    one.take(FACTS, emitted(samples(4, 4), samples(8, 4)))
    assert one.due(0.11) == []
    assert one.next_due_s() == 0.1 + FORCE_EVERY_S
    (batch,) = bodies(one.due(0.1 + FORCE_EVERY_S), "force")
    assert batch["index"] == 4
    assert batch["n"] == [float(n) for n in range(4, 12)]
    assert (batch["t0_us"], batch["dt_us"]) == (START_US + 4 * 12_500, 12_500.0)


def test_a_gap_starts_a_batch_of_its_own() -> None:
    one = feed()
    one.take(FACTS, emitted(samples(0, 4), samples(10, 4), samples(14, 1)))
    assert [(b["index"], len(b["n"])) for b in bodies(one.due(1.0), "force")] == [(0, 4), (10, 5)]


def test_resent_samples_are_left_to_the_recording() -> None:
    one = feed()
    one.take(FACTS, emitted(samples(0, 4, late=True), samples(0, 0)))
    assert bodies(one.due(1.0), "force") == []


@settings(max_examples=30)
@given(st.lists(st.integers(1, 3000), max_size=8))
def test_a_replay_that_outruns_the_network_keeps_a_bounded_number_of_samples(
    counts: list[int],
) -> None:
    one, index = feed(), 0
    for count in counts:
        one.take(FACTS, emitted(samples(index, count)))
        index += count
    shown = sum(len(b["n"]) for b in bodies(one.due(1.0), "force"))
    assert shown <= MOST_SAMPLES or len(counts) == 1
    assert shown + one.dropped_samples == sum(counts)


def test_what_waits_is_forgotten_while_nobody_listens() -> None:
    one = feed(home_assistant=True)
    one.take(FACTS, emitted(samples(0, 4), GapFound(Gap(1, 2, 80))))
    assert one.skip() == 2
    assert one.dropped_samples == 4
    assert one.skip() == 0
    assert {m.topic for m in one.due(5.0)} == {"forceband/band-left/state"}


def test_status_follows_the_link_and_ends_with_the_session() -> None:
    one = feed()

    def status(*events: Event) -> list[bytes]:
        one.take(FACTS, emitted(*events))
        return [m.payload for m in one.due(0.0) if m.topic.endswith("status")]

    assert status(LinkChanged(False, "out of range")) == [b"offline"]
    assert status(LinkChanged(False, "out of range")) == []
    assert status(samples(0, 4)) == [b"online"]
    assert status(SessionEnded(66.0, 2, 10, 5280, 120, 0)) == [b"offline"]


def test_no_force_of_another_time_is_behind_an_online_status() -> None:
    one = feed()

    def told(*events: Event) -> list[str]:
        one.take(FACTS, emitted(*events))
        return [m.topic.rsplit("/", 1)[1] for m in one.due(0.0)]

    assert told(live(80.0), LinkChanged(False, "gone")) == ["status", "state"]
    assert told(LinkChanged(True, "connected")) == ["state", "status"]
    one.renew()
    assert told() == ["state", "status"]


def test_the_end_of_a_set_is_told_before_the_band_goes() -> None:
    one = feed(home_assistant=True)
    one.take(FACTS, emitted(closed_set(1, 2.0), SessionEnded(66.0, 1, 5, 5280, 0, 0)))
    names = [m.topic.rsplit("/", 1)[1] for m in one.due(0.0)]
    assert names == ["ha", "last-set", "status", "state"]


def test_status_and_state_are_told_again_when_asked() -> None:
    one = feed()
    assert one.due(0.1) == []
    one.renew()
    assert [m.topic.rsplit("/", 1)[1] for m in one.due(0.1)] == ["state", "status"]
    assert all(m.retain for m in one.due(50.0))


def test_the_state_follows_announcements_corrections_and_withdrawals() -> None:
    one, at_s = feed(), 0.0

    def state(*events: Event) -> dict[str, Any]:
        nonlocal at_s
        at_s += 100.0
        one.take(FACTS, emitted(*events))
        return bodies(one.due(at_s), "state")[0]

    first, second = rep(1, 1, 2.0), rep(1, 2, 6.0)
    told_first = state(RepAnnounced(first), BatteryChanged(70))
    assert (told_first["reps"], told_first["tut_s"]) == (1, 3.6)
    assert (told_first["peak_n"], told_first["battery_percent"]) == (first.peak_n, 70)
    assert state(RepCorrected(first), RepAnnounced(second))["tut_s"] == 7.2
    assert state(RepWithdrawn(second.id, 9.6, "a trial pull"))["reps"] == 1
    closed = state(closed_set(1, 2.0))
    assert (closed["reps"], closed["tut_s"]) == (5, 18.0)
    opened = state(LiveState(40.0, 80.0, Phase.CONCENTRIC, 2, 0, None))
    assert (opened["set"], opened["tut_s"], opened["phase"]) == (2, 0.0, "concentric")
    assert opened["tempo"] == first.tempo
    lost = state(GapFound(Gap(1, 2, 80)), GapFound(Gap(3, 4, None)), LinkChanged(False, "gone"))
    assert (lost["gaps"], lost["missing_samples"]) == (2, 80)
    assert (lost["link"], lost["phase"]) == ("down", "unknown")
    assert state(SessionEnded(66.0, 2, 10, 5280, 120, 0))["force_n"] is None


def test_a_new_session_starts_a_new_state_and_keeps_the_battery() -> None:
    one = feed()
    one.take(FACTS, session())
    one.take(SessionFacts("next", FACTS.device), emitted(live()))
    state = bodies(one.due(100.0), "state")[0]
    assert (state["session"], state["gaps"], state["battery_percent"]) == ("next", 0, 86)


def test_home_assistant_hears_of_reps_sets_and_gaps_but_not_of_a_replay() -> None:
    events = emitted(RepAnnounced(rep(1, 1, 2.0)), closed_set(1, 2.0), GapFound(Gap(1, 2, 80)))
    one = feed(home_assistant=True)
    one.take(FACTS, events)
    happenings = bodies(one.due(0.0), "event/ha")
    assert [h["event_type"] for h in happenings] == ["rep", "set_end", "gap"]
    assert [h["id"] for h in happenings] == [f"{FACTS.session}/{n}" for n in range(3)]
    silent = feed()
    silent.take(FACTS, events)
    assert bodies(silent.due(0.0), "event/ha") == []
    replay = SessionFacts(FACTS.session, FACTS.device, replay_speed=float("inf"))
    again = feed(home_assistant=True, facts=replay)
    again.take(replay, events)
    assert bodies(again.due(0.0), "event/ha") == []
    assert bodies(again.due(5.0), "state")[0]["replay"] is True
