"""Run a simulated band for other programs or, with a radio, for phones.

`--transport unix:PATH` or `tcp:127.0.0.1:PORT` makes a virtual air on which other processes put
their radio: `forceband live --transport unix:PATH`. `usb:0` or `serial:/dev/...` puts the band on a
real controller, so that a phone can connect. What the person really did is printed, one JSON object
for each pull and line.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import sys
from collections.abc import AsyncIterator
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.commands.options import positive, positive_or_0, seed
from sensor.errors import BandError

if TYPE_CHECKING:
    from bumble.transport.common import Transport

    from firmware_sim.band import BandSetup
    from firmware_sim.others.peripheral import OtherPeripheral
    from firmware_sim.radio.faults import Faults
    from firmware_sim.source import SimulatedBand

TELL_EVERY_S = 0.5
RATE_HZ = 80.0
OPEN_TIMEOUT_S = 10.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    from firmware_sim.device.defects import DEFECTS
    from firmware_sim.others.kinds import KINDS

    parser.add_argument(
        "--transport",
        default="tcp:127.0.0.1:0",
        metavar="T",
        help="unix:PATH, tcp:127.0.0.1:PORT (0: a free one), usb:0, serial:/dev/...",
    )
    parser.add_argument("--duration", type=positive, metavar="S", help="stop after S seconds")
    parser.add_argument("--seed", type=seed, default=1, metavar="N", help="repeats a run exactly")
    parser.add_argument("--rate", type=float, default=RATE_HZ, metavar="HZ", help="of the ADC")
    parser.add_argument("--ppm", type=float, default=0.0, help="by how much the clock runs fast")
    parser.add_argument("--colour", default="green", help="of the elastic: yellow ... gold")
    parser.add_argument(
        "--as",
        dest="kind",
        choices=("forceband", *KINDS),
        default="forceband",
        help="a device of others (docs/devices.md), which --rate, --ppm, --advert, "
        "--defect and --require-pairing do not change",
    )
    parser.add_argument(
        "--defect", choices=(*DEFECTS,), help="a promise that the firmware breaks, for conform"
    )
    parser.add_argument("--advert", metavar="NAME", help="what it advertises, at most 8 letters")
    parser.add_argument("--require-pairing", action="store_true", help="only bonded clients")
    parser.add_argument(
        "--weights", type=positive_or_0, nargs="+", default=(), metavar="KG",
        help="hang from it, one after the other, in place of a person",
    )  # fmt: skip
    parser.add_argument("--endless", action="store_true", help="start the workout over and over")
    for fault in ("drop", "corrupt", "stall"):
        parser.add_argument(
            f"--{fault}", type=float, default=0.0, metavar="P", help=f"notifications to {fault}"
        )


def run(args: argparse.Namespace) -> int:
    try:
        asyncio.run(_sim(args))
    except ValueError as error:
        raise BandError(str(error)) from error
    except OSError as error:
        why = error.strerror or str(error)
        raise BandError(f"the transport {args.transport} cannot be had: {why}") from error
    return 0


async def _sim(args: argparse.Namespace) -> None:
    from firmware_sim.band import BandSetup
    from firmware_sim.device.sampler import ClockConfig
    from firmware_sim.person.workout import Workout
    from firmware_sim.radio.faults import Chances, Faults
    from pipeline.app import interrupts

    setup = BandSetup(
        seed=args.seed,
        workout=Workout(endless=args.endless),
        colour=args.colour,
        clock=ClockConfig(rate_hz=args.rate, ppm=args.ppm),
        waits=True,
        defect=args.defect,
        weights_kg=tuple(args.weights),
    )
    faults = Faults(Chances(args.drop, args.corrupt, args.stall), args.seed)
    with interrupts() as asked:
        async with (
            _transport(args.transport, faults) as transport,
            _device(args, transport, setup) as band,
        ):
            print(f"band {band.name} at {band.address} advertises (Ctrl-C ends)", file=sys.stderr)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(args.duration):
                    await _tell_truth(band, asked)


def _device(
    args: argparse.Namespace, transport: Transport, setup: BandSetup
) -> SimulatedBand | OtherPeripheral:
    if args.kind == "forceband":
        from firmware_sim.source import SimulatedBand

        return SimulatedBand(
            transport, setup, name=args.advert, require_pairing=args.require_pairing
        )
    if args.rate != RATE_HZ or args.ppm or args.advert or args.require_pairing or args.defect:
        raise BandError(
            f"--as {args.kind}: --rate, --ppm, --advert, --require-pairing and --defect are of our "
            "own band"
        )
    from firmware_sim.others.peripheral import OtherPeripheral

    return OtherPeripheral(transport, args.kind, setup)


async def _tell_truth(band: SimulatedBand | OtherPeripheral, asked: asyncio.Event) -> None:
    """Print each pull once it is over."""
    told = 0
    while not asked.is_set():
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asked.wait(), TELL_EVERY_S)
        truth = band.truth()
        for pull in truth[told:]:
            fields = {key: _rounded(value) for key, value in asdict(pull).items()}
            print(json.dumps(fields), flush=True)
        told = len(truth)


def _rounded(value: Any) -> Any:
    return round(value, 4) if isinstance(value, float) else value


@contextlib.asynccontextmanager
async def _transport(name: str, faults: Faults) -> AsyncIterator[Transport]:
    """A controller on a virtual air that others can join, or the name of a real one."""
    if not name.startswith(("unix:", "tcp:")):
        async with await _open(name) as transport:
            yield transport
        return
    from firmware_sim.radio.air import Air
    from firmware_sim.radio.hub import Hub

    air = Air(fault=faults)
    async with Hub(air) as hub:
        where = await hub.listen(name)
        clients = where.replace("-client:", ":")
        print(f"virtual radio: forceband live --transport {clients}", file=sys.stderr, flush=True)
        yield air.transport("band")


async def _open(name: str) -> Transport:
    """A real controller; BandError with what its driver said."""
    from bumble.transport import open_transport

    try:
        async with asyncio.timeout(OPEN_TIMEOUT_S):
            return await open_transport(name)
    except TimeoutError:
        raise BandError(f"the controller {name} does not answer") from None
    except Exception as error:  # each transport raises what its driver raises
        raise BandError(
            f"the controller {name} cannot be opened ({error}): check that it is plugged in, that "
            "nothing else uses it, and the name (usb:0, serial:/dev/ttyACM0,1000000)"
        ) from error
