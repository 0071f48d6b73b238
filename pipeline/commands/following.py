"""A simulated person who follows the coach: what the hands do, and when."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from firmware_sim.person.elastic import Elastic
from firmware_sim.person.personas import PERSONAS, Asked, Persona, set_of
from firmware_sim.person.workout import SetPlan, Workout
from pipeline.coach.plan import Block, Plan
from pipeline.coach.view import Screen, View
from pipeline.coach.workout import CoachEvent
from pipeline.session.facts import SessionFacts

COUNT_IN_S = 1.0
BEGINS_S = 1.5
"""After "pull to start"."""
STILL = Workout((), lead_in_s=1.0)


class Follower:
    """A CoachSink: does each block as it comes, and stops while nothing is to be done.

    Parameters
    ----------
    do
        Makes the person do something else from now on.
    """

    def __init__(self, do: Callable[[Workout], None], persona: Persona, colour: str) -> None:
        self._do, self._persona = do, persona
        self._elastic = Elastic.of_colour(colour)
        self._at: tuple[Plan, int, Screen] | None = None

    def coach(self, facts: SessionFacts, events: Sequence[CoachEvent]) -> None:
        """Follow what the coach shows."""
        for view in (each for each in events if isinstance(each, View)):
            before, self._at = self._at, (view.plan, view.place, view.screen)
            if self._at == before or view.screen is Screen.LOST:
                continue
            paused = before is not None and before[2] is Screen.PAUSED
            if view.screen is Screen.READY:
                self._pull(view.block, view.block.most)
            elif view.screen is not Screen.WORK:
                self._do(STILL)
            elif paused:
                self._pull(view.block, view.block.most - view.count)

    def _pull(self, block: Block, reps: int) -> None:
        if block.exercise.counted != "band" or reps < 1:
            self._do(STILL)
            return
        asked = replace(asked_of(block), reps=reps)
        self._do(Workout((set_of(asked, self._persona, self._elastic),), lead_in_s=BEGINS_S))


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
