"""The demo's person does what the coach shows."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from firmware_sim.band import LETS_GO_S, Band, BandSetup
from firmware_sim.person.personas import PERSONAS
from firmware_sim.person.workout import SetPlan, Workout
from pipeline.coach.view import Screen, View
from pipeline.commands.following import STILL, Follower
from tests.example_session import FACTS
from tests.pipeline.coach.coached import a_plan

PLAN = a_plan("six-minute-upper-back")
SET_UP = View(Screen.SETUP, 0.0, PLAN, 0, PLAN.blocks[0])
READY, WORK = (replace(SET_UP, screen=each) for each in (Screen.READY, Screen.WORK))
SCREENS = {each: replace(SET_UP, screen=each) for each in Screen}


def done(*views: View) -> list[int | str]:
    """What the person does: so many reps, or `still`."""
    workouts: list[Workout] = []
    follower = Follower(workouts.append, PERSONAS["athlete"], "red")
    for view in views:
        follower.coach(FACTS, [view])
    return ["still" if each == STILL else each.sets[0].reps for each in workouts]


def test_a_block_is_done_once_when_it_is_ready() -> None:
    working = [replace(WORK, count=k) for k in range(10)]
    after = replace(SCREENS[Screen.REST], count=10)
    second = replace(READY, place=1, block=PLAN.blocks[1])
    assert done(SET_UP, READY, *working, after, second) == ["still", 10, "still", 10]


def test_who_was_paused_does_what_is_left() -> None:
    paused = replace(SCREENS[Screen.PAUSED], count=4)
    assert done(READY, WORK, paused, replace(WORK, count=4)) == [10, "still", 6]


@pytest.mark.parametrize("screen", [Screen.HURT, Screen.DONE, Screen.SETUP, Screen.REST])
def test_while_nothing_is_to_be_done_nothing_is(screen: Screen) -> None:
    assert done(READY, WORK, SCREENS[screen]) == [10, "still"]


def test_a_lost_link_stops_nobody() -> None:
    assert done(READY, WORK, SCREENS[Screen.LOST], WORK) == [10]


def test_reps_that_are_led_by_time_leave_the_band_alone() -> None:
    led = next(block for block in PLAN.blocks if block.exercise.counted == "time")
    assert done(replace(READY, block=led)) == ["still"]


def test_hands_let_go_before_they_do_something_else() -> None:
    pull = SetPlan("low-row", 1, 60.0, 1.0, 30.0, 1.0, 0.5, 1.0)
    band = Band(BandSetup(workout=Workout((pull,), lead_in_s=0.5), curve_sd=0.0))
    time_s = np.arange(0.0, 10.0, 0.0125)
    held = band._convert(time_s).counts.astype(float)
    band.follow(STILL)
    after = band._convert(time_s + 10.0).counts.astype(float)
    zero, up = after[-80:].mean(), held[-80:].mean()
    assert abs(after[0] - up) < 0.1 * abs(up - zero), "no leap"
    assert abs(after[round(LETS_GO_S / 0.0125) + 2] - zero) < 0.05 * abs(up - zero)
