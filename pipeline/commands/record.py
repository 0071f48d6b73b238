"""Only record a band into a file: no page, no MQTT, no InfluxDB."""

from __future__ import annotations

import argparse
from dataclasses import replace

from pipeline.commands import live
from pipeline.commands.options import (
    add_band_arguments,
    add_session_arguments,
    config_of,
    positive,
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    add_band_arguments(parser)
    add_session_arguments(parser)
    parser.add_argument(
        "--find-timeout", type=positive, default=20.0, metavar="S", help="look for the band so long"
    )


def run(args: argparse.Namespace) -> int:
    from pipeline.config import InfluxConfig, MqttConfig, WebConfig

    config = replace(
        config_of(args),
        web=WebConfig(enabled=False),
        mqtt=MqttConfig(enabled=False),
        influx=InfluxConfig(),
    )
    return live.run_with(config, args, coached=False)
