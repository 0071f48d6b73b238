"""What `forceband doctor` looks at: radio, band, broker, InfluxDB, disk and what waits."""

from __future__ import annotations

import asyncio
import platform
import shutil
from collections.abc import AsyncIterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.config import Config, ConfigError
from pipeline.delivery.delivery import waiting_rows
from pipeline.session.session import Session
from pipeline.sinks.influx.check import Finding
from sensor.errors import BandError, LinkError, RecordingError
from sensor.extras import command
from sensor.recording.log import SUFFIX, Recording
from sensor.samples import Channel
from sensor.timeline.clock import MAX_SKEW
from sensor.wire.frames import MAX_FRAME_BYTES
from sensor.wire.stream_check import StreamCheck

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral

LOW_DISK_BYTES = 500 * 2**20
"""About 400 hours of recording at 80 Hz."""
FAR = "Bring the band nearer and away from Wi-Fi."
LISTEN_S = 3.0
MEASURE_S = 25.0
"""The skew of two clocks shows in the jitter of a radio after some 20 s."""


async def check_all(config: Config, *, band: bool = True) -> AsyncIterator[Finding]:
    """Each finding as soon as it is known."""
    yield _system()
    yield _disk(config.data_dir)
    for finding in _recordings(config.data_dir):
        yield finding
    async for finding in _broker(config):
        yield finding
    async for finding in _influx(config):
        yield finding
    if band:
        async for finding in _band(config):
            yield finding


def _system() -> Finding:
    return Finding(f"Python {platform.python_version()} on {platform.system()}", True)


def _disk(folder: Path) -> Finding:
    place = next(p for p in (folder, *folder.parents) if p.exists())
    try:
        free = shutil.disk_usage(place).free
        probe = place / ".forceband-probe"
        probe.touch()
        probe.unlink()
    except OSError as error:
        remedy = "Choose another folder with --data or data_dir, or correct its permissions."
        return Finding(f"recordings can be written to {folder} ({error.strerror})", False, remedy)
    what = f"recordings go to {folder}, {free / 2**30:.1f} GiB free"
    remedy = "Free some space: a session stops being recorded when the disk is full."
    return Finding(what, free >= LOW_DISK_BYTES, "" if free >= LOW_DISK_BYTES else remedy)


def _recordings(folder: Path) -> list[Finding]:
    findings = []
    count, unfinished, waiting, dead = 0, 0, 0, []
    for path in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with Recording.open(path) as recording:
                count += 1
                unfinished += not recording.ended and not recording.in_use
                waiting += not recording.in_use and bool(waiting_rows(recording))
                dead += [(path, *letter) for letter in recording.dead_letters()]
        except RecordingError as error:
            findings.append(Finding(str(error), False, "Move the file away if it is not needed."))
    what = f"{count} recordings, {unfinished} not closed, {waiting} with undelivered rows"
    behind = bool(unfinished or waiting)
    remedy = "`forceband sessions` lists them, `forceband deliver` closes and brings them."
    findings.insert(0, Finding(what, not behind, remedy if behind else ""))
    for path, sink, body, words in dead[:5]:
        findings.append(
            Finding(
                f"{_plain(sink)} rejected a line of {path.name}: {_plain(body[:80])}",
                False,
                f"It said: {_plain(words[:240]).rstrip('.')}. Correct that, then "
                f"`forceband deliver --again --to {_plain(sink)} {path}`.",
            )
        )
    if len(dead) > 5:
        findings.append(Finding(f"{len(dead) - 5} more rejected lines", False, "As above."))
    return findings


def _plain(text: str) -> str:
    """Without what would steer a terminal: a recording may come from anywhere."""
    return "".join(c if c.isprintable() else " " for c in text)


async def _broker(config: Config) -> AsyncIterator[Finding]:
    if not config.mqtt.enabled or config.mqtt.host is None:
        if not config.mqtt.enabled or find_spec("amqtt") is not None:
            yield Finding("MQTT: no broker is named; the embedded one serves each session", True)
        else:
            remedy = f"Name one with FORCEBAND_MQTT_HOST, or: {command('broker')}"
            yield Finding("MQTT: no broker is named, and none is embedded", True, remedy)
        return
    from pipeline.delivery.outlets import mqtt_settings
    from pipeline.sinks.mqtt.sink import MqttSink
    from pipeline.sinks.sink import SinkUnavailableError

    what = f"the MQTT broker at {config.mqtt.host} answers"
    try:
        async with MqttSink(mqtt_settings(config)) as sink:
            async with asyncio.timeout(20):  # longer than its own patience, which says why
                await sink.check()
    except TimeoutError:
        yield Finding(what, False, "It did not answer within 20 s: check host, port and network.")
    except (SinkUnavailableError, BandError) as error:
        yield Finding(what, False, f"{str(error)[:1].upper()}{str(error)[1:].rstrip('.')}.")
    else:
        yield Finding(what, True)


