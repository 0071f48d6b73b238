"""A band whose clock is off, or whose counters wrap, loses nothing and knows what time it is."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.band import Band, BandSetup
from firmware_sim.device.sampler import ClockConfig
from firmware_sim.offline import Radio, notifications
from firmware_sim.radio.faults import Chances
from pipeline.files.samples import read_session
from pipeline.session.events import ForceSamples, SessionEnded
from pipeline.session.session import Session
from tests.reliability.conftest import Note
from tests.reliability.test_radio import leave_alone
from tests.reliability.world import Servers, World, prove, until

WRAP_SOON = ClockConfig(start_us=2**32 - 8_000_000, first_sample=2**32 - 900, ppm=5000)


def test_nothing_is_lost_when_index_and_clock_wrap(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    found = asyncio.run(prove(servers, tmp_path, leave_alone, clock=WRAP_SOON))
    note("index and clock wrap at 2^32, clock 5000 ppm fast", found)
    found.check_complete()
    assert {index for _, index in found.recorded} >= {0, 2**32 - 1}


@pytest.mark.parametrize("ppm", [pytest.param(-5000.0, marks=pytest.mark.slow), 5000.0])
def test_a_skewed_clock_is_measured_and_every_sample_has_its_utc(ppm: float) -> None:
    band = Band(BandSetup(seed=4, clock=ClockConfig(ppm=ppm)))
    radio = Radio(Chances(drop=0.02, stall=0.01, stall_s=2.0))
    session = Session()
    utc_us: dict[int, int] = {}
    ended: SessionEnded | None = None
    for row, each in enumerate(notifications(band, 150.0, radio), 1):
        for emitted in session.receive(each, row):
            if isinstance(emitted.event, ForceSamples):
                for k, at_us in enumerate(emitted.event.utc_us.tolist()):
                    utc_us[emitted.event.index + k] = at_us
            elif isinstance(emitted.event, SessionEnded):
                ended = emitted.event
    assert ended is not None
    assert ended.missing == 0
    assert sorted(utc_us) == list(range(band.firmware.next_sample))[: len(utc_us)]
    assert len(utc_us) == ended.samples
    times = [utc_us[index] for index in sorted(utc_us)]
    assert all(a < b for a, b in pairwise(times))
    # A clock that runs fast sees UTC go slowly.
    assert ended.skew_ppm == pytest.approx(-ppm, abs=300)


@pytest.mark.parametrize("hours", [1, -24])
def test_a_computers_clock_that_is_set_in_mid_session_is_mended_everywhere(
    servers: Servers, tmp_path: Path, note: Note, hours: int
) -> None:
    shift_us = hours * 3_600_000_000
    told: list[dict[str, Any]] = []
    began_us: list[int] = []

    async def set_the_clock(world: World) -> None:
        await world.samples(700)
        clock = world.source._inbox.clock
        clock.system_ns = lambda: clock.now_us() * 1000 + shift_us * 1000
        await until(lambda: world.recording.utc_shift_us is not None)

    def look(world: World) -> None:
        told.extend(world.ear.events())
        first = next(iter(world.recording.rows(limit=1)))[1]
        began_us.append(first.received_us)
        read = read_session(world.recording)
        assert read.started_utc_us is not None
        assert abs(read.started_utc_us - first.received_us - shift_us) < 10_000_000

    found = asyncio.run(prove(servers, tmp_path, set_the_clock, inspect=look))
    note(f"clock set by {hours} h in mid-session", found)
    # Points of the wrong time stay; each sample is there again at the right one.
    database = f"proof_{tmp_path.name.replace('-', '_')}"
    right = [
        row["seq"]
        for row in servers.influxd.rows("SELECT seq FROM force", database)
        if abs(row["time"] - began_us[0] - shift_us) < 1_800_000_000
    ]
    assert len(right) == len(set(right)) == len(found.recorded) == found.sent
    # what was told last of each event is at the mended time
    last = {each["id"]: each for each in told}
    times_us = [each["utc_us"] for each in last.values()]
    assert times_us
    assert all(abs(each - began_us[0] - shift_us) < 1_800_000_000 for each in times_us)
