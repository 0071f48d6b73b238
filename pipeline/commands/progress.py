"""Look back: the weeks against the plan, what was kept, bests, sides, tests, and what is next.

All of it comes from the recordings in the data folder. Days are those of this computer's time zone.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from pipeline.commands.long_job import shown_progress
from pipeline.commands.programs import add_library_arguments, library_of
from sensor.errors import RecordingError

if TYPE_CHECKING:
    from pipeline.coach.advice import Advice
    from pipeline.coach.library import Library
    from pipeline.files.history import Past
    from pipeline.views.progress import TestResult

WEEKS = 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--weeks", type=_weeks, default=WEEKS, metavar="N", help="so many, to today"
    )
    parser.add_argument(
        "--athlete", metavar="NAME", help="whose sessions; by default the configured"
    )
    parser.add_argument("--demo", action="store_true", help="those of the demo's simulated person")
    parser.add_argument("--json", action="store_true", help="one JSON object")
    add_library_arguments(parser)


def _weeks(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 520:
        raise argparse.ArgumentTypeError(f"a number of weeks is 1 to 520, not {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    from pipeline.config import load
    from pipeline.files.history import read_history
    from pipeline.views.progress import progress_text

    config = load(args.config, flags={"data_dir": args.data, "band.athlete": args.athlete})
    library = library_of(config.data_dir, args.library)
    with shown_progress(f"reading {config.data_dir}") as tell:
        history = read_history(config.data_dir, library, tell=tell, warn=_warn)
    whose = config.band.athlete
    people = sorted({each.athlete for each in history if each.workouts and not each.demo})
    history = [each for each in history if each.demo == args.demo]
    history = [each for each in history if each.athlete == whose and each.workouts]
    if not history:
        _say_nothing(whose, people, args)
    found = look_back(history, library, date.today(), args.weeks) if history else None
    if args.json:
        print(json.dumps({"athlete": whose, **(as_object(found) if found else EMPTY)}))
    elif found:
        print(progress_text(found))
    return 0


def _warn(sentence: str) -> None:
    print(f"forceband: {sentence}", file=sys.stderr)


def _say_nothing(whose: str, people: Sequence[str], args: argparse.Namespace) -> None:
    others = [each for each in people if each != whose]
    if others and not args.demo:
        _warn(f"no session of {whose!r} with the coach; there are some of "
              f"{', '.join(others)}: --athlete NAME shows them")  # fmt: skip
    else:
        start = "`forceband live --program first-steps`"
        _warn(f"no session with the coach yet: start with {start}, or *Coach* on the page")


SECTIONS = ("weeks", "bests", "sides", "tests", "advice")
EMPTY: dict[str, Any] = {section: [] for section in SECTIONS}


def look_back(
    history: Sequence[Past], library: Library, today: date, weeks_back: int
) -> dict[str, list[Any]]:
    """All that is shown, by section; `history` of one person, in the order of time."""
    from pipeline.coach.adherence import weeks
    from pipeline.coach.bests import bests, sides

    since = today - timedelta(weeks=weeks_back - 1)
    done = [(past.day, each) for past in history for each in past.workouts]
    trained = [(past.day, each) for past in history for each in past.entries() if not each.test]
    return {
        "weeks": weeks(done, library.programmes, since),
        "bests": bests(trained),
        "sides": sides(trained),
        "tests": _tests(history),
        "advice": _advice(history, library, since),
    }


def as_object(found: dict[str, list[Any]]) -> dict[str, Any]:
    """The same as plain values."""
    rows: dict[str, Any] = {
        section: [
            {key: _plain(value) for key, value in asdict(each).items()} for each in found[section]
        ]
        for section in SECTIONS
    }
    for row, week in zip(rows["weeks"], found["weeks"], strict=True):
        row["days_kept"] = week.days_kept
    for row, pair in zip(rows["sides"], found["sides"], strict=True):
        row["difference_percent"] = pair.difference_percent
    return rows


def _plain(value: Any) -> Any:
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _tests(history: Sequence[Past]) -> list[TestResult]:
    """Every value of every test, the newest with the one before it."""
    from pipeline.coach.strength import detectable
    from pipeline.files.history import strength_results
    from pipeline.views.progress import TestResult

    results: dict[tuple[str, str, str], TestResult] = {}
    for past in history:
        try:
            measured_by = strength_results(past)
        except RecordingError as error:
            _warn(str(error))
            continue
        for (exercise, side), measured in measured_by.items():
            for name, value in measured.values.items():
                before = results.get((exercise, side, name))
                spread = measured.spread.get(name)
                results[exercise, side, name] = TestResult(
                    exercise, side, name, past.day, value, spread, "",
                    None if before is None else before.value,
                    None if before is None else before.day,
                    detectable(name, spread, value),
                )  # fmt: skip
            for name, why in measured.absent.items():
                results[exercise, side, name] = TestResult(
                    exercise, side, name, past.day, None, None, why, None, None, None
                )
    return list(results.values())


def _advice(history: Sequence[Past], library: Library, since: date) -> list[Advice]:
    """For each exercise that was trained since."""
    from pipeline.coach.advice import Session, advise

    sessions: dict[str, list[Session]] = {}
    for past in history:
        for done in past.workouts:
            own = [each for each in done.entries if each.how != "missed" and not each.test]
            for name in dict.fromkeys(each.exercise for each in own):
                entries = tuple(each for each in own if each.exercise == name)
                sessions.setdefault(name, []).append(Session(past.day, past.colour, done, entries))
    return [
        advise(library.exercises[name], each, library)
        for name, each in sessions.items()
        if name in library.exercises and each[-1].day >= since
    ]
