"""Find reps, tempo and sets in recordings and in tables of force over time.

A table is delimited text in any common dialect, JSON, XML, Parquet or Excel; docs/files.md says
more. What was understood of it is said on stderr. Tempo is eccentric-bottom-concentric-hold in
seconds.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.commands.long_job import shown_progress
from pipeline.commands.options import add_table_arguments, config_of, table_options
from sensor.errors import BandError

if TYPE_CHECKING:
    from pipeline.files.inputs import Analysed

PICTURES = (".png", ".svg", ".pdf")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="+", type=Path, metavar="FILE", help="recordings or tables of force"
    )
    shape = parser.add_mutually_exclusive_group()
    shape.add_argument("--json", action="store_true", help="one JSON object a file and line")
    shape.add_argument("--table", action="store_true", help="every rep, not only the sets")
    parser.add_argument(
        "--csv", type=Path, metavar="OUT", help="reps of one file as CSV, - for stdout"
    )
    parser.add_argument("--plot", type=Path, metavar="OUT", help="draw one file as PNG, SVG or PDF")
    add_table_arguments(parser)


def run(args: argparse.Namespace) -> int:
    if len(args.files) > 1 and (args.plot or args.csv):
        raise BandError("--plot and --csv take one file at a time")
    if (args.json or args.table) and str(args.csv) == "-":
        raise BandError("--json, --table and --csv - all write to stdout: choose one")
    if args.plot and args.plot.suffix.lower() not in PICTURES:
        raise BandError(f"{args.plot}: a picture is a file that ends in {', '.join(PICTURES)}")
    from pipeline.files.calibrations import FILE_NAME
    from pipeline.files.inputs import analyse_file

    options, kept = table_options(args), config_of(args).data_dir / FILE_NAME
    failed = False
    for path in args.files:
        try:
            with shown_progress(f"reading {path.name}") as progress:
                found = analyse_file(path, options, progress, kept)
            if len(found) > 1 and (args.plot or args.csv):
                raise BandError("--plot and --csv take one column of force at a time")
        except BandError as error:
            if len(args.files) == 1:
                raise
            print(f"forceband: {error}", file=sys.stderr)
            failed = True
            continue
        for each in found:
            _tell(each, args)
    return 1 if failed else 0


def _tell(found: Analysed, args: argparse.Namespace) -> None:
    for remark in filter(None, (found.understood, *found.remarks)):
        print(f"{found.name}: {remark}", file=sys.stderr)
    if str(args.csv) != "-":
        _print(found, args)
    if args.csv:
        from pipeline.files.export import write_reps_csv
        from pipeline.views.counts import without_newtons
        from pipeline.views.tables import rep_row

        rows = [rep_row(rep) for rep in found.analysis.reps]
        if found.counts is not None:
            rows = [without_newtons(row, found.counts.reading) for row in rows]
        write_reps_csv(args.csv, rows, found.path)
    if args.plot:
        _draw(found, args.plot)


def _print(found: Analysed, args: argparse.Namespace) -> None:
    from pipeline.views.counts import WHY, without_newtons
    from pipeline.views.tables import (
        analysis_object,
        console,
        headline,
        reps_table,
        sets_table,
        shown_from_s,
    )

    analysis, reading = found.analysis, found.counts.reading if found.counts else None
    if args.json:
        told = analysis_object(str(found.path), analysis, found.remarks, **found.more)
        if reading is not None:
            told = without_newtons(told, reading)
            told["absent"] = {**told["absent"], "newtons": WHY}
        print(json.dumps(told))
        return
    out = console()
    out.print(f"{found.name}: {headline(analysis)}", soft_wrap=True)
    origin_s = shown_from_s(found.time_s)
    if analysis.sets:
        out.print(sets_table(analysis.sets, origin_s, reading))
    if args.table and analysis.reps:
        out.print(reps_table(analysis.reps, origin_s, reading))


def _draw(found: Analysed, out: Path) -> None:
    from pipeline.files.output_file import written
    from pipeline.views.plot import plot

    try:
        with written(out, found.path) as new:
            unit = "N" if found.counts is None else "counts, scaled"
            plot(found.analysis, found.time_s, found.force_n, new, found.path.name, unit)
    except ValueError as error:
        raise BandError(f"{out}: the picture cannot be drawn: {error}") from error
