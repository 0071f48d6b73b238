"""Flags that several commands share, and the configuration they make."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.files.choosing import Options


FLAGS = {
    "data": "data_dir",
    "transport": "band.transport",
    "address": "band.address",
    "pair": "band.pair",
    "name": "band.name",
    "side": "band.side",
    "exercise": "band.exercise",
    "athlete": "band.athlete",
    "pause": "serve.pause_s",
    "http_host": "web.host",
    "http_port": "web.port",
    "mqtt_host": "mqtt.host",
    "mqtt_port": "mqtt.port",
}
"""Flags that stand for a setting; one that is not given leaves it as it is."""


def add_page_arguments(parser: argparse.ArgumentParser) -> None:
    """Where the live page listens."""
    parser.add_argument("--http-port", type=port, metavar="N", help="live page; 0: a free one")
    parser.add_argument(
        "--http-host", metavar="ADDRESS", help="0.0.0.0 shows it on the network, behind a token"
    )
    parser.add_argument("--no-page", action="store_true", help="no live page")


def add_mqtt_arguments(parser: argparse.ArgumentParser) -> None:
    """Which broker."""
    parser.add_argument("--mqtt-host", metavar="HOST", help="a broker instead of the embedded one")
    parser.add_argument(
        "--mqtt-port", type=port, metavar="N", help="1883, TLS 8883; embedded 0: a free one"
    )
    parser.add_argument("--no-mqtt", action="store_true", help="no MQTT")


def add_session_arguments(parser: argparse.ArgumentParser) -> None:
    """How long, whose, and where to."""
    parser.add_argument("--duration", type=positive, metavar="S", help="stop after S seconds")
    add_identity_arguments(parser)


def add_identity_arguments(parser: argparse.ArgumentParser) -> None:
    """Whose session, and where to."""
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder for the recordings")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file")
    parser.add_argument("--name", metavar="NAME", help="of the band in topics and points")
    parser.add_argument("--side", choices=("left", "right", "both"), help="which arm or leg pulls")
    parser.add_argument("--exercise", metavar="NAME", help="such as low-row, in any language")
    parser.add_argument("--athlete", metavar="NAME", help="whose session it is")


def add_band_arguments(parser: argparse.ArgumentParser) -> None:
    """Which band, over which radio."""
    from pipeline.sources.radio import TRANSPORT_HELP

    parser.add_argument("--transport", metavar="T", help=TRANSPORT_HELP)
    parser.add_argument("--address", metavar="A", help="of the band, if there are several")
    parser.add_argument("--pair", action="store_true", default=None, help="bond with the band")


def add_table_arguments(parser: argparse.ArgumentParser) -> None:
    """What a person may say of a table of force over time, where it does not say all itself."""
    group = parser.add_argument_group("tables (docs/files.md)")
    group.add_argument("--time-column", metavar="NAME", help="or its number, from 1")
    group.add_argument(
        "--force-column",
        action="append",
        metavar="NAME",
        help="again: another apart; LEFT+RIGHT: their sum",
    )
    group.add_argument("--unit", metavar="U", help="of the force: N, kg, lb, g, kN, mN or counts")
    group.add_argument("--rate", type=positive, metavar="HZ", help="where no column has times")
    group.add_argument("--sheet", metavar="NAME", help="of a workbook, or part of an archive")
    group.add_argument("--sensor", metavar="NAME", help="whose kept calibration counts")


def table_options(args: argparse.Namespace) -> Options:
    """What the person said of tables."""
    from pipeline.files.choosing import Options

    return Options(
        args.time_column,
        tuple(args.force_column or ()),
        args.unit,
        args.rate,
        args.sheet,
        args.sensor,
    )


def config_of(args: argparse.Namespace) -> Config:
    """The configuration that a command's flags lead to."""
    from pipeline.config import load

    given = vars(args)
    values = {setting: given.get(flag) for flag, setting in FLAGS.items()}
    return load(
        given.get("config"),
        flags={
            **values,
            "web.enabled": False if given.get("no_page") else None,
            "mqtt.enabled": False if given.get("no_mqtt") else None,
        },
    )


def default_of_flag(flag: str) -> object:
    """What holds where neither flag nor file nor environment says otherwise; None for nothing."""
    from pipeline.config import Config

    value: object = Config()
    for part in FLAGS.get(flag, "").split(".") if flag in FLAGS else ():
        value = getattr(value, part)
    return value if flag in FLAGS else None


def port(text: str) -> int:
    """Of an argument; 0 where any free one will do."""
    if not text.isdigit() or int(text) > 65535:
        raise argparse.ArgumentTypeError(f"a port is 0 to 65535, not {text!r}")
    return int(text)


def positive(text: str) -> float:
    """Of an argument: a finite number above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < float("inf"):
        raise argparse.ArgumentTypeError(f"a number above 0 is needed, not {text!r}")
    return value


def positive_or_0(text: str) -> float:
    """Of an argument: a finite number of 0 or more."""
    return 0.0 if text.strip() in ("0", "0.0") else positive(text)


def seed(text: str) -> int:
    """Of an argument: what a simulation can be repeated by."""
    if not text.isdecimal():
        raise argparse.ArgumentTypeError(f"a seed is a whole number of 0 or more, not {text!r}")
    return int(text)
