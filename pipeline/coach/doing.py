"""A block as it is done: the reps credited to it, how they were, and what it came to."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import mean, median

from pipeline.analysis.types import Rep
from pipeline.coach.plan import Block
from pipeline.coach.tempo import Phases, Score, score

STANDS_SHARE = 0.6
"""Part of the usual rise from which a rep stands as soon as it is known: no practice pull."""


@dataclass(frozen=True, slots=True)
class SetDone:
    """What a block came to. With the number of one before it replaces that: reps came late."""

    number: int
    block: Block
    reps: int
    start_s: float
    end_s: float
    how: str
    """`done`, `broken off`, `skipped`, `stopped` or `pain`."""
    tut_s: float
    tension_s: float
    """Time under tension as a trainer counts it, from foot to foot."""
    tempo: float | None
    """Mean score of the reps, 0 to 1."""
    peak_n: float | None
    rise_n: float | None
    """Median rise of its reps."""
    work_j: float | None
    faded: bool = False
    """Whether it ended in half pulls."""


@dataclass(slots=True)
class Doing:
    """The reps of one block, on the coach's clock."""

    number: int
    block: Block
    start_s: float
    reps: dict[int, Rep] = field(default_factory=dict)
    led: int = 0
    """Reps counted by time or taps."""
    led_tut_s: float = 0.0
    end_s: float | None = None
    how: str = ""
    spoken: int = 0
    """Highest number that was said: said once, and never unsaid."""
    told_one_more: bool = False
    half_s: float = 0.0
    """When the last half pull was over."""

    @property
    def count(self) -> int:
        return len(self.reps) + self.led

    @property
    def in_range(self) -> bool:
        return self.count >= self.block.least

    @property
    def last_end_s(self) -> float:
        """When the last rep ended; the start where there is none."""
        return max((rep.end_s for rep in self.reps.values()), default=self.start_s)

    @property
    def ordered(self) -> list[Rep]:
        return sorted(self.reps.values(), key=lambda rep: rep.peak_s)

    @property
    def rises_n(self) -> list[float]:
        """Of its reps, in order."""
        return [rep.peak_n - rep.valley_before_n for rep in self.ordered]

    def stands(self, rep: Rep, usual_n: float | None) -> bool:
        """Whether a rep is sure enough to be spoken of: it will hardly be withdrawn."""
        if self.block.exercise.test:
            return True  # whoever tries with all strength is not held against an earlier try
        if usual_n is None:
            return self.count > 1
        return rep.peak_n - rep.valley_before_n >= STANDS_SHARE * usual_n

    def scores(self) -> list[Score]:
        """Of its reps, in order, as far as their phases are known; a test has none."""
        if self.block.exercise.test:
            return []
        phases = ((k, Phases.of(rep)) for k, rep in enumerate(self.ordered, 1))
        return [score(each, self.block.tempo, k) for k, each in phases if each is not None]

    def result(self, now_s: float, zero_s: float) -> SetDone:
        """What it came to, on the axis that begins at `zero_s`."""
        reps = self.ordered
        totals = [each.total for each in self.scores()]
        work_j = [rep.metrics["work_j"] for rep in reps if "work_j" in rep.metrics]
        return SetDone(
            number=self.number,
            block=self.block,
            reps=self.count,
            start_s=self.start_s - zero_s,
            end_s=(now_s if self.end_s is None else self.end_s) - zero_s,
            how=self.how or "done",
            tut_s=sum(rep.tut_s for rep in reps) + self.led_tut_s,
            tension_s=sum(map(_tension_s, reps)) + self.led_tut_s,
            tempo=mean(totals) if totals else None,
            peak_n=max((rep.peak_n for rep in reps), default=None),
            rise_n=median(self.rises_n) if reps else None,
            faded=bool(reps) and self.half_s > self.last_end_s,
            work_j=sum(work_j) if reps and len(work_j) == len(reps) else None,
        )


def _tension_s(rep: Rep) -> float:
    phases = Phases.of(rep)
    return rep.tut_s if phases is None else phases.tension_s
