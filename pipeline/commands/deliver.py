"""Bring recordings to MQTT and InfluxDB: what waits, or with --again everything once more.

Where a session ended without its band some minutes ago, what the band remembers of it is fetched.

Points and messages carry the same times and ids every time, so that a second delivery replaces the
first in InfluxDB and is known by its ids over MQTT.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.commands.long_job import shown_progress
from pipeline.commands.options import add_band_arguments, config_of, port, positive
from sensor.errors import BandError, LinkError, RecordingError

if TYPE_CHECKING:
    from pipeline.config import Config
    from pipeline.delivery.delivery import Delivery
    from pipeline.sinks.sink import DurableSink
    from sensor.recording.log import Recording


NOWHERE = (
    "there is nowhere to deliver to: give --mqtt-host, set FORCEBAND_MQTT_HOST or "
    "FORCEBAND_INFLUX_URL, "
    "or write them into the configuration (docs/configuration.md)"
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="else all that are not recorded now"
    )
    parser.add_argument("--again", action="store_true", help="from the start")
    parser.add_argument("--to", choices=("mqtt", "influx"), help="only there")
    parser.add_argument("--mqtt-host", metavar="HOST", help="the broker")
    parser.add_argument("--mqtt-port", type=port, metavar="N", help="its port")
    parser.add_argument(
        "--wait",
        type=positive,
        default=60.0,
        metavar="S",
        help="give up when a sink has taken nothing for so long",
    )
    add_band_arguments(parser)
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the recordings")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file")


def run(args: argparse.Namespace) -> int:
    from pipeline.commands.sessions import tell_swept
    from sensor.recording.folder import recordings, sweep

    config = config_of(args)
    if args.files:
        return 1 if asyncio.run(_deliver_all(config, args.files, args)) else 0
    tell_swept(sweep(config.data_dir))
    files = recordings(config.data_dir)
    if not files:
        print(f"no recordings in {config.data_dir}", file=sys.stderr)
    return 1 if asyncio.run(_deliver_all(config, files, args)) else 0


async def _deliver_all(config: Config, files: list[Path], args: argparse.Namespace) -> bool:
    """Whether anything still waits or was rejected, or a file that was named is none."""
    from sensor.recording.log import InUseError, Recording

    failed = False
    for path in files:
        try:
            if path.exists() and not all(os.access(at, os.W_OK) for at in (path, path.parent)):
                raise BandError(
                    f"{path}: its folder cannot be written, and what is delivered is noted in the "
                    "file: correct its permissions, or copy it to another folder"
                )
            try:
                opened = Recording.open(path, write=True)
            except InUseError as error:
                print(error, file=sys.stderr)
                continue
            except RecordingError as error:
                print(f"forceband: {error}: left out", file=sys.stderr)
                failed |= bool(args.files)
                continue
            with opened as recording:
                failed |= await _deliver(config, recording, args)
        except BandError as error:
            print(f"forceband: {error}", file=sys.stderr)
            failed = True
    return failed


async def _deliver(config: Config, recording: Recording, args: argparse.Namespace) -> bool:
    from pipeline.delivery.delivery import Delivery, waiting_rows
    from pipeline.delivery.session_log import session_facts
    from sensor.recording.log import CUT

    await _fetch_end(config, recording)
    if not recording.ended:
        if recording.lacks_end or "copied" in recording.facts:
            print(
                f"{recording.path.name}: lacks its session's newest rows; if it is a copy, deliver "
                "the recording itself for those",
                file=sys.stderr,
            )
        if recording.lacks_end:
            recording.set_facts({CUT: True})
        _close(recording)
        print(f"{recording.path.name}: closed, its session had been cut off")
    failed = False
    async with AsyncExitStack() as stack:
        sinks = await _sinks(config, args.to, stack)
        if not sinks and (args.again or waiting_rows(recording)):
            raise BandError(NOWHERE)
        if not sinks:
            print(f"{recording.path.name}: nothing waits")
        for sink in sinks:
            if args.again:
                recording.forget_dead_letters(sink.name)
                recording.set_cursor(sink.name, 0)
            delivery = Delivery(recording, sink, session_facts(recording), live_session=False)
            before = delivery.status.waiting_rows
            try:
                await _run(delivery, f"{recording.path.name} to {sink.name}", args.wait)
            except TimeoutError:
                status = delivery.status
                reason = (status.problem or "it does not answer").rstrip(".")
                print(
                    f"forceband: {recording.path}: {status.waiting_rows} rows still wait for "
                    f"{sink.name}: {reason}. Given up after {args.wait:g} s without progress "
                    "(--wait)",
                    file=sys.stderr,
                )
                failed = True
            else:
                what = f"{before} rows delivered" if before else "nothing waits"
                print(f"{recording.path.name}: {sink.name}: {what}")
            if rejected := delivery.status.rejected:
                print(f"forceband: {recording.path}: {sink.name}: {rejected}", file=sys.stderr)
                failed = True
    return failed


async def _run(delivery: Delivery, what: str, wait_s: float) -> None:
    """Deliver what waits, and show how far it is; TimeoutError after so long without progress."""
    before = delivery.status.waiting_rows
    patience = asyncio.timeout(None)
    with shown_progress(what) as progress:

        def renew() -> None:
            patience.reschedule(asyncio.get_running_loop().time() + wait_s)
            if progress is not None and before:
                progress(1 - delivery.status.waiting_rows / before)

        delivery.on_progress = renew
        async with patience:
            await delivery.run()


async def _fetch_end(config: Config, recording: Recording) -> None:
    """A session that ended without its band a short time ago: the band may remember its end."""
    from pipeline.delivery.tail import Radio, fetch_tail, open_tail
    from pipeline.sources.radio import open_radio
    from sensor.source import HostClock

    clock = HostClock()
    tail = open_tail(recording, clock)
    if tail is None:
        return

    def say(text: str) -> None:
        print(text, file=sys.stderr)

    try:
        async with open_radio(config.band.transport) as central:
            radio = Radio(config.band.address, central, config.band.pair)
            await fetch_tail(tail, radio, clock, say)
    except LinkError as error:
        say(f"{recording.path.name}: its end could not be fetched: {error}")


def _close(recording: Recording) -> None:
    """End a log whose recorder was killed, so that its end is told, and note what is in it."""
    from pipeline.delivery.session_log import note_what_is_in
    from sensor.samples import Channel, Notification

    last = next(iter(recording.rows(after=recording.last_row - 1)), None)
    received_us = last[1].received_us if last else 0
    recording.append(Notification(received_us, b"", Channel.END))
    note_what_is_in(recording)


async def _sinks(config: Config, only: str | None, stack: AsyncExitStack) -> list[DurableSink]:
    from pipeline.delivery.outlets import influx_settings, mqtt_settings

    sinks: list[DurableSink] = []
    if config.mqtt.enabled and config.mqtt.host is not None and only in (None, "mqtt"):
        from pipeline.sinks.mqtt.sink import MqttSink

        mqtt = MqttSink(mqtt_settings(config))
        sinks.append(await stack.enter_async_context(mqtt))
    if config.influx.url is not None and only in (None, "influx"):
        from pipeline.sinks.influx.sink import InfluxSink

        influx = InfluxSink(influx_settings(config))
        sinks.append(await stack.enter_async_context(influx))
    return sinks
