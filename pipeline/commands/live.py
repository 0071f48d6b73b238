"""Train with a band: live page, MQTT, InfluxDB and a recording.

The band is found by its Bluetooth service. A lost link is made again for as long as it takes, and
what was missed meanwhile is fetched from the band's memory.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING

from pipeline.commands.options import (
    add_band_arguments,
    add_mqtt_arguments,
    add_page_arguments,
    add_session_arguments,
    config_of,
    positive,
)
from pipeline.commands.parser import completed_with
from pipeline.commands.programs import add_library_argument, programme_names
from sensor.errors import BandError

if TYPE_CHECKING:
    from pipeline.app import Outcome
    from pipeline.config import Config


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_band_arguments(parser)
    add_session_arguments(parser)
    add_page_arguments(parser)
    add_mqtt_arguments(parser)
    programme = parser.add_argument(
        "--program", metavar="NAME", help="let the coach lead it: `forceband programs` lists them"
    )
    completed_with(programme, programme_names)
    parser.add_argument("--sets", type=int, metavar="N", help="of each exercise, where it is open")
    add_library_argument(parser)
    parser.add_argument(
        "--find-timeout", type=positive, default=20.0, metavar="S", help="look for the band so long"
    )


def run(args: argparse.Namespace) -> int:
    return run_with(config_of(args), args)


def run_with(config: Config, args: argparse.Namespace, *, coached: bool = True) -> int:
    """Run a session as the configuration says; `coached` where a programme may lead it."""
    from pipeline.commands.summary import print_outcome

    outcome = asyncio.run(_live(config, args, coached=coached))
    if args.duration is not None and not outcome.session.samples:
        raise BandError(
            f"no sample came within {args.duration:g} s: is the band on, near, and free of other "
            "programs? `forceband scan` shows what is within reach"
        )
    print_outcome(outcome)
    return 0


async def _live(config: Config, args: argparse.Namespace, *, coached: bool) -> Outcome:
    from pipeline.app import run_session
    from pipeline.commands.coaching import open_coaching
    from pipeline.delivery.session_log import session_recording
    from pipeline.delivery.tail import Radio, fetch_tails
    from pipeline.sources.band_commands import BandCommands
    from pipeline.sources.radio import open_radio
    from sensor.ble.source import BleSource

    coaching = None
    if coached:
        coaching = open_coaching(config, args.library, args.program, args.sets)
    async with open_radio(config.band.transport) as central:
        radio = Radio(config.band.address, central, config.band.pair)
        await fetch_tails(config.data_dir, radio, _say)
        source = BleSource(
            config.band.address,
            central=central,
            pair=config.band.pair,
            scale=config.band.scale,
            find_timeout_s=args.find_timeout,
        )
        with session_recording(config) as log:
            return await run_session(
                config,
                source,
                log,
                command=BandCommands(source),
                duration_s=args.duration,
                announce=_announce,
                coaching=coaching,
                programme=args.program if coached else None,
            )


def _say(text: str) -> None:
    print(text, file=sys.stderr)


def _announce(lines: list[str]) -> None:
    print("\n".join([*lines, "looking for the band ... (Ctrl-C ends)"]), file=sys.stderr)
