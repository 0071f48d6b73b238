"""A programme as the row of blocks that are done: each one exercise, side and grip, then a rest."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from itertools import pairwise

from pipeline.coach.exercises import Elastic, Exercise, Programme, Step, Tempo
from pipeline.coach.library import Library

FIRST_SIDE, OTHER_SIDE = "right", "left"
LONGEST_CHANGE_S = 15.0
"""A longer one is a rest, even where the grip is another afterwards."""


class Change(StrEnum):
    """What comes after a block."""

    REST = "rest"
    SIDE = "side"
    GRIP = "grip"
    NEXT = "next"
    END = "end"


@dataclass(frozen=True, slots=True)
class Block:
    """Reps without a rest within: a set, or one side or grip of one."""

    exercise: Exercise
    set: int
    sets: int
    least: int
    most: int
    tempo: Tempo
    side: str = "both"
    grip: str = ""
    rest_s: float = 60.0
    """After it."""
    change: Change = Change.END
    round: int = 1

    @property
    def kind(self) -> tuple[str, str]:
        """What is compared between blocks: the exercise and the side."""
        return self.exercise.name, self.side

    @property
    def named(self) -> str:
        """It in words, as it is announced."""
        words = [self.exercise.title]
        if self.sets > 1:
            words.append(f"set {self.set}")
        if self.side != "both":
            words.append(f"{self.side} side")
        if self.grip:
            words.append(self.grip)
        return ", ".join(words)

    @property
    def expected_s(self) -> float:
        """How long it takes as prescribed, done to the top of its range."""
        return self.most * self.tempo.rep_s


@dataclass(frozen=True, slots=True)
class Plan:
    """What a person does today."""

    name: str
    title: str
    blocks: tuple[Block, ...]
    usual_n: Mapping[str, float] = field(default_factory=dict)
    """This person's usual rise in N by exercise on this band, from earlier sessions."""
    band: str = ""

    @property
    def expected_s(self) -> float:
        """How long it takes as prescribed, without the last rest."""
        rests_s = sum(block.rest_s for block in self.blocks[:-1])
        return sum(block.expected_s for block in self.blocks) + rests_s

    def after(self, place: int) -> Block | None:
        """The block that comes after the one at a place; None after the last."""
        return self.blocks[place + 1] if place + 1 < len(self.blocks) else None

    @property
    def reps(self) -> int:
        """The most that is asked for."""
        return sum(block.most for block in self.blocks)


def plan_of(
    programme: Programme,
    library: Library,
    *,
    sets: int | None = None,
    days_since: Mapping[str, float] | None = None,
    chosen: Sequence[str] = (),
    usual_n: Mapping[str, float] | None = None,
    band: str = "",
) -> Plan:
    """The blocks of a programme.

    Parameters
    ----------
    sets
        Of each step that leaves it open; by default the least.
    days_since
        Days since each exercise was last done, for programmes that choose among their steps.
    chosen
        The exercises that were chosen, in order, where that is known already.
    """
    steps = list(programme.steps)
    if programme.choose is not None and chosen:
        steps = [step for name in chosen for step in programme.steps if step.exercise == name]
        steps = steps or list(programme.steps)
    elif programme.choose is not None:
        since = days_since or {}
        # sorted() keeps the order of the programme among those never done
        steps = sorted(steps, key=lambda step: -since.get(step.exercise, 1e9))
        steps = steps[: programme.choose]
    blocks: list[Block] = []
    for round_ in range(1, programme.rounds + 1):
        for step in steps:
            blocks += _of_step(step, library.exercises[step.exercise], sets, round_)
        if round_ < programme.rounds:
            blocks[-1] = replace(blocks[-1], rest_s=programme.between_rounds_s)
    changes = [_change(*pair) for pair in pairwise(blocks)] + [Change.END]
    blocks = [replace(block, change=each) for block, each in zip(blocks, changes, strict=True)]
    return Plan(programme.name, programme.title, tuple(blocks), dict(usual_n or {}), band)


def _change(block: Block, then: Block) -> Change:
    if then.exercise.name != block.exercise.name or then.round != block.round:
        return Change.NEXT
    if then.side != block.side and then.set == block.set:
        return Change.SIDE
    if then.grip != block.grip and block.rest_s <= LONGEST_CHANGE_S:
        return Change.GRIP
    return Change.REST


def _of_step(step: Step, exercise: Exercise, sets: int | None, round_: int) -> list[Block]:
    least_sets, most_sets = step.sets or (exercise.sets, exercise.sets)
    count = min(max(sets or least_sets, least_sets), most_sets)
    least, most = step.reps or exercise.reps
    tempo = Tempo.parse(step.tempo) if step.tempo else exercise.prescription
    rest_s = exercise.rest_s if step.rest_s is None else step.rest_s
    sides = (FIRST_SIDE, OTHER_SIDE) if exercise.sides == "each" else ("both",)
    grips = step.grips or exercise.grips
    blocks: list[Block] = []
    for number in range(1, count + 1):
        in_turn = [grips[(number - 1) % len(grips)]] if grips else [""]
        parts = [
            (side, grip)
            for side in sides
            for grip in (exercise.grips if exercise.each_grip else in_turn)
        ]
        for k, (side, grip) in enumerate(parts):
            within = k + 1 < len(parts)
            blocks.append(
                Block(
                    exercise, number, count, least, most, tempo, side, grip,
                    step.change_s if within else rest_s, Change.END, round_,
                )
            )  # fmt: skip
    return blocks


def lacking(blocks: Sequence[Block], owned: Sequence[Elastic]) -> str:
    """A sentence where the person's bands do not suffice; empty where they do, or are unknown."""
    if not owned:
        return ""
    kinds = {"loop" if band.kind == "loop" else "band" for band in owned}
    needs: dict[str, list[str]] = {}
    for block in blocks:
        for each in block.exercise.equipment:
            kind = "loop" if "loop" in each else "band" if each == "band" else ""
            if kind and kind not in kinds and block.exercise.title not in needs.get(kind, []):
                needs.setdefault(kind, []).append(block.exercise.title)
    if not needs:
        return ""
    words = " and ".join(
        f"a {kind if kind == 'band' else 'loop band'} for {', '.join(titles)}"
        for kind, titles in needs.items()
    )
    have = ", ".join(band.name for band in owned)
    return f"this asks for {words}; you have {have}: skip those, or note a band of that kind"
