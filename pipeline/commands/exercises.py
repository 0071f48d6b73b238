"""List the exercises that the coach knows, with what they need; name one to see how it is done."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from typing import TYPE_CHECKING

from pipeline.commands.programs import add_library_arguments, open_library

if TYPE_CHECKING:
    from pipeline.coach.exercises import Exercise


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="*", help="of one exercise, for its set-up and cues")
    parser.add_argument("--json", action="store_true", help="one JSON object an exercise and line")
    add_library_arguments(parser)


def run(args: argparse.Namespace) -> int:
    library = open_library(args)
    chosen = [library.exercise(" ".join(args.name))] if args.name else library.exercises.values()
    if args.json:
        for exercise in chosen:
            print(json.dumps(asdict(exercise)))
    elif args.name:
        print("\n".join(text for exercise in chosen for text in exercise_lines(exercise)))
    else:
        from rich.table import Table

        from pipeline.views.tables import console

        table = Table("name", "needs", "sides", "reps", "sets", "tempo", "counted by", box=None)
        for each in chosen:
            table.add_row(
                each.name, ", ".join(each.equipment), each.sides, reps_text(each),
                str(each.sets), each.tempo, each.counted,
            )  # fmt: skip
        console().print(table)
    return 0


def reps_text(exercise: Exercise) -> str:
    """Its range of reps."""
    least, most = exercise.reps
    return f"{least}" if least == most else f"{least}-{most}"


def exercise_lines(exercise: Exercise) -> list[str]:
    """How it is done, for people."""
    side = " per side" if exercise.sides == "each" else ""
    ours = " (our default: the guides prescribe nothing here)" if exercise.default else ""
    lines = [
        f"{exercise.title}: {reps_text(exercise)} reps × {exercise.sets}{side}, {exercise.tempo}"
        f"{ours}",
        f"needs {', '.join(exercise.equipment)}; works {', '.join(exercise.muscles)}",
        *(f"  {k}. {step}" for k, step in enumerate(exercise.setup, 1)),
        *(f"  - {cue}" for cue in exercise.cues),
        f"  ! {exercise.caution}",
    ]
    if exercise.after:
        lines.append(f"  comes after: {exercise.after}")
    for word, ways in (("grips", exercise.grips), ("easier", exercise.easier),
                       ("harder", exercise.harder)):  # fmt: skip
        if ways:
            lines.append(f"  {word}: {' '.join(ways) if word != 'grips' else ', '.join(ways)}")
    return lines
