"""Play a recording as if the band were here: the same page, the same reps.

Nothing is recorded again and nothing is sent to MQTT or InfluxDB; `forceband deliver` does that.
In a terminal the page stays at the end, to be looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import math
import sys
from pathlib import Path

from pipeline.commands.options import port


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a recording")
    parser.add_argument("--speed", type=_speed, default=1.0, metavar="X", help="or max")
    parser.add_argument("--http-port", type=port, metavar="N", help="live page; 0: a free one")
    parser.add_argument("--http-host", metavar="ADDRESS", help="where the live page listens")
    parser.add_argument("--no-page", action="store_true", help="no live page")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file")


def _speed(text: str) -> float:
    try:
        speed = math.inf if text == "max" else float(text)
    except ValueError:
        speed = 0.0
    if not speed > 0:
        raise argparse.ArgumentTypeError(f"a speed is above 0, or max, not {text!r}")
    return speed


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
    from pipeline.app import run_session, session_facts
    from pipeline.commands.summary import print_sets
    from pipeline.sources.playback import Playback
    from sensor.recording.log import Recording

    with Recording.open(args.file) as recording:
        source = Playback(recording, args.speed)
        outcome = asyncio.run(
            run_session(
                config,
                source,
                recording=None,
                facts=session_facts(recording, args.speed),
                now_us=lambda: source.last_us,
                page_stays=sys.stdin.isatty(),
                announce=lambda lines: print("\n".join(lines), file=sys.stderr),
            )
        )
    print_sets(outcome.session)
    return 0
