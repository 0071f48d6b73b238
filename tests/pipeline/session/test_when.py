"""When something is told, and not only that it is told at last."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from pipeline.session.events import Event, GapFound
from pipeline.session.session import Session
from sensor.samples import Channel, Notification
from tests.pipeline.signals import UTC0_US, frames, info, mark, notifications, pulls

FORCE_N = pulls(sets=2, reps=5)
ROWS = notifications(FORCE_N)
LOST = 40
"""The row of a frame that does not come."""


@cache
def whole() -> Session:
    """The session with nothing wrong."""
    return told(ROWS)[0]


def told(rows: list[Notification]) -> tuple[Session, list[tuple[int, Event]]]:
    session = Session()
    out = [
        (row, each.event) for row, one in enumerate(rows, 1) for each in session.receive(one, row)
    ]
    return session, out


def test_what_was_given_up_is_a_gap_at_once() -> None:
    first = (LOST - 2) * 8
    gave_up = mark(kind="gave_up", first=first, count=8)
    rows = [*ROWS[:LOST], *ROWS[LOST + 1 : LOST + 20], gave_up, *ROWS[LOST + 20 :]]
    session, events = told(rows)
    (row,) = [row for row, event in events if isinstance(event, GapFound)]
    assert row == LOST + 20
    assert [gap.missing for gap in session.gaps] == [8]
    assert [len(each.reps) for each in session.sets] == [len(each.reps) for each in whole().sets]


def test_a_band_switched_off_with_a_hole_open_leaves_two_gaps() -> None:
    before = [*ROWS[:LOST], *ROWS[LOST + 1 : 200]]
    again_us = before[-1].received_us + 5_000_000
    after = [
        Notification(again_us, bytes(info(boot_id=8)), Channel.INFO),
        *(
            Notification(again_us + frame.device_us + 105_000, bytes(frame))
            for frame in frames(FORCE_N)
        ),
        Notification(again_us + 10**9, b"", Channel.END),
    ]
    session, _ = told([*before, *after])
    assert [gap.missing for gap in session.gaps] == [8, None]
    assert session.power_ons == 2
    assert sum(len(each.reps) for each in session.sets) >= 10


@pytest.mark.parametrize("count", ["1e400", "-1e400", "NaN", '"8"', "null", "[1]"])
def test_a_mark_that_no_number_can_be_is_counted_and_changes_nothing(count: str) -> None:
    bad = Notification(
        UTC0_US, f'{{"kind": "gave_up", "first": 0, "count": {count}}}'.encode(), Channel.MARK
    )
    session, _ = told([*ROWS[:100], bad, *ROWS[100:]])
    assert session.samples == whole().samples
    assert session.bad_frames == (0 if count == '"8"' else 1)


def test_an_info_that_comes_late_gives_its_rate_and_memory_and_is_no_power_cycle() -> None:
    rate_hz = 88.0
    force_n = pulls(sets=1, reps=3, rate_hz=rate_hz)
    first, *rest = notifications(force_n, rate_hz=rate_hz)
    late = replace(first, payload=bytes(replace(info(rate_hz=rate_hz), ring_samples=20_000)))
    session, events = told([*rest[:60], late, *rest[60:-1]])
    assert (session.power_ons, session.gaps, session.bad_frames) == (1, [], 0)
    assert session.samples == force_n.size
    assert session.ledger.pace.rate_hz == rate_hz
    assert session.ledger.ring_samples == 20_000
    assert len(events) > 10
    another = Notification(rest[-2].received_us + 10**6, bytes(info(boot_id=8)), Channel.INFO)
    session.receive(another, len(rest) + 1)
    session.receive(replace(rest[1], received_us=another.received_us + 10**6), len(rest) + 2)
    assert session.power_ons == 2


def test_an_info_alone_tells_of_another_rate() -> None:
    session, _ = told(ROWS[:100])
    other = replace(info(), rate_hz=20.0, ring_samples=2400)
    session.receive(Notification(UTC0_US, bytes(other), Channel.INFO), 101)
    assert session.ledger.pace.rate_hz == 20.0
    assert session.ledger.ring_samples == 2400
    assert np.isclose(session.ledger.pace.period_us, 50_000, rtol=0.01)
