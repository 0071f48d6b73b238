"""The bleak backend on bumble, over real HCI, L2CAP and ATT."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from bleak import BleakClient, BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakDeviceNotFoundError,
    BleakError,
    BleakGATTProtocolError,
    BleakGATTProtocolErrorCode,
)

from firmware_sim.radio.air import Air
from firmware_sim.radio.hub import Hub
from sensor.bumble_backend import BumbleCentral, BumbleClient, BumbleScanner
from sensor.wire.profile import (
    BATTERY_LEVEL_UUID,
    CONTROL_UUID,
    FORCE_UUID,
    INFO_UUID,
    SERVICE_UUID,
    Command,
    Info,
    Opcode,
)
from tests.sensor.ble.toy_band import ADDRESS, ToyBand
from tests.sensor.ble.toy_world import World, toy_world, until

ABSENT = "F0:F1:F2:F3:FF:FF"


async def heard(world: World, devices: int) -> dict[str, tuple[BLEDevice, AdvertisementData]]:
    async with BleakScanner(backend=BumbleScanner, central=world.central) as scanner:
        await until(lambda: len(scanner.discovered_devices) == devices)
    return scanner.discovered_devices_and_advertisement_data


async def find(world: World) -> BLEDevice:
    async with BleakScanner(backend=BumbleScanner, central=world.central) as scanner:
        async for device, advert in scanner.advertisement_data():
            if advert.local_name == "TOY":
                return device
    raise AssertionError("the scan ended")


def client(device: BLEDevice, **options: object) -> BleakClient:
    return BleakClient(device, backend=BumbleClient, **options)  # type: ignore[arg-type]


def test_a_scan_joins_the_advert_and_its_scan_response() -> None:
    async def main() -> None:
        async with toy_world() as world:
            device, advert = (await heard(world, devices=1))[ADDRESS]
            assert device.name == advert.local_name == "TOY"
            assert advert.service_uuids == [SERVICE_UUID]
            assert advert.rssi == -50

    asyncio.run(main())


def test_a_scan_for_another_service_hears_nothing() -> None:
    async def main() -> None:
        async with toy_world() as world:
            scanner = BleakScanner(
                service_uuids=[BATTERY_LEVEL_UUID], backend=BumbleScanner, central=world.central
            )
            async with scanner:
                await find(world)  # who listens for all hears it
            assert scanner.discovered_devices == []

    asyncio.run(main())


def test_services_are_discovered_with_their_properties() -> None:
    async def main() -> None:
        async with toy_world() as world, client(await find(world)) as connected:
            force = connected.services.get_characteristic(FORCE_UUID)
            control = connected.services.get_characteristic(CONTROL_UUID)
            assert force is not None
            assert force.properties == ["notify"]
            assert force.max_write_without_response_size == 514
            assert control is not None
            assert set(control.properties) == {"write", "indicate"}
            assert force.service_uuid == SERVICE_UUID
            assert [each.uuid[4:8] for each in force.descriptors] == ["2902"]

    asyncio.run(main())


def test_a_value_longer_than_the_mtu_is_read_whole() -> None:
    async def main() -> None:
        async with toy_world(max_mtu=64) as world, client(await find(world)) as connected:
            assert connected.mtu_size == 64
            value = await connected.read_gatt_char(INFO_UUID)
            assert len(value) > 400
            assert Info.from_bytes(bytes(value)) == Info.from_bytes(bytes(world.band.info))

    asyncio.run(main())


def test_notifications_and_indications_arrive_in_order_until_unsubscribed() -> None:
    async def main() -> None:
        async with toy_world() as world, client(await find(world)) as connected:
            answers: list[bytearray] = []
            frames: list[bytearray] = []
            await connected.start_notify(CONTROL_UUID, lambda _, value: answers.append(value))
            await connected.start_notify(FORCE_UUID, lambda _, value: frames.append(value))
            await connected.write_gatt_char(CONTROL_UUID, bytes(Command(Opcode.START)))
            await until(lambda: answers)
            await world.band.take_frames(20)
            await until(lambda: len(frames) == 20)
            assert [int.from_bytes(each[4:8], "little") for each in frames] == [
                8 * k for k in range(20)
            ]
            await connected.stop_notify(FORCE_UUID)
            await world.band.take_frames(5)
            await connected.read_gatt_char(INFO_UUID)
            assert len(frames) == 20
            with pytest.raises(BleakError, match="subscribed to already"):
                await connected.start_notify(CONTROL_UUID, lambda *_: None)

    asyncio.run(main())


def test_att_errors_name_their_code() -> None:
    async def main() -> None:
        async with toy_world() as world, client(await find(world)) as connected:
            with pytest.raises(BleakGATTProtocolError) as caught:
                await connected.read_gatt_char(CONTROL_UUID)
            assert caught.value.code == BleakGATTProtocolErrorCode.READ_NOT_PERMITTED

    asyncio.run(main())


def test_a_lost_link_is_told_and_a_fresh_client_connects_again() -> None:
    async def main() -> None:
        async with toy_world() as world:
            device, gone = await find(world), asyncio.Event()
            first = client(device, disconnected_callback=lambda _: gone.set())
            await first.connect()
            reading = asyncio.create_task(first.read_gatt_char(INFO_UUID))
            await asyncio.sleep(0)
            world.band.controller.drop_links()
            with pytest.raises(BleakError, match=r"link was lost|not connected"):
                await reading
            await asyncio.wait_for(gone.wait(), 60)
            assert not first.is_connected
            with pytest.raises(BleakError):
                await first.read_gatt_char(INFO_UUID)
            async with client(device) as second:
                assert bytes(await second.read_gatt_char(INFO_UUID)) == bytes(world.band.info)

    asyncio.run(main())


def test_ones_own_disconnect_is_told_too() -> None:
    async def main() -> None:
        async with toy_world() as world:
            gone = asyncio.Event()
            async with client(await find(world), disconnected_callback=lambda _: gone.set()):
                pass
            assert gone.is_set()

    asyncio.run(main())


def test_a_cancelled_connect_leaves_the_adapter_free() -> None:
    async def main() -> None:
        async with toy_world() as world:
            device = await find(world)
            await world.band.device.stop_advertising()
            connecting = asyncio.create_task(client(device).connect())
            await until(lambda: world.central.device.is_le_connecting)
            connecting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await connecting
            with pytest.raises(TimeoutError):
                await client(device, timeout=0.2).connect()
            await world.band.start()
            async with client(device, timeout=60) as connected:
                assert connected.is_connected

    asyncio.run(main())


def test_an_absent_address_is_not_found_and_a_present_one_needs_no_scan_before() -> None:
    async def main() -> None:
        async with toy_world() as world:
            absent = BleakClient(ABSENT, timeout=0.4, backend=BumbleClient, central=world.central)
            with pytest.raises(BleakDeviceNotFoundError):
                await absent.connect()
            async with BleakClient(
                ADDRESS, timeout=60, backend=BumbleClient, central=world.central
            ) as connected:
                assert connected.is_connected

    asyncio.run(main())


def test_clients_may_connect_at_the_same_time() -> None:
    async def main() -> None:
        async with toy_world() as world:
            others = []
            for number in range(2, 5):
                other = ToyBand(
                    world.air.transport(f"band {number}"), address=f"F0:F1:F2:F3:00:{number:02X}"
                )
                await other.start()
                others.append(other)
            devices = [device for device, _ in (await heard(world, devices=4)).values()]
            clients = [client(device) for device in devices]
            await asyncio.gather(*(each.connect() for each in clients))
            assert all(each.is_connected for each in clients)
            await asyncio.gather(*(each.disconnect() for each in clients))

    asyncio.run(main())


def test_of_two_centrals_one_gets_the_band_and_the_other_is_told() -> None:
    async def main() -> None:
        async with (
            toy_world() as world,
            await BumbleCentral.open(world.air.transport("rival")) as rival,
        ):
            rivals = BleakClient(ADDRESS, timeout=0.5, backend=BumbleClient, central=rival)
            async with client(await find(world)):
                with pytest.raises((BleakError, TimeoutError)):
                    await rivals.connect()
            async with BleakClient(
                ADDRESS, timeout=60, backend=BumbleClient, central=rival
            ) as connected:
                assert connected.is_connected

    asyncio.run(main())


def test_pairing_opens_what_the_band_protects_and_the_bond_outlives_the_program(
    tmp_path: Path,
) -> None:
    bonds = tmp_path / "secrets" / "bonds.json"

    async def main() -> None:
        air = Air()
        band = ToyBand(air.transport("band"), demands_pairing=True)
        await band.start()
        keys: list[str] = []
        for attempt in range(2):
            async with await BumbleCentral.open(air.transport("central"), bonds=bonds) as central:
                world = World(air, band, central)
                if attempt == 0:
                    async with client(await find(world)) as unpaired:
                        with pytest.raises(BleakGATTProtocolError, match="Insufficient"):
                            await unpaired.read_gatt_char(INFO_UUID)
                async with client(await find(world), pair=True) as paired:
                    assert await paired.read_gatt_char(INFO_UUID)
                    keys.append(bonds.read_text())
                    if attempt == 1:
                        assert keys[1] == keys[0]
                        await paired.unpair()
                        assert not paired.is_connected
        assert ADDRESS not in bonds.read_text()

    asyncio.run(main())
    assert bonds.stat().st_mode & 0o077 == 0


def test_a_band_that_forgot_its_bond_is_paired_anew(tmp_path: Path) -> None:
    async def main() -> None:
        async with toy_world(demands_pairing=True) as world:
            async with client(await find(world), pair=True) as paired:
                await paired.read_gatt_char(INFO_UUID)
            await world.band.device.keystore.delete_all()
            async with client(await find(world), pair=True) as paired:
                assert await paired.read_gatt_char(INFO_UUID)

    asyncio.run(main())


def test_a_transport_that_is_lost_ends_links_and_says_so() -> None:
    async def main() -> None:
        air = Air()
        band = ToyBand(air.transport("band"))
        await band.start()
        async with Hub(air) as hub:
            where = await hub.listen("tcp:127.0.0.1:0")
            async with await BumbleCentral.open(where) as central:
                gone = asyncio.Event()
                device = await find(World(air, band, central))
                connected = client(device, disconnected_callback=lambda _: gone.set())
                await connected.connect()
                await hub.close()
                await asyncio.wait_for(gone.wait(), 60)
                with pytest.raises(BleakError, match="gone"):
                    await client(device).connect()
                with pytest.raises(BleakBluetoothNotAvailableError):
                    await heard(World(air, band, central), devices=1)

    asyncio.run(main())


@pytest.mark.parametrize(
    "transport",
    ["tcp-client:127.0.0.1:1", "unix-client:/nonexistent/air.sock", "nonsense:", "usb:99"],
)
def test_a_transport_that_cannot_be_opened_is_bluetooth_not_available(transport: str) -> None:
    async def main() -> None:
        with pytest.raises(BleakBluetoothNotAvailableError, match="cannot open"):
            await BumbleCentral.open(transport)

    asyncio.run(main())


def test_a_server_that_speaks_no_hci_is_bluetooth_not_available(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("sensor.bumble_backend.central.START_TIMEOUT_S", 0.3)

    async def main() -> None:
        writers: list[asyncio.StreamWriter] = []
        server = await asyncio.start_server(lambda _, w: writers.append(w), "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        with pytest.raises(BleakBluetoothNotAvailableError, match="does not answer"):
            await BumbleCentral.open(f"tcp-client:127.0.0.1:{port}")
        server.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()

    asyncio.run(main())
