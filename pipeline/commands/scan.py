"""Find bands within reach, and other devices that measure force, with what they can do."""

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
    found = [device for device in heard if device.is_usable or args.all]
    for device in found:
        if args.json:
            fields = ("name", "address", "rssi_dbm", "is_band")
            facts = {key: getattr(device, key) for key in fields}
            print(json.dumps({**facts, **_driver_facts(device)}))
        else:
            kind = f"  {_what(device)}"
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


def _what(device: FoundDevice) -> str:
    if device.is_band:
        return "forceband: own clock, losses are named and fetched again"
    if device.driver is None:
        return "(no band)"
    return f"{device.driver.title}: {device.driver.capabilities.words()}"


def _driver_facts(device: FoundDevice) -> dict[str, object]:
    """Which driver reads it, and what it can do; None for a device that none knows."""
    if device.is_band:
        return {"driver": "forceband"}
    if device.driver is None:
        return {"driver": None}
    able = device.driver.capabilities
    return {
        "driver": device.driver.name,
        "rate_hz": able.rate_hz,
        "timing": able.timing,
        "names_losses": able.names_losses,
        "resolution_n": able.resolution_n,
        "signed": able.signed,
        "own_tare": able.own_tare,
        "verified": able.verified,
    }


async def _scan(transport: str | None, seconds: float) -> list[FoundDevice]:
    from pipeline.sources.radio import open_radio
    from sensor.ble.finder import scan

    async with open_radio(transport) as central:
        return await scan(seconds, central=central)
