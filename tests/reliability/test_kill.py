"""`forceband live` killed at any moment: the file opens, analyses, and the rest is delivered."""

from __future__ import annotations

import asyncio
import random
import shutil
import signal
import sqlite3
import subprocess
import time
from contextlib import ExitStack, closing
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import pytest

from pipeline.config import Config
from pipeline.delivery.outlets import mqtt_settings
from pipeline.files.samples import read_session
from pipeline.session.facts import SessionFacts
from pipeline.session.session import Session
from pipeline.sinks.mqtt.messages import event_message
from sensor.errors import RecordingError
from sensor.recording.log import Recording
from sensor.samples import Channel
from sensor.wire.frames import ForceFrame
from tests.influx_double import InfluxDouble
from tests.mosquitto_server import Mosquitto
from tests.pipeline.sinks.mqtt.ear import Ear
from tests.reliability.conftest import Note
from tests.reliability.processes import FORCEBAND, environment, rows, simulated_band
from tests.reliability.world import (
    Account,
    Servers,
    count_influx,
    count_messages,
    count_recording,
    server_config,
    until,
)

MOST_AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Moment:
    """When to kill: so long after the file is there and has so many rows."""

    after_s: float = 0.0
    rows: int = 0


async def killed(folder: Path, socket: Path, config: Config, moment: Moment) -> Path | None:
    """Let `forceband live` begin, and kill it; its file, if it made one."""
    data = folder / "data"
    with (folder / "said.txt").open("w") as said:
        process = await asyncio.create_subprocess_exec(
            *FORCEBAND,
            "live",
            "--transport",
            f"unix:{socket}",
            "--data",
            str(data),
            env=environment(config),
            stdout=said,
            stderr=said,
        )
        try:
            await until(lambda: process.returncode is not None or any(data.glob("*.forceband")))
            if moment.rows:
                await until(lambda: process.returncode is not None or rows(data) >= moment.rows)
            await asyncio.sleep(moment.after_s)
            assert process.returncode is None, (folder / "said.txt").read_text()
        finally:
            if process.returncode is None:
                process.send_signal(signal.SIGKILL)
            await process.wait()
    return next(data.glob("*.forceband"), None)


def committed(path: Path) -> list[tuple[int, int, int, bytes]]:
    """All rows that SQLite itself has, read past our reader, from a copy of the files."""
    copy = path.parent / "copy"
    copy.mkdir(exist_ok=True)
    for each in path.parent.glob(f"{path.name}*"):
        shutil.copy(each, copy / each.name)
    with closing(sqlite3.connect(copy / path.name)) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        return database.execute("SELECT * FROM log ORDER BY id").fetchall()


async def prove_a_kill(
    servers: Servers, folder: Path, socket: Path, name: str, moment: Moment
) -> Account | None:
    """One life, its death, and what `forceband deliver` makes of it."""
    servers.influxd.create(name)
    with Mosquitto(folder) as broker:
        async with InfluxDouble(servers.influxd.url) as influx:
            config = server_config(broker, influx, name)
            async with Ear(mqtt_settings(config), "forceband/+/event/#") as ear:
                path = await killed(folder, socket, config, moment)
                assert path is not None
                told_live = len(ear.events())
                try:
                    rows = committed(path)
                except (sqlite3.DatabaseError, AssertionError):
                    rows = None
                if rows is None:  # killed while the file was being made
                    assert told_live == 0
                    with pytest.raises(RecordingError):
                        Recording.open(path)
                    return None
                with Recording.open(path) as recording:
                    cursors = recording.cursors()
                    assert [row for row, _ in recording.rows()] == [row[0] for row in rows]
                    assert all(row <= len(rows) for row in cursors.values())
                    read_session(recording)
                deliver = await asyncio.create_subprocess_exec(
                    *FORCEBAND,
                    "deliver",
                    str(path),
                    env=environment(config),
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )
                said, _ = await deliver.communicate()
                assert deliver.returncode == 0, said.decode()
                return await _accounted(servers, name, path, ear, len(rows))


