"""The simulated person: the force of a set and the truth about it."""

from __future__ import annotations

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from firmware_sim.person.elastic import Elastic
from firmware_sim.person.motion import Pause, Pull, render
from firmware_sim.person.truth import GRID_HZ, Kind, RepTruth
from firmware_sim.person.workout import (
    LOW_ROW,
    PULL_APART,
    Person,
    SetPlan,
    Workout,
    actions,
    chunks,
)
from sensor.samples import Floats

BAND = Elastic.of_colour("green")
IDEAL = Elastic(5.78, 1.19, hysteresis=0.0, relaxation=0.0, softening=0.0)


def rng(seed: int = 1) -> np.random.Generator:
    return np.random.default_rng(seed)


def perform(workout: Workout, seed: int) -> tuple[Floats, Floats, list[RepTruth]]:
    """A whole workout at once at 80 Hz: time, force before any gauge, truth."""
    parts = list(chunks(workout, BAND, seed))
    grid_n = np.concatenate([part.force_n for part in parts])
    time_s = np.arange(int(grid_n.size / GRID_HZ * 80)) / 80
    force_n = np.interp(time_s * GRID_HZ, np.arange(grid_n.size), grid_n)
    return time_s, force_n, [rep for part in parts for rep in part.truth]


def test_a_pull_reaches_its_peak_holds_it_and_comes_back() -> None:
    pull = Pull(40.0, 1.0, 0.5, 1.5, 0.5, tremor=0.0, roughness=0.0)
    chunk, _ = render([Pause(0.0, 0.0, 1.0), pull], IDEAL, rng())
    (rep,) = chunk.truth
    assert chunk.force_n.size == 4.5 * GRID_HZ
    assert rep.peak_n == pytest.approx(40.0)
    assert rep.valley_before_n == rep.valley_after_n == 0.0
    assert 1.0 < rep.start_s < rep.top_start_s < 2.0
    assert 2.5 < rep.top_end_s < rep.end_s < 4.0
    assert rep.tut_s == pytest.approx(rep.concentric_s + rep.hold_s + rep.eccentric_s)


def test_truth_stands_at_the_ten_and_ninety_percent_levels() -> None:
    plan = replace(LOW_ROW, tremor=0.0, knock=0.3, trial_pulls=1, wander=0.0)
    chunk, _ = render(actions(plan, rng(4)), BAND, rng(5))
    for rep in chunk.truth:

        def at(time_s: float) -> float:
            return float(chunk.force_n[round(time_s * GRID_HZ)])

        rise, fall = rep.peak_n - rep.valley_before_n, rep.peak_n - rep.valley_after_n
        slack = 0.02 * rise if rep.kind is not Kind.KNOCK else 0.1 * rise
        assert at(rep.start_s) == pytest.approx(rep.valley_before_n + 0.1 * rise, abs=slack)
        assert at(rep.top_start_s) == pytest.approx(rep.valley_before_n + 0.9 * rise, abs=slack)
        assert at(rep.top_end_s) == pytest.approx(rep.valley_after_n + 0.9 * fall, abs=slack)
        assert at(rep.end_s) == pytest.approx(rep.valley_after_n + 0.1 * fall, abs=slack)
        assert at(rep.peak_s) == pytest.approx(rep.peak_n)


def plans(bottom_s: tuple[float, float], rebound: float) -> st.SearchStrategy[SetPlan]:
    """Sets as people do them, with everything that may happen around and within a rep."""
    return st.builds(
        SetPlan,
        reps=st.just(5),
        concentric_s=st.floats(0.3, 4),
        hold_s=st.floats(0, 5),
        eccentric_s=st.floats(0.3, 4),
        bottom_s=st.floats(*bottom_s),
        bottom=st.floats(0, 0.4),
        dip=st.floats(0, 0.15),
        hump=st.floats(0, 0.15),
        rebound=st.floats(0, rebound),
        fade=st.floats(-1, 0.5),
        trial_pulls=st.just(1),
        shrugs=st.just(1),
        partial_reps=st.just(1),
        knock=st.just(0.5),
    )


# A shrug that begins while the rebound still rings and is smaller than it has no peak of its own.
@given(plan=plans((0, 3), rebound=0.0) | plans((0.5, 3), rebound=0.2), seed=st.integers(0, 10**6))
@settings(max_examples=25)
def test_the_truth_of_any_set_is_in_order_and_complete(plan: SetPlan, seed: int) -> None:
    chunk, _ = render(actions(plan, rng(seed)), BAND, rng(seed))
    reps = [rep for rep in chunk.truth if rep.counted]
    assert [rep.rep for rep in reps] == [1, 2, 3, 4, 5]
    assert sum(rep.kind is Kind.PARTIAL for rep in chunk.truth) == 3
    assert sum(rep.kind is Kind.KNOCK for rep in chunk.truth) == 1
    for rep in chunk.truth:
        assert rep.start_s < rep.top_start_s <= rep.peak_s <= rep.top_end_s < rep.end_s
        assert rep.peak_n > max(rep.valley_before_n, rep.valley_after_n)
    for one, two in zip(chunk.truth, chunk.truth[1:], strict=False):
        assert one.end_s <= two.start_s


