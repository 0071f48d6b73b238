"""Links to devices that are not ours: what their driver's table says is written and heard."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from functools import partial
from typing import TYPE_CHECKING

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from sensor.ble.explain import BLUETOOTH_ERRORS, link_error
from sensor.ble.finder import scanner
from sensor.ble.link import HEADER_BYTES, RESPONSE_TIMEOUT_S, Link, Receive
from sensor.ble.waiting import first
from sensor.drivers.attached import Attached
from sensor.drivers.driver import Driver, Write
from sensor.errors import LinkError
from sensor.samples import Channel
from sensor.source import About
from sensor.wire.profile import Calibration

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral

logger = logging.getLogger(__name__)


class ForeignLink(Link):
    """A connection to a device of a family that a driver knows."""

    def __init__(
        self,
        driver: Driver,
        scale: float | None,
        device: BLEDevice,
        receive: Receive,
        *,
        pair: bool = False,
        central: BumbleCentral | None = None,
    ) -> None:
        super().__init__(device, receive, pair=pair, central=central)
        self._driver = driver
        self._scale = scale
        self.patience_s = driver.patience_s
        self.band = f"{device.name or device.address} ({driver.title})"

    async def open(self) -> None:
        """Connect, if the device can be used at all."""
        if self._driver.capabilities.in_counts and self._scale is None:
            raise LinkError(
                f"{self.band} sends raw counts: say how many newtons one is with `scale` under "
                "[band] in the configuration; `forceband calibrate --known-kg 0 5` finds it",
                self.address,
            )
        await super().open()

    def _check(self) -> None:
        for uuid in (*self._driver.notify, *(each.uuid for each in self._driver.start)):
            found = self._client.services.get_characteristic(uuid)
            if found is None:
                raise LinkError(
                    f"{self.band} is not what it looks like: it has no characteristic {uuid}",
                    self.address,
                )
        heard = self._client.services.get_characteristic(self._driver.notify[0])
        assert heard is not None
        self.mtu = heard.max_write_without_response_size + HEADER_BYTES
        if self._trusts_mtu and self.mtu < self._driver.min_mtu:
            logger.warning(
                "%s: an MTU of %d may cut what it sends short; it needs %d",
                self.band,
                self.mtu,
                self._driver.min_mtu,
            )

    async def begin(self) -> None:
        """Say whose payloads follow, and hear them."""
        self._say_driver()
        with contextlib.suppress(LinkError):  # a battery that cannot be read stops nobody
            await self.follow_battery()
        try:
            for place, uuid in enumerate(self._driver.notify):
                await self._client.start_notify(uuid, partial(self._on_notify, place))
        except BLUETOOTH_ERRORS as error:
            raise link_error(error, self.band, self.address) from error

    def _say_driver(self) -> None:
        attached = Attached(self._driver, 1.0 if self._scale is None else self._scale)
        self._receive(Channel.DRIVER, bytes(attached))

    def _on_notify(self, place: int, _: BleakGATTCharacteristic, value: bytearray) -> None:
        if not self.lost.is_set():
            head = bytes([place]) if len(self._driver.notify) > 1 else b""
            self._receive(Channel.FORCE, head + bytes(value))

    async def start(self) -> None:
        """Let it stream."""
        for write in self._driver.start:
            await self._write(write)

    async def end(self, timeout_s: float = RESPONSE_TIMEOUT_S) -> None:
        """Let it fall silent."""
        try:
            async with asyncio.timeout(timeout_s):
                for write in self._driver.stop:
                    await self._write(write)
        except TimeoutError as error:
            raise LinkError(f"{self.band} did not take the end", self.address) from error

    async def tare(self) -> Calibration | None:
        """Zero is ours: it stands in the recording, and can be computed again."""
        self._receive(Channel.MARK, json.dumps({"kind": "tare", "text": ""}).encode())
        return None

    async def _write(self, write: Write) -> None:
        self._receive(Channel.COMMAND, write.value)
        try:
            await self._client.write_gatt_char(
                write.uuid, write.value, response=True if write.with_response else None
            )
        except BLUETOOTH_ERRORS as error:
            raise link_error(error, self.band, self.address) from error
        if write.then_s and await first(write.then_s, self.lost):
            raise LinkError(f"{self.band}: {self.reason}", self.address)


class AdvertLink(ForeignLink):
    """No connection at all: the device says its force to everybody around."""

    def __init__(
        self,
        driver: Driver,
        scale: float | None,
        device: BLEDevice,
        receive: Receive,
        *,
        central: BumbleCentral | None = None,
    ) -> None:
        super().__init__(driver, scale, device, receive, central=central)
        self._streams = False
        self._scanner = scanner(central, self._on_advert)

    async def open(self) -> None:
        """Listen."""
        try:
            await self._scanner.start()
        except BLUETOOTH_ERRORS as error:
            raise link_error(error, "scanning", self.address) from error
        self._up = True
        self._receive(Channel.LINK, b"up")

    async def begin(self) -> None:
        """Say whose payloads follow."""
        self._say_driver()

    async def start(self) -> None:
        """Pass on what is heard from now on."""
        self._streams = True

    async def end(self, timeout_s: float = RESPONSE_TIMEOUT_S) -> None:
        """Pass on nothing any more."""
        del timeout_s
        self._streams = False

    async def close(self, reason: str) -> None:
        """Listen no more."""
        self.fail(reason)
        with contextlib.suppress(*BLUETOOTH_ERRORS):
            await self._scanner.stop()

    async def read_about(self) -> About:
        """There is nothing to ask."""
        return About(self.address)

    def _on_advert(self, device: BLEDevice, advert: AdvertisementData) -> None:
        assert self._driver.company is not None
        data = advert.manufacturer_data.get(self._driver.company)
        if device.address == self.address and data is not None and self._streams:
            self._receive(Channel.FORCE, bytes(data))
