"""Where a workout stands: the block, the screen, the reps, and what is the case with them."""

from __future__ import annotations

from pipeline.analysis.types import Phase
from pipeline.coach.clock import Clock
from pipeline.coach.doing import Doing, SetDone
from pipeline.coach.leader import Leader
from pipeline.coach.ledger import Ledger
from pipeline.coach.plan import Block, Plan
from pipeline.coach.timers import Timers
from pipeline.coach.view import Screen
from pipeline.coach.voice import Voice


class Course:
    """What all that leads a workout looks at and changes."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self.plan, self.clock = plan, clock
        self.voice = Voice(clock)
        self.leader = Leader(self.voice)
        self.ledger = Ledger(plan)
        self.timers = Timers()
        self.screen = Screen.SETUP
        self.place = 0
        """Of the block, from 0."""
        self.until_s: float | None = None
        """When a rest ends; when a pause began."""
        self.phase = Phase.REST
        """What the person does, as far as the band says."""
        self.lost = False
        """Whether the band is away."""
        self.by_touch = False
        """Whether taps count."""
        self.pain: dict[str, int] = {}
        """`before`, `hurt` and `after`, as far as it was said."""
        self.pain_where = self.stopped = ""
        self.stopped_s = 0.0
        """When the person said stop, last."""
        self.results: list[SetDone] = []
        """That are not told yet."""
        self.stale = True
        """Whether the screen may be another than shown."""

    @property
    def block(self) -> Block:
        """That is done, or comes."""
        return self.plan.blocks[self.place]

    @property
    def then(self) -> Block | None:
        """That comes after it."""
        return self.plan.after(self.place)

    @property
    def count(self) -> int:
        """Reps of the block that is done now."""
        return self.ledger.all[-1].count if self.ledger.open is not None else 0

    @property
    def in_range(self) -> bool:
        """Whether they are enough."""
        return self.count >= self.block.least

    @property
    def judged(self) -> bool:
        """Whether tempo and range of pulls are spoken of: while reps are done, not in a test."""
        return self.screen is Screen.WORK and not self.block.exercise.test

    @property
    def led(self) -> bool:
        """Whether the block is led by time."""
        return self.block.exercise.counted == "time"

    @property
    def needs_band(self) -> bool:
        """Whether nothing but the band counts."""
        return not self.led and not self.by_touch

    @property
    def usual_n(self) -> float | None:
        """The usual rise of the block."""
        return self.ledger.usual_n(self.block)

    def result(self, doing: Doing) -> SetDone:
        """What a block came to."""
        return doing.result(self.clock.now_s, self.clock.zero_s)

    def report(self, doing: Doing | None) -> None:
        """Tell what a block came to, once it is over."""
        if doing is not None and doing.end_s is not None:
            self.results.append(self.result(doing))
