"""Links on the virtual air: order, pace, range and loss."""

from __future__ import annotations

import asyncio
import logging
import socket
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from bleak import BleakClient
from bleak.exc import BleakError

from firmware_sim.radio.air import Air, att_opcode
from firmware_sim.radio.hub import Hub
from firmware_sim.radio.lane import Lane, Shape
from sensor.bumble_backend import BumbleCentral, BumbleClient
from sensor.wire.profile import CONTROL_UUID, FORCE_UUID, INFO_UUID, Command, Opcode
from tests.sensor.ble.toy_band import ADDRESS
from tests.sensor.ble.toy_world import World, toy_world, until

NOTIFICATION = 0x1B


class Listener:
    """A connected client and the sample indices that it heard."""

    def __init__(self, world: World) -> None:
        self.heard: list[int] = []
        self.gone = asyncio.Event()
        self.client = BleakClient(
            ADDRESS,
            lambda _: self.gone.set(),
            timeout=60,
            backend=BumbleClient,
            central=world.central,
        )

    async def listen(self) -> None:
        await self.client.connect()
        await self.client.start_notify(CONTROL_UUID, lambda *_: None)
        await self.client.start_notify(FORCE_UUID, self._on_force)
        await self.client.write_gatt_char(CONTROL_UUID, bytes(Command(Opcode.START)))

    def _on_force(self, _: Any, value: bytearray) -> None:
        self.heard.append(int.from_bytes(value[4:8], "little") // 8)


@asynccontextmanager
async def listening(air: Air | None = None) -> AsyncIterator[tuple[World, Listener]]:
    async with toy_world(air) as world:
        listener = Listener(world)
        await listener.listen()
        await until(lambda: world.band.streaming)
        yield world, listener
        await listener.client.disconnect()


def test_a_fault_sees_each_direction_and_may_drop_alter_or_pass() -> None:
    async def main() -> None:
        seen: set[str] = set()

        def fault(source: Any, destination: Any, pdu: bytes) -> bytes | None:
            seen.add(f"{source.to_string(False)} {destination.to_string(False)}")
            if att_opcode(pdu) != NOTIFICATION:
                return pdu
            number = int.from_bytes(pdu[11:15], "little") // 8
            if number == 1:
                return None
            return pdu[:11] + (8 * 99).to_bytes(4, "little") + pdu[15:] if number == 2 else pdu

        async with listening() as (world, listener):
            world.air.fault = fault
            await world.band.take_frames(4)
            await until(lambda: len(listener.heard) == 3)
            assert listener.heard == [0, 99, 3]
            await listener.client.read_gatt_char(INFO_UUID)
            central = world.central.device.random_address.to_string(False)
            assert seen == {f"{ADDRESS} {central}", f"{central} {ADDRESS}"}

    asyncio.run(main())


def test_what_follows_a_delayed_pdu_waits_behind_it() -> None:
    async def main() -> None:
        def fault(_source: Any, _destination: Any, pdu: bytes) -> bytes | tuple[float, bytes]:
            late = att_opcode(pdu) == NOTIFICATION and pdu[11] == 8
            return (0.2, pdu) if late else pdu

        async with listening() as (world, listener):
            world.air.fault = fault
            await world.band.take_frames(6)
            await listener.client.read_gatt_char(INFO_UUID)
            # The answer to the read went the same way, so it was behind the frames.
            assert listener.heard == [0, 1, 2, 3, 4, 5]

    asyncio.run(main())


def test_a_shaped_link_carries_no_more_than_its_pace_allows() -> None:
    async def main() -> None:
        lane = Lane(Shape(interval_s=0.01, packets_per_event=3))
        loop, arrivals = asyncio.get_running_loop(), []
        done = asyncio.Event()
        for number in range(10):
            lane.send(lambda number=number: arrivals.append((number, loop.time())))  # type: ignore[misc]
        lane.follow(done.set)
        start_s = loop.time()
        await done.wait()
        assert [number for number, _ in arrivals] == list(range(10))
        # Ten packets need four events, and the first is at most one interval away.
        assert arrivals[9][1] - start_s >= 0.03 - 0.001

    asyncio.run(main())


def test_a_shaped_link_slows_the_host_that_sends_too_fast() -> None:
    async def main() -> None:
        async with listening(Air(shape=Shape(0.01, 2))) as (world, listener):
            await world.band.take_frames(200)
            queue = world.band.connection.data_packet_queue
            # 64 packets fit into the controller; the others wait in the host.
            assert queue.pending > 64
            world.air.shape = None
            await until(lambda: len(listener.heard) == 200)
            assert listener.heard == list(range(200))

    asyncio.run(main())


def test_a_short_absence_only_delays() -> None:
    async def main() -> None:
        async with listening() as (world, listener):
            world.air.out_of_range(world.band.controller)
            await world.band.take_frames(5)
            await asyncio.sleep(0.05)
            assert listener.heard == []
            world.air.back_in_range(world.band.controller)
            await until(lambda: len(listener.heard) == 5)
            assert listener.heard == [0, 1, 2, 3, 4]
            assert listener.client.is_connected

    asyncio.run(main())


def test_a_long_absence_is_a_lost_link_on_both_sides_and_silence_until_the_return() -> None:
    async def main() -> None:
        async with listening(Air(supervision_timeout_s=0.2)) as (world, listener):
            world.air.out_of_range(world.band.controller)
            assert world.band.connection is not None
            await asyncio.wait_for(listener.gone.wait(), 60)
            await until(lambda: world.band.connection is None)
            again = Listener(world)
            reaching = asyncio.create_task(again.listen())
            await asyncio.sleep(0.3)
            assert not reaching.done()
            world.air.back_in_range(world.band.controller)
            await reaching
            await until(lambda: world.band.streaming)
            await again.client.disconnect()

    asyncio.run(main())


def test_a_central_that_leaves_unheard_is_missed_after_the_supervision_timeout() -> None:
    async def main() -> None:
        async with listening(Air(supervision_timeout_s=0.2)) as (world, listener):
            world.air.out_of_range(world.central.device.host.hci_sink)
            await listener.client.disconnect()
            assert world.band.connection is not None
            await until(lambda: world.band.connection is None)

    asyncio.run(main())


def test_a_loss_on_one_side_leaves_the_other_believing() -> None:
    async def main() -> None:
        async with listening() as (world, listener):
            world.band.controller.drop_links(both=False)
            await until(lambda: world.band.connection is None)
            await world.band.take_frames(3)
            assert listener.client.is_connected
            assert listener.heard == []
            await listener.client.disconnect()
            await listener.listen()
            await world.band.take_frames(1)
            await until(lambda: listener.heard)

    asyncio.run(main())


def test_a_host_that_resets_leaves_no_ghosts() -> None:
    async def main() -> None:
        async with listening() as (world, listener):
            await world.band.device.host.reset()
            await asyncio.wait_for(listener.gone.wait(), 60)
            assert not world.band.controller.le_legacy_advertiser.enabled

    asyncio.run(main())


CHILD = """
import asyncio, sys
from bleak import BleakClient
from sensor.bumble_backend import BumbleCentral, BumbleClient

async def main():
    central = await BumbleCentral.open(sys.argv[1])
    client = BleakClient(sys.argv[2], backend=BumbleClient, central=central, timeout=60)
    await client.connect()
    print(len(await client.read_gatt_char(sys.argv[3])), flush=True)
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize("kind", ["unix", "tcp"])
def test_another_process_connects_through_a_socket_and_its_death_frees_the_band(
    kind: str, tmp_path: Path
) -> None:
    async def main() -> None:
        async with toy_world() as world, Hub(world.air) as hub:
            where = f"unix:{tmp_path / 'air'}" if kind == "unix" else "tcp:127.0.0.1:0"
            spec = await hub.listen(where)
            child = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-W", "error", "-c", CHILD, spec, ADDRESS, INFO_UUID),
                stdout=asyncio.subprocess.PIPE,
            )
            assert child.stdout is not None
            line = await asyncio.wait_for(child.stdout.readline(), 60)
            assert int(line) == len(bytes(world.band.info))
            assert world.band.connection is not None
            child.kill()
            await child.wait()
            await until(lambda: world.band.connection is None and not hub.ports)
            listener = Listener(world)
            await listener.listen()
            await listener.client.disconnect()

    asyncio.run(main())


def test_a_hub_replaces_a_dead_socket_but_not_a_live_one_and_stays_on_loopback(
    tmp_path: Path,
) -> None:
    path = tmp_path / "air"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))

    async def main() -> None:
        async with Hub(Air()) as hub, Hub(Air()) as other:
            await hub.listen(f"unix:{path}")
            assert path.stat().st_mode & 0o077 == 0
            with pytest.raises(OSError, match="in use"):
                await other.listen(f"unix:{path}")
            with pytest.raises(ValueError, match="loopback only"):
                await other.listen("tcp:0.0.0.0:0")
            with pytest.raises(ValueError, match="not unix:PATH or tcp:HOST:PORT"):
                await other.listen("udp:1")
        assert not path.exists()

    asyncio.run(main())


@pytest.mark.parametrize(
    "nonsense",
    [b"GET / HTTP/1.1\r\n\r\n", b"\x01\x03\x0c\xff" + b"\x00" * 255, b"\x02\x00\x00\x00\x00"],
)
def test_a_client_that_sends_nonsense_does_not_disturb_the_others(
    nonsense: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with toy_world() as world, Hub(world.air) as hub:
            spec = await hub.listen("tcp:127.0.0.1:0")
            _, _, port = spec.rpartition(":")
            reader, writer = await asyncio.open_connection("127.0.0.1", int(port))
            async with await BumbleCentral.open(spec) as central:
                writer.write(nonsense)
                await writer.drain()
                listener = Listener(World(world.air, world.band, central))
                await listener.listen()
                await world.band.take_frames(3)
                await until(lambda: len(listener.heard) == 3)
                await listener.client.disconnect()
            writer.close()
            del reader

    with caplog.at_level(logging.ERROR):
        asyncio.run(main())
    assert caplog.records == []


def test_writing_into_a_lost_link_is_an_error_and_not_a_wait() -> None:
    async def main() -> None:
        async with listening() as (world, listener):
            world.band.controller.drop_links()
            with pytest.raises(BleakError):
                await listener.client.write_gatt_char(
                    CONTROL_UUID, bytes(Command(Opcode.STOP)), response=True
                )

    asyncio.run(main())
