"""Strength tests on force whose answer is known."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.analysis import analyse
from pipeline.analysis.types import Expect
from pipeline.coach.strength import TESTS, Measured, detectable, difference_percent
from sensor.samples import Floats
from tests.pipeline.analysis.people import Pull, force_of

SEVEN = Pull(up_s=0.4, hold_s=6.3, down_s=0.4, pause_s=2.9)
FORCES = st.floats(-1e4, 1e4)


def measured(test: str, time_s: Floats, force_n: Floats) -> Measured:
    reps = analyse(time_s, force_n, expect=Expect(hold=True)).reps
    return TESTS[test](time_s, force_n, reps)


def all_out(count: int = 24, *, end_n: float = 120.0, w_n: float = 180.0) -> list[Pull]:
    """Pulls that fall towards `end_n`, and reach it with the twentieth."""
    falling = w_n * np.exp(-np.arange(count) / 4.0)
    falling[20:] = 0.0
    return [replace(SEVEN, peak_n=end_n + float(each)) for each in falling]


def test_the_maximal_pull_is_the_highest_of_its_trials_and_their_spread_is_told() -> None:
    trials = [Pull(peak_n=n, hold_s=4.0, pause_s=40.0) for n in (300.0, 330.0, 310.0)]
    found = measured("mvc", *force_of(trials))
    assert found.values["mvc_n"] == pytest.approx(330, rel=0.01)
    assert found.spread["mvc_n"] == pytest.approx(np.std([300, 330, 310], ddof=1), rel=0.1)


def test_the_steepest_of_fast_pulls_is_told_by_window() -> None:
    trials = [Pull(peak_n=200, up_s=up_s, hold_s=1.0, pause_s=30.0) for up_s in (0.5, 0.4, 0.6)]
    found = measured("rfd", *force_of(trials, rate_hz=320.0, noise_n=0.02))
    assert set(found.values) >= {"rfd_0_100_ms_n_per_s", "rfd_20_80_percent_n_per_s"}
    # the middle of a cosine of 0.4 s, from 20 to 80 % of 200 N
    takes_s = 0.4 * (np.arccos(-0.6) - np.arccos(0.6)) / np.pi
    assert found.values["rfd_20_80_percent_n_per_s"] == pytest.approx(120 / takes_s, rel=0.05)


def test_a_slow_sensor_tells_no_rate_of_force_development_and_says_why() -> None:
    found = measured("rfd", *force_of([Pull(peak_n=200, up_s=0.4, hold_s=1.0)], rate_hz=20.0))
    assert not found.values
    assert "50" in found.absent["rfd"]


@pytest.mark.parametrize("kept_s", [10.0, 45.0, 90.0])
def test_a_hold_lasts_until_its_force_has_fallen_by_a_tenth(kept_s: float) -> None:
    time_s, force_n = force_of([Pull(peak_n=150, hold_s=kept_s + 8.0)])
    fades = np.clip((time_s - 3.0 - kept_s) / 8.0, 0, 1)
    found = measured("endurance", time_s, force_n * (1 - 0.4 * fades))
    # it falls by 0.4 in 8 s: by a tenth after 2 s
    assert found.values["endurance_s"] == pytest.approx(kept_s + 2.0, abs=1.0)
    assert found.values["level_n"] == pytest.approx(150, rel=0.01)


def test_repeaters_count_until_a_pull_is_too_weak_or_too_short() -> None:
    strong = [replace(SEVEN, peak_n=100.0)] * 9
    weak = [replace(SEVEN, peak_n=70.0)] * 2
    found = measured("repeaters", *force_of([*strong, *weak]))
    assert found.values["repeaters"] == 9
    assert found.values["loss_percent"] == pytest.approx(30, abs=2)
    short = [replace(SEVEN, peak_n=100.0, hold_s=4.0)]
    assert measured("repeaters", *force_of([*strong[:5], *short])).values["repeaters"] == 5


def test_critical_force_is_that_of_the_last_pulls_and_the_rest_is_w_prime() -> None:
    pulls = all_out()
    found = measured("critical-force", *force_of(pulls))
    end_n, mean_n = (found.values[f"critical_force_{each}_n"] for each in ("end", "mean"))
    assert end_n == pytest.approx(120, rel=0.01)
    # from 10 % to 10 % a pull's two ramps of 0.4 s are part of its mean
    assert 0.93 * 120 < mean_n < 120
    above_n_s = sum((pull.peak_n - 120) * (SEVEN.hold_s + SEVEN.up_s) for pull in pulls)
    assert found.values["w_prime_mean_n_s"] == pytest.approx(above_n_s, rel=0.03)
    # the first half second of each pull lies below its end
    assert found.values["w_prime_end_n_s"] < found.values["w_prime_mean_n_s"]


def test_pulls_that_weaken_end_below_their_mean() -> None:
    time_s, force_n = force_of(all_out())
    into_s = np.clip((time_s - 2.0) % 10.0 / 7.0, 0, 1)
    found = measured("critical-force", time_s, force_n * (1 - 0.2 * into_s))
    ratio = found.values["critical_force_end_n"] / found.values["critical_force_mean_n"]
    assert 0.8 < ratio < 0.95


def test_too_few_pulls_are_no_critical_force() -> None:
    found = measured("critical-force", *force_of(all_out(15)))
    assert not found.values
    assert "needs 24 pulls, found 15" in found.absent["critical_force"]


@given(FORCES, FORCES)
def test_a_difference_of_sides_changes_sign_with_them(right: float, left: float) -> None:
    assert difference_percent(right, left) == -difference_percent(left, right)


def test_a_difference_is_a_part_of_the_stronger_side() -> None:
    assert difference_percent(100, 90) == pytest.approx(10)
    assert difference_percent(80, 100) == pytest.approx(-20)
    assert difference_percent(0, 0) == 0


def test_a_change_is_beyond_chance_as_published_or_as_the_trials_spread() -> None:
    assert detectable("critical_force_mean_n", None, 200.0) == pytest.approx(0.58 * 200, rel=0.01)
    assert detectable("mvc_n", 1.0, 200.0) == pytest.approx(0.155 * 200, rel=0.01)
    assert detectable("rfd_0_100_ms_n_per_s", 50.0, 900.0) == pytest.approx(138.6, rel=0.01)
    assert detectable("endurance_s", None, 60.0) is None
