"""Whole sessions over a bad air into real servers, and the account of what became of all.

A proof's session is what `forceband live` runs: virtual radio, `BleSource`, recording,
`run_session` with MQTT and InfluxDB. What a sink missed is brought as `forceband deliver` does it.
The simulated band lives faster than real time, and the host's clock with it.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from firmware_sim.band import BandSetup
from firmware_sim.device.sampler import ClockConfig
from firmware_sim.person.workout import LOW_ROW, Workout
from firmware_sim.radio.air import Air
from firmware_sim.source import SimulatedBand
from pipeline.app import run_session
from pipeline.config import Config, load
from pipeline.delivery.delivery import Delivery
from pipeline.delivery.outlets import influx_settings, mqtt_settings
from pipeline.delivery.session_log import SessionLog, session_facts
from pipeline.files.samples import read_session
from pipeline.sinks.influx.sink import InfluxSink
from pipeline.sinks.mqtt.sink import MqttSink
from sensor.ble.source import BleSource
from sensor.bumble_backend import BumbleCentral
from sensor.errors import FrameError
from sensor.recording.log import Recording
from sensor.samples import Channel
from sensor.source import HostClock
from sensor.wire.frames import ForceFrame
from sensor.wire.profile import Opcode
from tests.influx_double import InfluxDouble
from tests.influx_server import InfluxServer
from tests.mosquitto_server import Mosquitto
from tests.pipeline.sinks.mqtt.ear import Ear

SPEED = 8.0
PATIENCE_S = 45.0
ONE_SET = Workout((replace(LOW_ROW, reps=3, rest_after_s=2.0),), lead_in_s=1.0)


@dataclass
class Account:
    """What the band says it took, and where it went."""

    sent: int = 0
    """Samples the band took while a client listened, by its own counter."""
    recorded: set[tuple[int, int]] = field(default_factory=set)
    """Power-on and index, modulo 2^32, of each sample in a frame of the recording."""
    stored: list[int] = field(default_factory=list)
    """`seq` of each point in InfluxDB."""
    missing: int = 0
    gaps: list[int | None] = field(default_factory=list)
    pulled: int = 0
    """Reps that the simulated person really did."""
    computed: list[int] = field(default_factory=list)
    """Ids of the reps that the recording holds."""
    emitted: list[int] = field(default_factory=list)
    """Ids of the reps in the sets that were told over MQTT, each message counted once."""
    ids: list[int] = field(default_factory=list)
    """Numbers of the MQTT events, each counted once."""
    contradictions: int = 0
    """Messages whose id came before with other content."""
    dead_letters: int = 0

    def row(self, fault: str, note: str = "") -> str:
        """One line of the table of proofs, in Markdown."""
        named = f"{fault} ({note})" if note else fault
        counts = (self.sent, len(self.recorded), len(self.stored))
        cells = (named, *counts, self.missing, self.pulled, len(self.emitted))
        return f"| {' | '.join(map(str, cells))} |"

    def check(self) -> None:
        """Sent = stored + named as missing, and the reps told are those of the recording."""
        assert self.sent > 0
        assert len(self.recorded) == self.sent - self.missing
        assert len(self.stored) == len(set(self.stored)) == self.sent - self.missing
        assert self.missing == sum(each or 0 for each in self.gaps)
        assert sorted(self.emitted) == sorted(self.computed)
        assert self.contradictions == 0
        assert self.dead_letters == 0

    def check_complete(self) -> None:
        """All that, and nothing is missing and no rep overlooked."""
        self.check()
        assert self.missing == 0
        assert len(self.emitted) == self.pulled


class Ledger:
    """The band's own counter of samples, read where its firmware starts, stops or dies."""

    def __init__(self, band: SimulatedBand) -> None:
        self._firmware = band.band.firmware
        self._command = self._firmware.command
        self._power_cycle = self._firmware.power_cycle
        self._began: int | None = None
        self.before: list[int] = []
        self._until = 0
        self._is_over = False
        # the instance's own methods, so that whatever the firmware calls itself is seen too
        self._firmware.command = self._listen  # type: ignore[method-assign]
        self._firmware.power_cycle = self._dies  # type: ignore[method-assign]

    @property
    def sent(self) -> int:
        """Samples taken from the first START of each power-on to its last STOP or its end."""
        return sum(self.before) + (0 if self._began is None else self._until - self._began)

    def _listen(self, data: bytes) -> Any:
        if data[:1] == bytes([Opcode.START]) and self._began is None:
            self._began = self._until = self._firmware.next_sample
        if data[:1] == bytes([Opcode.STOP]) and not self._is_over:
            self._until = self._firmware.next_sample
        return self._command(data)

    def over(self) -> None:
        """The session is over; without a STOP this is where it ended."""
        self._is_over = True
        if self._until == self._began:
            self._until = self._firmware.next_sample

    def _dies(self, now_s: float) -> None:
        # without power nothing is taken: what counts is where the firmware stood until now
        if self._began is not None:
            self.before.append(self._firmware.next_sample - self._began)
        self._began = None
        self._power_cycle(now_s)


