"""The strain gauge: what it shows for a known force."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from firmware_sim.device.gauge import FULL_SCALE_COUNTS, Gauge, GaugeConfig
from sensor.samples import Floats, Ints

QUIET = GaugeConfig(noise_sd_n=0.0, drift_n=0.0, wander_n=0.0)
TIME_S = np.arange(8000) / 80


def newtons(config: GaugeConfig, counts: Ints) -> Floats:
    return np.asarray((counts - config.zero_counts) * config.newtons_per_count)


def test_a_quiet_gauge_shows_the_force_to_half_a_count() -> None:
    force_n = 40 + 30 * np.sin(TIME_S)
    shown = newtons(QUIET, Gauge(QUIET, 1).read(TIME_S, force_n).counts)
    assert np.abs(shown - force_n).max() <= QUIET.newtons_per_count / 2 + 1e-9


def test_noise_has_the_standard_deviation_of_its_setting() -> None:
    config = replace(QUIET, noise_sd_n=0.11)
    shown = newtons(config, Gauge(config, 1).read(TIME_S, np.zeros(8000)).counts)
    assert shown.std() == pytest.approx(0.11, rel=0.05)


def test_drift_reaches_half_of_its_size_at_its_time() -> None:
    config = replace(QUIET, drift_n=2.0, drift_s=50.0, tare_error_n=-4.4)
    shown = newtons(config, Gauge(config, 1).read(np.array([0.0, 50.0, 1e5]), np.zeros(3)).counts)
    assert shown[0] == pytest.approx(-4.4, abs=1e-3)
    assert abs(shown[1] + 4.4) == pytest.approx(1.0, abs=1e-3)
    assert abs(shown[2] + 4.4) == pytest.approx(2.0, abs=1e-3)


def test_hum_of_50_hz_is_seen_as_30_hz_at_80_samples_per_second() -> None:
    config = replace(QUIET, hum_n=1.0)
    shown = newtons(config, Gauge(config, 1).read(TIME_S, np.zeros(8000)).counts)
    spectrum = np.abs(np.fft.rfft(shown))
    assert np.fft.rfftfreq(8000, 1 / 80)[spectrum.argmax()] == pytest.approx(30.0)


def test_spikes_are_single_samples_and_as_many_as_asked_for() -> None:
    config = replace(QUIET, spike_chance=0.01, spike_n=60.0)
    shown = newtons(config, Gauge(config, 1).read(TIME_S, np.zeros(8000)).counts)
    assert 50 <= np.count_nonzero(shown) <= 115
    assert np.abs(shown).max() <= 60


def test_overload_saturates_and_says_so() -> None:
    config = replace(QUIET, range_n=100.0)
    reading = Gauge(config, 1).read(TIME_S[:3], np.array([99.0, 101.0, -250.0]))
    assert reading.saturated.tolist() == [False, True, True]
    assert newtons(config, reading.counts) == pytest.approx([99, 100, -100], abs=1e-3)


def test_counts_never_leave_24_bits() -> None:
    config = replace(QUIET, newtons_per_count=1e-7)
    reading = Gauge(config, 1).read(TIME_S[:2], np.array([400.0, -400.0]))
    assert reading.counts.tolist() == [FULL_SCALE_COUNTS, -FULL_SCALE_COUNTS - 1]
    assert reading.saturated.all()


def test_a_stuck_conversion_repeats_the_last_value_and_reports_a_fault() -> None:
    config = replace(QUIET, stuck_chance=0.2)
    reading = Gauge(config, 1).read(TIME_S, TIME_S)
    changed = np.diff(reading.counts, prepend=-1) != 0
    assert 1400 < reading.stuck.sum() < 1800
    np.testing.assert_array_equal(changed[1:], ~reading.stuck[1:])


def test_the_filter_of_the_adc_settles_in_its_number_of_conversions() -> None:
    config = replace(QUIET, settling_samples=4)
    step = np.array([0, 0, 0, 8, 8, 8, 8, 8.0])
    shown = newtons(config, Gauge(config, 1).read(TIME_S[:8], step).counts)
    assert shown == pytest.approx([0, 0, 0, 2, 4, 6, 8, 8])


@given(cuts=st.lists(st.integers(0, 400), max_size=6))
def test_cuts_between_readings_do_not_show(cuts: list[int]) -> None:
    config = GaugeConfig(
        hum_n=0.3, spike_chance=0.05, stuck_chance=0.05, settling_samples=3, tare_error_n=1.0
    )
    time_s = TIME_S[:400]
    force_n = np.abs(20 * np.sin(time_s))
    whole = Gauge(config, 5).read(time_s, force_n)
    gauge = Gauge(config, 5)
    parts = [
        gauge.read(t, f)
        for t, f in zip(
            np.split(time_s, sorted(cuts)), np.split(force_n, sorted(cuts)), strict=True
        )
    ]
    # A mean over three samples may round to the other side of half a count.
    assert np.abs(np.concatenate([p.counts for p in parts]) - whole.counts).max() <= 1
    np.testing.assert_array_equal(np.concatenate([p.stuck for p in parts]), whole.stuck)


def test_the_same_seed_gives_the_same_counts_and_another_seed_others() -> None:
    def counts(seed: int) -> list[int]:
        return [int(c) for c in Gauge(GaugeConfig(), seed).read(TIME_S, TIME_S).counts]

    assert counts(3) == counts(3)
    assert counts(3) != counts(4)


def test_impossible_gauges_are_refused() -> None:
    with pytest.raises(ValueError, match="range_n above 0"):
        GaugeConfig(range_n=0.0)
    with pytest.raises(ValueError, match="settling_samples"):
        GaugeConfig(settling_samples=0)
