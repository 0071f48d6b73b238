"""Events as messages: as documented, valid JSON whatever the values, the same each time."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.analysis.types import (
    LiveState,
    Partial,
    Phase,
    Rep,
    RepAnnounced,
    RepCorrected,
    RepWithdrawn,
    SetClosed,
    SetSummary,
)
from pipeline.session.events import (
    BatteryChanged,
    Emitted,
    Event,
    ForceSamples,
    GapFound,
    LinkChanged,
    Marked,
    SessionEnded,
    Tared,
)
from pipeline.session.facts import SessionFacts
from pipeline.sinks.mqtt.feed import LiveFeed
from pipeline.sinks.mqtt.messages import EVENTS, Topics, event_message, to_json, utc_text
from sensor.samples import Gap
from tests.example_session import session

FACTS = SessionFacts("s-2026-01-15", "band-left", "left", "low-row", "me")
START_US = 1_768_500_000_012_501
DOCUMENT = Path(__file__).parents[4] / "docs" / "mqtt.md"
EXAMPLE = re.compile(r"^`(forceband/[a-z/-]+)`\n\n```json\n(.*?)```", re.MULTILINE | re.DOTALL)


REP = Rep(
    id=11,
    set=1,
    rep=1,
    start_s=2.0,
    top_start_s=3.6,
    top_end_s=4.0,
    end_s=5.6,
    peak_s=3.8,
    peak_n=166.0,
    valley_before_n=12.0,
    valley_after_n=12.0,
    concentric_s=1.6,
    hold_s=0.4,
    eccentric_s=1.6,
    bottom_s=0.4,
    tut_s=3.6,
    mean_n=99.6,
    impulse_n_s=348.6,
    rfd_n_per_s={"0-100 ms": 210.0, "20-80 %": 150.0},
    metrics={"work_j": 31.5},
    absent={},
)


def documented_events() -> list[Emitted]:
    """One of each kind, in the document's order."""
    summary = SetSummary(1, 2.0, 21.6, 5, 18.0, None, 166.0, {"force_loss_percent": 9.6})
    partial = Partial(1.0, 1.5, 1.3, 9.0, 7.0)
    events: list[tuple[int, float, Event]] = [
        (24, 5.7, RepAnnounced(REP)),
        (25, 5.9, RepWithdrawn(11, 5.9, "a trial pull")),
        (118, 29.6, SetClosed(summary, (REP,), (partial,))),
        (120, 30.5, GapFound(Gap(28.5, 30.0, 120))),
        (140, 33.0, LinkChanged(True, "connected")),
        (141, 33.1, BatteryChanged(86)),
        (2, 0.2, Tared(1, 8123)),
        (4, 0.3, Marked("note", 'felt "easy", they said')),
        (275, 66.0, SessionEnded(66.0, 2, 10, 5280, 120, 0, skew_ppm=12.5, clock_residual_ms=0.4)),
    ]
    return [Emitted(seq, seq, START_US + int(at_s * 1e6), event) for seq, at_s, event in events]


def documented_live() -> list[tuple[str, Any]]:
    """State and force of a moment in the second set."""
    feed = LiveFeed("forceband", FACTS, False, program="5f0c1d6e")
    samples = ForceSamples(
        3200,
        np.arange(4) / 80 + 40,
        np.array([101.23456, 102.5, 103.75, 105.0]),
        START_US + 40_000_000 + np.arange(4) * 12_500,
        0,
        False,
    )
    live = LiveState(40.0, 105.04, Phase.CONCENTRIC, 2, 1, "1.6-0.4-1.6-0.4")
    feed.take(
        FACTS,
        [
            Emitted(1, 1, START_US, LinkChanged(True, "connected")),
            Emitted(2, 2, START_US, BatteryChanged(87)),
            next(each for each in documented_events() if isinstance(each.event, SetClosed)),
            Emitted(500, 150, START_US + 38_000_000, RepAnnounced(REP._replace(set=2))),
            Emitted(600, 151, START_US + 40_037_500, samples),
            Emitted(600, 152, START_US + 40_037_500, live),
        ],
    )
    found = {m.topic: m for m in feed.due(0.0)}
    topics = Topics("forceband", "band-left")
    return [
        (t, json.loads(found[t].payload)) for t in (topics.state, topics.last_set, topics.force)
    ]


def test_the_examples_of_the_document_are_what_is_sent() -> None:
    written = [
        (topic, json.loads(text)) for topic, text in EXAMPLE.findall(DOCUMENT.read_text("utf-8"))
    ]
    sent: list[tuple[str, Any]] = []
    for emitted in documented_events():
        message = event_message("forceband", FACTS, emitted)
        assert message is not None
        sent.append((message.topic, json.loads(message.payload)))
    sent += documented_live()
    assert written == sent


def test_every_durable_event_has_a_message_and_no_other() -> None:
    for emitted in session():
        message = event_message("home/gym", FACTS, emitted)
        assert (message is not None) == isinstance(emitted.event, EVENTS)
        if message is not None:
            assert re.fullmatch(r"home/gym/band-left/event/[a-z]+", message.topic)
            assert (message.qos, message.retain) == (1, False)
            body = json.loads(message.payload)
            assert body["id"] == f"{FACTS.session}/{emitted.seq}"
            assert body["utc_us"] == emitted.utc_us


def test_an_event_gives_the_same_bytes_each_time() -> None:
    def payloads() -> list[bytes]:
        messages = [event_message("forceband", FACTS, emitted) for emitted in session()]
        return [m.payload for m in messages if m is not None]

    assert payloads() == payloads()


def test_announcement_and_correction_differ_in_kind_only() -> None:
    one = REP
    bodies = []
    for event in (RepAnnounced(one), RepCorrected(one)):
        message = event_message("forceband", FACTS, Emitted(1, 1, START_US, event))
        assert message is not None
        bodies.append(json.loads(message.payload))
    assert [body.pop("kind") for body in bodies] == ["announced", "corrected"]
    assert bodies[0] == bodies[1]


def strict(text: bytes) -> Any:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    return json.loads(text, parse_constant=refuse)


values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.sampled_from(Phase)
    | st.floats().map(np.float64)
    | st.floats(width=32).map(np.float32)
    | st.integers(-(2**63), 2**63 - 1).map(np.int64),
    lambda inner: st.lists(inner) | st.tuples(inner) | st.dictionaries(st.text(), inner),
    max_leaves=5,
)


@settings(max_examples=50)
@given(st.dictionaries(st.text(max_size=5), values, max_size=5))
def test_any_values_give_json_that_a_strict_parser_takes(body: dict[str, Any]) -> None:
    assert strict(to_json(body)).keys() == {str(key) for key in body}


def test_what_is_not_finite_becomes_null() -> None:
    assert to_json({"a": float("nan"), "b": [float("inf")]}) == b'{"a":null,"b":[null]}'


@given(st.integers())
def test_any_time_has_a_text_or_none(utc_us: int) -> None:
    text = utc_text(utc_us)
    assert text is None or text.endswith("Z")


@pytest.mark.parametrize(
    ("utc_us", "text"),
    [
        (0, "1970-01-01T00:00:00.000000Z"),
        (1_768_500_000_012_501, "2026-01-15T18:00:00.012501Z"),
        (10**30, None),
    ],
)
def test_times_are_written_to_the_microsecond(utc_us: int, text: str | None) -> None:
    assert utc_text(utc_us) == text
