"""What is lost before the first frame and after the last one is brought, or named to the sample."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.radio.air import att_opcode
from pipeline.session.events import Emitted, ForceSamples, GapFound, SessionEnded
from pipeline.session.session import Session
from sensor.samples import Channel, Notification
from sensor.wire.profile import Opcode, Response, Status
from tests.pipeline.signals import UTC0_US, frames, info, pulls
from tests.reliability.conftest import Note
from tests.reliability.test_radio import NOTIFICATION, leave_alone
from tests.reliability.world import Servers, prove

FRAMES = [bytes(each) for each in frames(pulls(sets=1, reps=2))]


def answer(opcode: Opcode, index: int) -> Notification:
    result = (index % 2**32).to_bytes(4, "little")
    return Notification(UTC0_US, bytes(Response(opcode, Status.OK, result)), Channel.RESPONSE)


def told_of(payloads: list[bytes], stopped: int) -> tuple[Session, list[Emitted]]:
    rows = [
        Notification(UTC0_US, bytes(info()), Channel.INFO),
        answer(Opcode.START, 0),
        *(Notification(UTC0_US + 100_000 * k, each) for k, each in enumerate(payloads)),
        answer(Opcode.STOP, stopped),
        Notification(UTC0_US, b"", Channel.END),
    ]
    session = Session()
    return session, [
        emitted for row, each in enumerate(rows, 1) for emitted in session.receive(each, row)
    ]


@pytest.mark.parametrize("lost", [1, 3])
def test_a_first_frame_that_is_resent_takes_its_place(lost: int) -> None:
    late = [*FRAMES[lost:20], *FRAMES[:lost], *FRAMES[20:]]
    session, emitted = told_of(late, 8 * len(FRAMES))
    seqs = [
        each.event.index + k
        for each in emitted
        if isinstance(each.event, ForceSamples)
        for k in range(each.event.force_n.size)
    ]
    assert sorted(seqs) == list(range(8 * len(FRAMES)))
    assert (session.samples, session.missing) == (8 * len(FRAMES), 0)
    assert not any(isinstance(each.event, GapFound) for each in emitted)


@pytest.mark.parametrize(("head", "tail"), [(3, 0), (0, 2), (4, 5)])
def test_what_never_comes_at_the_start_and_the_end_is_a_gap(head: int, tail: int) -> None:
    kept = FRAMES[head : len(FRAMES) - tail]
    session, emitted = told_of(kept, 8 * len(FRAMES))
    gaps = [each.event.gap.missing for each in emitted if isinstance(each.event, GapFound)]
    assert gaps == [8 * each for each in (head, tail) if each]
    ended = [each.event for each in emitted if isinstance(each.event, SessionEnded)]
    assert ended[0].missing == 8 * (head + tail)
    assert session.samples + session.missing == 8 * len(FRAMES)


class LosesTheFirst:
    """Loses the first notifications of force that the band sends."""

    def __init__(self, count: int) -> None:
        self.left = count

    def __call__(self, source: Any, destination: Any, pdu: bytes) -> bytes | None:
        del source, destination
        if att_opcode(pdu) != NOTIFICATION or len(pdu) < 7 + 36 or not self.left:
            return pdu
        self.left -= 1
        return None


def test_the_first_samples_of_a_session_are_asked_for_again(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    fault = LosesTheFirst(3)
    found = asyncio.run(prove(servers, tmp_path, leave_alone, fault=fault))
    note("the session's first 3 frames dropped", found)
    assert fault.left == 0
    found.check_complete()


def ended_after(last: list[Notification], silent_s: float) -> Session:
    """A started session whose log says so at its end, so long after the last frame."""
    rows = [
        Notification(UTC0_US, bytes(info()), Channel.INFO),
        answer(Opcode.START, 0),
        *(Notification(UTC0_US + 100_000 * k, each) for k, each in enumerate(FRAMES)),
        *last,
        Notification(UTC0_US + 100_000 * len(FRAMES) + round(silent_s * 1e6), b"", Channel.END),
    ]
    session = Session()
    for row, each in enumerate(rows, 1):
        session.receive(each, row)
    return session


LOST = Notification(UTC0_US + 100_000 * len(FRAMES), b"down: out of range", Channel.LINK)
CLOSED = Notification(UTC0_US + 100_000 * len(FRAMES), b"down: stopped", Channel.LINK)


@pytest.mark.parametrize("last", [[LOST], [CLOSED], []])
def test_an_end_without_the_band_is_a_gap_without_a_count(last: list[Notification]) -> None:
    session = ended_after(last, 60.0)
    assert [gap.missing for gap in session.gaps] == [None]
    assert session.gaps[0].start_s == pytest.approx(0.1 * len(FRAMES), abs=0.1)
    assert session.gaps[0].end_s == pytest.approx(0.1 * len(FRAMES) + 60, abs=0.2)
    assert (session.samples, session.missing) == (8 * len(FRAMES), 0)


def test_an_end_that_the_band_answered_and_one_at_once_are_no_gaps() -> None:
    stopped = [answer(Opcode.STOP, 8 * len(FRAMES)), CLOSED]
    assert ended_after(stopped, 60.0).gaps == []
    assert ended_after([LOST], 0.5).gaps == []
