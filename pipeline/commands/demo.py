"""Try everything with a simulated band on a virtual radio: no Bluetooth, no set-up.

A simulated person does sets of low rows and pull-aparts, and follows a programme that is chosen on
the page. Bluetooth stack, recording, analysis, MQTT broker and live page are the real ones; only
the person, the rubber and the radio waves are not.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
from typing import TYPE_CHECKING
from zlib import crc32

from pipeline.commands.options import (
    add_mqtt_arguments,
    add_page_arguments,
    add_session_arguments,
    config_of,
    seed,
)
from pipeline.commands.parser import completed_with
from pipeline.commands.programs import programme_names

if TYPE_CHECKING:
    from pipeline.app import Outcome
    from pipeline.config import Config

DEMO_NAME = "demo-band"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_session_arguments(parser)
    add_page_arguments(parser)
    add_mqtt_arguments(parser)
    parser.set_defaults(name=DEMO_NAME)
    parser.add_argument("--seed", type=seed, default=1, metavar="N", help="another person and band")
    programme = parser.add_argument(
        "--program", metavar="NAME", help="the person follows it, such as six-minute-upper-back"
    )
    completed_with(programme, programme_names)
    parser.add_argument("--rate", type=float, default=80.0, metavar="HZ", help="of the band's ADC")


def run(args: argparse.Namespace) -> int:
    from pipeline.commands.summary import print_outcome

    outcome = asyncio.run(_demo(config_of(args), args))
    print_outcome(outcome)
    return 0


async def _demo(config: Config, args: argparse.Namespace) -> Outcome:
    print("starting band, broker and page ...", file=sys.stderr)
    from firmware_sim.band import BandSetup
    from firmware_sim.device.sampler import ClockConfig
    from firmware_sim.person.personas import PERSONAS
    from firmware_sim.person.workout import Workout
    from firmware_sim.radio.air import Air
    from firmware_sim.source import SimulatedBand
    from pipeline.app import run_session
    from pipeline.commands.coaching import open_coaching
    from pipeline.commands.following import STILL, Follower
    from pipeline.delivery.session_log import session_recording
    from pipeline.sources.band_commands import BandCommands
    from sensor.ble.source import BleSource
    from sensor.bumble_backend import BumbleCentral
    from sensor.errors import BandError

    coaching = open_coaching(config, None, args.program)
    workout = Workout(endless=True) if args.program is None else STILL
    air = Air()
    try:
        band_clock = ClockConfig(rate_hz=args.rate, ppm=80.0)
        setup = BandSetup(
            seed=args.seed,
            workout=workout,
            clock=band_clock,
            waits=True,
            serial=_serial(args.seed, config.band.name),
        )
        band = SimulatedBand(air.transport("band"), setup)
    except ValueError as error:
        raise BandError(str(error)) from error
    coaching.sinks.append(Follower(band.band.follow, PERSONAS["athlete"], setup.colour))
    async with band, await BumbleCentral.open(air.transport("central")) as central:
        source = BleSource(band.address, central=central)
        with session_recording(config, demo=True) as log:
            return await run_session(
                config,
                source,
                log,
                command=BandCommands(source),
                duration_s=args.duration,
                announce=_announce,
                coaching=coaching,
                programme=args.program,
                asks=((3.0, "pain 0"),) if args.program is not None else (),
            )


def _serial(number: int, name: str) -> str:
    """Two demos side by side are two bands."""
    return f"{crc32(f'{number} {name}'.encode()) % 16**4:04X}"


def _announce(lines: list[str]) -> None:
    offer = "*Coach* on the page offers programmes, such as the six minutes: the person follows"
    print("\n".join([*lines, offer, "a simulated person trains (Ctrl-C ends)"]), file=sys.stderr)