async def _influx(config: Config) -> AsyncIterator[Finding]:
    if config.influx.url is None:
        yield Finding("InfluxDB: no url is set; nothing is sent there", True)
        return
    from pipeline.delivery.outlets import influx_settings
    from pipeline.sinks.influx.check import check

    try:
        settings = influx_settings(config)
    except ConfigError as error:
        yield Finding("InfluxDB settings make sense", False, f"{error}.")
        return
    for finding in await check(settings):
        yield finding


async def _band(config: Config) -> AsyncIterator[Finding]:
    from pipeline.sources.radio import open_radio
    from sensor.ble.finder import scan

    radio = config.band.transport or "the system's Bluetooth"
    async for finding in _bluez(config):
        yield finding
    try:
        async with open_radio(config.band.transport) as central:
            heard = await scan(LISTEN_S, central=central)
            yield Finding(f"{radio} works, {len(heard)} devices heard", True)
            bands = [device for device in heard if device.is_usable]
            if not bands:
                remedy = "Switch the band on, bring it near, disconnect it from other programs."
                yield Finding("a band is within reach", False, remedy)
                return
            yield Finding(f"a band is within reach; measuring it for {MEASURE_S:.0f} s ...", True)
            try:
                async for finding in _measure(config, central):
                    yield finding
            except LinkError as error:
                yield Finding("the band can be measured", False, f"{_sentence(error)}.")
    except LinkError as error:
        yield Finding(f"{radio} works", False, f"{_sentence(error)}.")


def _sentence(error: Exception) -> str:
    words = str(error).rstrip(".")
    return words[:1].upper() + words[1:]


async def _bluez(config: Config) -> AsyncIterator[Finding]:
    """BlueZ's version, where it is what Bluetooth goes through."""
    tool = shutil.which("bluetoothctl")
    if platform.system() != "Linux" or config.band.transport is not None or tool is None:
        return
    process = await asyncio.create_subprocess_exec(
        tool, "--version", stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL
    )
    said = (await process.communicate())[0].decode("utf-8", "replace").strip()
    number = said.rpartition(" ")[2]
    parts = [int(part) if part.isdigit() else 0 for part in number.split(".")]
    new_enough = parts >= [5, 55]
    remedy = "BlueZ before 5.55 does not serve bleak: update the system."
    yield Finding(f"BlueZ {number}", new_enough, "" if new_enough else remedy)


async def _measure(config: Config, central: BumbleCentral | None) -> AsyncIterator[Finding]:
    """Connect for a few seconds: battery, rate, losses."""
    from sensor.ble.source import BleSource

    session, check = Session(live=False), StreamCheck()
    row = 0
    source = BleSource(
        config.band.address, central=central, pair=config.band.pair, scale=config.band.scale
    )
    source.follow(lambda: session.ledger)
    async with source:
        loop = asyncio.get_running_loop()
        until_s = loop.time() + MEASURE_S
        first_us = last_us = first_index = 0
        async for notification in source:
            row += 1
            session.receive(notification, row)
            check.receive(notification)
            if notification.channel is Channel.FORCE and session.samples:
                last_us = notification.received_us
                if not first_us:
                    first_us, first_index = last_us, session.samples
            if loop.time() > until_s:
                break
        info, mtu = source.info, source.mtu
    rate_hz = (session.samples - first_index) / max((last_us - first_us) / 1e6, 1e-9)
    driver = session.driver
    nominal_hz = info.rate_hz if info else 0.0
    near = abs(rate_hz - nominal_hz) < 0.25 * nominal_hz
    if driver is not None:  # others run at any rate: a clone of a Progressor at 10 or at 80 Hz
        nominal_hz, near = driver.capabilities.rate_hz or rate_hz, rate_hz > 0
        yield Finding(f"{driver.title}: {driver.capabilities.words()}", True)
    least_mtu = MAX_FRAME_BYTES + 3 if driver is None else driver.min_mtu
    small = mtu is not None and mtu < least_mtu
    yield Finding(
        f"the band {source.address} has an MTU of {mtu}",
        not small,
        f"Frames need {least_mtu}: update the band's firmware or use another adapter."
        if small
        else "",
    )
    skew_ppm = session.clock_facts.get("skew_ppm")
    if skew_ppm is not None:
        steady = abs(skew_ppm) <= MAX_SKEW * 1e6
        yield Finding(
            f"the band's clock is {skew_ppm:+.0f} ppm off this computer's, "
            f"residual {session.clock_facts['clock_residual_ms']:.1f} ms",
            steady,
            "" if steady else "The band's oscillator is broken, or this computer's clock is.",
        )
    faults = check.faults() if driver is None else []
    for fault in faults:
        yield Finding(
            f"the band's firmware keeps its promises: {fault}",
            False,
            "Update the band's firmware, or tell its maker; `forceband conform` tries the rest.",
        )
    bring_near = "" if near and not session.missing else FAR
    if bring_near and faults:
        bring_near = "See the firmware above: it is not for the distance."
    yield Finding(
        f"the band {source.address} streams {rate_hz:.1f} Hz (says {nominal_hz:g} Hz), "
        f"{session.missing} of {session.samples + session.missing} samples missing, "
        f"{session.bad_frames} damaged frames",
        not bring_near,
        bring_near,
    )
