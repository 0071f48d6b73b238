"""Simulated people of every kind do every exercise and programme, and are counted right."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from functools import cache
from statistics import mean

import pytest

from firmware_sim.person.personas import PERSONAS
from firmware_sim.person.truth import RepTruth
from pipeline.coach.tempo import Phases, score
from pipeline.coach.view import Screen
from pipeline.commands.following import workout_of
from tests.pipeline.coach.coached import LIBRARY, READY, Coached, a_plan, coached

ASKS = [*READY, (2.0, "start")]
TRAINED = [name for name, each in LIBRARY.exercises.items() if not each.test]
NAMES = [*TRAINED, *(name for name in LIBRARY.programmes if name != "build-your-own")]
SAMPLED = [
    ("low-row", "older adult"), ("pull-apart", "beginner"), ("archery-pull", "rehabilitation"),
    ("deadlift", "beginner"), ("scapular-push-up", "athlete"), ("first-steps", "rehabilitation"),
]  # fmt: skip

SURE = 0.03
"""How near a session's tempo score is to the truth."""
SAGGING = {
    "older adult": ["row-with-pause"],
    "rehabilitation": [
        "low-row", "wide-row", "high-row", "face-pull", "bow-and-arrow-row",
        "superman-with-pulldown", "seated-row", "row-with-pause", "rear-delt-fly",
        "bent-over-row", "first-steps",
    ],
}  # fmt: skip
"""Whose holds lose about a tenth of the rise: sag, wandering and the rubber's relaxation are a part
of the whole force, and these pulls begin on a stretched band. The 90 % level then lies within the
hold, and tremor decides where it is crossed last: measured with seed 1 they are 3.1 to 14 % off."""


def tempo_sessions() -> list[object]:
    """Of exercises and programmes with a band: all, and the sampled ones with another seed."""
    with_band = [
        name for name in NAMES if any(e.exercise.counted == "band" for e in a_plan(name).blocks)
    ]
    every = [(name, persona, 1) for name in with_band for persona in PERSONAS]
    sampled = [(name, persona, 5) for name, persona in SAMPLED if name in with_band]
    cases: list[object] = []
    for name, persona, seed in every + sampled:
        marks = [pytest.mark.slow] if seed == 1 else []
        if name in SAGGING.get(persona, []):
            why = "the hold sags through the 90 % level"
            marks.append(pytest.mark.xfail(strict=True, raises=AssertionError, reason=why))
        cases.append(pytest.param(name, persona, seed, marks=marks))
    return cases


@cache
def follow(name: str, persona: str, seed: int = 1) -> Coached:
    plan = a_plan(name)
    return coached(plan, workout_of(plan, PERSONAS[persona]), ASKS, seed=seed)


def right_sets(name: str, found: Coached) -> tuple[int, int]:
    """Sets whose reps are credited as they were done, and all sets."""
    counted = Counter(rep.set for rep in found.truth if rep.counted)
    done = iter(counted[number] for number in sorted(counted))
    blocks = a_plan(name).blocks
    true = [next(done) if each.exercise.counted == "band" else each.most for each in blocks]
    if len(found.sets) != len(true):
        return 0, len(true)
    return sum(a == b.reps for a, b in zip(true, found.sets, strict=True)), len(true)


def as_told(truth: list[RepTruth], found: Coached) -> list[tuple[float, float]]:
    """The tempo score of each set as the coach gives it, and of the truth."""
    pairs = []
    for done in found.sets:
        inside = [rep for rep in truth if rep.counted and done.start_s < rep.peak_s < done.end_s]
        true = [
            score(
                Phases(
                    1.25 * rep.concentric_s,
                    max(rep.hold_s - (rep.concentric_s + rep.eccentric_s) / 8, 0),
                    1.25 * rep.eccentric_s,
                ),
                done.block.tempo,
                1,
            ).total
            for rep in inside
        ]
        if done.tempo is not None and true:
            pairs.append((done.tempo, mean(true)))
    return pairs


def off(pairs: list[tuple[float, float]]) -> float:
    """How far the session's mean score is from the true one."""
    return abs(mean(told for told, _ in pairs) - mean(true for _, true in pairs))


@pytest.mark.parametrize(("name", "persona"), SAMPLED)
def test_every_set_is_credited_as_it_was_done(name: str, persona: str) -> None:
    found = follow(name, persona, seed=5)
    good, all_ = right_sets(name, found)
    assert good == all_
    assert found.views[-1].screen is Screen.DONE
    assert not found.views[-1].stopped


@pytest.mark.parametrize(("name", "persona", "seed"), tempo_sessions())
def test_tempo_scores_are_true(name: str, persona: str, seed: int) -> None:
    found = follow(name, persona, seed)
    assert off(as_told(found.truth, found)) <= SURE


def test_the_six_minutes_take_a_little_more_than_six_minutes() -> None:
    plan = a_plan("six-minute-upper-back")
    found = follow("six-minute-upper-back", "athlete")
    assert right_sets(plan.name, found) == (16, 16)
    work = [view for view in found.views if view.screen is Screen.WORK]
    took_s = found.views[-1].now_s - work[0].now_s
    # besides the plan's six minutes a person needs a moment to begin each of sixteen sets
    assert plan.expected_s <= took_s <= plan.expected_s + 16 * 3.0
    assert found.said[-1] == "Done. 126 reps."


@pytest.mark.slow
@pytest.mark.parametrize("persona", PERSONAS)
def test_nearly_all_sets_in_all_exercises_are_credited_right(persona: str) -> None:
    good = all_ = 0
    for name in NAMES:
        found = follow(name, persona, seed=1)
        right, sets = right_sets(name, found)
        good, all_ = good + right, all_ + sets
    assert good / all_ >= 0.98, f"{good} of {all_}"


def test_one_set_is_the_same_however_few_ticks_there_are() -> None:
    plan = a_plan("low-row")
    one = replace(plan, blocks=plan.blocks[:1])
    found = coached(one, workout_of(one), ASKS)
    assert [each.reps for each in found.sets] == [12]
