"""The firmware's state machine: sampling, frames, commands and memory."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.device.firmware import Firmware, FirmwareConfig
from firmware_sim.device.gauge import Reading
from firmware_sim.device.sampler import ClockConfig
from firmware_sim.device.sending import RESEND_FRAMES_PER_S
from sensor.samples import Floats
from sensor.wire.frames import MAX_FRAME_BYTES, Flag, ForceFrame
from sensor.wire.profile import Calibration, Command, Info, Opcode, Response, Status


def ramp(time_s: Floats) -> Reading:
    """Counts that tell their own time, in ms."""
    none = np.zeros(time_s.size, bool)
    return Reading(np.rint(time_s * 1000).astype(np.int64), none, none)


def make(
    rate_hz: float = 80.0,
    rate_ratio: float = 1.0,
    ppm: float = 0.0,
    start_us: int = 0,
    first_sample: int = 0,
) -> Firmware:
    clock = ClockConfig(rate_hz, rate_ratio, ppm, 0.0, start_us, first_sample)
    return Firmware(FirmwareConfig(seed=7, clock=clock), ramp)


def started(
    rate_hz: float = 80.0,
    rate_ratio: float = 1.0,
    *,
    ppm: float = 0.0,
    start_us: int = 0,
    first_sample: int = 0,
) -> Firmware:
    firmware = make(rate_hz, rate_ratio, ppm, start_us, first_sample)
    assert firmware.command(bytes(Command(Opcode.START))).status is Status.OK
    return firmware


def frames(firmware: Firmware, until_s: float) -> list[ForceFrame]:
    return [ForceFrame.from_bytes(packet.payload) for packet in firmware.advance(until_s)]


def do(firmware: Firmware, command: Command) -> Response:
    """Give a command and get its answer as it crosses the air."""
    return Response.from_bytes(bytes(firmware.command(bytes(command))))


@pytest.mark.parametrize(
    ("rate_hz", "samples"), [(10.0, 1), (80.0, 8), (88.2, 9), (320.0, 32), (1000.0, 56)]
)
def test_frames_come_about_ten_times_a_second_and_fit_every_phone(
    rate_hz: float, samples: int
) -> None:
    firmware = started(rate_hz=rate_hz)
    packets = firmware.advance(10.0)
    sizes = [ForceFrame.from_bytes(packet.payload).counts.size for packet in packets]
    assert set(sizes) == {samples}
    assert sum(sizes) == pytest.approx(10 * rate_hz, abs=samples + 1)
    assert max(len(packet.payload) for packet in packets) <= MAX_FRAME_BYTES


def test_nothing_is_sent_before_start_and_after_stop() -> None:
    firmware = make()
    assert firmware.advance(5.0) == []
    assert do(firmware, Command(Opcode.START)).next_sample() == 401
    first = frames(firmware, 6.0)[0]
    assert first.first_sample == 401
    stop = do(firmware, Command(Opcode.STOP))
    assert stop.next_sample() == firmware.next_sample
    assert firmware.advance(9.0) == []


@given(cuts=st.lists(st.floats(0, 30), max_size=8), rate_hz=st.sampled_from([10.0, 80.0, 1000.0]))
@settings(max_examples=15)
def test_the_frames_do_not_depend_on_how_time_is_cut(cuts: list[float], rate_hz: float) -> None:
    whole = started(rate_hz=rate_hz).advance(30.0)
    firmware = started(rate_hz=rate_hz)
    parts = [packet for cut in [*sorted(cuts), 30.0] for packet in firmware.advance(cut)]
    assert [packet.payload for packet in parts] == [packet.payload for packet in whole]
    assert [packet.time_s for packet in parts] == pytest.approx([p.time_s for p in whole])


def test_index_counts_samples_and_counts_tell_when_they_were_taken() -> None:
    firmware = started(rate_hz=80.0, rate_ratio=88.2 / 80)
    for frame in frames(firmware, 60.0):
        index = frame.first_sample + np.arange(frame.counts.size)
        assert np.abs(frame.counts - 1000 * index / 88.2).max() <= 0.51
    assert firmware.info.rate_hz == 80.0


def test_the_device_clock_runs_fast_by_its_ppm() -> None:
    last = frames(started(ppm=5000.0), 100.0)[-1]
    assert last.device_us == pytest.approx(last.first_sample / 80 * 1e6 * 1.005, abs=1)


def test_index_and_clock_wrap_at_32_bits() -> None:
    firmware = started(first_sample=2**32 - 100, start_us=2**32 - 500_000)
    found = frames(firmware, 5.0)
    index = np.array([frame.first_sample for frame in found])
    device_us = np.array([frame.device_us for frame in found])
    assert index[0] == 2**32 - 100
    assert index[-1] < 400
    assert (np.diff(index) % 2**32 == 8).all()
    assert (np.diff(device_us) % 2**32 == 100_000).all()


def test_tare_takes_the_mean_of_half_a_second_as_zero_under_a_new_number() -> None:
    firmware = started()
    firmware.advance(2.0)
    old = firmware.info
    calibration = do(firmware, Command(Opcode.TARE)).calibration()
    assert calibration.zero_counts == pytest.approx(2000 - 500 / 2, abs=7)
    assert calibration.id != old.active_calibration
    scale = old.calibrations[0].newtons_per_count
    assert calibration.newtons_per_count == pytest.approx(scale, rel=1e-6)
    info = Info.from_bytes(bytes(firmware.info))
    assert info.active_calibration == calibration.id
    assert [known.id for known in info.calibrations] == [0, calibration.id]


def test_no_frame_mixes_samples_of_two_calibrations() -> None:
    firmware = started()
    before = frames(firmware, 1.06)
    number = do(firmware, Command(Opcode.TARE)).calibration().id
    after = frames(firmware, 3.0)
    taken = 1.06 * 80
    for frame in [*before, *after]:
        expected = 0 if frame.first_sample + frame.counts.size - 1 <= taken else number
        assert frame.calibration_id == expected
    index = [frame.first_sample for frame in [*before, *after]]
    sizes = [frame.counts.size for frame in [*before, *after]]
    assert index == np.cumsum([0, *sizes[:-1]]).tolist()


def test_the_calibration_table_keeps_its_sixteen_newest() -> None:
    firmware = started()
    firmware.advance(1.0)
    numbers = [do(firmware, Command(Opcode.TARE)).calibration().id for _ in range(300)]
    info = Info.from_bytes(bytes(firmware.info))
    assert [known.id for known in info.calibrations] == numbers[-16:]
    assert len(set(numbers[-256:])) == 256


def test_a_set_calibration_gets_a_number_of_its_own() -> None:
    firmware = make()
    wanted = Calibration(0, -1234, 2.5e-4)
    answer = do(firmware, Command.set_calibration(wanted))
    taken = answer.calibration()
    assert (taken.id, taken.zero_counts) == (1, -1234)
    assert taken.newtons_per_count == pytest.approx(2.5e-4, rel=1e-6)
    assert firmware.info.active_calibration == 1


def test_the_nearest_rate_is_taken_and_told() -> None:
    firmware = started()
    firmware.advance(1.05)
    assert do(firmware, Command.set_rate(300.0)).rate_hz() == 320.0
    assert firmware.info.rate_hz == 320.0
    found = frames(firmware, 5.0)
    device_us = np.concatenate(
        [f.device_us + np.arange(f.counts.size) * 0 for f in found if f.counts.size == 32]
    )
    assert np.diff(device_us[::32]).tolist() == [100_000] * (len(device_us) // 32 - 1)
    index = [frame.first_sample for frame in found]
    assert index == np.cumsum([index[0], *(f.counts.size for f in found[:-1])]).tolist()


def test_every_frame_holds_samples_of_one_rate() -> None:
    firmware = started(rate_hz=320.0)
    found = frames(firmware, 1.03)
    do(firmware, Command.set_rate(10.0))
    found += frames(firmware, 4.0)
    for frame in found:
        step = np.diff(frame.counts)
        assert step.size == 0 or np.ptp(step) <= 1
    assert sum(frame.counts.size for frame in found) == firmware.next_sample


@pytest.mark.parametrize(
    ("command", "status"),
    [
        (b"", Status.UNKNOWN_COMMAND),
        (b"\x00", Status.UNKNOWN_COMMAND),
        (b"\xff\x01", Status.UNKNOWN_COMMAND),
        (b"\x01\x00", Status.BAD_ARGUMENT),
        (b"\x02\x00", Status.BAD_ARGUMENT),
        (b"\x03\x00", Status.BAD_ARGUMENT),
        (b"\x03", Status.NOT_AVAILABLE),
        (b"\x04", Status.BAD_ARGUMENT),
        (b"\x04\x00\x00\x00\x00", Status.BAD_ARGUMENT),
        (b"\x04\xff\xff\xff\xff", Status.BAD_ARGUMENT),
        (b"\x05\x01\x02", Status.BAD_ARGUMENT),
        (b"\x05\x00\x00\x00\x00\x00\x00\x00\xc0\x7f", Status.BAD_ARGUMENT),
        (b"\x06\x00\x00\x00\x00", Status.BAD_ARGUMENT),
        (b"\x06\x00\x00\x00\x00\x00\x00\x00\x00", Status.BAD_ARGUMENT),
        (b"\x06\x00\x00\x00\x00\x01\x00\x00\x00", Status.NOT_AVAILABLE),
        (b"\x07\x01", Status.BAD_ARGUMENT),
        (b"\x07", Status.OK),
        (b"\x08\x01", Status.BAD_ARGUMENT),
        (b"\x08", Status.OK),
    ],
)
def test_each_command_is_answered_with_its_status(command: bytes, status: Status) -> None:
    answer = make().command(command)
    assert answer.status is status
    assert answer.opcode == (command[0] if command else 0)


@given(writes=st.lists(st.binary(max_size=30), max_size=12))
def test_any_bytes_get_an_answer_and_the_band_goes_on(writes: list[bytes]) -> None:
    firmware = started()
    now_s = 0.0
    for data in writes:
        answer = Response.from_bytes(bytes(firmware.command(data)))
        assert answer.opcode == (data[0] if data else 0)
        now_s += 0.3
        frames(firmware, now_s)
    Info.from_bytes(bytes(firmware.info))


def test_sleep_ends_everything_until_power_comes_again() -> None:
    firmware = started()
    firmware.advance(1.0)
    do(firmware, Command(Opcode.SLEEP))
    assert firmware.asleep
    assert firmware.advance(5.0) == []
    firmware.power_cycle(6.0)
    do(firmware, Command(Opcode.START))
    assert frames(firmware, 7.0)[0].first_sample == 0


def test_a_power_cycle_is_told_by_another_boot_id_and_keeps_tares() -> None:
    firmware = started()
    firmware.advance(3.0)
    tared = do(firmware, Command(Opcode.TARE)).calibration()
    boot_id = firmware.info.boot_id
    firmware.power_cycle(4.0)
    assert firmware.info.boot_id != boot_id
    assert firmware.info.active_calibration == tared.id
    assert not firmware.streaming
    assert do(firmware, Command.resend(0, 10)).status is Status.NOT_AVAILABLE
    assert make().info.boot_id == boot_id


def test_the_battery_drains_warns_and_ends() -> None:
    firmware = Firmware(FirmwareConfig(battery_percent=16.0, battery_hours=1.0), ramp)
    do(firmware, Command(Opcode.START))
    assert firmware.battery_percent == 16
    assert not any(frame.flags & Flag.LOW_BATTERY for frame in frames(firmware, 30.0))
    assert frames(firmware, 100.0)[-1].flags & Flag.LOW_BATTERY
    assert firmware.battery_percent == 13
    firmware.advance(3600.0)
    assert firmware.battery_percent == 0
    assert firmware.asleep


def test_saturation_and_a_failing_adc_show_in_the_flags() -> None:
    def adc(time_s: Floats) -> Reading:
        return Reading(np.zeros(time_s.size, np.int64), time_s > 1.0, time_s > 2.0)

    firmware = Firmware(FirmwareConfig(), adc)
    do(firmware, Command(Opcode.START))
    found = frames(firmware, 3.0)
    assert found[0].flags == Flag(0)
    assert found[15].flags == Flag.SATURATED
    assert found[-1].flags == Flag.SATURATED | Flag.ADC_FAULT


@given(
    ranges=st.lists(st.tuples(st.integers(0, 900), st.integers(1, 900)), min_size=1, max_size=5),
    tares_s=st.lists(st.floats(0.1, 9), max_size=3),
    wraps=st.booleans(),
)
@settings(max_examples=50)
def test_a_resend_brings_exactly_the_original_counts(
    ranges: list[tuple[int, int]], tares_s: list[float], wraps: bool
) -> None:
    origin = 2**32 - 300 if wraps else 0
    firmware = started(first_sample=origin, start_us=2**32 - 10**6 if wraps else 0)
    original: dict[int, tuple[int, int]] = {}

    def note(frame: ForceFrame, into: dict[int, tuple[int, int]]) -> None:
        for k, count in enumerate(frame.counts.tolist()):
            into[(frame.first_sample + k) % 2**32] = (count, frame.calibration_id)

    for tare_s in sorted(tares_s):
        for frame in frames(firmware, tare_s):
            note(frame, original)
        do(firmware, Command(Opcode.TARE))
    for frame in frames(firmware, 10.0):
        note(frame, original)
    promised: set[int] = set()
    for first, count in ranges:
        answer = do(firmware, Command.resend(origin + first, count))
        if answer.status is Status.OK:
            begin, length = answer.resend_range()
            assert begin == (origin + first) % 2**32
            assert length <= count
            promised |= {(begin + k) % 2**32 for k in range(length)}
        else:
            assert answer.status is Status.NOT_AVAILABLE
            assert first >= 792
    resent: dict[int, tuple[int, int]] = {}
    for frame in frames(firmware, 12.0):
        if frame.flags & Flag.RESENT:
            note(frame, resent)
    assert resent.keys() == promised
    assert resent == {index: original[index] for index in promised}


def test_resent_frames_keep_their_time_and_are_paced() -> None:
    firmware = started()
    original = {f.first_sample: f.device_us for f in frames(firmware, 60.0)}
    assert do(firmware, Command.resend(0, 4000)).resend_range() == (0, 4000)
    packets = [
        (packet.time_s, ForceFrame.from_bytes(packet.payload)) for packet in firmware.advance(70.0)
    ]
    resent = [(time_s, frame) for time_s, frame in packets if frame.flags & Flag.RESENT]
    assert sum(frame.counts.size for _, frame in resent) == 4000
    assert np.diff([time_s for time_s, _ in resent]) == pytest.approx(1 / RESEND_FRAMES_PER_S)
    for _, frame in resent:
        if frame.first_sample in original:
            assert frame.device_us == original[frame.first_sample]
    live = [frame.first_sample for _, frame in packets if not frame.flags & Flag.RESENT]
    assert np.diff(live).tolist() == [8] * (len(live) - 1)


@pytest.mark.parametrize("rate_hz", [80.0, 1000.0])
def test_two_minutes_can_be_asked_for_and_all_of_them_come(rate_hz: float) -> None:
    firmware = started(rate_hz=rate_hz)
    firmware.advance(200.0)
    info = firmware.info
    assert info.ring_samples >= 120 * rate_hz
    end = firmware.next_sample
    first, count = do(firmware, Command.resend(0, end)).resend_range()
    assert count >= info.ring_samples - 56
    got: list[int] = []
    for second in range(201, 320):
        for frame in frames(firmware, float(second)):
            if frame.flags & Flag.RESENT:
                assert np.abs(frame.counts[0] - 1000 * frame.first_sample / rate_hz) <= 1
                got += range(frame.first_sample, frame.first_sample + frame.counts.size)
    assert got == list(range(first, first + count))


def test_older_samples_are_not_available_and_later_ones_come_by_themselves() -> None:
    firmware = started()
    firmware.advance(300.0)
    assert do(firmware, Command.resend(0, 100)).status is Status.NOT_AVAILABLE
    assert do(firmware, Command.resend(firmware.next_sample, 5)).status is Status.NOT_AVAILABLE
    assert do(firmware, Command.resend(2**32 - 50, 40)).status is Status.NOT_AVAILABLE


def test_sampling_goes_on_without_a_link_and_the_lost_part_can_be_asked_for() -> None:
    firmware = started()
    last = frames(firmware, 10.0)[-1]
    firmware.link_lost()
    assert firmware.advance(70.0) == []
    resumed = do(firmware, Command(Opcode.START)).next_sample()
    assert resumed == 70 * 80 + 1
    lost = last.first_sample + last.counts.size
    asked = do(firmware, Command.resend(lost, resumed - lost))
    assert asked.resend_range() == (lost, resumed - lost)
    found = frames(firmware, 80.0)
    resent = sum(frame.counts.size for frame in found if frame.flags & Flag.RESENT)
    assert resent == resumed - lost


def test_impossible_bands_are_refused() -> None:
    with pytest.raises(ValueError, match="rate_hz not in"):
        FirmwareConfig(clock=ClockConfig(rate_hz=0.0))
    with pytest.raises(ValueError, match="ppm not in"):
        ClockConfig(ppm=1e6)
    with pytest.raises(ValueError, match="battery_percent"):
        FirmwareConfig(battery_percent=120)
