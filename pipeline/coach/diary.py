"""What was done in a session: workouts with their sets, as values that a recording keeps."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, replace
from math import isfinite
from typing import Any, get_args, get_type_hints

from pipeline.coach.doing import SetDone
from pipeline.coach.plan import Block, Plan
from pipeline.coach.view import Screen, View
from pipeline.coach.workout import CoachEvent

COACHED = "coached"
"""The fact of a recording that holds it."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A set, or one side or grip of one: what was asked for, and what was done."""

    exercise: str
    title: str
    round: int
    set: int
    side: str
    grip: str
    counted: str
    test: str
    least: int
    most: int
    tempo: str
    asked_s: float
    """Time under tension of one rep as prescribed."""
    reps: int = 0
    how: str = "missed"
    """As in `SetDone`; `missed` where it was not begun."""
    start_s: float = 0.0
    end_s: float = 0.0
    tension_s: float = 0.0
    tempo_score: float | None = None
    peak_n: float | None = None
    rise_n: float | None = None
    work_j: float | None = None
    faded: bool = False

    @property
    def place(self) -> tuple[str, int, int, str, str]:
        """Of the plan's block: a set that is repeated has it twice."""
        return self.exercise, self.round, self.set, self.side, self.grip


@dataclass(frozen=True, slots=True)
class Done:
    """One programme as it was done."""

    programme: str
    title: str
    entries: tuple[Entry, ...]
    stopped: str = ""
    pain_before: int | None = None
    pain: int | None = None
    pain_where: str = ""
    pain_after: int | None = None

    @property
    def hurt(self) -> bool:
        """Whether it was ended for pain: then nothing counts as missed."""
        return self.stopped == "pain"

    def as_object(self) -> dict[str, Any]:
        """Plain values for a recording."""
        return asdict(self)

    @classmethod
    def of(cls, values: dict[str, Any]) -> Done:
        """From plain values; ValueError where they are none."""
        try:
            return cls._of(values)
        except (AttributeError, KeyError, TypeError) as error:
            raise ValueError(f"nothing that was done: {error}") from error

    @classmethod
    def _of(cls, values: dict[str, Any]) -> Done:
        entries = tuple(Entry(**_checked(Entry, each)) for each in values["entries"])
        rest = {key: value for key, value in values.items() if key != "entries"}
        return cls(**_checked(cls, rest), entries=entries)


class Diary:
    """Takes what the coach gives; keeps what was done."""

    def __init__(self) -> None:
        self._over: list[Done] = []
        self._plan: Plan | None = None
        self._view: View | None = None
        self._sets: dict[int, SetDone] = {}

    def take(self, events: Iterable[CoachEvent]) -> None:
        """Follow the coach."""
        for event in events:
            if isinstance(event, SetDone):
                self._sets[event.number] = event
            elif isinstance(event, View):
                if event.plan is not self._plan or self._begins_again(event):
                    self._turn_over(event.plan)
                self._view = event

    @property
    def workouts(self) -> tuple[Done, ...]:
        """Those with a set that was begun, in order, with the one that goes on."""
        open_ = self._open()
        return (*self._over, *([open_] if open_ else []))

    def _begins_again(self, view: View) -> bool:
        before = self._view
        begins = view.screen is Screen.SETUP
        return begins and before is not None and before.screen is not Screen.SETUP

    def _turn_over(self, plan: Plan) -> None:
        if open_ := self._open():
            self._over.append(open_)
        self._plan, self._view, self._sets = plan, None, {}

    def _open(self) -> Done | None:
        plan, view = self._plan, self._view
        if plan is None or view is None or not self._sets:
            return None
        entries = [_entry(done.block, done) for _, done in sorted(self._sets.items())]
        begun = {each.place for each in entries}
        rest = [each for each in map(_entry, plan.blocks) if each.place not in begun]
        return Done(
            programme=plan.name,
            title=plan.title,
            entries=(*entries, *([] if view.stopped == "pain" else rest)),
            stopped=view.stopped,
            pain_before=view.pain_before,
            pain=view.pain,
            pain_where=view.pain_where,
            pain_after=view.pain_after,
        )


def _checked(kind: type, values: dict[str, Any]) -> dict[str, Any]:
    """The fields of a kind among plain values, each of its type and finite."""
    hints, found = get_type_hints(kind), dict[str, Any]()
    for name, value in values.items():
        if (hint := hints.get(name)) is None:
            continue  # of a later version
        allowed = get_args(hint) or (hint,)
        if float in allowed and type(value) in (int, float):
            if not isfinite(value):
                raise ValueError(f"{name} is no number: {value}")
            found[name] = float(value)
        elif type(value) in allowed:
            found[name] = value
        else:
            raise TypeError(f"{name} is no {hint}: {value!r}")
    return found


def _entry(block: Block, done: SetDone | None = None) -> Entry:
    exercise = block.exercise
    entry = Entry(
        exercise.name, exercise.title, block.round, block.set, block.side, block.grip,
        exercise.counted, exercise.test, block.least, block.most, str(block.tempo),
        block.tempo.rep_s - block.tempo.bottom_s,
    )  # fmt: skip
    if done is None:
        return entry
    return replace(
        entry, reps=done.reps, how=done.how, start_s=done.start_s, end_s=done.end_s,
        tension_s=done.tension_s, tempo_score=done.tempo, peak_n=done.peak_n, rise_n=done.rise_n,
        work_j=done.work_j, faded=done.faded,
    )  # fmt: skip