@dataclass
class World:
    """A running session: what a test does harm to."""

    air: Air
    transport: Any
    band: SimulatedBand
    source: BleSource
    config: Config
    recording: Recording
    ear: Ear
    broker: Mosquitto
    influx: InfluxDouble
    ledger: Ledger
    central: BumbleCentral

    async def samples(self, count: int) -> None:
        """Return when the band has taken so many samples."""
        await until(lambda: self.band.band.firmware.next_sample >= count)

    async def recorded(self, rows: int) -> None:
        """Return when the recording has so many rows."""
        await until(lambda: self.recording.last_row >= rows)

    async def over(self) -> None:
        """Return when the workout is over."""
        band = self.band
        await until(lambda: _past_end(band))


def _past_end(band: SimulatedBand) -> bool:
    firmware = band.band.firmware
    return firmware.sample_time_s(firmware.next_sample) >= band.end_s


async def until(true: Callable[[], object]) -> None:
    """Return when something is so."""
    async with asyncio.timeout(PATIENCE_S):
        while not true():  # noqa: ASYNC110 - the band and the files have no events for it
            await asyncio.sleep(0.02)


Harm = Callable[[World], Awaitable[None]]


@dataclass
class Servers:
    """The real servers that all proofs of a run share."""

    influxd: InfluxServer
    folder: Path


async def prove(
    servers: Servers,
    folder: Path,
    harm: Harm,
    *,
    fault: Any = None,
    speed: float = SPEED,
    workout: Workout = ONE_SET,
    clock: ClockConfig | None = None,
    supervision_timeout_s: float = 0.5,
    silence_s: float = 3.0,
    inspect: Callable[[World], None] = lambda world: None,
    afterwards: Harm | None = None,
) -> Account:
    """Run one session, do `harm` while it runs, bring what was missed, and account for all.

    `afterwards` comes when the session is over and its end was delivered.
    """
    database = f"proof_{folder.name.replace('-', '_')}"
    servers.influxd.create(database)
    with Mosquitto(folder) as broker:
        async with _world(
            servers, folder, broker, database, fault, speed, workout, clock,
            supervision_timeout_s, silence_s,
        ) as world:  # fmt: skip
            facts = session_facts(world.recording)
            running = asyncio.create_task(
                run_session(world.config, world.source, SessionLog(world.recording, facts))
            )
            try:
                await _either(harm(world), running)
                await _either(world.over(), running)
                world.air.fault = None
                await world.source.stop()
                async with asyncio.timeout(PATIENCE_S):
                    await running
            finally:
                running.cancel()
                await asyncio.gather(running, return_exceptions=True)
            world.ledger.over()
            if afterwards is not None:
                await catch_up(world.config, world.recording)
                await afterwards(world)
            await catch_up(world.config, world.recording)
            await world.ear.until(lambda _: any("duration_s" in e for e in world.ear.events()))
            inspect(world)
            return account(servers.influxd, database, world)


async def _either(work: Awaitable[None], running: asyncio.Task[Any]) -> None:
    """Do the work, and fail if the session ends before it."""
    task = asyncio.ensure_future(work)
    await asyncio.wait({task, running}, return_when=asyncio.FIRST_COMPLETED)
    if not task.done():
        task.cancel()
        running.result()
        raise AssertionError("the session ended too early")
    task.result()


