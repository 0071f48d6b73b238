"""The band's clock against UTC."""

from __future__ import annotations

import numpy as np
import pytest

from sensor.timeline.clock import DeviceClock

UTC0 = 1_795_000_000_000_000


def run(
    seconds: float,
    skew_ppm: float,
    *,
    seed: int = 1,
    bursts: bool = False,
    jitter_us: float = 8000,
) -> tuple[DeviceClock, list[int], list[int], list[int]]:
    """Feed frames every 100 ms; return the clock, device times, true UTC and told UTC."""
    rng = np.random.default_rng(seed)
    clock = DeviceClock()
    device, true, emitted = [], [], []
    release = 0
    for i in range(round(seconds * 10)):
        utc = UTC0 + i * 100_000
        device_us = 5_000_000 + round((utc - UTC0) * (1 + skew_ppm * 1e-6))
        if bursts and i % 150 == 100:
            release = utc + 5_000_000
        received = max(utc + 3000 + round(rng.exponential(jitter_us)), release)
        clock.arrived(device_us, received)
        device.append(device_us)
        true.append(utc)
        emitted.append(int(clock.utc_us(np.array([device_us]))[0]))
    return clock, device, true, emitted


@pytest.mark.parametrize("skew_ppm", [-5000, -50, 0, 3100, 5000])
@pytest.mark.parametrize("bursts", [False, True])
def test_follows_skew_through_jitter_and_bursts(skew_ppm: float, bursts: bool) -> None:
    clock, _, true, emitted = run(600, skew_ppm, bursts=bursts)
    error_ms = (np.array(emitted) - np.array(true))[3000:] / 1000
    assert np.abs(error_ms - 3).max() < 15
    assert clock.fit is not None
    assert clock.fit.skew_ppm == pytest.approx(-skew_ppm, abs=40)


def test_the_earliest_of_arrivals_that_jitter_by_40_ms_tell_the_time_to_a_few_ms() -> None:
    clock, _, true, emitted = run(600, 50, jitter_us=40_000)
    error_ms = (np.array(emitted) - np.array(true))[3000:] / 1000 - 3
    assert 0 < error_ms.mean() < 3
    assert clock.fit is not None
    assert 0.05 < clock.fit.residual_ms < 1


def test_never_steps_back_and_never_changes_its_mind() -> None:
    clock, device, _, emitted = run(900, 5000, bursts=True)
    assert (np.diff(emitted) > 0).all()
    again = clock.utc_us(np.array(device))
    assert np.abs(again - np.array(emitted)).max() <= 1


def test_repeats_itself_exactly() -> None:
    assert run(120, 700, bursts=True)[3] == run(120, 700, bursts=True)[3]


def test_recovers_from_a_first_arrival_that_was_late() -> None:
    clock = DeviceClock()
    for i in range(3000):
        utc = UTC0 + i * 100_000
        clock.arrived(i * 100_000, max(utc + 5000, UTC0 + 2_000_000))
    end = 2999 * 100_000
    assert clock.utc_us_at(end) - (UTC0 + end) == pytest.approx(5000, abs=3000)


def test_memory_stays_bounded_over_days() -> None:
    clock = DeviceClock()
    for i in range(0, 3 * 86_400, 5):
        clock.arrived(i * 1_000_000, UTC0 + i * 1_000_000)
    assert len(clock._segments) < 800
    assert len(clock._earliest) <= 64


def test_without_an_arrival_there_is_no_utc() -> None:
    with pytest.raises(ValueError, match="no arrival"):
        DeviceClock().utc_us(np.array([1]))


def fed(arrivals: list[tuple[int, int]]) -> DeviceClock:
    clock = DeviceClock()
    for device_us, late_us in arrivals:
        clock.arrived(device_us, UTC0 + device_us + late_us)
    return clock


def test_in_the_first_twenty_seconds_jitter_is_not_taken_for_skew() -> None:
    late_us = [5000, 9000, 2000, 30_000]
    for seconds, has_slope in ((15, False), (40, True)):
        clock = fed([(1_000_000 * k, late_us[k % 4]) for k in range(seconds)])
        assert clock.fit is not None
        assert (clock.fit.skew_ppm != 0) == has_slope


def test_the_residual_is_the_root_mean_square_about_the_line() -> None:
    clock = fed([(1_000_000 * k, 4000 + 1000 * (k % 3)) for k in range(61)])
    assert clock.fit is not None
    assert clock.fit.residual_ms == pytest.approx((2 / 3) ** 0.5, abs=0.02)
    assert clock.fit.device_us == 59_000_000
    assert clock.fit.utc_us - UTC0 - 59_000_000 == pytest.approx(5000, abs=100)


def test_a_burst_that_was_late_is_left_out_of_the_line() -> None:
    clock = fed([(1_000_000 * k, 2_000_000 if 40 <= k < 43 else 1000 + k % 3) for k in range(60)])
    assert clock.fit is not None
    assert clock.fit.skew_ppm == pytest.approx(0, abs=1)
    assert clock.fit.residual_ms < 0.01
    assert clock.utc_us_at(59_000_000) - UTC0 - 59_000_000 == pytest.approx(1001, abs=5)


def test_no_clock_is_believed_to_run_more_than_a_hundredth_wrong() -> None:
    for share in (0.05, -0.05):
        clock = fed([(1_000_000 * k, round(1e6 * k * share)) for k in range(120)])
        assert clock.fit is not None
        assert clock.fit.skew_ppm == pytest.approx(np.sign(share) * 10_000)


def test_a_correction_is_made_by_slewing_a_hundredth_at_most() -> None:
    clock, told = DeviceClock(), list[int]()
    for k in range(600):
        device_us = 100_000 * k
        clock.arrived(device_us, UTC0 + max(device_us + 1000, 1_500_000))
        told.append(clock.utc_us_at(device_us))
    pace = np.diff(told) / 100_000
    assert pace.min() == pytest.approx(0.99, abs=1e-4)
    assert pace.max() <= 1.0 + 1e-4
    off_us = np.array(told) - UTC0 - 100_000 * np.arange(600)
    assert off_us[0] == 1_500_000
    assert off_us[-1] == pytest.approx(1_500_000 - 0.01 * 59e6, rel=0.05)


def test_a_window_keeps_its_earliest_arrival_and_two_windows_theirs() -> None:
    seconds = 200  # windows are halved in number, and doubled in length, twice
    clock = fed([(250_000 * k, 1000 if k % 16 == 5 else 9000) for k in range(4 * seconds)])
    assert len(clock._earliest) <= 64
    late_us = [received - UTC0 - device for device, received in clock._earliest]
    assert late_us.count(1000) >= len(late_us) - 2
    assert clock.known
    assert not DeviceClock().known
