"""What runs inside the virtual machine: our source on real BlueZ, a simulated band on /dev/vhci."""

from __future__ import annotations

import asyncio
import logging
import sys
import time

from bumble import hci
from bumble.transport import open_transport
from dbus_fast import BusType, Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from firmware_sim.radio.air import Air
from firmware_sim.radio.controller import VirtualController
from firmware_sim.radio.faults import Chances, Faults
from firmware_sim.source import SimulatedBand
from sensor.ble.finder import scan
from sensor.ble.source import BleSource
from sensor.errors import LinkError
from sensor.samples import Channel
from sensor.wire.profile import Opcode, Response
from tests.sensor.ble.toy_world import until
from tests.sensor.reader import Reader


async def power_on() -> None:
    """Wait for bluetoothd to know the adapter, and switch it on."""
    bus = await MessageBus(bus_type=BusType.SYSTEM).connect()
    for _ in range(200):
        reply = await bus.call(
            Message(
                destination="org.bluez",
                path="/org/bluez/hci0",
                interface="org.freedesktop.DBus.Properties",
                member="Set",
                signature="ssv",
                body=["org.bluez.Adapter1", "Powered", Variant("b", True)],
            )
        )
        if reply is not None and reply.message_type is MessageType.METHOD_RETURN:
            bus.disconnect()
            return
        await asyncio.sleep(0.1)
    raise TimeoutError("bluetoothd does not know the adapter")


def is_complete(reader: Reader) -> bool:
    """Whether every sample between the first START and the STOP is there."""
    emitted = [
        Response.from_bytes(each).next_sample()
        for each in reader.payloads(Channel.RESPONSE)
        if each[0] in (Opcode.START, Opcode.STOP)
    ]
    came: set[int] = set()
    for frame in reader.frames():
        came.update(range(frame.first_sample, frame.first_sample + frame.counts.size))
    assert emitted[0] is not None
    assert emitted[-1] is not None
    return came == set(range(emitted[0], emitted[-1])) and not reader.given_up()


async def lose_and_find_again(air: Air, controller: VirtualController) -> None:
    """A session over loss, a lost link, and one that is silent."""
    started_s = time.perf_counter()
    async with BleSource(silence_s=2.0) as source:
        print(f"found, connected and started in {time.perf_counter() - started_s:.2f} s")
        reader = Reader(source)
        await until(lambda: len(reader.frames()) > 10)
        air.fault = Faults(Chances(drop=0.1, corrupt=0.05))
        await until(lambda: len(reader.frames()) > 40)
        tared = await source.tare()
        assert tared is not None
        assert tared.id == 1
        dropped_s = time.perf_counter()
        controller.drop_links()
        await until(lambda: len(reader.payloads(Channel.INFO)) == 2)
        print(f"connected again {time.perf_counter() - dropped_s:.2f} s after a lost link")
        await until(lambda: len(reader.frames()) > 60)
        controller.drop_links(both=False)
        await until(lambda: len(reader.payloads(Channel.INFO)) == 3)
        print(f"link: {reader.links()}")
        await until(lambda: len(reader.frames()) > 80)
        await source.stop()
        await reader.task
        print(
            f"{len(reader.frames())} good frames, {reader.session.bad_frames} bad, "
            f"{reader.commands(Opcode.RESEND)} resends"
        )
        assert reader.session.bad_frames > 0
        assert is_complete(reader)


async def pair(air: Air) -> None:
    """A band that tells its force to bonded centrals only."""
    async with SimulatedBand(air.transport("private"), name="PRIVATE", require_pairing=True):
        async with BleSource("PRIVATE", pair=True) as source:
            reader = Reader(source)
            await until(lambda: len(reader.frames()) > 5)
            print("paired")
            await source.stop()
            await reader.task
        assert is_complete(reader)


async def main() -> None:
    logging.basicConfig(level=logging.INFO, format="%(relativeCreated)d ms %(name)s: %(message)s")
    logging.getLogger("bumble").setLevel(logging.ERROR)
    print("session: starting")
    air = Air()
    vhci = await open_transport("vhci")
    adapter = VirtualController(
        "adapter",
        air,
        host_source=vhci.source,
        host_sink=vhci.sink,
        public_address=hci.Address("00:AA:01:00:00:01", hci.Address.PUBLIC_DEVICE_ADDRESS),
    )
    # The kernel asks for parts of these that bumble's controller lacks.
    lacking = hci.LeFeatureMask.LL_PRIVACY | hci.LeFeatureMask.LE_EXTENDED_ADVERTISING
    adapter.le_features &= ~lacking
    transport = air.transport("band")
    async with SimulatedBand(transport, name="BAND"):
        await power_on()
        found = await scan(5.0)
        print(f"heard {[(each.name, each.is_band) for each in found]}")
        assert [each.name for each in found if each.is_band] == ["BAND"]
        await lose_and_find_again(air, transport.source)
    air.fault = None
    await pair(air)
    try:
        await BleSource(find_timeout_s=2.0).__aenter__()
    except LinkError as error:
        print(f"no band: {error}")
    await vhci.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
