"""bleak's unmodified Linux backend with our source: real D-Bus, real ATT, no radio."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from sensor.ble.finder import scan
from sensor.ble.source import BleSource
from sensor.errors import LinkError
from sensor.samples import Channel
from sensor.wire.profile import Opcode
from tests.bluez.facade import bluez
from tests.sensor.ble.toy_band import ADDRESS
from tests.sensor.ble.toy_world import PATIENCE_S, World, toy_world, until
from tests.sensor.reader import Reader, drop

MISSING = (
    "bleak's Linux backend is Linux's"
    if sys.platform != "linux"
    else None
    if shutil.which("dbus-daemon")
    else "dbus-daemon is not installed (Debian's package dbus)"
)
pytestmark = pytest.mark.skipif(MISSING is not None, reason=str(MISSING))

CONFIGURATION = """<!DOCTYPE busconfig PUBLIC "-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN"
 "http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd">
<busconfig>
  <type>system</type>
  <listen>unix:path={path}</listen>
  <auth>EXTERNAL</auth>
  <policy context="default">
    <allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/>
    <allow own="*"/>
  </policy>
</busconfig>
"""


LONG_S = 60.0
"""More than bleak's backend waits for BlueZ: 20 s."""


@pytest.fixture
def bus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """A system bus of our own."""
    configuration = tmp_path / "bus.conf"
    configuration.write_text(CONFIGURATION.format(path=tmp_path / "bus"))
    daemon = subprocess.Popen(
        ["dbus-daemon", f"--config-file={configuration}", "--nofork", "--print-address=1"],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "DBUS_FATAL_WARNINGS": "0"},
    )
    assert daemon.stdout is not None
    address = daemon.stdout.readline().strip()
    assert address
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", address)
    yield address
    daemon.terminate()
    daemon.wait(10)
    daemon.stdout.close()


@asynccontextmanager
async def system_with_a_band(bus: str, **options: Any) -> AsyncIterator[World]:
    async with toy_world(**options) as world, bluez(bus, world.central):
        yield world


def test_a_scan_finds_the_band(bus: str) -> None:
    async def main() -> None:
        async with system_with_a_band(bus):
            found = await scan(0.5)
            assert [(each.name, each.address, each.is_band) for each in found] == [
                ("TOY", ADDRESS, True)
            ]

    asyncio.run(main())


def test_a_session_over_lost_links_and_lost_notifications_is_complete(bus: str) -> None:
    async def main() -> None:
        async with system_with_a_band(bus) as world:
            async with BleSource(silence_s=PATIENCE_S) as source:
                reader = Reader(source)
                sampling = asyncio.create_task(world.band.run(100))
                world.air.fault = drop(0.1)
                for number in range(1, 3):
                    await until(lambda: len(reader.samples()) > 200 * number)  # noqa: B023
                    world.band.controller.drop_links()
                    await until(lambda: len(reader.payloads(Channel.INFO)) > number)  # noqa: B023
                await source.identify()
                tared = await source.tare()
                assert tared is not None
                assert tared.zero_counts == 42
                await until(lambda: len(reader.samples()) > 800)
                await source.stop()
                await reader.task
                sampling.cancel()
            assert set(range(max(reader.samples()))) <= set(reader.samples())
            assert reader.given_up() == []
            assert [link.partition(":")[0] for link in reader.links()] == ["up", "down"] * 3
            assert reader.commands(Opcode.RESEND) > 0
            assert world.band.connection is None

    asyncio.run(main())


def test_a_silent_link_is_made_anew(bus: str) -> None:
    async def main() -> None:
        async with system_with_a_band(bus, rate_hz=1000.0) as world:
            async with BleSource(silence_s=0.3) as source:
                reader = Reader(source)
                sampling = asyncio.create_task(world.band.run(100))
                await until(reader.samples)
                world.band.controller.drop_links(both=False)
                await until(lambda: len(reader.payloads(Channel.INFO)) == 2)
                assert reader.links()[1].startswith("down: no force frame for ")
                sampling.cancel()
            await reader.task

    asyncio.run(main())


@pytest.mark.slow
def test_bluez_that_stands_still_for_a_while_is_used_again(bus: str) -> None:
    async def main() -> None:
        async with toy_world() as world, bluez(bus, world.central) as facade:
            async with BleSource(silence_s=1.0) as source:
                reader = Reader(source)
                sampling = asyncio.create_task(world.band.run(100))
                await until(lambda: len(reader.samples()) > 100)
                facade.stands_still = True
                await until(lambda: len(reader.links()) == 2)
                asked = facade.ignored
                async with asyncio.timeout(LONG_S):
                    while facade.ignored < asked + 2:  # noqa: ASYNC110 - it has no event
                        await asyncio.sleep(0.1)
                facade.stands_still = False
                before = len(reader.samples())
                async with asyncio.timeout(LONG_S):
                    while len(reader.samples()) < before + 100:  # noqa: ASYNC110
                        await asyncio.sleep(0.1)
                await source.stop()
                await reader.task
                sampling.cancel()
            assert reader.links()[-1] == "down: stopped"

    asyncio.run(main())


def test_a_band_that_demands_pairing_says_so_and_is_read_when_paired(bus: str) -> None:
    async def main() -> None:
        async with system_with_a_band(bus, demands_pairing=True) as world:
            with pytest.raises(LinkError, match="wants to be paired first: use --pair"):
                await BleSource().__aenter__()
            async with BleSource(pair=True) as source:
                reader = Reader(source)
                await world.band.take_frames(1)
                await until(reader.samples)
            await reader.task

    asyncio.run(main())


def test_a_band_that_is_off_is_not_found(bus: str) -> None:
    async def main() -> None:
        async with system_with_a_band(bus) as world:
            await world.band.device.stop_advertising()
            with pytest.raises(LinkError, match="no band was found within"):
                await BleSource(find_timeout_s=0.3).__aenter__()

    asyncio.run(main())


def test_a_bus_without_bluez_is_one_helpful_sentence(bus: str) -> None:
    del bus
    with pytest.raises(LinkError, match=r"--transport.*forceband demo|systemctl start bluetooth"):
        asyncio.run(scan(0.1))
