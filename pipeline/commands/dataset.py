"""Write an open data set: sessions whose true reps are known, to test and compare counters with.

For each session NAME.csv (time_s,force_n), NAME.forceband (a recording) and NAME.json (the truth);
croissant.json is the data card. The same seed gives the same bytes on any machine. CC0.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from pipeline.commands.long_job import shown_progress
from pipeline.commands.options import seed
from sensor.errors import BandError

MOST = 100_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("out", type=Path, metavar="OUT", help="a folder that is new or empty")
    parser.add_argument("--sessions", type=_count, default=74, metavar="N", help="74: one a kind")
    parser.add_argument("--seed", type=seed, default=0, metavar="S", help="another set")
    parser.add_argument("--kind", metavar="K", help="only this one; a wrong name lists them")


def _count(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= MOST:
        raise argparse.ArgumentTypeError(f"a number of sessions is 1 to {MOST}, not {text!r}")
    return int(text)


def run(args: argparse.Namespace) -> int:
    from firmware_sim.generator import KINDS
    from pipeline.dataset.writing import write_dataset

    if args.kind is not None and args.kind not in KINDS:
        raise BandError(f"there is no kind {args.kind!r}; there are: {', '.join(KINDS)}")
    with shown_progress(f"{args.sessions} sessions") as progress:
        write_dataset(args.out, args.sessions, args.seed, args.kind, progress)
    print(args.out)
    return 0
