"""Find reps, tempo and sets in recordings and CSV files.

A CSV file has a header, a time column (time in seconds, or time_ms and the like) and a force column
(force_n, force_kg, force_lb, or force with --unit). Tempo is eccentric-bottom-concentric-hold in
seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from sensor.errors import BandError

if TYPE_CHECKING:
    from pipeline.files.inputs import Analysed

PICTURES = (".png", ".svg", ".pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE")
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one JSON object a file and line")
    shape.add_argument("--table", action="store_true", help="every rep, not only the sets")
    parser.add_argument(
        "--csv", type=Path, metavar="OUT", help="reps of one file as CSV, - for stdout"
    )
    parser.add_argument("--plot", type=Path, metavar="OUT", help="draw one file as PNG, SVG or PDF")
    parser.add_argument(
        "--unit", choices=("n", "kg", "lb"), help="of a CSV force column without one"
    )


def run(args: argparse.Namespace) -> int:
    if len(args.files) > 1 and (args.plot or args.csv):
        raise BandError("--plot and --csv take one file at a time")
    if (args.json or args.table) and str(args.csv) == "-":
        raise BandError("--json, --table and --csv - all write to stdout: choose one")
    if args.plot and args.plot.suffix.lower() not in PICTURES:
        raise BandError(f"{args.plot}: a picture is a file that ends in {', '.join(PICTURES)}")
    from pipeline.files.inputs import analyse_file

    failed = False
    for path in args.files:
        try:
            found = analyse_file(path, args.unit)
        except BandError as error:
            if len(args.files) == 1:
                raise
            print(f"forceband: {error}", file=sys.stderr)
            failed = True
            continue
        for remark in found.remarks:
            print(f"{path}: {remark}", file=sys.stderr)
        if str(args.csv) != "-":
            _print(found, args)
        if args.csv:
            from pipeline.files.export import write_reps_csv
            from pipeline.views.tables import rep_row

            write_reps_csv(args.csv, [rep_row(rep) for rep in found.analysis.reps], path)
        if args.plot:
            _draw(found, args.plot)
    return 1 if failed else 0


def _print(found: Analysed, args: argparse.Namespace) -> None:
    from pipeline.views.tables import (
        analysis_object,
        console,
        headline,
        reps_table,
        sets_table,
        shown_from_s,
    )

    analysis = found.analysis
    if args.json:
        print(json.dumps(analysis_object(str(found.path), analysis, found.remarks, **found.more)))
        return
    out = console()
    out.print(f"{found.path}: {headline(analysis)}", soft_wrap=True)
    origin_s = shown_from_s(found.time_s)
    if analysis.sets:
        out.print(sets_table(analysis.sets, origin_s))
    if args.table and analysis.reps:
        out.print(reps_table(analysis.reps, origin_s))


def _draw(found: Analysed, out: Path) -> None:
    from pipeline.files.output_file import written
    from pipeline.views.plot import plot

    try:
        with written(out, found.path) as new:
            plot(found.analysis, found.time_s, found.force_n, new, found.path.name)
    except ValueError as error:
        raise BandError(f"{out}: the picture cannot be drawn: {error}") from error
