"""Play a recording, or another file of force, as if the band were here: same page, same reps.

Nothing is recorded again and nothing is sent to MQTT or InfluxDB; `forceband deliver` does that.
In a terminal the page stays at the end, to be looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from pipeline.commands.long_job import shown_progress
from pipeline.commands.options import add_table_arguments, port, table_options
from sensor.errors import BandError

if TYPE_CHECKING:
    from pipeline.config import Config
    from sensor.recording.log import Recording


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording or a table")
    parser.add_argument("--speed", type=_speed, default=1.0, metavar="X", help="or max")
    parser.add_argument("--http-port", type=port, metavar="N", help="live page; 0: a free one")
    parser.add_argument("--http-host", metavar="ADDRESS", help="where the live page listens")
    parser.add_argument("--no-page", action="store_true", help="no live page")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file")
    add_table_arguments(parser)


def _speed(text: str) -> float:
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise argparse.ArgumentTypeError(f"a speed is above 0, or max, not {text!r}")
    return speed


@contextmanager
def _recording(args: argparse.Namespace, config: Config) -> Iterator[Recording]:
    """The file opened; a table as a recording that is gone afterwards."""
    from pipeline.files.inputs import is_table
    from sensor.recording.log import SUFFIX, Recording

    if not is_table(args.file):
        with Recording.open(args.file) as recording:
            yield recording
        return
    from pipeline.files.calibrations import FILE_NAME
    from pipeline.files.importing import write_recording
    from pipeline.files.reading import read_force

    kept = config.data_dir / FILE_NAME
    with shown_progress(f"reading {args.file.name}") as progress:
        found = read_force(args.file, table_options(args), progress, kept)
    if len(found) > 1:
        raise BandError("one column of force is played at a time")
    for remark in (found[0].understood, *found[0].remarks):
        print(f"{args.file}: {remark}", file=sys.stderr)
    with TemporaryDirectory() as folder:
        path = Path(folder) / f"replay{SUFFIX}"
        write_recording(found[0], path, {"session": "replay", "side": found[0].side})
        with Recording.open(path) as recording:
            yield recording


def run(args: argparse.Namespace) -> int:
    from pipeline.config import load

    config = load(
        args.config,
        flags={
            "web.port": args.http_port,
            "web.host": args.http_host,
            "web.enabled": False if args.no_page else None,
        },
    )
    from pipeline.app import run_session
    from pipeline.commands.summary import print_sets
    from pipeline.delivery.session_log import SessionLog, session_facts
    from pipeline.sources.playback import Playback

    with _recording(args, config) as recording:
        outcome = asyncio.run(
            run_session(
                config,
                Playback(recording, args.speed),
                SessionLog(None, session_facts(recording, args.speed)),
                page_stays=sys.stdin.isatty(),
                announce=lambda lines: print("\n".join(lines), file=sys.stderr),
            )
        )
    print_sets(outcome.session)
    return 0
