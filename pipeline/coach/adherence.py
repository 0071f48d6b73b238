"""How much of what was prescribed was done: reps, time under tension, tempo; and on which days."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby, pairwise

from pipeline.coach.diary import Done, Entry
from pipeline.coach.exercises import Programme


@dataclass(frozen=True, slots=True)
class Kept:
    """Parts of the prescription, 0 to 1; None where nothing is known.

    Asked for is the least of each range. What is too much in one set makes up for nothing in
    another.
    """

    reps: float | None = None
    tension: float | None = None
    tempo: float | None = None
    """Mean score of the reps that have one."""


@dataclass(frozen=True, slots=True)
class Week:
    """One programme in one week."""

    monday: date
    programme: str
    title: str
    days: tuple[date, ...]
    """On which it was done, each once."""
    asked: tuple[int, int] | None
    """Days a week; None where the programme is in no library any more."""
    alternate: bool
    """Whether days are to lie between."""
    in_a_row: int
    """How often they did not, with the Sunday before."""
    kept: Kept
    hurt: int = 0
    """Sessions that were ended for pain: they count for nothing as missed."""

    @property
    def days_kept(self) -> float | None:
        """Part of the days asked for."""
        return None if self.asked is None else min(1.0, len(self.days) / self.asked[0])


def kept(sessions: Iterable[Done]) -> Kept:
    """Of one session or more; strength tests have no prescription to keep."""
    reps = asked_reps = 0
    tension_s = asked_s = scored = score = 0.0
    for session in sessions:
        trained = [each for each in session.entries if not each.test]
        for blocks in _blocks(trained):
            done, done_s = sum(each.reps for each in blocks), sum(each.tension_s for each in blocks)
            least, least_s = blocks[0].least, blocks[0].least * blocks[0].asked_s
            if any(each.how == "pain" for each in blocks):  # what was not done is not missed
                least, least_s = min(done, least), min(done_s, least_s)
            reps, asked_reps = reps + min(done, least), asked_reps + least
            tension_s, asked_s = tension_s + min(done_s, least_s), asked_s + least_s
        for each in trained:
            if each.tempo_score is not None and each.reps:
                scored, score = scored + each.reps, score + each.reps * each.tempo_score
    return Kept(
        reps / asked_reps if asked_reps else None,
        tension_s / asked_s if asked_s else None,
        score / scored if scored else None,
    )


def weeks(
    done: Sequence[tuple[date, Done]], programmes: Mapping[str, Programme], since: date
) -> list[Week]:
    """Each programme in each week from the one of `since` on, the newest week first."""
    found = []
    dated = [each for each in done if any(entry.reps for entry in each[1].entries)]
    for name in dict.fromkeys(each.programme for _, each in dated):
        own = sorted((each for each in dated if each[1].programme == name), key=_day)
        programme = programmes.get(name)
        for monday, in_week in groupby(own, key=lambda each: _monday(each[0])):
            sessions = list(in_week)
            if monday < _monday(since):
                continue
            days = tuple(sorted({day for day, _ in sessions}))
            before = {day for day, _ in own if day == monday - timedelta(days=1)}
            found.append(
                Week(
                    monday=monday,
                    programme=name,
                    title=sessions[0][1].title,
                    days=days,
                    asked=None if programme is None else programme.days_a_week,
                    alternate=programme is not None and programme.alternate_days,
                    in_a_row=_in_a_row(sorted({*before, *days})),
                    kept=kept(each for _, each in sessions),
                    hurt=sum(each.hurt for _, each in sessions),
                )
            )
    return sorted(found, key=lambda week: (-week.monday.toordinal(), week.programme))


def _day(each: tuple[date, Done]) -> date:
    return each[0]


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _in_a_row(days: Sequence[date]) -> int:
    return sum((other - day).days == 1 for day, other in pairwise(days))


def _blocks(entries: Sequence[Entry]) -> list[list[Entry]]:
    """The entries of each block of a plan together."""
    blocks: dict[tuple[object, ...], list[Entry]] = {}
    for each in entries:
        blocks.setdefault(each.place, []).append(each)
    return list(blocks.values())
