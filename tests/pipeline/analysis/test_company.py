"""Small pulls beside great ones: trials, shrugs and stirs, or another exercise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from pipeline.analysis import analyse
from tests.pipeline.analysis.people import Pull, count, force_of


def test_trial_pulls_and_shrugs_are_told_but_not_counted() -> None:
    trial = Pull(peak_n=30, up_s=0.5, hold_s=0.1, down_s=0.5, pause_s=2.0)
    found = analyse(*force_of([trial, *[Pull()] * 8, replace(trial, peak_n=25)]))
    assert len(found.reps) == 8
    assert len(found.partials) == 2


def test_light_and_heavy_exercises_of_one_session_are_both_counted() -> None:
    light, heavy = Pull(peak_n=25), Pull(peak_n=190)
    rest = replace(light, pause_s=20.0)
    found = analyse(*force_of([*[light] * 7, rest, *[heavy] * 8]))
    assert [s.reps for s in found.sets] == [8, 8]


def test_hands_that_wait_on_a_lightly_pulled_band_add_nothing() -> None:
    time_s, force_n = force_of([Pull(pause_s=55.0)] * 4, rest_n=15.0)
    force_n = force_n + 1.5 * np.sin(time_s * 0.9) * np.sin(time_s * 0.31)
    found = analyse(time_s, force_n)
    assert [s.reps for s in found.sets] == [4]


@pytest.mark.parametrize("gap_s", [20.0, 40.0, 60.0, 90.0])
def test_single_tests_of_strong_and_weak_muscles_all_count(gap_s: float) -> None:
    peaks_n = [150.0, 25.0, 140.0, 22.0, 145.0, 40.0]
    tests = [Pull(peak_n=peak, hold_s=4.0, pause_s=gap_s) for peak in peaks_n]
    reps = analyse(*force_of(tests)).reps
    assert [rep.peak_n for rep in reps] == pytest.approx(peaks_n, rel=0.02)


def test_hands_that_stir_while_they_wait_add_nothing() -> None:
    rng = np.random.default_rng(4)
    time_s, force_n = force_of([Pull(peak_n=120, pause_s=45.0)] * 5, rest_n=0.0, lead_s=40.0)
    wander = np.convolve(rng.normal(0, 1, time_s.size), np.hanning(120) / 8, "same")
    held = np.clip((time_s - 5) / 3, 0, 1) * np.clip((time_s[-1] - 1 - time_s) / 3, 0, 1)
    hands = held * (20 + 3 * wander)
    found = analyse(time_s, np.maximum(force_n, hands))
    assert len(found.reps) == 5
    assert found.partials


@pytest.mark.parametrize("pause_s", [4.5, 8.0])
@pytest.mark.parametrize("heavy_first", [False, True])
@pytest.mark.parametrize("light_n", [20.0, 45.0, 60.0])
def test_a_set_with_another_band_right_after_is_held_against_itself(
    pause_s: float, heavy_first: bool, light_n: float
) -> None:
    heavy, light = [Pull(peak_n=120)] * 6, [Pull(peak_n=light_n)] * 5
    sets = [heavy, light] if heavy_first else [light, heavy]
    sets[0] = [*sets[0][:-1], replace(sets[0][-1], pause_s=pause_s)]
    time_s, force_n = force_of([*sets[0], *sets[1]])
    assert count(time_s, force_n) == 11


def test_a_light_set_of_alternating_sides_right_after_is_held_against_itself() -> None:
    great = [*[Pull(peak_n=150)] * 7, Pull(peak_n=150, pause_s=6.0)]
    light = [Pull(peak_n=60), Pull(peak_n=40)] * 4
    assert count(*force_of([*great, *light])) == 16


@pytest.mark.parametrize(
    ("small", "pause_s"),
    [
        ([Pull(peak_n=7)] * 4, 8.0),  # hands that swing
        ([Pull(peak_n=42)] * 3, 9.0),  # too few
        ([Pull(peak_n=42, up_s=0.3, hold_s=0.05, down_s=0.3)] * 4, 6.0),  # tugs
        ([Pull(peak_n=42, pause_s=12.0 - 2.5)] * 4, 6.0),  # single ones
    ],
)
def test_small_pulls_beside_a_set_that_are_no_set_stay_partials(
    small: list[Pull], pause_s: float
) -> None:
    great = [*[Pull(peak_n=120)] * 7, Pull(peak_n=120, pause_s=pause_s)]
    found = analyse(*force_of([*great, *small]))
    assert (len(found.reps), len(found.partials)) == (8, len(small))


def test_trials_before_a_set_stay_partials() -> None:
    trials = [Pull(peak_n=20), Pull(peak_n=45), Pull(peak_n=30), Pull(peak_n=40, pause_s=5.0)]
    time_s, force_n = force_of([*trials, *[Pull(peak_n=120)] * 6])
    found = analyse(time_s, force_n)
    assert (len(found.reps), len(found.partials)) == (6, 4)


def test_a_light_exercise_soon_after_a_heavy_one_is_counted_from_its_first_rep() -> None:
    heavy, light = [Pull(peak_n=175, pause_s=0.5)] * 12, [Pull(peak_n=23, pause_s=0.5)] * 10
    time_s, force_n = force_of([*heavy, Pull(peak_n=3.6, pause_s=31.0), *light])
    found = analyse(time_s, force_n)
    assert [one.reps for one in found.sets] == [12, 10]
