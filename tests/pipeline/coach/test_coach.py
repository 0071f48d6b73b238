"""What the coach says to people who do as asked, and to those who do not."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import pairwise

import pytest

from firmware_sim.band import Band, BandSetup
from firmware_sim.offline import Radio, notifications
from firmware_sim.person.elastic import Elastic
from firmware_sim.person.personas import PERSONAS, set_of
from firmware_sim.person.workout import SetPlan, Workout
from pipeline.analysis.types import Expect, RepAnnounced, RepWithdrawn
from pipeline.coach.plan import Block, Change, Plan
from pipeline.coach.view import Screen
from pipeline.commands.following import asked_of, workout_of
from pipeline.session.events import Emitted
from pipeline.session.session import Session
from sensor.samples import Notification
from tests.pipeline.coach.coached import (
    READY,
    Coached,
    a_plan,
    coach_of,
    coached,
    listen,
    with_asks,
)

ATHLETE = PERSONAS["athlete"]


def done_as(block: Block, reps: int, rest_s: float = 20.0) -> SetPlan:
    """So many reps of a block by an athlete, and then a rest."""
    asked = replace(asked_of(block), reps=reps)
    return replace(set_of(asked, ATHLETE, Elastic.of_colour("red")), rest_after_s=rest_s)


def lead(plan: Plan, *sets: SetPlan, **options: object) -> Coached:
    workout = Workout(sets, lead_in_s=5.0)
    return coached(plan, workout, options.pop("asks", READY), **options)  # type: ignore[arg-type]


def numbers(found: Coached) -> list[str]:
    """The numbers that were said, without ticks."""
    names = ("count", "in-range", "more", "last")
    return [cue.say for cue in found.cues(*names) if cue.say]


@pytest.fixture(scope="module")
def first_set() -> Coached:
    """One set of low rows done to the top, and the rest before the next."""
    plan = a_plan("low-row")
    return lead(plan, done_as(plan.blocks[0], 12, 75.0))


def test_a_set_is_led_from_the_first_pull_to_the_rest(first_set: Coached) -> None:
    assert first_set.screens[:4] == [Screen.SETUP, Screen.READY, Screen.WORK, Screen.REST]
    said = first_set.said
    assert said[:3] == ["Pull to start.", "Breathe out.", "Breathe out."]
    assert numbers(first_set) == ["2", "3", "4", "5", "6", "7", "8. In range.", "9. 3 more.",
                                  "10. 2 more.", "Last one."]  # fmt: skip
    after = said[said.index("Last one.") + 1 :]
    assert after[:5] == ["Enough. Rest.", "Low row, set 2.", "3", "2", "1"]
    assert first_set.sets[0].reps == 12


def test_breathing_out_is_asked_for_in_the_first_reps_only(first_set: Coached) -> None:
    assert first_set.said.count("Breathe out.") == 2
    assert len(first_set.cues("pull")) >= 3


def test_the_release_is_asked_for_when_the_hold_is_long_enough(first_set: Coached) -> None:
    hold_s = a_plan("low-row").blocks[0].tempo.hold_s
    late = []
    for rep in first_set.truth:
        due = [c.due_s for c in first_set.cues("release") if rep.start_s < c.due_s < rep.end_s + 1]
        late += [due[0] - (rep.top_start_s + hold_s)] if due else []
    assert len(late) >= 8  # who lets go before is not told to
    assert max(late) <= 0.15


def test_a_recording_gives_the_same_coaching_again() -> None:
    plan = a_plan("six-minute-upper-back")
    short = replace(plan, blocks=plan.blocks[:3])
    runs = [coached(short, workout_of(short), seed=3).events for _ in range(2)]
    assert runs[0] == runs[1]


def test_the_analysis_is_told_what_each_exercise_is_and_the_recording_keeps_it() -> None:
    plan = a_plan("low-row")
    held = replace(plan.blocks[0].exercise, name="held", hold=True)
    blocks = (replace(plan.blocks[0], change=Change.NEXT), replace(plan.blocks[1], exercise=held))
    two = replace(plan, blocks=blocks)
    band = Band(BandSetup(workout=workout_of(two)))
    stream = with_asks(notifications(band), [(0.0, f"begin {plan.name}"), *READY])
    log: list[Notification] = []
    events = listen(coach_of(two), stream, log)
    told = [json.loads(each.payload)["text"] for each in log if b'"expect"' in each.payload]
    assert told == ["pulls", "hold", "anything"]
    assert [each.word for each in events if isinstance(each, Expect)] == told
    assert listen(coach_of(two), log, live=False) == events


def test_the_road_has_a_height_from_the_first_two_reps_on(first_set: Coached) -> None:
    heights = {view.count: view.usual_n for view in first_set.views if view.screen is Screen.WORK}
    assert heights[1] is None
    rise_n = sum(rep.peak_n - rep.valley_before_n for rep in first_set.truth[:2]) / 2
    assert heights[2] == pytest.approx(rise_n, rel=0.1)


def test_the_height_of_earlier_sessions_is_there_from_the_first_pull() -> None:
    plan = a_plan("low-row", usual_n={"low-row": 14.0})
    found = lead(plan, done_as(plan.blocks[0], 2, 5.0))
    assert {view.usual_n for view in found.views if view.count < 2} == {14.0}
    assert numbers(found)[:2] == ["1", "2"]


def test_practice_pulls_count_for_nothing_where_the_usual_pull_is_known() -> None:
    plan = a_plan("low-row", usual_n={"low-row": 15.0})
    first = replace(done_as(plan.blocks[0], 8, 15.0), trial_pulls=2)
    found = lead(plan, first)
    assert found.sets[0].reps == 8
    assert numbers(found) == ["1", "2", "3", "4", "5", "6", "7", "8. In range."]


def test_a_set_broken_off_at_the_fifth_rep_is_paused_and_then_noted() -> None:
    plan = a_plan("low-row")
    found = lead(plan, done_as(plan.blocks[0], 5, 330.0))
    assert found.screens[:5] == [
        Screen.SETUP,
        Screen.READY,
        Screen.WORK,
        Screen.PAUSED,
        Screen.READY,
    ]
    assert "Paused. Tug twice to go on." in found.said
    assert found.sets[0].reps == 5
    assert found.sets[0].how == "broken off"
    assert found.views[-1].block.set == 2


def test_who_goes_on_past_the_range_is_told_once_and_every_rep_counts() -> None:
    plan = a_plan("low-row")
    found = lead(plan, done_as(plan.blocks[0], 15, 70.0))
    assert found.sets[0].reps == 15
    assert found.said.count("Enough. Rest.") == 1
    rest = [view for view in found.views if view.screen is Screen.REST]
    assert rest[-1].until_s == pytest.approx(found.truth[-1].end_s + 60, abs=0.5)
    assert found.views[-1].block.set == 2


def test_sides_swapped_early_are_credited_to_the_side_that_pulled() -> None:
    plan = a_plan("archery-pull")
    right, left = plan.blocks
    found = lead(plan, done_as(right, 7, 0.5), done_as(left, 10, 5.0))
    assert [(each.block.side, each.reps, each.how) for each in found.sets] == [
        ("right", 7, "broken off"),
        ("left", 10, "done"),
    ]
    assert "Now the left side." in found.said


def test_who_walks_away_for_two_minutes_finds_the_count_kept() -> None:
    plan = a_plan("low-row")
    found = lead(plan, done_as(plan.blocks[0], 5, 120.0), done_as(plan.blocks[0], 6, 20.0))
    assert found.sets[0].reps == 11
    assert Screen.PAUSED in found.screens
    assert found.said.index("Go on.") > found.said.index("Paused. Tug twice to go on.")
    assert len(set(numbers(found))) == len(numbers(found))


def test_reps_fetched_after_a_lost_link_change_the_number_and_nothing_is_said_of_them() -> None:
    plan = a_plan("low-row")
    two = Workout((done_as(plan.blocks[0], 12, 90.0),), lead_in_s=5.0)
    found = coached(plan, two, radio=Radio(outages=((30.0, 60.0),)))
    assert Screen.LOST in found.screens
    said = found.said
    assert said.index("The band is back.") > said.index("The band is away. Your reps are kept.")
    assert found.sets[0].reps == 12
    away = [rep for rep in found.truth if 30 < rep.end_s < 90]
    assert len(away) >= 4
    spoken = [cue for cue in found.cues("count", "more", "in-range", "last") if cue.say]
    assert not [cue for cue in spoken if 30.2 < cue.due_s < 90.5]


def test_who_stops_for_pain_is_asked_where_and_nothing_is_pushed() -> None:
    plan = a_plan("low-row")
    asks = [*READY, (22.0, "stop"), (26.0, "pain 6 shoulder"), (28.0, "end"), (40.0, "pain 2")]
    found = lead(plan, done_as(plan.blocks[0], 3, 40.0), asks=asks)
    assert found.screens == [Screen.SETUP, Screen.READY, Screen.WORK, Screen.HURT, Screen.DONE]
    last = found.views[-1]
    assert (last.stopped, last.pain, last.pain_where, last.pain_after) == ("pain", 6, "shoulder", 2)
    assert found.sets[-1].how == "pain"
    assert found.said[-1] == "Stopped."


@pytest.mark.parametrize(("after_s", "reps"), [(0.1, 3), (-0.6, 2)])
def test_a_rep_that_was_over_when_the_person_stopped_is_noted(after_s: float, reps: int) -> None:
    plan = a_plan("low-row", usual_n={"low-row": 15.0})
    third_s = lead(plan, done_as(plan.blocks[0], 3, 2.0)).truth[2].end_s
    asks = [*READY, (third_s + after_s, "stop"), (third_s + 2, "end")]
    found = lead(plan, done_as(plan.blocks[0], 3, 5.0), asks=asks)
    assert found.sets[-1].reps == reps


def test_no_pain_after_a_stop_leads_to_the_pause_and_not_into_the_set() -> None:
    plan = a_plan("low-row")
    asks = [*READY, (22.0, "stop"), (25.0, "no-pain")]
    found = lead(plan, done_as(plan.blocks[0], 3, 20.0), asks=asks)
    assert found.screens[3:5] == [Screen.HURT, Screen.PAUSED]


@pytest.mark.parametrize(
    ("pain", "screen"), [(0, Screen.READY), (3, Screen.READY), (4, Screen.HURT)]
)
def test_with_pain_before_the_coach_does_not_begin(pain: int, screen: Screen) -> None:
    plan = a_plan("low-row")
    found = lead(plan, done_as(plan.blocks[0], 1, 0.5), asks=[(1.0, f"pain {pain}")])
    assert found.screens[1] is screen
    if screen is Screen.HURT:
        assert not found.sets


@pytest.mark.parametrize(
    ("colour", "words"),
    [("black", "Heavier"), ("green", "Heavier"), ("yellow", "Lighter"), ("red", None)],
)
def test_a_band_of_the_wrong_colour_is_asked_about_once(colour: str, words: str | None) -> None:
    plan = a_plan("low-row", usual_n={"low-row": 15.0})
    asked = replace(asked_of(plan.blocks[0]), reps=8)
    other = set_of(asked, ATHLETE, Elastic.of_colour(colour))
    found = lead(plan, replace(other, rest_after_s=15.0), colour=colour)
    asked_for = [say for say in found.said if "Check the band" in say]
    assert asked_for == ([f"{words} than usual. Check the band."] if words else [])
    assert found.sets[0].reps == 8


def test_holds_let_go_too_soon_and_releases_that_snap_are_corrected_now_and_then() -> None:
    plan = a_plan("row-with-pause", usual_n={"row-with-pause": 15.0})
    hasty = replace(done_as(plan.blocks[0], 8, 5.0), hold_s=0.3, eccentric_s=0.5)
    found = lead(plan, hasty)
    corrections = [cue.say for cue in found.cues("slower-back", "hold-longer")]
    assert "Slower back." in corrections
    assert len(corrections) <= 3
    short = replace(done_as(plan.blocks[0], 8, 5.0), hold_s=0.3)
    assert "Hold longer." in lead(plan, short).said


def test_half_pulls_are_corrected_and_not_counted() -> None:
    plan = a_plan("low-row", usual_n={"low-row": 15.5})
    found = lead(plan, replace(done_as(plan.blocks[0], 8, 15.0), partial_reps=2))
    assert "All the way." in found.said
    assert found.sets[0].reps == 8


@pytest.mark.parametrize(("shrugs", "faded"), [(0, False), (2, True)])
def test_a_set_that_ends_in_half_pulls_is_noted_as_that(shrugs: int, faded: bool) -> None:
    plan = a_plan("low-row", usual_n={"low-row": 15.5})
    found = lead(plan, replace(done_as(plan.blocks[0], 9, 15.0), shrugs=shrugs))
    assert (found.sets[0].reps, found.sets[0].faded) == (9, faded)


def test_who_does_as_asked_hears_no_correction(first_set: Coached) -> None:
    assert not first_set.cues("slower-back", "hold-longer", "all-the-way", "check-band")


def test_nothing_felt_for_twenty_seconds_is_said() -> None:
    plan = a_plan("low-row")
    found = coached(plan, Workout((done_as(plan.blocks[0], 1, 1.0),), lead_in_s=40.0))
    assert found.said.count("I feel no pull yet.") == 1


def test_an_exercise_without_a_band_is_led_by_time() -> None:
    plan = a_plan("i-y-t")
    one = replace(plan, blocks=plan.blocks[:2])
    found = coached(one, Workout((), lead_in_s=60.0), [*READY, (3.0, "start")], duration_s=55.0)
    assert [each.reps for each in found.sets] == [5, 5]
    pulls = [cue.due_s for cue in found.cues("pull")][:5]
    steps = {round(b - a, 2) for a, b in pairwise(pulls)}
    assert steps == {plan.blocks[0].tempo.rep_s}
    assert "Y." in found.said


def test_taps_take_over_from_the_tempo() -> None:
    plan = a_plan("scapular-push-up")
    taps = [(4.0 + 2 * k, "tap") for k in range(8)]
    found = coached(plan, Workout((), lead_in_s=40.0), [*READY, *taps], duration_s=30.0)
    assert found.sets[0].reps == 8
    assert found.views[3].by_touch


@pytest.mark.parametrize(
    ("reps", "waits_s", "before", "after"),
    [(5, 20.0, Screen.PAUSED, Screen.WORK), (12, 20.0, Screen.REST, Screen.READY)],
    ids=["a pause", "a rest"],
)
def test_two_quick_tugs_go_on(reps: int, waits_s: float, before: Screen, after: Screen) -> None:
    plan = a_plan("low-row")
    tugs = SetPlan("tug", 2, 6.0, 0.12, 0.0, 0.12, 0.4, 3.0, bottom=0.0, spread=0.0)
    found = lead(plan, done_as(plan.blocks[0], reps, waits_s), tugs)
    at = found.screens.index(before)
    assert found.screens[at : at + 2] == [before, after]
    waited = [k for k, view in enumerate(found.views) if view.screen is before][-1]
    went_on = found.views[waited + 1]
    assert went_on.screen is after
    assert 0 < went_on.now_s - found.truth[-1].end_s < 1
    assert found.sets[0].reps == reps, "a tug is no rep"


def test_one_more_is_asked_for_once_where_the_last_rep_is_withdrawn() -> None:
    plan = a_plan("low-row")
    band = Band(BandSetup(workout=Workout((done_as(plan.blocks[0], 12, 3.0),), lead_in_s=5.0)))
    coach, session = coach_of(plan), Session()
    found, announced = Coached(), list[Emitted]()
    stream = with_asks(notifications(band), [(0.0, f"begin {plan.name}"), *READY])
    for row, each in enumerate(stream, 1):
        emitted = session.receive(each, row)
        announced += [one for one in emitted if isinstance(one.event, RepAnnounced)]
        found.events += coach.receive(emitted)
        if Screen.REST in found.screens:
            break
    last = announced[-1]
    assert isinstance(last.event, RepAnnounced)
    taken_back = replace(last, event=RepWithdrawn(last.event.rep.id, 0.0, "none"))
    found.events += coach.receive([taken_back, last, taken_back])
    assert found.said[-2:] == ["Enough. Rest.", "One more."]
    assert found.said.count("One more.") == 1
    assert [found.sets[0].reps, found.screens[-1]] == [11, Screen.REST]


def test_commands_start_skip_repeat_and_lengthen() -> None:
    plan = a_plan("low-row")
    asks = [*READY, (3.0, "skip"), (4.0, "skip"), (6.0, "pause"), (7.0, "go-on"), (8.0, "skip")]
    found = lead(plan, done_as(plan.blocks[0], 1, 1.0), asks=asks, duration_s=10.0)
    assert [each.how for each in found.sets] == ["skipped", "skipped", "skipped"]
    assert found.views[-1].screen is Screen.DONE


def test_a_rest_is_lengthened_by_half_a_minute_and_ended_by_a_start() -> None:
    plan = a_plan("low-row")
    asks = [*READY, (100.0, "longer"), (110.0, "start")]
    found = lead(plan, done_as(plan.blocks[0], 12, 60.0), asks=asks)
    until = [view.until_s for view in found.views if view.screen is Screen.REST]
    assert until[-1] - until[0] == pytest.approx(30, abs=0.5)  # type: ignore[operator]
    ready = [view for view in found.views if view.screen is Screen.READY][-1]
    assert ready.now_s == pytest.approx(110, abs=0.3)
    assert ready.block.set == 2


@pytest.mark.parametrize(
    "text", ["pain", "pain -1", "pain 11", "pain x", "jump", "", "tap", "swap"]
)
def test_what_nobody_understands_changes_nothing(text: str) -> None:
    plan = a_plan("low-row")
    found = coached(plan, Workout((), lead_in_s=5.0), [(1.0, text)], duration_s=3.0)
    assert found.screens == [Screen.SETUP, Screen.DONE]


def test_the_coach_says_nothing_before_a_programme_is_chosen() -> None:
    plan = a_plan("low-row")
    band = Band(BandSetup(workout=Workout((done_as(plan.blocks[0], 2, 1.0),))))
    assert listen(coach_of(plan), notifications(band)) == []
