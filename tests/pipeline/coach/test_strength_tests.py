"""Strength tests are led like exercises; what the coach says, and what comes of it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from firmware_sim.band import Band, BandSetup
from firmware_sim.offline import notifications
from firmware_sim.person.workout import SetPlan, Workout
from pipeline.coach.doing import SetDone
from pipeline.coach.plan import Plan
from pipeline.coach.strength import TESTS
from pipeline.coach.view import Screen
from pipeline.coach.workout import CoachEvent
from pipeline.session.session import Session
from sensor.samples import Notification
from tests.pipeline.coach.coached import (
    LIBRARY,
    READY,
    Coached,
    a_plan,
    coach_of,
    listen,
    with_asks,
)

HARD = SetPlan("test", 1, 160.0, 0.5, 4.0, 0.5, 0.3, 30.0, bottom=0.03, sag=0.02, peak_spread=0.0)
SEVEN = replace(HARD, hold_s=6.3, concentric_s=0.4, eccentric_s=0.4, bottom_s=2.9, spread=0.02)


def led(plan: Plan, *sets: SetPlan) -> tuple[Coached, list[Notification]]:
    band = Band(BandSetup(seed=2, workout=Workout(sets, lead_in_s=5.0), colour="black"))
    log: list[Notification] = []
    stream = with_asks(notifications(band), [(0.0, f"begin {plan.name}"), *READY])
    return Coached(listen(coach_of(plan), stream, log), band.truth()), log


def values(events: list[CoachEvent], log: list[Notification], test: str) -> dict[str, float]:
    """Of the test, from the recording alone."""
    session = Session(live=False, keep_samples=True)
    for row, each in enumerate(log, 1):
        session.receive(each, row)
    blocks = session.blocks
    done = [each for each in events if isinstance(each, SetDone)]
    spans = [(each.start_s, each.end_s) for each in done]
    reps = [
        rep
        for closed in session.sets
        for rep in closed.reps
        if any(start_s <= rep.peak_s <= end_s for start_s, end_s in spans)
    ]
    return TESTS[test](
        np.concatenate([each.time_s for each in blocks]),
        np.concatenate([each.force_n for each in blocks]),
        reps,
    ).values


def test_the_library_has_every_test() -> None:
    assert {each.test for each in LIBRARY.exercises.values() if each.test} == set(TESTS)


def test_three_maximal_pulls_a_side_are_led_without_a_word_on_tempo() -> None:
    plan = a_plan("mvc")
    peaks_n = [150.0, 140.0, 170.0, 150.0, 160.0, 145.0]
    rests_s = [12.0, 62.0, 12.0, 62.0, 12.0, 8.0]
    pulls = zip(peaks_n, rests_s, strict=True)
    found, log = led(plan, *(replace(HARD, peak_n=n, rest_after_s=s) for n, s in pulls))
    assert [(each.block.side, each.reps, each.how) for each in found.sets] == [
        ("right", 1, "done"), ("left", 1, "done"),
    ] * 3  # fmt: skip
    assert found.said.count("Now the left side.") == 3
    assert not found.cues("slower-back", "hold-longer", "all-the-way", "check-band")
    assert not any(view.scores for view in found.views)
    assert found.views[-1].screen is Screen.DONE
    true_n = max(rep.peak_n for rep in found.truth)
    assert values(found.events, log, "mvc")["mvc_n"] == pytest.approx(true_n, rel=0.02)


def test_repeaters_are_counted_until_the_person_stops() -> None:
    plan = a_plan("repeaters")
    right = replace(SEVEN, reps=9, hold_s=7.0, rest_after_s=40.0)
    found, _ = led(plan, right)
    assert found.sets[0].reps == 9
    assert found.sets[0].how == "done"
    assert len(found.cues("release")) >= 8


def test_critical_force_is_led_through_24_pulls_and_found_in_the_recording() -> None:
    plan = a_plan("critical-force")
    found, log = led(plan, replace(SEVEN, reps=24, fade=0.5, rest_after_s=8.0))
    assert [each.reps for each in found.sets] == [24]
    assert found.said[-1] == "Done. 24 reps."
    last_n = np.mean([rep.peak_n for rep in found.truth[-3:]])
    told = values(found.events, log, "critical-force")
    # rubber that is held relaxes by some per cent
    assert 0.88 * last_n < told["critical_force_end_n"] < last_n
    assert told["critical_force_mean_n"] < last_n
    assert told["w_prime_mean_n_s"] > 0
