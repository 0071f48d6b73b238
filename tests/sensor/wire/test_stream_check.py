"""The firmware's faults in a stream: named where they are, and not where the radio is at fault."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.samples import Channel, Notification
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Calibration, Info
from sensor.wire.stream_check import StreamCheck

INFO = Info(1, 80.0, 9600, 24, 0, (Calibration(0, 0, 1e-4),), None, "m", "1")


def frames(
    count: int = 60, rate_hz: float = 80.0, size: int = 8, first: int = 0
) -> list[ForceFrame]:
    return [
        ForceFrame(
            first + k * size, round(k * size / rate_hz * 1e6) % 2**32, 0, Flag(0), np.arange(size)
        )
        for k in range(count)
    ]


def checked(
    sent: Sequence[ForceFrame | bytes], rate_hz: float = 80.0, info: Info | None = INFO
) -> StreamCheck:
    """Received as fast as `rate_hz` says, with a radio's lateness."""
    check, late = StreamCheck(), random.Random(1)
    if info is not None:
        check.receive(Notification(0, bytes(info), Channel.INFO))
    for number, each in enumerate(sent):
        payload = bytes(each)
        at_us = round(number * 8 / rate_hz * 1e6 + late.uniform(0, 40_000))
        check.receive(Notification(at_us, payload))
    return check


def test_a_good_stream_has_no_fault() -> None:
    assert checked(frames()).faults() == []


def test_index_and_time_that_wrap_are_no_fault() -> None:
    sent = [
        replace(frame, first_sample=(frame.first_sample + 2**32 - 100) % 2**32,
                device_us=(frame.device_us + 2**32 - 10**6) % 2**32)
        for frame in frames()
    ]  # fmt: skip
    assert checked(sent).faults() == []


@pytest.mark.parametrize("share", [0.05, 0.3])
def test_what_a_radio_loses_is_no_fault_of_the_firmware(share: float) -> None:
    lost = random.Random(2)
    check = StreamCheck()
    check.receive(Notification(0, bytes(INFO), Channel.INFO))
    for number, frame in enumerate(frames(200)):
        if lost.random() > share:
            check.receive(Notification(number * 100_000, bytes(frame)))
    assert check.faults() == []


def test_a_bit_that_the_radio_turns_is_no_fault_of_the_firmware() -> None:
    sent = [bytes(frame) for frame in frames(100)]
    for at in (20, 50):
        sent[at] = sent[at][:30] + bytes([sent[at][30] ^ 4]) + sent[at][31:]
    assert checked(sent).faults() == []


def test_an_adc_that_runs_a_sixth_fast_is_within_the_profile() -> None:
    assert checked(frames(rate_hz=80 * 7 / 6), 80 * 7 / 6).faults() == []


@pytest.mark.parametrize("true_hz", [10.0, 40.0, 60.0, 100.0])
def test_another_rate_than_is_said_is_named(true_hz: float) -> None:
    (fault,) = checked(frames(rate_hz=true_hz), true_hz).faults()
    assert "sends at another rate than it says" in fault
    assert "Info says 80" in fault


def test_a_computer_that_hears_late_is_not_taken_for_another_rate() -> None:
    check = StreamCheck()
    check.receive(Notification(0, bytes(INFO), Channel.INFO))
    for number, frame in enumerate(frames(60)):
        at_us = max(number * 100_000, 2_000_000 if number < 20 else 0)
        check.receive(Notification(at_us, bytes(frame)))
    assert check.faults() == []


@pytest.mark.parametrize("size", [5, 11, 12, 20, 30, 35])
def test_cut_notifications_are_named_with_their_length(size: int) -> None:
    (fault,) = checked([bytes(frame)[:size] for frame in frames()]).faults()
    assert "cuts its notifications" in fault
    assert f"after {size} bytes" in fault


def test_of_long_and_short_frames_only_the_cut_ones_count() -> None:
    sent = [bytes(frame)[:60] for frame in [*frames(20), *frames(20, size=20, first=160)]]
    (fault,) = checked(sent, info=None).faults()
    assert "20 of 40 end after 60 bytes" in fault


def test_a_repeated_index_is_named_and_a_resent_one_is_not() -> None:
    sent = frames()
    sent[30] = replace(sent[30], first_sample=sent[29].first_sample)
    (fault,) = checked(sent).faults()
    assert "repeats sample indices: 1 of 60" in fault
    resent = [replace(frame, flags=Flag.RESENT) for frame in frames(5)]
    assert checked([*frames(), *resent]).faults() == []


def test_a_clock_that_stands_still_or_goes_back_is_named() -> None:
    still = [replace(frame, device_us=5) for frame in frames()]
    assert checked(still).faults() == ["the device time stands still"]
    back = frames()
    back[30] = replace(back[30], device_us=0)
    assert "the device time goes back in 1" in checked(back).faults()[0]


def test_counts_beyond_the_adc_are_named() -> None:
    assert checked(frames(), info=replace(INFO, adc_bits=8)).faults() == []
    sent = [replace(frame, counts=frame.counts + 300) for frame in frames()]
    (fault,) = checked(sent, info=replace(INFO, adc_bits=8)).faults()
    assert "beyond the 8 bits" in fault


def test_a_notification_for_each_sample_is_too_many() -> None:
    check = StreamCheck()
    check.receive(Notification(0, bytes(INFO), Channel.INFO))
    for frame in frames(400, size=1):
        check.receive(Notification(frame.device_us, bytes(frame)))
    (fault,) = check.faults()
    assert "80 frames of 1 samples" in fault


@given(st.lists(st.tuples(st.sampled_from(list(Channel)), st.binary(max_size=64)), max_size=40))
def test_any_bytes_are_taken(rows: list[tuple[Channel, bytes]]) -> None:
    check = StreamCheck()
    for number, (channel, payload) in enumerate(rows):
        check.receive(Notification(number, payload, channel))
    assert all(isinstance(each, str) for each in check.faults())
