"""What the coach knows: exercises, programmes and bands, as values that check themselves."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property

from pipeline.analysis.types import Expect
from pipeline.coach.strength import TESTS

SIDES = ("both", "each")
COUNTED = ("band", "time", "tap")
KINDS = ("flat", "loop", "tube")


@dataclass(frozen=True, slots=True)
class Tempo:
    """A prescription in seconds, each phase from foot to top and back, as a trainer counts."""

    eccentric_s: float
    bottom_s: float
    concentric_s: float
    hold_s: float

    @classmethod
    def parse(cls, text: str) -> Tempo:
        """Of `3-0-1-1`: eccentric, bottom, concentric, hold."""
        if not re.fullmatch(r"\d{1,2}(\.\d)?(-\d{1,2}(\.\d)?){3}", text):
            raise ValueError(
                f"tempo is eccentric-bottom-concentric-hold in seconds such as 3-0-1-1, not "
                f"{text!r}"
            )
        tempo = cls(*map(float, text.split("-")))
        if not (tempo.eccentric_s > 0 and tempo.concentric_s > 0):
            raise ValueError(f"tempo gives pulling and releasing time, unlike {text!r}")
        return tempo

    def __str__(self) -> str:
        times_s = self.eccentric_s, self.bottom_s, self.concentric_s, self.hold_s
        return "-".join(f"{time_s:g}" for time_s in times_s)

    @property
    def rep_s(self) -> float:
        """How long a rep takes, from the start of one to that of the next."""
        return self.eccentric_s + self.bottom_s + self.concentric_s + self.hold_s


@dataclass(frozen=True)
class Exercise:
    """One exercise: how it is set up, done and prescribed."""

    name: str
    title: str
    equipment: tuple[str, ...]
    reps: tuple[int, int]
    sets: int
    tempo: str
    setup: tuple[str, ...]
    cues: tuple[str, ...]
    caution: str
    muscles: tuple[str, ...]
    fit: tuple[str, ...]
    """FIT's exercise category and the exercise's name in it."""
    rest_s: float = 60.0
    sides: str = "both"
    grips: tuple[str, ...] = ()
    each_grip: bool = False
    """Whether a set is done in every grip, one after the other."""
    counted: str = "band"
    """By the band, by time in the tempo asked for, or by a tap for each rep."""
    stretch: tuple[float, float] = (0.1, 1.0)
    """Elongation at which a pull begins and ends: how far the band is stretched already."""
    hold: bool = False
    """Whether each rep is a long hold rather than one of a row of pulls."""
    easier: tuple[str, ...] = ()
    harder: tuple[str, ...] = ()
    after: str = ""
    """The exercise to be comfortable with first."""
    figure: str = "row"
    default: bool = False
    """Whether reps and sets are our default, as the guides prescribe none."""
    test: str = ""
    """The strength test that it is: its values are computed, and the tempo is not judged."""

    def __post_init__(self) -> None:
        _check_name(self.name)
        _check_range("reps", self.reps, 1, 500)
        _check("sets", self.sets, 1, 20)
        _check("rest_s", self.rest_s, 0, 600)
        _one_of("sides", self.sides, SIDES)
        _one_of("counted", self.counted, COUNTED)
        if self.test:
            _one_of("test", self.test, tuple(TESTS))
        if not 0 <= self.stretch[0] < self.stretch[1] <= 4:
            raise ValueError(f"stretch rises, from 0 to at most 4: {list(self.stretch)}")
        if not (self.setup and self.cues and self.caution and self.equipment):
            raise ValueError("setup, cues, caution and equipment are not empty")
        if len(self.fit) != 2:
            raise ValueError(f"fit is a category and a name: {list(self.fit)}")
        if self.each_grip and len(self.grips) < 2:
            raise ValueError("each_grip needs two grips or more")
        Tempo.parse(self.tempo)

    @cached_property
    def prescription(self) -> Tempo:
        return Tempo.parse(self.tempo)

    @property
    def expect(self) -> Expect:
        """What it leads the analysis to expect: a prior, never a command."""
        return Expect(hold=self.hold)


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a programme: an exercise, and what is otherwise than the exercise says."""

    exercise: str
    reps: tuple[int, int] | None = None
    sets: tuple[int, int] | None = None
    """Least and most: a beginner starts with the least and builds."""
    rest_s: float | None = None
    tempo: str | None = None
    grips: tuple[str, ...] = ()
    """Of the sets, in turn."""
    change_s: float = 10.0
    """Between sides, or grips of one set."""

    def __post_init__(self) -> None:
        if self.reps is not None:
            _check_range("reps", self.reps, 1, 500)
        if self.sets is not None:
            _check_range("sets", self.sets, 1, 20)
        if self.rest_s is not None:
            _check("rest_s", self.rest_s, 0, 600)
        _check("change_s", self.change_s, 0, 120)
        if self.tempo is not None:
            Tempo.parse(self.tempo)


