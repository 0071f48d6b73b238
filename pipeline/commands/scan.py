"""Find bands within reach."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from typing import TYPE_CHECKING

from pipeline.commands.options import positive
from pipeline.sources.radio import TRANSPORT_HELP

if TYPE_CHECKING:
    from sensor.ble.finder import FoundDevice


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--transport", metavar="T", help=TRANSPORT_HELP)
    parser.add_argument("--seconds", type=positive, default=5.0, metavar="S", help="listen so long")
    parser.add_argument("--all", action="store_true", help="also devices that are no bands")
    parser.add_argument("--json", action="store_true", help="one JSON object a device and line")


def run(args: argparse.Namespace) -> int:
    print(f"listening for {args.seconds:g} s ...", file=sys.stderr)
    heard = asyncio.run(_scan(args.transport, args.seconds))
    found = [device for device in heard if device.is_band or args.all]
    for device in found:
        if args.json:
            fields = ("name", "address", "rssi_dbm", "is_band")
            print(json.dumps({key: getattr(device, key) for key in fields}))
        else:
            kind = "" if device.is_band else "  (no band)"
            name = "".join(c if c.isprintable() else "?" for c in device.name or "-")
            print(f"{device.address}  {device.rssi_dbm:>4} dBm  {name}{kind}")
    if found:
        return 0
    print(
        f"forceband: no band among {len(heard)} devices: switch it on, bring it near, and "
        "disconnect it from other programs and phones",
        file=sys.stderr,
    )
    return 1


async def _scan(transport: str | None, seconds: float) -> list[FoundDevice]:
    from pipeline.sources.radio import open_radio
    from sensor.ble.finder import scan

    async with open_radio(transport) as central:
        return await scan(seconds, central=central)
