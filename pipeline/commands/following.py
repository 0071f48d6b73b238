"""A simulated person who follows a plan of the coach: what the hands do, and when."""

from __future__ import annotations

from dataclasses import replace

from firmware_sim.person.elastic import Elastic
from firmware_sim.person.personas import PERSONAS, Asked, Persona, set_of
from firmware_sim.person.workout import SetPlan, Workout
from pipeline.coach.plan import Block, Plan

COUNT_IN_S = 1.0


def workout_of(
    plan: Plan, persona: Persona = PERSONAS["athlete"], colour: str = "red", ready_s: float = 6.0
) -> Workout:
    """The workout of somebody who does the most of each range, and rests as long as asked.

    While reps are led by time, the band lies still.
    """
    elastic = Elastic.of_colour(colour)
    sets: list[SetPlan] = []
    lead_in_s = ready_s
    for block in plan.blocks:
        if block.exercise.counted == "band":
            sets.append(set_of(asked_of(block), persona, elastic))
            continue
        still_s = block.expected_s + block.rest_s + COUNT_IN_S
        if sets:
            sets[-1] = replace(sets[-1], rest_after_s=sets[-1].rest_after_s + still_s)
        else:
            lead_in_s += still_s
    return Workout(tuple(sets), lead_in_s=lead_in_s)


def asked_of(block: Block) -> Asked:
    """What a block asks for, in the simulation's words."""
    tempo = block.tempo
    return Asked(
        block.exercise.name, block.most, tempo.concentric_s, tempo.hold_s, tempo.eccentric_s,
        tempo.bottom_s, block.exercise.stretch, block.rest_s,
    )  # fmt: skip
