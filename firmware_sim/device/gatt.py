"""The band as a Bluetooth peripheral: the firmware behind a GATT server, on any HCI transport."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any, Self

from bumble import core, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device, DeviceConfiguration
from bumble.transport.common import Transport

from firmware_sim.device.firmware import Firmware
from firmware_sim.device.outbox import Outbox
from firmware_sim.device.progressor import Progressor
from firmware_sim.device.services import Handlers, build, force_value
from sensor.wire.profile import SERVICE_UUID

logger = logging.getLogger(__name__)

MAX_NAME_BYTES = 8
"""What an advert has room for beside the flags and a UUID of 128 bits."""
ADVERTISING_MS = 100
FORCE_INTERVAL_S = 0.25
IDLE_S = 0.25
LEAVE_TIMEOUT_S = 1.0


class Peripheral:
    """One band on the air: entering advertises it, leaving takes it off.

    Parameters
    ----------
    transport
        HCI to a controller, virtual or real; it stays the caller's to close.
    firmware
        The band.
    serial
        Its serial number, hexadecimal; the address follows from it.
    name
        What the advert says, at most 8 bytes of UTF-8.
    speed
        How much faster than real time the band lives.
    require_pairing
        Tell force to bonded clients only. The Progressor's apps cannot bond: it is left out.
    """

    def __init__(
        self,
        transport: Transport,
        firmware: Firmware,
        *,
        serial: str = "0001",
        name: str = "FB-0001",
        speed: float = 1.0,
        require_pairing: bool = False,
    ) -> None:
        if not 0 < len(name.encode()) <= MAX_NAME_BYTES:
            raise ValueError(f"a band's name has 1..{MAX_NAME_BYTES} bytes of UTF-8: {name!r}")
        if not speed > 0:
            raise ValueError(f"speed not above 0: {speed}")
        self.firmware = firmware
        self.name = name
        self._speed = speed
        self._start_s = 0.0
        number = int(serial, 16)
        address = hci.Address(f"F0:FB:{number >> 24 & 255:02X}:{number >> 16 & 255:02X}"
                              f":{number >> 8 & 255:02X}:{number & 255:02X}")  # fmt: skip
        config = DeviceConfiguration(name=name, address=address)
        config.irk = number.to_bytes(16, "little")
        config.advertising_interval_min = config.advertising_interval_max = ADVERTISING_MS
        self._device: Any = Device.from_config_with_hci(config, transport.source, transport.sink)
        handlers = Handlers(
            info=lambda: bytes(firmware.info),
            battery=lambda: bytes([firmware.battery_percent]),
            force_mn=lambda: force_value(firmware.force_n()),
            control=self._on_control,
            progressor=self._on_progressor,
        )
        about = firmware.config
        self._table = build(handlers, about.model, serial, about.firmware, bonded=require_pairing)
        self._device.add_services(self._table.services)
        self._device.on("connection", self._on_connection)
        self.outbox = Outbox(self._device, encrypted=require_pairing)
        self._progressor = Progressor(firmware, number, self._send_weight)
        self._connection: Any = None
        self._wake = asyncio.Event()
        self._on = False
        self._leaving = False
        self._battery = firmware.battery_percent
        self._next_force_s = 0.0
        self._runner: asyncio.Task[None] | None = None

    @property
    def address(self) -> str:
        """The band's static random address."""
        return str(self._device.static_address.to_string(False))

    @property
    def connected(self) -> bool:
        return self._connection is not None

    def now_s(self) -> float:
        """Time as the band lives it, s since it was first switched on."""
        return (asyncio.get_running_loop().time() - self._start_s) * self._speed

    async def __aenter__(self) -> Self:
        self._start_s = asyncio.get_running_loop().time()
        await self._switch_on()
        self._runner = asyncio.create_task(self._run(), name=f"band {self.name}")
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        # Not by cancelling: Python 3.11's wait_for, in which bumble waits, may swallow that.
        self._leaving = True
        self._wake.set()
        assert self._runner is not None
        try:
            await asyncio.wait({self._runner}, timeout=LEAVE_TIMEOUT_S)
            if self._runner.done():
                self._runner.result()
            self._runner.cancel()
        finally:
            await self._switch_off()
            await self._device.power_off()

    async def power_cycle(self, off_s: float = 0.0) -> None:
        """Take the battery out and, after `off_s` of the band's time, put it back."""
        await self._switch_off()
        await asyncio.sleep(off_s / self._speed)
        self.firmware.power_cycle(self.now_s())
        await self._switch_on()
        self._wake.set()

    async def _switch_on(self) -> None:
        await self._device.power_on()
        self._on = True
        await self._advertise()

    async def _switch_off(self) -> None:
        """Fall silent. The radio's reset ends the link without a word, as lost power does."""
        self._on = False
        self._forget_link()
        with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error, TimeoutError):
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                await self._device.stop_advertising()
                await self._device.host.reset()

    async def _advertise(self) -> None:
        advert = AdvertisingData(
            [
                (AdvertisingData.FLAGS, b"\x06"),
                (
                    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
                    bytes(UUID(SERVICE_UUID)),
                ),
                (AdvertisingData.COMPLETE_LOCAL_NAME, self.name.encode()),
            ]
        )
        await self._device.start_advertising(advertising_data=bytes(advert))

    def _on_connection(self, connection: Any) -> None:
        logger.info("band %s: %s connected", self.name, connection.peer_address)
        self._connection = connection
        self.outbox.open(connection)
        connection.on("disconnection", lambda reason: self._on_disconnection(connection, reason))

    def _on_disconnection(self, connection: Any, reason: int) -> None:
        if connection is not self._connection:
            return
        logger.info("band %s: disconnected, reason 0x%02x", self.name, reason)
        self._forget_link()
        self._wake.set()

    def _forget_link(self) -> None:
        self._connection = None
        self.firmware.link_lost()
        self._progressor.link_lost()
        self.outbox.close()

    def _on_control(self, value: bytes) -> None:
        self._advance()
        response = self.firmware.command(value)
        self.outbox.response(self._table.control, bytes(response))
        self._wake.set()

    def _on_progressor(self, value: bytes) -> None:
        self._advance()
        self._progressor.command(value)
        self._wake.set()

    def _send_weight(self, value: bytes) -> None:
        self.outbox.notify(self._table.weight, value)

    def _advance(self) -> None:
        """Live up to now, and put what is ready behind what waits."""
        if not self._on:
            return
        for packet in self.firmware.advance(self.now_s()):
            self.outbox.notify(self._table.force, packet.payload)

    async def _run(self) -> None:
        try:
            while not self._leaving:
                self._wake.clear()
                if self._on:
                    await self._live()
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self._pause_s()):
                        await self._wake.wait()
        except Exception:
            logger.exception("band %s stopped", self.name)
            raise

    async def _live(self) -> None:
        self._advance()
        self._progressor.pump()
        self._tell_generic_clients()
        await self.outbox.send()
        await self._keep_reachable()

    def _pause_s(self) -> float:
        """Real time until there is something to do."""
        if not self._on:
            return IDLE_S
        due_s = min(self.firmware.next_due_s(), self._progressor.due_s(), self._next_force_s)
        waiting_s = 0.01 if self.outbox else IDLE_S
        return min(max((due_s - self.now_s()) / self._speed, 0.001), waiting_s)

    def _tell_generic_clients(self) -> None:
        now_s = self.now_s()
        if now_s >= self._next_force_s:
            self._next_force_s = now_s - now_s % FORCE_INTERVAL_S + FORCE_INTERVAL_S
            self.outbox.notify(self._table.force_mn, force_value(self.firmware.force_n()))
        if self.firmware.battery_percent != self._battery:
            self._battery = self.firmware.battery_percent
            self.outbox.notify(self._table.battery, bytes([self._battery]))

    async def _keep_reachable(self) -> None:
        """Advertise unless connected; asleep, leave and fall silent."""
        if not self.firmware.asleep:
            if self._connection is None and not self._device.is_advertising:
                await self._advertise()
        elif not self.outbox:
            await self.outbox.drain(LEAVE_TIMEOUT_S)
            await self._switch_off()
