"""`forceband serve` as a service manager starts it, with bands that come and go."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import aiohttp
import pytest

from firmware_sim.band import BandSetup
from firmware_sim.person.workout import LOW_ROW, Workout
from firmware_sim.radio.air import Air
from firmware_sim.radio.hub import Hub
from firmware_sim.source import SimulatedBand
from pipeline.files.samples import read_session
from pipeline.sinks.mqtt.settings import MqttSettings
from sensor.recording.log import Recording
from tests.mosquitto_server import Mosquitto
from tests.pipeline.sinks.mqtt.ear import Ear
from tests.pipeline.sinks.page.onlooker import Message, Onlooker
from tests.reliability.processes import Session, forceband, session

WATCHDOG_S = 2.0
SET = replace(LOW_ROW, reps=1)
ONE_REP = Workout((SET,), lead_in_s=1.0)
TWO_SETS = Workout((replace(SET, reps=2, rest_after_s=7.0), SET), lead_in_s=1.0)


@dataclass
class Manager:
    """The part of systemd that hears its services."""

    path: Path
    told: list[str] = field(default_factory=list)

    @contextmanager
    def listening(self) -> Iterator[dict[str, str]]:
        """What a service is started with."""
        loop = asyncio.get_running_loop()
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(str(self.path))
            ear.setblocking(False)
            loop.add_reader(ear, lambda: self.told.append(ear.recv(1000).decode()))
            yield {"NOTIFY_SOCKET": str(self.path), "WATCHDOG_USEC": str(round(WATCHDOG_S * 1e6))}
            loop.remove_reader(ear)


@dataclass
class Service:
    """The service with all that is around it."""

    process: Session
    air: Air
    page: Onlooker
    ear: Ear
    manager: Manager

    @asynccontextmanager
    async def band(self, workout: Workout, seed: int = 1) -> AsyncIterator[None]:
        """A band that is switched on, pulled, and off again."""
        setup = BandSetup(seed=seed, workout=workout, waits=True)
        async with SimulatedBand(self.air.transport(f"band {seed}"), setup):
            yield

    async def begins(self, *before: str) -> str:
        """The name of the session that the page shows, none of those before."""

        def new(message: Message) -> bool:
            facts = message["session"] if message["type"] == "snapshot" else None
            return facts is not None and facts["session"] not in before

        snapshot = await self.page.until(new)
        assert snapshot["waiting"] is None
        assert snapshot["sets"] == snapshot["marks"] == snapshot["deliveries"] == []
        assert snapshot["commands"]
        return str(snapshot["session"]["session"])

    async def waits(self) -> Message:
        """What the page shows while the service waits."""
        return await self.page.until(lambda m: m["type"] == "snapshot" and bool(m["waiting"]))


@asynccontextmanager
async def service_of(folder: Path, pause_s: float) -> AsyncIterator[Service]:
    air, radio, manager = Air(), folder / "air", Manager(folder / "notify")
    with Mosquitto(folder) as broker, manager.listening() as asked:
        settings = MqttSettings(host=broker.host, port=broker.port)
        environment = {**os.environ, **asked}
        flags = ("--pause", str(pause_s), "--http-port", "0", "--mqtt-host", broker.host,
                 "--mqtt-port", str(broker.port))  # fmt: skip
        async with Hub(air) as hub, Ear(settings, "forceband/#") as ear:
            await hub.listen(f"unix:{radio}")
            with session(
                folder / "data", radio, *flags, command="serve", env=environment
            ) as running:
                await asyncio.to_thread(running.says, "Waiting for a band")
                origin = running.text.split("live page")[1].split()[0].rstrip("/")
                async with (
                    aiohttp.ClientSession() as client,
                    client.ws_connect(f"{origin}/socket", origin=origin) as channel,
                ):
                    yield Service(running, air, Onlooker(channel), ear, manager)


def recorded(data: Path) -> list[str]:
    """The sessions with a recording, all of them whole."""
    for path in data.glob("*.forceband"):
        with Recording.open(path) as recording:
            assert recording.ended
    return sorted(path.stem for path in data.glob("*.forceband"))


def test_bands_come_and_go_and_each_gets_its_session_on_the_page_that_stays(
    tmp_path: Path,
) -> None:
    async def life() -> None:
        async with service_of(tmp_path, pause_s=3.0) as service:
            snapshot = await service.waits()
            assert snapshot["session"] is None
            assert snapshot["commands"] == snapshot["choices"] == []
            assert not list((tmp_path / "data").glob("*"))
            async with service.band(ONE_REP):
                first = await service.begins()
                await service.page.until(lambda m: m["type"] == "rep")
            snapshot = await service.waits()
            assert snapshot["session"]["session"] == first
            assert snapshot["sets"][0]["reps"] == snapshot["ended"]["reps"] == 1
            assert "switch it on" in snapshot["waiting"]
            async with service.band(ONE_REP, seed=2):
                second = await service.begins(first)
                await service.page.until(lambda m: m["type"] == "state")
                summary = await asyncio.to_thread(service.process.end, signal.SIGTERM)
            assert recorded(tmp_path / "data") == [first, second]
            assert all(name in summary for name in (first, second))

            ended = [e["session"] for e in service.ear.events() if "duration_s" in e]
            assert ended == [first, second]
            status = [m.payload for m in service.ear.heard if m.topic == "forceband/band/status"]
            assert status[-1] == b"offline"
            assert status.count(b"online") == 2

            told = service.manager.told
            assert told[0] == "READY=1"
            assert told[-1] == "STOPPING=1"
            assert told.count("WATCHDOG=1") >= 5
            said = [each for each in told if each.startswith("STATUS=")]
            assert [each.split()[0] for each in said] == ["STATUS=Waiting", "STATUS=session"] * 2

    asyncio.run(life())


@pytest.mark.slow
def test_a_band_that_lies_still_ends_its_session_and_the_next_pull_begins_another(
    tmp_path: Path,
) -> None:
    async def life() -> None:
        async with service_of(tmp_path, pause_s=3.0) as service:
            await service.waits()
            async with service.band(TWO_SETS):
                first = await service.begins()
                assert "Pull" in (await service.waits())["waiting"]
                second = await service.begins(first)
                assert "Pull" in (await service.waits())["waiting"]
                await asyncio.to_thread(service.process.end, signal.SIGTERM)
        files = recorded(tmp_path / "data")
        assert files == [first, second]
        for name in files:
            with Recording.open(tmp_path / "data" / f"{name}.forceband") as recording:
                read = read_session(recording)
            assert len(read.analysis.sets) == 1
            assert not read.analysis.gaps
            assert read.analysis.reps[0].start_s - float(read.time_s[0]) > 1.0, "its start is there"

    asyncio.run(life())


def test_a_radio_that_is_not_there_yet_is_waited_for(tmp_path: Path) -> None:
    async def life() -> None:
        flags = ("--no-page", "--no-mqtt", "--pause", "3")
        with session(tmp_path / "data", tmp_path / "air", *flags, command="serve") as running:
            await asyncio.to_thread(running.says, "nobody answers at .*Trying again")
            air = Air()
            async with Hub(air) as hub:
                await hub.listen(f"unix:{tmp_path / 'air'}")
                setup = BandSetup(workout=ONE_REP, waits=True)
                async with SimulatedBand(air.transport("band"), setup):
                    await asyncio.to_thread(running.says, "a session begins")
                    await asyncio.to_thread(running.has, 10)
                    await asyncio.to_thread(running.end, signal.SIGTERM)
        assert len(recorded(tmp_path / "data")) == 1
        assert running.text.count("Trying again") == 1

    asyncio.run(life())


def test_a_service_that_waits_ends_at_once_and_wrong_settings_are_said_before(
    tmp_path: Path,
) -> None:
    async def life() -> None:
        async with service_of(tmp_path, pause_s=3.0) as service:
            async with asyncio.timeout(5.0):
                await asyncio.to_thread(service.process.end, signal.SIGTERM)
        assert service.manager.told[-1] == "STOPPING=1"
        assert not list((tmp_path / "data").glob("*.forceband"))

    asyncio.run(life())
    said = forceband(
        "serve", "--transport", f"unix:{tmp_path}", env={**os.environ, "FORCEBAND_INFLUX_URL": "x"}
    )
    assert said.returncode == 1
    assert said.stderr.startswith("forceband: [influx] ")
    assert said.stderr.count("\n") == 1
    file = tmp_path / "a file"
    file.touch()
    said = forceband("serve", "--transport", f"unix:{tmp_path}", "--no-page", "--data", file / "in")
    assert said.returncode == 1
    assert said.stderr.startswith(f"forceband: {file / 'in'}: ")
    assert "choose another folder" in said.stderr
    assert said.stderr.count("\n") == 1
