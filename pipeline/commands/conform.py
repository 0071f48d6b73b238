"""Connect to a band and say which promises of the profile it keeps, in plain words.

For whoever builds firmware: docs/protocol.md has the promises, docs/firmware.md how to keep them.
It takes some 20 s. With --change it also tares, sets a calibration and another rate, and sets them
back; the band's table of calibrations then has two more.
"""

from __future__ import annotations

import argparse
import asyncio
import json

from pipeline.commands.options import add_band_arguments, config_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("device", nargs="?", metavar="DEVICE", help="its address or name")
    add_band_arguments(parser)
    parser.add_argument("--change", action="store_true", help="also what the band keeps")
    parser.add_argument("--json", action="store_true", help="one JSON object a promise and line")


def run(args: argparse.Namespace) -> int:
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from pipeline.conform.conform import promises
    from pipeline.conform.promise import Kept
    from pipeline.sources.radio import open_radio

    config = config_of(args)
    broken = total = 0
    async with open_radio(config.band.transport) as central:
        tried = promises(
            args.device or config.band.address,
            central=central, pair=config.band.pair, changing=args.change,
        )  # fmt: skip
        async for what, kept, seen in tried:
            broken += kept is Kept.NO
            total += kept in (Kept.YES, Kept.NO)
            if args.json:
                print(json.dumps({"promise": what, "kept": str(kept), "seen": seen}), flush=True)
                continue
            print(f"{kept:<9}  {what}{f': {seen}' if seen and kept is not Kept.NO else ''}")
            if seen and kept is Kept.NO:
                print(f"           {seen}", flush=True)
    if not args.json:
        print(f"{total - broken} of {total} promises kept")
    return 1 if broken else 0