@dataclass(frozen=True, slots=True)
class Programme:
    """Steps in order, and how often in a week."""

    name: str
    title: str
    steps: tuple[Step, ...]
    days_a_week: tuple[int, int] = (1, 7)
    alternate_days: bool = False
    about: str = ""
    rounds: int = 1
    between_rounds_s: float = 60.0
    choose: int | None = None
    """So many of the steps a day; None: all."""

    def __post_init__(self) -> None:
        _check_name(self.name)
        if not self.steps:
            raise ValueError("a programme has a step or more")
        _check_range("days_a_week", self.days_a_week, 1, 7)
        _check("rounds", self.rounds, 1, 20)
        _check("between_rounds_s", self.between_rounds_s, 0, 600)
        if self.choose is not None:
            _check("choose", self.choose, 1, len(self.steps))


@dataclass(frozen=True, slots=True)
class Elastic:
    """A band in the inventory: its stiffness where that is known, and its wear."""

    name: str
    colour: str
    kind: str = "flat"
    brand: str = ""
    rest_length_m: float | None = None
    a_n: float | None = None
    b_n: float | None = None
    """Of F = 2 (λ - λ⁻²)(a + b/λ)."""
    n_at_100: float | None = None
    n_at_200: float | None = None
    since: str = ""
    """The day it was first used: rubber ages."""
    owned: bool = False

    def __post_init__(self) -> None:
        _check_name(self.name)
        _one_of("kind", self.kind, KINDS)
        for key in ("rest_length_m", "a_n", "n_at_100", "n_at_200"):
            value = getattr(self, key)
            if value is not None and not 0 < value < 5000:
                raise ValueError(f"{key} is a number above 0, not {value}")
        if self.since and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", self.since):
            raise ValueError(f"since is a day such as 2026-01-31, not {self.since!r}")

    def force_n(self, elongation: float) -> float | None:
        """At an elongation (1: twice the rest length); None where the stiffness is unknown."""
        if self.a_n is not None:
            stretch = 1 + elongation
            return 2 * (stretch - stretch**-2) * (self.a_n + (self.b_n or 0.0) / stretch)
        if self.n_at_100 is None:
            return None
        if self.n_at_200 is None or elongation <= 1:
            return self.n_at_100 * elongation
        return self.n_at_100 + (self.n_at_200 - self.n_at_100) * (elongation - 1)


def _check_name(name: str) -> None:
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]{0,63}", name):
        raise ValueError(f"a name has lower-case letters, digits and '-', not {name!r}")


def _one_of(key: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise ValueError(f"{key} is {' or '.join(allowed)}, not {value!r}")


def _check(key: str, value: float, least: float, most: float) -> None:
    if not least <= value <= most:
        raise ValueError(f"{key} is {least} to {most}, not {value}")


def _check_range(key: str, value: tuple[int, int], least: int, most: int) -> None:
    if not least <= value[0] <= value[1] <= most:
        raise ValueError(
            f"{key} is two numbers from {least} to {most}, the smaller first: not {list(value)}"
        )