@asynccontextmanager
async def _world(
    servers: Servers,
    folder: Path,
    broker: Mosquitto,
    database: str,
    fault: Any,
    speed: float,
    workout: Workout,
    clock: ClockConfig | None,
    supervision_timeout_s: float,
    silence_s: float,
) -> AsyncIterator[World]:
    air = Air(fault=fault, supervision_timeout_s=supervision_timeout_s)
    transport = air.transport("band")
    setup = BandSetup(seed=8, workout=workout, clock=clock or ClockConfig(), waits=True)
    async with AsyncExitStack() as stack:
        influx = await stack.enter_async_context(InfluxDouble(servers.influxd.url))
        config = server_config(broker, influx, database, data_dir=folder)
        ear = await stack.enter_async_context(Ear(mqtt_settings(config), "forceband/+/event/#"))
        recording = stack.enter_context(
            Recording.create(folder / "proof.forceband", {"session": "proof", "device": "band"})
        )
        band = await stack.enter_async_context(SimulatedBand(transport, setup, speed=speed))
        central = await stack.enter_async_context(await BumbleCentral.open(air.transport("host")))
        source = BleSource(central=central, clock=_clock(speed), silence_s=silence_s)
        yield World(
            air, transport, band, source, config, recording, ear, broker, influx, Ledger(band),
            central,
        )  # fmt: skip


def server_config(broker: Mosquitto, influx: InfluxDouble, database: str, **more: object) -> Config:
    """Where a proof's session delivers to."""
    flags = {
        "web.enabled": False,
        "mqtt.host": broker.host,
        "mqtt.port": broker.port,
        "influx.url": influx.url,
        "influx.bucket": database,
        "influx.token": influx.token,
    }
    return load(flags={**flags, **more}, environment={})


def _clock(speed: float) -> HostClock:
    """A host whose time goes as fast as the band's."""
    start_ns = time.monotonic_ns()
    return HostClock(
        monotonic_ns=lambda: start_ns + round((time.monotonic_ns() - start_ns) * speed)
    )


async def catch_up(config: Config, recording: Recording) -> None:
    """Bring what waits, as `forceband deliver` does."""
    async with (
        asyncio.timeout(PATIENCE_S),
        MqttSink(mqtt_settings(config)) as mqtt,
        InfluxSink(influx_settings(config)) as influx,
    ):
        for sink in (mqtt, influx):
            await Delivery(recording, sink, session_facts(recording), live_session=False).run()


def account(influxd: InfluxServer, database: str, world: World) -> Account:
    """Count everything, from the band's counter to the servers."""
    found = Account(sent=world.ledger.sent)
    found.pulled = sum(each.counted for each in world.band.truth())
    count_recording(world.recording, found)
    count_influx(influxd, database, found)
    count_messages(world.ear.events(), found)
    return found


def count_recording(recording: Recording, found: Account) -> None:
    """What the file holds: samples by power-on and index, gaps and reps."""
    boot = -1
    boots: list[bytes] = []
    for _, notification in recording.rows():
        if notification.channel is Channel.INFO and notification.payload[1:5] not in boots:
            boots.append(notification.payload[1:5])
            boot += 1
        if notification.channel is Channel.FORCE:
            try:
                frame = ForceFrame.from_bytes(notification.payload)
            except FrameError:
                continue
            first = frame.first_sample
            found.recorded.update(
                (boot, (first + k) % 2**32) for k in range(int(frame.counts.size))
            )
    read = read_session(recording)
    found.missing = read.missing
    found.gaps = [gap.missing for gap in read.analysis.gaps]
    found.computed = [rep.id for rep in read.analysis.reps]
    found.dead_letters = len(recording.dead_letters())


def count_influx(influxd: InfluxServer, database: str, found: Account) -> None:
    """The points of force that the server has."""
    found.stored = [row["seq"] for row in influxd.rows("SELECT seq FROM force", database)]


def count_messages(events: list[dict[str, Any]], found: Account) -> None:
    """What was told, each id once; one id never has two contents."""
    seen: dict[str, dict[str, Any]] = {}
    for event in events:
        if seen.setdefault(event["id"], event) != event:
            found.contradictions += 1
    found.ids = sorted(int(each.rpartition("/")[2]) for each in seen)
    found.emitted = [
        rep["rep_id"] for event in seen.values() for rep in event.get("final_reps", ())
    ]
