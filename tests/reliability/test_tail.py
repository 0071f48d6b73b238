"""Sessions that end without their band: what it remembers of the end is fetched afterwards."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.person.workout import LOW_ROW, Workout
from pipeline.delivery.outlets import mqtt_settings
from pipeline.delivery.tail import Radio, fetch_tail, open_tail
from pipeline.files.samples import read_session
from sensor.recording.log import Recording
from sensor.source import HostClock
from tests.influx_double import InfluxDouble
from tests.mosquitto_server import Mosquitto
from tests.pipeline.sinks.mqtt.ear import Ear
from tests.reliability.conftest import Note
from tests.reliability.processes import environment, forceband, session, simulated_band
from tests.reliability.world import (
    Account,
    Servers,
    World,
    count_influx,
    count_messages,
    count_recording,
    prove,
    server_config,
    until,
)

SILENT_S = 2.0
"""A band that is silent for less at the end may have sent all."""
NEAR_S = 0.2
"""So near to the session's end its last sample was taken."""
LATE_SAMPLES = 640
"""A band at eight times real speed takes so many while the session is being closed."""


def whole_to_its_end(path: Path) -> Account:
    """Check that nothing is missing up to the moment at which the session ended."""
    found = Account()
    with Recording.open(path) as recording:
        read = read_session(recording)
        ((_, last),) = recording.rows(after=recording.last_row - 1)
        assert recording.ended
        count_recording(recording, found)
    assert read.started_utc_us is not None
    end_us = read.started_utc_us + read.time_s[-1] * 1e6
    assert abs(last.received_us - end_us) < NEAR_S * 1e6
    assert (np.diff(read.index) == 1).all()
    assert (read.missing, found.gaps) == (0, [])
    found.sent = read.index.size
    found.pulled = len(found.computed)
    return found


def without_its_band(
    data: Path,
    socket: Path,
    band: subprocess.Popen[str],
    how: signal.Signals,
    env: dict[str, str] | None = None,
) -> Path:
    """Lose the band in mid-session, and end that; its recording, which names a gap at the end."""
    with session(data, socket, command="live" if env else "record", env=env) as running:
        running.has(25)
        band.send_signal(how)
        running.says("no link")
        time.sleep(SILENT_S)
        assert "gap: an unknown number of samples" in running.end()
        return running.path


def test_the_end_of_a_session_without_its_band_comes_from_the_memory_and_reaches_all(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    async def main(broker: Mosquitto) -> Account:
        socket, data = tmp_path / "air", tmp_path / "data"
        async with InfluxDouble(servers.influxd.url) as influx:
            config = server_config(broker, influx, "tail")
            async with Ear(mqtt_settings(config), "forceband/+/event/#") as ear:
                with simulated_band(socket) as band:
                    path = await asyncio.to_thread(
                        without_its_band, data, socket, band, signal.SIGSTOP, environment(config)
                    )
                    await ear.until(lambda _: ends_told(ear) == 1)
                    band.send_signal(signal.SIGCONT)
                    argv = ("deliver", path, "--transport", f"unix:{socket}")
                    delivered = await asyncio.to_thread(forceband, *argv, env=environment(config))
                assert delivered.returncode == 0, delivered.stderr
                assert "of its end came from the band's memory" in delivered.stderr
                found = whole_to_its_end(path)
                await ear.until(lambda _: ends_told(ear) == 2)
                count_influx(servers.influxd, "tail", found)
                count_messages(ear.events(), found)
                gaps = [each["missing"] for each in ear.events() if "missing" in each]
        assert gaps[0] is None  # at the first end
        assert gaps[-1] == 0  # it was filled
        return found

    def ends_told(ear: Ear) -> int:
        return len({each["id"] for each in ear.events() if "duration_s" in each})

    servers.influxd.create("tail")
    with Mosquitto(tmp_path) as broker:
        found = asyncio.run(main(broker))
    note("band out of reach to the session's end, then `forceband deliver`", found)
    found.check()


@pytest.mark.slow
def test_the_next_session_fetches_what_a_killed_one_had_not_got(tmp_path: Path, note: Note) -> None:
    socket, data = tmp_path / "air", tmp_path / "data"
    with simulated_band(socket):
        with session(data, socket) as running:
            running.has(25)
            first = running.path
            running.process.kill()
            running.process.wait()
        before = recorded_samples(first)
        with session(data, socket) as running:
            running.says("of its end came from the band's memory")
            running.says("band: connected")
            assert "recorded" in running.end()
    found = whole_to_its_end(first)
    note("`forceband` killed, the rest fetched by the next session", found)
    assert found.sent > before
    assert len(list(data.glob("*.forceband"))) == 2


def recorded_samples(path: Path) -> int:
    with Recording.open(path) as recording:
        return read_session(recording).index.size


@pytest.mark.slow
def test_a_band_that_was_switched_off_leaves_the_gap_at_the_end(tmp_path: Path) -> None:
    socket, data = tmp_path / "air", tmp_path / "data"
    with simulated_band(socket) as band:
        path = without_its_band(data, socket, band, signal.SIGKILL)
    with Recording.open(path) as recording:
        rows = recording.last_row
    with simulated_band(socket):
        delivered = forceband("deliver", path, "--transport", f"unix:{socket}")
    assert delivered.returncode == 0, delivered.stderr
    assert "the band was switched off since" in delivered.stderr
    with Recording.open(path) as recording:
        assert recording.last_row == rows
        assert [gap.missing for gap in read_session(recording).analysis.gaps] == [None]


@pytest.mark.slow
def test_what_the_band_has_overwritten_is_named_to_the_sample(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    set_ = replace(LOW_ROW, reps=12, rest_after_s=40.0)
    told: list[str] = []

    async def out_of_range(world: World) -> None:
        await world.samples(1000)
        world.air.out_of_range(world.transport.source)

    async def back_again(world: World) -> None:
        taken = world.band.band.firmware.next_sample
        await until(lambda: world.band.band.firmware.next_sample > taken + 60 * 80)
        world.air.back_in_range(world.transport.source)
        clock = host_clock(world)
        tail = open_tail(world.recording, clock)
        assert tail is not None
        assert await fetch_tail(tail, Radio(None, world.central), clock, told.append)

    found = asyncio.run(
        prove(
            servers,
            tmp_path,
            out_of_range,
            workout=Workout((set_, set_), lead_in_s=1.0),
            afterwards=back_again,
        )
    )
    note("the same, with 60 s of it overwritten", found)
    assert "came from the band's memory" in told[-1]
    assert 0 < found.missing < found.sent
    assert found.gaps == [found.missing]
    assert found.sent == pytest.approx(len(found.recorded) + found.missing, abs=LATE_SAMPLES)
    assert len(found.stored) == len(set(found.stored)) == len(found.recorded)
    assert sorted(set(found.emitted)) == sorted(found.computed)
    assert found.contradictions == 0


def host_clock(world: World) -> HostClock:
    return world.source._inbox.clock
