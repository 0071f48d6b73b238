"""List the programmes that the coach leads, and the bands it knows; show one with all its sets.

Your own programmes, exercises and bands are TOML files in the folder `library` of the data folder,
or wherever --library says. docs/coach.md has an example.
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.coach.exercises import Elastic, Programme
    from pipeline.coach.library import Library
    from pipeline.coach.plan import Plan

ENDING = {"rest": "rest {:g} s", "next": "rest {:g} s", "side": "change side, {:g} s",
          "grip": "change grip, {:g} s", "end": "done"}  # fmt: skip


def add_library_arguments(parser: argparse.ArgumentParser) -> None:
    """Where a person's own exercises are."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the recordings")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file")
    add_library_argument(parser)


def add_library_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--library", type=Path, metavar="PATH", help="your own exercises: a TOML file or a folder"
    )


def library_of(data_dir: Path, own: Path | None) -> Library:
    """Our library with the person's own files."""
    from pipeline.coach.library import FOLDER, LibraryError, load

    if own is not None and not own.exists():
        raise LibraryError(f"{own}: there is no such file or folder")
    return load(own or data_dir / FOLDER)


def programme_names(prefix: str = "", **_: object) -> list[str]:
    """What TAB can offer for a programme: ours, and the person's own in the usual place."""
    from pipeline.config import load

    return [
        name for name in library_of(load().data_dir, None).programmes if name.startswith(prefix)
    ]


def open_library(args: argparse.Namespace) -> Library:
    """The library that a command's flags lead to."""
    from pipeline.config import load

    return library_of(load(args.config, flags={"data_dir": args.data}).data_dir, args.library)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("show", nargs="*", metavar="show NAME", help="one programme with its sets")
    parser.add_argument("--bands", action="store_true", help="list bands instead")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    add_library_arguments(parser)


def run(args: argparse.Namespace) -> int:
    from pipeline.coach.plan import plan_of

    library = open_library(args)
    words = args.show[1:] if args.show[:1] == ["show"] else args.show
    if words:
        programme = library.programme(" ".join(words))
        plan = plan_of(programme, library)
        print(json.dumps(plan_object(plan, programme)) if args.json else plan_text(plan, programme))
    elif args.bands:
        for band in library.bands.values():
            print(json.dumps(band_object(band)) if args.json else band_text(band))
    else:
        _list(library, as_json=args.json)
    return 0


def _list(library: Library, *, as_json: bool) -> None:
    from rich.table import Table

    from pipeline.coach.plan import plan_of
    from pipeline.views.tables import console

    table = Table("name", "minutes", "days a week", "content", box=None)
    for programme in library.programmes.values():
        plan = plan_of(programme, library)
        if as_json:
            print(json.dumps(plan_object(plan, programme)))
        table.add_row(
            programme.name, f"{plan.expected_s / 60:.0f}", _days(programme), programme.about
        )
    if not as_json:
        console().print(table)


def _days(programme: Programme) -> str:
    least, most = programme.days_a_week
    days = f"{least}" if least == most else f"{least}-{most}"
    return f"{days}, alternate" if programme.alternate_days else days


def plan_object(plan: Plan, programme: Programme) -> dict[str, Any]:
    """A programme as plain values."""
    return {
        "name": plan.name,
        "title": plan.title,
        "about": programme.about,
        "days_a_week": list(programme.days_a_week),
        "alternate_days": programme.alternate_days,
        "expected_s": round(plan.expected_s, 1),
        "reps": plan.reps,
        "sets": [
            {
                "exercise": block.exercise.name,
                "set": block.set,
                "of": block.sets,
                "round": block.round,
                "reps": [block.least, block.most],
                "tempo": str(block.tempo),
                "side": block.side,
                "grip": block.grip or None,
                "counted": block.exercise.counted,
                "then": block.change.value,
                "rest_s": block.rest_s,
            }
            for block in plan.blocks
        ],
    }


def plan_text(plan: Plan, programme: Programme) -> str:
    """A programme for people: each exercise once with its set-up, then the sets."""
    lines = [f"{plan.title}: {programme.about}",
             f"about {plan.expected_s / 60:.0f} min, {_days(programme)} days a week"]  # fmt: skip
    shown: set[str] = set()
    for block in plan.blocks:
        exercise = block.exercise
        if exercise.name not in shown:
            shown.add(exercise.name)
            lines += ["", f"{exercise.title} ({', '.join(exercise.equipment)})"]
            lines += [f"  {k}. {step}" for k, step in enumerate(exercise.setup, 1)]
            lines += [f"  - {cue}" for cue in exercise.cues] + [f"  ! {exercise.caution}"]
    lines += ["", "In order:"]
    for block in plan.blocks:
        reps = f"{block.least}" if block.least == block.most else f"{block.least}-{block.most}"
        what = ", ".join(
            each for each in (block.grip, "" if block.side == "both" else block.side) if each
        )
        lines.append(
            f"  {block.exercise.title}{f' ({what})' if what else ''}: {reps} reps at "
            f"{block.tempo}, then {ENDING[block.change].format(block.rest_s)}"
        )
    return "\n".join([*lines, "", "Not a medical device. If it hurts, stop."])


def band_object(band: Elastic) -> dict[str, Any]:
    """A band as plain values."""
    force_n = band.force_n(1.0)
    return {
        "name": band.name, "colour": band.colour, "kind": band.kind, "brand": band.brand or None,
        "rest_length_m": band.rest_length_m, "since": band.since or None, "owned": band.owned,
        "force_n_at_100_percent": None if force_n is None else round(force_n, 1),
    }  # fmt: skip


def band_text(band: Elastic) -> str:
    """A band in a line."""
    force_n = band.force_n(1.0)
    stiffness = (
        "stiffness unknown: give n_at_100, the force at twice its length, or a colour of the list; "
        "until then work and elongation are left out"
        if force_n is None
        else f"{force_n:.0f} N at twice its length"
    )
    mine = ", yours" + (f" since {band.since}" if band.since else "") if band.owned else ""
    return f"{band.name:<18} {band.kind:<5} {stiffness}{mine}"
