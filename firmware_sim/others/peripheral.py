"""A device of others on the air: its twin behind a GATT server, or in its advertisements alone."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import Any, Self

from bumble import core, hci
from bumble.core import AdvertisingData
from bumble.device import AdvertisingType, Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.transport import open_transport
from bumble.transport.common import Transport

from firmware_sim.band import Band, BandSetup, puller
from firmware_sim.device.outbox import MAX_WAITING, Outbox
from firmware_sim.device.services import refuse, short_uuid
from firmware_sim.others.device import OtherDevice, Sent, Trouble
from firmware_sim.others.kinds import KINDS, NOTIFY, Kind
from firmware_sim.person.truth import RepTruth
from sensor.drivers.wh_c06 import COMPANY

logger = logging.getLogger(__name__)

ADVERTISING_MS = 50
IDLE_S = 0.1
LEAVE_TIMEOUT_S = 1.0


class OtherPeripheral:
    """One device of the kind on the air, pulled by a person; an async context manager.

    Parameters
    ----------
    transport
        HCI to a controller, or bumble's name of one.
    kind
        One of `KINDS`.
    setup
        Who pulls which elastic how; the rest of it is for our own band.
    trouble
        The device's own faults.
    speed
        How much faster than real time it lives.
    """

    def __init__(
        self,
        transport: Transport | str,
        kind: str,
        setup: BandSetup | None = None,
        trouble: Trouble | None = None,
        *,
        speed: float = 1.0,
    ) -> None:
        setup = setup or BandSetup()
        self.kind: Kind = KINDS[kind]
        self.name = self.kind.name
        self._person = puller(setup, Band(setup).elastic)
        self.device: OtherDevice = self.kind.twin(self._person.force_n, trouble, setup.seed)
        self._transport = transport
        self._opened: Transport | None = None
        self._speed = speed
        self._address = hci.Address(
            f"F1:FB:00:00:{setup.seed >> 8 & 255:02X}:{setup.seed & 255:02X}"
        )
        self._start_s = 0.0
        self._radio: Any = None
        self._outbox: Outbox | None = None
        self._waiting: deque[Sent] = deque()
        self._values: dict[str, Any] = {}
        self._connection: Any = None
        self._wake = asyncio.Event()
        self._leaving = False
        self._runner: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        return str(self._address.to_string(False))

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def now_s(self) -> float:
        """Time as the device lives it, s."""
        return (asyncio.get_running_loop().time() - self._start_s) * self._speed

    def truth(self, until_s: float | None = None) -> list[RepTruth]:
        """Every pull that ended by then, by default by now; s of the device's time."""
        began_s = self.device.began_s
        if began_s is None:
            return []
        until_s = self.now_s() if until_s is None else until_s
        return [rep.shifted(began_s) for rep in self._person.truth(until_s - began_s)]

    async def __aenter__(self) -> Self:
        transport = self._transport
        if isinstance(transport, str):
            transport = self._opened = await open_transport(transport)
        config = DeviceConfiguration(name=self.name, address=self._address)
        config.advertising_interval_min = config.advertising_interval_max = ADVERTISING_MS
        self._radio = Device.from_config_with_hci(config, transport.source, transport.sink)
        self._radio.add_services(self._services())
        self._radio.on("connection", self._on_connection)
        self._outbox = Outbox(self._radio, encrypted=False)
        await self._radio.power_on()
        self._start_s = asyncio.get_running_loop().time()
        await self._advertise()
        if self.kind.streams_by_itself and not self.kind.table:
            self.device.start(self.now_s())
        self._runner = asyncio.create_task(self._run(), name=f"device {self.name}")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._leaving = True
        self._wake.set()
        assert self._runner is not None
        await asyncio.wait({self._runner}, timeout=LEAVE_TIMEOUT_S)
        if self._runner.done():
            self._runner.result()
        self._runner.cancel()
        with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error, TimeoutError):
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                await self._radio.power_off()
        if self._opened is not None:
            await self._opened.close()

    def _services(self) -> list[Any]:
        services = []
        for uuid, characteristics in self.kind.table.items():
            made = []
            for each, way in characteristics.items():
                made.append(self._characteristic(each, way))
                self._values[each] = made[-1]
            services.append(Service(short_uuid(uuid), made))
        return services

    def _characteristic(self, uuid: str, way: str) -> Any:
        properties = Characteristic.Properties
        if way == NOTIFY:
            value = CharacteristicValue(read=refuse)
            return Characteristic(
                short_uuid(uuid), properties.NOTIFY, Characteristic.READABLE, value
            )

        def taken(_: Any, data: bytes) -> None:
            self.device.write(uuid, bytes(data), self.now_s())
            self._wake.set()

        return Characteristic(
            short_uuid(uuid),
            properties.WRITE | properties.WRITE_WITHOUT_RESPONSE,
            Characteristic.WRITEABLE,
            CharacteristicValue(read=refuse, write=taken),
        )

    def _adverts(self, data: bytes | None = None) -> tuple[bytes, bytes]:
        """Advertisement and scan response: the name is in the one, services are in the other."""
        name = (
            []
            if self.device.trouble.nameless
            else [(AdvertisingData.COMPLETE_LOCAL_NAME, self.name.encode())]
        )
        if data is not None:
            value = COMPANY.to_bytes(2, "little") + data
            first = [
                (AdvertisingData.FLAGS, b"\x06"),
                (AdvertisingData.MANUFACTURER_SPECIFIC_DATA, value),
                *name,
            ]
            return bytes(AdvertisingData(first)), b""
        listed = [
            (
                AdvertisingData.COMPLETE_LIST_OF_16_BIT_SERVICE_CLASS_UUIDS
                if len(bytes(short_uuid(uuid))) == 2
                else AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
                bytes(short_uuid(uuid)),
            )
            for uuid in self.kind.advertised
        ]
        first = [(AdvertisingData.FLAGS, b"\x06"), *name]
        return bytes(AdvertisingData(first)), bytes(AdvertisingData(listed))

    async def _advertise(self, data: bytes | None = None) -> None:
        advert, response = self._adverts(data)
        if self._radio.is_advertising:
            if (advertised := self._radio.legacy_advertising_set) is not None:
                await advertised.set_advertising_data(advert)
            else:
                await self._radio.send_sync_command(
                    hci.HCI_LE_Set_Advertising_Data_Command(advertising_data=advert)
                )
            return
        await self._radio.start_advertising(
            advertising_type=AdvertisingType.UNDIRECTED_CONNECTABLE_SCANNABLE
            if self.kind.table
            else AdvertisingType.UNDIRECTED_SCANNABLE,
            advertising_data=advert,
            scan_response_data=response,
        )

    def _on_connection(self, connection: Any) -> None:
        self._connection = connection
        assert self._outbox is not None
        self._outbox.open(connection)
        connection.on("disconnection", lambda _: self._on_disconnection(connection))
        if self.kind.streams_by_itself:
            self.device.start(self.now_s())
        self._wake.set()

    def _on_disconnection(self, connection: Any) -> None:
        if connection is self._connection:
            self._connection = None
            assert self._outbox is not None
            self._outbox.close()
            self._waiting.clear()
            self.device.link_lost()
            self._wake.set()

    async def _run(self) -> None:
        while not self._leaving:
            self._wake.clear()
            await self._live()
            pause_s = min(max((self.device.due_s() - self.now_s()) / self._speed, 0.001), IDLE_S)
            pause_s = min(pause_s, 0.005) if self._waiting or self._outbox else pause_s
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause_s):
                    await self._wake.wait()

    async def _live(self) -> None:
        assert self._outbox is not None
        self._waiting += self.device.pump(self.now_s())
        while self._waiting:
            uuid, value = self._waiting[0]
            if not uuid:
                await self._advertise(value)
            elif len(self._outbox) < MAX_WAITING:
                self._outbox.notify(self._values[uuid], value)
            else:
                break  # a busy computer; the faults of a device are those that were asked for
            self._waiting.popleft()
        await self._outbox.send()
        if self.device.off:
            if self._connection is not None and not self._outbox:
                with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error):
                    await self._connection.disconnect()
        elif self._connection is None and self.kind.table and not self._radio.is_advertising:
            await self._advertise()
