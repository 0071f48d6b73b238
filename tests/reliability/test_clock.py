"""A band whose clock is off, or whose counters wrap, loses nothing and knows what time it is."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest

from firmware_sim.band import Band, BandSetup
from firmware_sim.device.sampler import ClockConfig
from firmware_sim.offline import Radio, notifications
from firmware_sim.radio.faults import Chances
from pipeline.session.events import ForceSamples, SessionEnded
from pipeline.session.session import Session
from tests.reliability.conftest import Note
from tests.reliability.test_radio import leave_alone
from tests.reliability.world import Servers, prove

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
