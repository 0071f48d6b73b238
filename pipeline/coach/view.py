"""What the person sees of the coaching now: one value, whole, for every kind of screen."""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import StrEnum

from pipeline.coach.doing import SetDone
from pipeline.coach.plan import Block, Plan
from pipeline.coach.tempo import Score


class Screen(StrEnum):
    """One of the screens."""

    SETUP = "setup"
    READY = "ready"
    WORK = "work"
    REST = "rest"
    PAUSED = "paused"
    LOST = "lost"
    HURT = "hurt"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Guide:
    """When the guide is where in a rep, s: it begins each pull, and follows the person after."""

    pull_s: float
    top_s: float
    release_s: float
    end_s: float
    next_s: float

    def shifted(self, by_s: float) -> Guide:
        """The same on a time axis whose zero lies `by_s` earlier."""
        return Guide(*(getattr(self, each.name) + by_s for each in fields(self)))


@dataclass(frozen=True, slots=True)
class View:
    """Everything on the screen. Times are of the session; `now_s` is when this became so."""

    screen: Screen
    now_s: float
    plan: Plan
    place: int
    """Of the block, from 0."""
    block: Block
    """That is done, or comes."""
    count: int = 0
    until_s: float | None = None
    """When a rest ends; when a pause began."""
    guide: Guide | None = None
    scores: tuple[Score, ...] = ()
    """Of the last three reps."""
    usual_n: float | None = None
    """How high the road is; None: a shape without height."""
    by_touch: bool = False
    """Whether taps count."""
    change: str = ""
    """What a rest is for: `rest`, `side`, `grip` or `next`."""
    last: SetDone | None = None
    done: tuple[SetDone, ...] = ()
    pain_before: int | None = None
    pain: int | None = None
    """Where it was stopped."""
    pain_after: int | None = None
    pain_where: str = ""
    stopped: str = ""
    """Why it ended early: `pain` or `stopped`."""

    @property
    def then(self) -> Block | None:
        """The block that comes after."""
        return self.plan.after(self.place)
