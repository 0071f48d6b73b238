"""Check Bluetooth, band, broker, InfluxDB, disk and what waits; say what to do."""

from __future__ import annotations

import argparse
import asyncio
import json
from pathlib import Path

from pipeline.commands.options import add_band_arguments, add_mqtt_arguments, config_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_band_arguments(parser)
    add_mqtt_arguments(parser)
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the recordings")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file")
    parser.add_argument("--no-band", action="store_true", help="leave Bluetooth alone")
    parser.add_argument("--json", action="store_true", help="one JSON object a finding and line")


def run(args: argparse.Namespace) -> int:
    return asyncio.run(_run(args))


async def _run(args: argparse.Namespace) -> int:
    from pipeline.checkup import check_all

    problems = 0
    async for finding in check_all(config_of(args), band=not args.no_band):
        problems += not finding.ok
        if args.json:
            print(json.dumps(finding._asdict()), flush=True)
        else:
            print(f"{'ok     ' if finding.ok else 'PROBLEM'}  {finding.what}", flush=True)
            if finding.remedy:
                print(f"         {finding.remedy}", flush=True)
    return 1 if problems else 0
