"""What a look back shows, for people: a section each, a line each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any

from pipeline.coach.adherence import Week
from pipeline.coach.advice import Advice
from pipeline.coach.bests import Best, Sides

UNITS = {"reps": "reps", "peak_n": "N", "tension_s": "s under tension"}
WORDS = {"reps": "reps", "peak_n": "peak, N", "tempo_percent": "tempo, %", "work_j": "work, J"}


@dataclass(frozen=True, slots=True)
class TestResult:
    """One value of a strength test, and the one before it."""

    exercise: str
    side: str
    name: str
    """With its unit."""
    day: date
    value: float | None
    spread: float | None
    """Standard deviation of the trials."""
    absent: str
    """Why there is no value."""
    before: float | None
    before_day: date | None
    detectable: float | None
    """A change beyond it is more than chance."""

    __test__ = False


def progress_text(found: dict[str, list[Any]]) -> str:
    """All sections that have something to say."""
    titles = {
        "weeks": "Weeks, against the plan",
        "advice": "What is next",
        "bests": "Bests",
        "sides": "Right against left (100 (right - left) / the larger)",
        "tests": "Strength tests (docs/strength-tests.md)",
    }
    parts = []
    for section, title in titles.items():
        if rows := found[section]:
            lines = _bests(rows) if section == "bests" else map(_line, rows)
            parts.append("\n".join([title, *(f"  {line}" for line in lines)]))
    return "\n\n".join(parts)


def _line(row: object) -> str:
    match row:
        case Week():
            return _week(row)
        case Advice():
            return f"{row.title}: {row.text}"
        case Sides():
            return _sides(row)
        case TestResult():
            return _test(row)
    raise TypeError(f"no line of a look back: {row!r}")


def _week(week: Week) -> str:
    days = ", ".join(f"{day:%a}" for day in week.days)
    asked = ""
    if week.asked is not None:
        least, most = week.asked
        asked = f" of {least}" if least == most else f" of {least}-{most}"
    kept = [
        f"{words} {100 * part:.0f} %"
        for words, part in (
            ("reps", week.kept.reps), ("tension", week.kept.tension), ("tempo", week.kept.tempo)
        )
        if part is not None
    ]  # fmt: skip
    extra = []
    if week.alternate and week.in_a_row:
        extra.append("leave a day between")
    if week.hurt:
        extra.append(f"ended for pain: {week.hurt}")
    return (
        f"{week.monday:%d %b}  {week.title}: {len(week.days)}{asked} "
        f"{'day' if len(week.days) == 1 and not asked else 'days'} ({days})"
        f"{'; ' + ', '.join(kept) if kept else ''}{'; ' + '; '.join(extra) if extra else ''}"
    )


def _bests(rows: list[Best]) -> list[str]:
    """A line for each exercise and side."""
    lines: dict[str, list[str]] = {}
    for best in rows:
        before = "" if best.before is None else f", before {best.before:.0f}"
        value = f"{best.value:.0f} {UNITS[best.what]} ({best.day:%d %b}{before})"
        lines.setdefault(_named(best.title, best.side), []).append(value)
    return [f"{named}: {', '.join(values)}" for named, values in lines.items()]


def _sides(sides: Sides) -> str:
    return (
        f"{sides.title}, {WORDS[sides.what]}: {sides.right:.0f} and {sides.left:.0f}, "
        f"{round(sides.difference_percent) or 0:+d} % ({sides.day:%d %b})"
    )


def _test(result: TestResult) -> str:
    start = f"{_named(result.exercise, result.side)} {result.name}"
    if result.value is None:
        return f"{start}: none, {result.absent} ({result.day:%d %b})"
    spread = "" if result.spread is None else f" ± {result.spread:.3g}"
    text = f"{start}: {result.value:.4g}{spread} ({result.day:%d %b})"
    if result.before is None or result.before_day is None:
        return text
    change = result.value - result.before
    if result.detectable is None:
        sure = "how sure that is, is not known"
    else:
        sure = "more than chance" if abs(change) > result.detectable else "may be chance"
    return f"{text}, {change:+.3g} since {result.before_day:%d %b}: {sure}"


def _named(title: str, side: str) -> str:
    return title if side == "both" else f"{title}, {side}"
