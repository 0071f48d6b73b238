"""People who keep a part of what is prescribed are told that part."""

from __future__ import annotations

from dataclasses import replace

import pytest

from firmware_sim.person.elastic import Elastic
from firmware_sim.person.personas import PERSONAS, set_of
from firmware_sim.person.truth import RepTruth
from firmware_sim.person.workout import SetPlan, Workout
from pipeline.coach.adherence import Kept, kept
from pipeline.coach.diary import Diary
from pipeline.coach.plan import Block, Plan
from pipeline.commands.following import asked_of
from tests.pipeline.coach.coached import READY, a_plan, coached

SURE = 0.01


def prescribed() -> Plan:
    """Two sets of ten low rows, no range."""
    plan = a_plan("low-row")
    blocks = [replace(block, least=10, most=10, sets=2) for block in plan.blocks[:2]]
    blocks[1] = replace(blocks[1], change=plan.blocks[-1].change)
    return replace(plan, blocks=tuple(blocks))


def as_done(block: Block, persona: str, reps: int, pace: float, rest_s: float) -> SetPlan:
    asked = replace(asked_of(block), reps=reps)
    whole = set_of(asked, PERSONAS[persona], Elastic.of_colour("green"))
    return replace(
        whole,
        concentric_s=pace * asked.concentric_s,
        hold_s=pace * asked.hold_s,
        eccentric_s=pace * asked.eccentric_s,
        rest_after_s=rest_s,
        trial_pulls=0,
    )


def told(persona: str, reps: int, pace: float) -> tuple[Kept, list[RepTruth]]:
    """What is told of somebody who does so many of twenty reps, in so much of their time."""
    plan = prescribed()
    first = as_done(plan.blocks[0], persona, reps - reps // 2, pace, 75.0)
    second = as_done(plan.blocks[1], persona, reps // 2, pace, 10.0)
    over_s = 15.0 + first.reps * plan.blocks[0].tempo.rep_s * PERSONAS[persona].release
    # who does fewer than asked for says that the set is over
    asks = [*READY, *([(over_s, "skip")] if reps < 20 else [])]
    workout = Workout((first, second), lead_in_s=5.0)
    found = coached(plan, workout, asks, seed=4, colour="green")
    diary = Diary()
    diary.take(found.events)
    return kept(diary.workouts), found.truth


def true_tension_s(rep: RepTruth) -> float:
    """From foot to foot, as the coach counts it."""
    moves_s = rep.concentric_s + rep.eccentric_s
    return 1.25 * moves_s + max(rep.hold_s - moves_s / 8, 0.0)


@pytest.mark.parametrize(
    ("persona", "reps", "pace"),
    [
        ("athlete", 20, 1.0),
        ("athlete", 11, 1.0),
        ("athlete", 20, 0.53),
        ("beginner", 16, 0.8),
        ("older adult", 18, 0.65),
        ("rehabilitation", 20, 0.53),
    ],
)
def test_the_part_that_was_kept_is_told_within_one_per_cent(
    persona: str, reps: int, pace: float
) -> None:
    found, truth = told(persona, reps, pace)
    asked_s = 20 * (prescribed().blocks[0].tempo.rep_s)
    done_s = sum(true_tension_s(rep) for rep in truth if rep.counted)
    assert found.reps == pytest.approx(reps / 20, abs=SURE)
    assert found.tension is not None
    assert found.tension == pytest.approx(min(done_s / asked_s, 1.0), abs=SURE)