async def _accounted(servers: Servers, name: str, path: Path, ear: Ear, rows: int) -> Account:
    """Check that both servers have exactly what the file says."""
    found = Account()
    with Recording.open(path) as recording:
        assert recording.ended
        assert recording.last_row == rows + 1
        assert recording.cursors() == {"influx": rows + 1, "mqtt": rows + 1}
        count_recording(recording, found)
        wanted, samples = _wanted(recording)
    await ear.until(lambda _: wanted <= {event["id"] for event in ear.events()})
    count_influx(servers.influxd, name, found)
    count_messages(ear.events(), found)
    found.sent = samples
    assert {event["id"] for event in ear.events()} == wanted
    assert len(found.recorded) == samples
    assert len(found.stored) == len(set(found.stored)) == samples
    assert found.contradictions == 0
    assert sorted(found.emitted) == sorted(found.computed)
    return found


def _wanted(recording: Recording) -> tuple[set[str], int]:
    """Ids of all messages that the file stands for, and its distinct samples."""
    session, facts = Session(), SessionFacts(str(recording.facts["session"]), "band")
    ids, indices = set[str](), set[int]()
    for row, each in recording.rows():
        if each.channel is Channel.FORCE:
            frame = ForceFrame.from_bytes(each.payload)
            indices.update(range(frame.first_sample, frame.first_sample + frame.counts.size))
        for emitted in session.receive(each, row):
            if event_message("forceband", facts, emitted) is not None:
                ids.add(f"{facts.session}/{emitted.seq}")
    return ids, len(indices)


def _prove_kills(
    servers: Servers, tmp_path: Path, moments: list[Moment], note: Note
) -> list[Account]:
    folders = [tmp_path / f"life{number}" for number in range(len(moments))]
    for folder in folders:
        folder.mkdir()
    lanes = min(MOST_AT_ONCE, len(moments))
    sockets = [tmp_path / f"air{lane}" for lane in range(lanes)]

    async def lane(number: int) -> list[Account | None]:
        return [
            await prove_a_kill(
                servers, folders[n], sockets[number], f"kill_{len(moments)}_{n}", moments[n]
            )
            for n in range(number, len(moments), lanes)
        ]

    async def main() -> list[Account | None]:
        return list(chain(*await asyncio.gather(*map(lane, range(lanes)))))

    began_s = time.monotonic()
    with ExitStack() as stack:
        for socket in sockets:
            stack.enter_context(simulated_band(socket))
        lives = asyncio.run(main())
    found = [each for each in lives if each is not None]
    total = Account(
        sent=sum(each.sent for each in found),
        recorded={(n, k) for n, each in enumerate(found) for k in range(len(each.recorded))},
        stored=[seq for each in found for seq in each.stored],
        missing=sum(each.missing for each in found),
        emitted=[rep for each in found for rep in each.emitted],
        pulled=sum(len(each.computed) for each in found),
    )
    unborn = len(lives) - len(found)
    note(
        f"SIGKILL at {len(moments)} random moments",
        total,
        f"{unborn} before the file was made, {time.monotonic() - began_s:.0f} s; "
        "sent and pulled are what was committed",
    )
    return found


def test_what_was_recorded_when_a_process_is_killed_is_delivered_in_full(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    found = _prove_kills(servers, tmp_path, [Moment(rows=25)], note)
    assert sum(each.sent for each in found) > 0


@pytest.mark.slow
@pytest.mark.timeout(2400)
def test_a_hundred_kills_at_random_moments_lose_nothing_that_was_committed(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    rng = random.Random(7)
    found = _prove_kills(
        servers, tmp_path, [Moment(rng.uniform(0.0, 4.0)) for _ in range(100)], note
    )
    assert len(found) > 60
    assert sum(each.sent for each in found) > 5000
