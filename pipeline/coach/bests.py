"""Personal bests of an exercise, and one side against the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import mean

from pipeline.coach.diary import Entry
from pipeline.coach.strength import difference_percent

Dated = tuple[date, Entry]


@dataclass(frozen=True, slots=True)
class Best:
    """The highest value so far, and the one before it."""

    exercise: str
    title: str
    side: str
    what: str
    """`reps` in a set, `peak_n`, or `tension_s` in a set."""
    value: float
    day: date
    before: float | None
    """The best of earlier days; None where there are none."""


@dataclass(frozen=True, slots=True)
class Sides:
    """Right against left, of the last day on which both were done."""

    exercise: str
    title: str
    day: date
    what: str
    """`reps`, `peak_n`, `tempo_percent` or `work_j`."""
    right: float
    left: float

    @property
    def difference_percent(self) -> float:
        """100 (right - left) / the larger."""
        return difference_percent(self.right, self.left)


def _peak_n(entry: Entry) -> float | None:
    return entry.peak_n


OF_A_SET: dict[str, Callable[[Entry], float | None]] = {
    "reps": lambda entry: float(entry.reps),
    "peak_n": _peak_n,
    "tension_s": lambda entry: entry.tension_s if entry.counted == "band" else None,
}


def bests(done: Iterable[Dated]) -> list[Best]:
    """By exercise and side, in the order of the exercises' first days."""
    found = []
    for own in _grouped(done, lambda entry: (entry.exercise, entry.side)):
        for what, value_of in OF_A_SET.items():
            values = [
                (value, day) for day, each in own if (value := value_of(each)) is not None and value
            ]
            if not values:
                continue
            value = max(value for value, _ in values)
            day = next(day for one, day in values if one == value)
            before = max((one for one, earlier in values if earlier < day), default=None)
            last = own[-1][1]
            found.append(Best(last.exercise, last.title, last.side, what, value, day, before))
    return found


def sides(done: Iterable[Dated]) -> list[Sides]:
    """By exercise, of those that are done on each side."""
    found = []
    sided = (each for each in done if each[1].side in ("right", "left"))
    for own in _grouped(sided, lambda entry: (entry.exercise,)):
        days = [{day for day, each in own if each.side == side} for side in ("right", "left")]
        if not (both := days[0] & days[1]):
            continue
        day = max(both)
        right, left = (
            _of_side([each for at, each in own if at == day and each.side == side])
            for side in ("right", "left")
        )
        last = own[-1][1]
        found += [
            Sides(last.exercise, last.title, day, what, right[what], left[what])
            for what in right
            if what in left
        ]
    return found


def _of_side(entries: Sequence[Entry]) -> dict[str, float]:
    """Reps and work in all, the highest peak, the mean tempo of the sets."""
    values = {"reps": float(sum(each.reps for each in entries))}
    peaks_n = [each.peak_n for each in entries if each.peak_n is not None]
    scores = [each.tempo_score for each in entries if each.tempo_score is not None]
    work_j = [each.work_j for each in entries if each.work_j is not None]
    if peaks_n:
        values["peak_n"] = max(peaks_n)
    if scores:
        values["tempo_percent"] = 100 * mean(scores)
    if work_j and len(work_j) == len(entries):
        values["work_j"] = sum(work_j)
    return values


def _grouped(
    done: Iterable[Dated], key: Callable[[Entry], tuple[str, ...]]
) -> Iterable[list[Dated]]:
    groups: dict[tuple[str, ...], list[Dated]] = {}
    for each in done:
        if each[1].reps:
            groups.setdefault(key(each[1]), []).append(each)
    return groups.values()
