"""What a band says that cannot be true is named as its fault, with what was seen."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from pipeline.session.events import Marked
from pipeline.session.session import Session
from sensor.samples import Channel, Notification
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Calibration, Opcode, Response, Status
from tests.pipeline.signals import COUNTS_PER_N, UTC0_US, info, notifications, pulls

FORCE_N = pulls(sets=2, reps=5)


def played(rows: list[Notification]) -> Session:
    session = Session()
    emitted = [each for row, one in enumerate(rows, 1) for each in session.receive(one, row)]
    told = [each.event.text for each in emitted if isinstance(each.event, Marked)]
    assert told == session.remarks
    return session


def answer(opcode: Opcode, index: int, received_us: int) -> Notification:
    payload = bytes(Response(opcode, Status.OK, struct.pack("<I", index)))
    return Notification(received_us, payload, Channel.RESPONSE)


@pytest.mark.parametrize("opcode", [Opcode.START, Opcode.STOP])
@pytest.mark.parametrize("ahead", [10**9, 10_000])
def test_more_samples_than_any_clock_can_count_are_not_missing(opcode: Opcode, ahead: int) -> None:
    rows = notifications(FORCE_N)
    at = len(rows) if opcode is Opcode.STOP else 300
    lie = answer(opcode, FORCE_N.size + ahead, rows[at - 2].received_us + 50_000)
    rows.insert(at - 1, lie)
    session = played(rows)
    assert session.samples == FORCE_N.size
    assert session.missing == 0
    assert session.gaps == []
    assert [len(each.reps) for each in session.sets] == [5, 5]
    (remark,) = session.remarks
    assert "more than its rate allows" in remark
    assert session.bad_frames == 1


def test_what_was_taken_during_a_long_absence_is_believed() -> None:
    rows = notifications(FORCE_N)[:-1]
    later_us = rows[-1].received_us + 3_600_000_000
    rows.append(answer(Opcode.START, FORCE_N.size + 3600 * 80, later_us))
    rows.append(Notification(later_us, b"", Channel.END))
    session = played(rows)
    assert session.missing == 3600 * 80
    assert session.remarks == []


def calibrated(newtons_per_count: float) -> list[Notification]:
    rows = notifications(FORCE_N)
    said = replace(info(), calibrations=(Calibration(1, 0, newtons_per_count),))
    return [replace(rows[0], payload=bytes(said)), *rows[1:]]


@pytest.mark.filterwarnings("ignore:some peaks have a width of 0")
@pytest.mark.parametrize("newtons_per_count", [999.0, -999.0])
def test_what_nobody_can_pull_is_named_as_the_calibrations_fault(newtons_per_count: float) -> None:
    remarks = played(calibrated(newtons_per_count)).remarks
    (remark,) = [each for each in remarks if "nobody can pull" in each]
    assert "its calibration 1 is wrong" in remark


def test_without_any_calibration_none_is_blamed() -> None:
    remarks = played(notifications(FORCE_N)[1:]).remarks
    assert not any("nobody can pull" in each for each in remarks)


def test_the_strongest_people_are_believed() -> None:
    remarks = played(calibrated(100 / COUNTS_PER_N)).remarks
    assert not any("nobody can pull" in each for each in remarks)


def at_rates(first_hz: float, then_hz: float, change: int) -> Iterator[Notification]:
    """A band that says 80 Hz, and comes at others from its start and from sample `change` on."""
    counts = np.rint(FORCE_N * COUNTS_PER_N).astype(np.int64)
    yield Notification(UTC0_US, bytes(info()), Channel.INFO)
    device_us = 0
    for at in range(0, counts.size, 8):
        frame = ForceFrame(at, device_us, 1, Flag(0), counts[at : at + 8])
        device_us += round(8e6 / (first_hz if at < change else then_hz))
        yield Notification(UTC0_US + device_us, bytes(frame))
    yield Notification(UTC0_US + device_us, b"", Channel.END)


@pytest.mark.parametrize("then_hz", [10.0, 20.0, 40.0, 160.0, 640.0])
@pytest.mark.parametrize("change", [0, 800])
def test_another_rate_without_notice_is_named_and_costs_three_frames_at_most(
    then_hz: float, change: int
) -> None:
    rows = list(at_rates(80.0, then_hz, change))
    session = played(rows)
    assert session.samples + session.missing == FORCE_N.size
    assert session.missing <= 3 * 8
    assert session.power_ons == 1
    assert len(session.gaps) == (session.missing > 0)
    duration_s = change / 80 + (FORCE_N.size - change - 1) / then_hz
    assert session._assembly.end_s == pytest.approx(duration_s, abs=0.1)
    assert any(f"sends {then_hz:.3g} samples a second" in each for each in session.remarks)


@pytest.mark.parametrize("then_hz", [64.0, 80.0, 96.0])
def test_an_oscillator_that_is_off_is_no_other_rate(then_hz: float) -> None:
    assert played(list(at_rates(80.0, then_hz, 800))).remarks == []
