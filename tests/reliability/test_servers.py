"""Whatever broker and database do: all points and messages are there in the end, each once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.influx_double import InfluxDouble
from tests.reliability.conftest import Note
from tests.reliability.world import Servers, World, prove

LIVE_SAMPLES = 400

Inflict = Callable[[InfluxDouble], None]

FAULTS: dict[str, Inflict] = {
    "InfluxDB answers 503": lambda influx: influx.answer(503),
    "InfluxDB answers 429 with Retry-After": lambda influx: influx.answer(
        429, headers={"Retry-After": "1"}
    ),
    "InfluxDB resets connections": lambda influx: influx.reset(),
    "InfluxDB loses acknowledgements": lambda influx: influx.lose_acknowledgement(),
    "InfluxDB answers 401, then healed": lambda influx: influx.answer(
        401, '{"code":"unauthorized","message":"unauthorized access"}'
    ),
}


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=() if "acknow" in name else pytest.mark.slow) for name in FAULTS],
)
def test_a_database_that_fails_in_mid_session_has_every_point_in_the_end(
    servers: Servers, tmp_path: Path, note: Note, name: str
) -> None:
    writes = 1 if "401" in name else 3  # a refused token is tried once a minute

    async def harm(world: World) -> None:
        await world.samples(LIVE_SAMPLES)
        FAULTS[name](world.influx)
        await world.influx.until(world.influx.writes + writes)
        world.influx.heal()

    found = asyncio.run(prove(servers, tmp_path, harm))
    note(name, found, f"for {writes} writes")
    found.check_complete()


def test_a_database_that_is_away_to_the_end_is_caught_up(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    cursors: list[int] = []

    async def harm(world: World) -> None:
        await world.samples(LIVE_SAMPLES)
        world.influx.reset()
        await world.over()
        cursors.append(world.recording.cursors().get("influx", 0))
        world.influx.heal()
        cursors.append(world.recording.last_row)

    found = asyncio.run(prove(servers, tmp_path, harm))
    note("InfluxDB down until the session's end", found)
    assert cursors[0] < cursors[1]
    found.check_complete()


@pytest.mark.slow
def test_a_database_that_hangs_is_given_up_and_caught_up(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    async def harm(world: World) -> None:
        await world.samples(LIVE_SAMPLES)
        world.influx.hang()
        await world.influx.until(world.influx.writes + 2)
        world.influx.heal()

    found = asyncio.run(prove(servers, tmp_path, harm))
    note("InfluxDB hangs", found, "beyond our timeout of 10 s")
    found.check_complete()


@pytest.mark.parametrize(
    "away_s", [2.0, pytest.param(30.0, marks=pytest.mark.slow)], ids=["2s", "30s"]
)
def test_a_broker_that_is_killed_and_comes_back_has_told_every_rep(
    servers: Servers, tmp_path: Path, note: Note, away_s: float
) -> None:
    async def harm(world: World) -> None:
        await world.samples(LIVE_SAMPLES)
        world.broker.kill()
        await world.ear.lost()
        await asyncio.sleep(away_s)
        world.broker.start()
        await world.ear.subscribed()

    found = asyncio.run(prove(servers, tmp_path, harm, speed=1.0 if away_s > 20 else 8.0))
    note("broker killed and back", found, f"after {away_s:g} s")
    found.check_complete()
