"""Write a recording as CSV or Parquet: its samples, or with --reps its reps.

The CSV of samples can be analysed again with `forceband analyse`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from sensor.errors import BandError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording")
    parser.add_argument("--to", choices=("csv", "parquet"), help="format; else by OUT's ending")
    parser.add_argument("--reps", action="store_true", help="the reps instead of the samples")
    parser.add_argument("--out", type=Path, metavar="OUT", help="else beside the recording")


def run(args: argparse.Namespace) -> int:
    kind = args.to or (args.out.suffix.lstrip(".").lower() if args.out else "csv")
    if kind not in ("csv", "parquet"):
        raise BandError(
            f"{args.out}: cannot tell the format from the name; say --to csv or parquet"
        )
    from pipeline.files import export
    from pipeline.files.samples import read_session
    from sensor.recording.log import Recording

    with Recording.open(args.file) as recording:
        read = read_session(recording)
        facts = {key: str(value) for key, value in recording.facts.items()}
    out = args.out or args.file.with_name(f"{args.file.stem}{'-reps' if args.reps else ''}.{kind}")
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
