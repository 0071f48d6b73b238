"""What automations are told: ten reps for ten, whatever is announced and withdrawn meanwhile."""

from __future__ import annotations

import json
from collections import Counter
from typing import Any

import pytest

from firmware_sim.band import Band, BandSetup
from firmware_sim.offline import notifications
from pipeline.analysis.types import RepAnnounced, RepCorrected, RepWithdrawn, SetClosed
from pipeline.session.events import Emitted, Event, GapFound
from pipeline.session.session import Session
from pipeline.sinks.mqtt.happenings import Happenings
from sensor.samples import Gap
from tests.example_session import FACTS, START_US, closed_set, rep


def told(*events: Event) -> list[dict[str, Any]]:
    happenings = Happenings("forceband")
    emitted = [Emitted(seq, seq, START_US + seq, event) for seq, event in enumerate(events)]
    return [json.loads(m.payload) for each in emitted for m in happenings.take(FACTS, each)]


def kinds(*events: Event) -> list[tuple[str, int | None]]:
    return [(body["event_type"], body.get("rep")) for body in told(*events)]


def test_the_first_rep_of_a_set_is_told_with_the_second() -> None:
    first, second, third = (rep(1, number, 4.0 * number) for number in (1, 2, 3))
    assert kinds(RepAnnounced(first)) == []
    assert kinds(RepAnnounced(first), RepAnnounced(second)) == [("rep", 1), ("rep", 2)]
    assert kinds(*map(RepAnnounced, (first, second, third)))[2:] == [("rep", 3)]


def test_a_practice_pull_is_never_told() -> None:
    practice = rep(1, 1, 2.0)._replace(id=1, peak_n=17.0)
    one, two = rep(1, 1, 6.0), rep(1, 2, 10.0)
    bodies = told(
        RepAnnounced(practice),
        RepWithdrawn(practice.id, 9.0, "small"),
        RepAnnounced(one),
        RepAnnounced(two),
    )
    assert [(body["rep"], body["peak_n"]) for body in bodies] == [
        (1, round(one.peak_n)),
        (2, round(two.peak_n)),
    ]


def test_what_stood_and_falls_is_taken_back() -> None:
    one, two = rep(1, 1, 2.0), rep(1, 2, 6.0)
    events: list[Event] = [RepAnnounced(one), RepAnnounced(two), RepWithdrawn(one.id, 9.0, "small")]
    assert kinds(*events)[2:] == [("rep_withdrawn", 1)]


def test_the_end_of_a_set_tells_what_is_left_and_then_itself() -> None:
    only = rep(1, 1, 2.0)
    bodies = told(
        RepAnnounced(only), RepCorrected(only), closed_set(1, 2.0), GapFound(Gap(1, 2, 8))
    )
    assert [body["event_type"] for body in bodies] == ["rep", "set_end", "gap"]
    assert bodies[1]["reps"] == 5
    assert all(body["exercise"] == FACTS.exercise for body in bodies)


def test_numbers_are_rounded_as_on_the_page_and_no_tempo_is_half_known() -> None:
    only = rep(1, 1, 2.0)._replace(peak_n=181.4321, eccentric_s=1.6449, bottom_s=None)
    body, end = told(RepAnnounced(only), closed_set(1, 2.0))
    assert (body["peak_n"], body["eccentric_s"], body["bottom_s"]) == (181, 1.6, None)
    assert isinstance(end["tut_s"], int)
    assert "?" not in json.dumps([body, end])


@pytest.mark.parametrize("seed", [1, 2, 4])
def test_an_automation_counts_as_many_reps_as_the_sets_have(seed: int) -> None:
    happenings, session, counts, reps = Happenings("forceband"), Session(), Counter[str](), 0
    for row, each in enumerate(notifications(Band(BandSetup(seed=seed))), 1):
        for emitted in session.receive(each, row):
            if isinstance(emitted.event, SetClosed):
                reps += len(emitted.event.reps)
            for message in happenings.take(FACTS, emitted):
                counts[json.loads(message.payload)["event_type"]] += 1
    assert reps > 40
    assert counts["rep"] - counts["rep_withdrawn"] == reps
    assert counts["rep_withdrawn"] <= 1
