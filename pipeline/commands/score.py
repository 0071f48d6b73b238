"""Rank counters of reps: what each found, against the truth of a data set.

TRUTH is a folder that `forceband dataset` wrote, or one NAME.json of it. FOUND is what
`forceband analyse --json` prints, or the like of any other counter: a JSON object a session with
`file` and `reps`, each rep with start_s and end_s, or peak_s alone; or only their number.
docs/dataset.md says more.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.dataset.ranking import Counter

WRONG_SHOWN = 5


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("truth", type=Path, metavar="TRUTH", help="a data set, or one NAME.json")
    parser.add_argument(
        "found", type=Path, nargs="+", metavar="FOUND", help="a file or folder a counter; -: stdin"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a counter and line")


def run(args: argparse.Namespace) -> int:
    from pipeline.dataset.ranking import rank

    counters = rank(args.truth, args.found)
    for each in counters:
        if each.unanswered:
            print(f"{each.name}: {each.unanswered} sessions without an answer", file=sys.stderr)
        if each.foreign:
            print(
                f"{each.name}: {each.foreign} answers are about sessions that {args.truth} lacks; "
                "left out",
                file=sys.stderr,
            )
    if args.json:
        for place, each in enumerate(counters, start=1):
            print(json.dumps({"place": place, **each.figures(), "wrong": _wrong(each)}))
        return 0
    _print(counters)
    return 0


def _wrong(counter: Counter) -> list[dict[str, object]]:
    return [
        {
            "name": name,
            "reps": score.reps,
            "missed": score.missed,
            "extra": score.extra,
            "missed_s": [round(each, 2) for each in score.missed_s],
            "extra_s": [round(each, 2) for each in score.extra_s],
        }
        for name, score in counter.scores.items()
        if not score.right
    ]


def _print(counters: list[Counter]) -> None:
    from rich import box
    from rich.table import Table

    from pipeline.views.tables import console

    columns = {
        "right %": "sessions_right_percent",
        "sessions": "sessions",
        "reps": "reps",
        "missed": "missed",
        "extra": "extra",
        "sets right %": "sets_right_percent",
        "edges ms": "boundary_mean_ms",
        "p95": "boundary_p95_ms",
        "peak %": "peak_mean_percent",
        "tension %": "tut_mean_percent",
    }
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("counter")
    for title in columns:
        table.add_column(title, justify="right")
    for each in counters:
        told = each.figures()
        cells = ("-" if told[key] is None else f"{told[key]:g}" for key in columns.values())
        table.add_row(each.name, *cells)
    out = console()
    out.print(table)
    for each in counters:
        wrong = [f"{w['name']} ({w['missed']} missed, {w['extra']} extra)" for w in _wrong(each)]
        if wrong:
            more = f" and {len(wrong) - WRONG_SHOWN} more" if len(wrong) > WRONG_SHOWN else ""
            out.print(f"{each.name}: wrong: {', '.join(wrong[:WRONG_SHOWN])}{more}", soft_wrap=True)
