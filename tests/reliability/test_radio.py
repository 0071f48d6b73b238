"""Whatever the radio does: sent = stored = told, or the gap is named."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.person.workout import LOW_ROW, Workout
from firmware_sim.radio.air import att_opcode
from firmware_sim.radio.faults import Chances, Faults
from tests.reliability.conftest import Note
from tests.reliability.world import Servers, World, prove, until

NOTIFICATION = 0x1B


async def leave_alone(world: World) -> None:
    """No harm but that of the air."""


@pytest.mark.parametrize(
    ("name", "chances"),
    [
        pytest.param(
            "1 % of the notifications dropped", Chances(drop=0.01), marks=pytest.mark.slow
        ),
        pytest.param("5 % dropped", Chances(drop=0.05), marks=pytest.mark.slow),
        ("20 % dropped", Chances(drop=0.2)),
        ("bits flipped in 10 %", Chances(corrupt=0.1)),
        pytest.param(
            "5 % dropped, 5 % damaged, 1 % held up",
            Chances(drop=0.05, corrupt=0.05, stall=0.01, stall_s=0.3),
            marks=pytest.mark.slow,
        ),
    ],
)
def test_nothing_is_lost_when_notifications_suffer(
    servers: Servers, tmp_path: Path, note: Note, name: str, chances: Chances
) -> None:
    faults = Faults(chances, seed=3)
    found = asyncio.run(prove(servers, tmp_path, leave_alone, fault=faults))
    note(name, found, f"{faults.dropped} dropped, {faults.corrupted} damaged")
    found.check_complete()
    assert faults.dropped + faults.corrupted > 0


class Bursts:
    """Holds every so-manieth notification up, and with it all that follow."""

    def __init__(self, every: int, delay_s: float) -> None:
        self.count = self.bursts = 0
        self._every, self._delay_s = every, delay_s

    def __call__(self, source: Any, destination: Any, pdu: bytes) -> Any:
        del source, destination
        if att_opcode(pdu) != NOTIFICATION:
            return pdu
        self.count += 1
        if self.count % self._every:
            return pdu
        self.bursts += 1
        return self._delay_s, pdu


@pytest.mark.slow
def test_nothing_is_lost_in_bursts_that_come_five_seconds_late(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    bursts = Bursts(every=60, delay_s=5.0)
    found = asyncio.run(
        prove(servers, tmp_path, leave_alone, fault=bursts, speed=1.0, silence_s=8.0)
    )
    note("bursts 5 s late", found, f"{bursts.bursts} bursts, real time")
    found.check_complete()
    assert bursts.bursts > 1


@pytest.mark.slow
def test_sixty_seconds_out_of_range_in_mid_set_leave_the_set_complete(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    speed = 12.0
    workout = Workout((replace(LOW_ROW, reps=18, rest_after_s=2.0),), lead_in_s=1.0)

    async def walk_away(world: World) -> None:
        await world.samples(1000)
        world.air.out_of_range(world.transport.source)
        left = world.band.band.firmware.next_sample
        await until(lambda: not world.band.connected)
        await asyncio.sleep(60.0 / speed - 0.5)
        assert world.band.band.firmware.next_sample - left < 120 * 80
        world.air.back_in_range(world.transport.source)
        await until(lambda: world.band.connected)

    found = asyncio.run(prove(servers, tmp_path, walk_away, speed=speed, workout=workout))
    note("60 s out of range in mid-set", found, "of the band's time")
    found.check_complete()


@pytest.mark.slow
def test_longer_away_than_the_bands_memory_names_the_gap_to_the_sample(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    speed = 10.0
    workout = Workout((replace(LOW_ROW, reps=50, rest_after_s=2.0),), lead_in_s=1.0)

    async def stay_away(world: World) -> None:
        await world.samples(1000)
        world.air.out_of_range(world.transport.source)
        left = world.band.band.firmware.next_sample
        await world.samples(left + 170 * 80)
        world.air.back_in_range(world.transport.source)
        await until(lambda: world.band.connected)

    found = asyncio.run(prove(servers, tmp_path, stay_away, speed=speed, workout=workout))
    note("170 s out of range", found, "more than the band keeps")
    found.check()
    assert found.missing > 0
    # one gap, or more where the machine is too slow for resends at ten times real speed
    assert all(found.gaps)


def test_a_power_cycled_band_is_a_gap_and_nothing_else_is_lost(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    async def pull_the_battery(world: World) -> None:
        await world.samples(700)
        await world.band.power_cycle(2.0)
        await until(lambda: world.band.connected)

    before: list[int] = []
    found = asyncio.run(
        prove(
            servers,
            tmp_path,
            pull_the_battery,
            inspect=lambda world: before.extend(world.ledger.before),
        )
    )
    unknown = found.sent - len(found.recorded)
    note("band power-cycled", found, f"{unknown} samples went with its memory, gap named")
    # Nobody can count what a band without power had not sent yet; afterwards nothing is missing.
    first = sum(boot == 0 for boot, _ in found.recorded)
    assert first == before[0] - unknown
    assert 0 <= unknown < 160
    assert len(found.stored) == len(set(found.stored)) == len(found.recorded)
    assert found.gaps == [None]
    assert sorted(found.emitted) == sorted(found.computed)
    assert found.contradictions == 0


def test_a_link_that_only_one_side_lost_costs_nothing(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    async def one_sided(world: World) -> None:
        await world.samples(500)
        world.transport.source.drop_links(both=False)
        await until(lambda: not world.band.connected)
        await until(lambda: world.band.connected)

    found = asyncio.run(
        prove(servers, tmp_path, one_sided, silence_s=1.0, supervision_timeout_s=60.0)
    )
    note("link lost on the band's side only", found)
    found.check_complete()


@pytest.mark.slow
@pytest.mark.parametrize("rate_hz", [20.0, 160.0])
def test_another_rate_in_mid_session_costs_nothing_on_a_bad_air(
    servers: Servers, tmp_path: Path, note: Note, rate_hz: float
) -> None:
    async def change(world: World) -> None:
        await world.samples(500)
        assert await world.source.set_rate(rate_hz) == rate_hz

    faults = Faults(Chances(drop=0.2), seed=3)
    found = asyncio.run(prove(servers, tmp_path, change, fault=faults, speed=4.0))
    note(f"rate set to {rate_hz:g} Hz, 20 % dropped", found)
    found.check_complete()