def test_effort_fades_and_grows_and_sides_differ_as_planned() -> None:
    def peaks(plan: SetPlan) -> list[float]:
        chunk, _ = render(actions(plan, rng()), IDEAL, rng())
        return [rep.peak_n for rep in chunk.truth if rep.counted]

    steady = SetPlan(peak_spread=0.0, fade=0.0, tremor=0.0)
    faded, grown = peaks(replace(steady, fade=0.4)), peaks(replace(steady, fade=-2.0))
    assert faded[-1] / faded[0] == pytest.approx(0.62, abs=0.03)
    assert grown[-1] / grown[0] > 2.7
    sides = peaks(replace(steady, other_side=0.7))
    assert sides[1] / sides[0] == pytest.approx(0.72, abs=0.02)


def test_a_hold_of_thirty_seconds_wanders_by_its_part_and_stays_one_rep() -> None:
    plan = SetPlan(reps=1, hold_s=30.0, spread=0.0, wander=1 / 3, tremor=0.0)
    chunk, _ = render(actions(plan, rng()), IDEAL, rng())
    (rep,) = chunk.truth
    held = chunk.force_n[round(rep.top_start_s * GRID_HZ) : round(rep.top_end_s * GRID_HZ)]
    assert held.min() / held.max() == pytest.approx(2 / 3, abs=0.05)
    assert rep.hold_s > 28


def test_tremor_shakes_the_force_at_its_frequency_and_leaves_the_truth() -> None:
    calm = SetPlan(reps=1, hold_s=8.0, wander=0.0, tremor=0.0)
    still, _ = render(actions(calm, rng()), BAND, rng(2))
    shaken, _ = render(actions(replace(calm, tremor=0.02), rng()), BAND, rng(2))
    rep = still.truth[0]
    assert shaken.truth[0].top_end_s == rep.top_end_s
    part = slice(round((rep.top_start_s + 0.5) * 1000), round((rep.top_end_s - 0.5) * 1000))
    tremor = shaken.force_n[part] / still.force_n[part] - 1
    assert tremor.std() == pytest.approx(0.02, rel=0.35)
    spectrum = np.abs(np.fft.rfft(tremor - tremor.mean()))
    assert 5.5 < np.fft.rfftfreq(tremor.size, 1e-3)[spectrum.argmax()] < 12.5


def test_a_person_gives_the_same_force_however_time_is_cut() -> None:
    workout = Workout((replace(PULL_APART, reps=3), replace(LOW_ROW, reps=2)), lead_in_s=2.0)
    time_s, whole_n, truth = perform(workout, 9)
    person = Person(workout, BAND, 9)
    pieces = [person.force_n(part) for part in np.array_split(time_s, 37)]
    np.testing.assert_array_equal(np.concatenate(pieces), whole_n)
    assert person.truth() == truth
    assert [rep.set for rep in truth if rep.counted] == [1, 1, 1, 2, 2]


def test_truth_so_far_holds_what_has_ended() -> None:
    person = Person(Workout((LOW_ROW,)), BAND, 9)
    person.force_n(np.arange(0, 60, 0.0125))
    everything = person.truth()
    third = everything[2]
    assert person.truth(third.end_s) == everything[:3]
    assert person.truth(third.end_s - 0.01) == everything[:2]


def test_the_same_seed_gives_the_same_workout_and_another_seed_another() -> None:
    def force(seed: int) -> list[float]:
        return [float(f) for f in perform(Workout((LOW_ROW,)), seed)[1]]

    assert force(1) == force(1)
    assert force(1) != force(2)


def test_after_the_last_rest_nobody_pulls() -> None:
    person = Person(Workout((replace(LOW_ROW, reps=1, rest_after_s=1.0),)), BAND, 1)
    assert person.force_n(np.array([1000.0, 2000.0])).tolist() == [0.0, 0.0]
    assert person.end_s is not None
    assert person.end_s < 20


def test_an_endless_workout_needs_the_memory_of_one_set() -> None:
    person = Person(Workout((LOW_ROW, PULL_APART), endless=True), BAND, 1)
    for minute in range(3):
        person.force_n(minute * 60 + np.arange(4800) / 80)
    tracemalloc.start()
    for minute in range(3, 12):
        person.force_n(minute * 60 + np.arange(4800) / 80)
    kept, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert person.truth()[-1].set > 9
    assert kept < 2_500_000  # A minute of force is 0.5 MB, these 9 minutes are 4.3 MB.


def test_impossible_plans_are_refused() -> None:
    with pytest.raises(ValueError, match="reps not in"):
        SetPlan(reps=0)
    with pytest.raises(ValueError, match="peak above its bottom"):
        SetPlan(bottom=0.9)
    with pytest.raises(ValueError, match="rises above its bottom"):
        Pull(3.0, 1.0, 0.0, 1.0, 0.0, bottom_n=4.0)
    with pytest.raises(ValueError, match="needs a set"):
        Workout((), endless=True)
