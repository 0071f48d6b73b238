"""Write a recording as CSV or Parquet: its samples, or with --reps its reps; or copy it whole.

The CSV of samples can be analysed again with `forceband analyse`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.commands.long_job import shown_progress
from sensor.errors import BandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording")
    parser.add_argument("--to", choices=("csv", "parquet"), help="format; else by OUT's ending")
    parser.add_argument("--reps", action="store_true", help="the reps instead of the samples")
    parser.add_argument(
        "--copy", action="store_true", help="a recording of its own, also while it is recorded"
    )
    parser.add_argument("--out", type=Path, metavar="OUT", help="else beside the recording")


def run(args: argparse.Namespace) -> int:
    if args.copy:
        return _copy(args)
    kind = args.to or (args.out.suffix.lstrip(".").lower() if args.out else "csv")
    if kind not in ("csv", "parquet"):
        raise BandError(
            f"{args.out}: cannot tell the format from the name; say --to csv or parquet"
        )
    from pipeline.files import export
    from pipeline.files.samples import read_session
    from sensor.recording.log import Recording

    out = args.out or args.file.with_name(f"{args.file.stem}{'-reps' if args.reps else ''}.{kind}")
    with shown_progress(f"reading {args.file.name}") as progress:
        with Recording.open(args.file) as recording:
            read = read_session(recording, progress)
            facts = {key: str(value) for key, value in recording.facts.items()}
        match kind, args.reps:
            case "csv", False:
                export.write_samples_csv(out, read)
            case "csv", True:
                export.write_reps_csv(out, export.rep_rows(read))
            case "parquet", False:
                export.write_samples_parquet(out, read, facts)
            case _:
                export.write_reps_parquet(out, export.rep_rows(read), facts)
    print(out)
    return 0


def _copy(args: argparse.Namespace) -> int:
    """What a plain copy lacks stands in the file beside it, for as long as it is recorded."""
    from sensor.recording.file import remove
    from sensor.recording.log import SUFFIX, Recording

    if args.reps or args.to:
        raise BandError("--copy takes neither --to nor --reps")
    out = args.out or args.file.with_name(f"{args.file.stem}-copy{SUFFIX}")
    if out.exists():
        raise BandError(f"{out}: is there already, and is not written over; choose another name")
    with Recording.open(args.file) as recording:
        try:
            recording.copy_to(out)
        except BandError:
            remove(out)
            raise
    print(out)
    return 0
