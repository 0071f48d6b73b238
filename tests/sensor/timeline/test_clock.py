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
