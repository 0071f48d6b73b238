"""bleak's client on bumble."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import Any

from bleak.args import SizedBuffer
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient, NotifyCallback
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.exc import BleakDeviceNotFoundError, BleakError, BleakGATTProtocolError
from bumble import hci
from bumble.device import Peer
from bumble.gatt import GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR

from sensor.bumble_backend.central import BumbleCentral
from sensor.bumble_backend.services import discover
from sensor.bumble_backend.translate import bleak_errors

logger = logging.getLogger(__name__)

MTU = 517
DEFAULT_MTU = 23
PAIR_TIMEOUT_S = 30.0


class BumbleClient(BaseBleakClient):
    """Use as `BleakClient(device, backend=BumbleClient)`, or with an address and `central=`."""

    def __init__(
        self,
        address_or_ble_device: BLEDevice | str,
        *,
        disconnected_callback: Callable[[], None] | None,
        timeout: float,
        central: BumbleCentral | None = None,
        services: set[str] | None = None,
        **options: Any,
    ) -> None:
        del options
        super().__init__(
            address_or_ble_device, disconnected_callback=disconnected_callback, timeout=timeout
        )
        self._address: hci.Address | None = None
        self._name: str | None = None
        if isinstance(address_or_ble_device, BLEDevice):
            central = address_or_ble_device.details["central"]
            self._address = address_or_ble_device.details["address"]
            self._name = address_or_ble_device.name
        if central is None:
            raise BleakError("a client on bumble needs a device from its scanner, or central=")
        self._central: BumbleCentral = central
        self._services = services
        self._connection: Any = None
        self._peer: Any = None
        self._callbacks: dict[int, Callable[[bytes], None]] = {}

    @property
    def name(self) -> str:
        """The advertised name, else the address."""
        return self._name or self.address.replace(":", "-")

    @property
    def mtu_size(self) -> int:
        """ATT MTU as agreed."""
        return DEFAULT_MTU if self._connection is None else int(self._connection.att_mtu)

    @property
    def is_connected(self) -> bool:
        """Whether the host knows of no loss."""
        return self._connection is not None

    async def connect(self, pair: bool, **options: Any) -> None:
        """Connect, pair where asked, agree on an MTU and discover services.

        Raises
        ------
        TimeoutError
            If that takes longer than the client's `timeout`.
        BleakDeviceNotFoundError
            If only an address is known and nobody advertises it.
        BleakError
            If the link cannot be made.
        """
        if self.is_connected:
            raise BleakError("the client is connected already")
        try:
            async with asyncio.timeout(options.get("timeout", self._timeout)):
                if self._address is None:
                    self._address = await self._resolve()
                await self._link(pair)
        except TimeoutError:
            if self._address is None:
                message = f"{self.address} was not found"
                raise BleakDeviceNotFoundError(self.address, message) from None
            raise

    async def disconnect(self) -> None:
        """End the link. The disconnected callback is called, as with bleak's other backends."""
        if self._connection is not None:
            try:
                await self._central.disconnect(self._connection)
            finally:
                self._on_disconnection()

    async def pair(self, *args: Any, **options: Any) -> None:
        """Encrypt the link with the bond that there is, else make one ("just works")."""
        del args, options
        connection = self._connected()
        keystore = self._central.device.keystore
        name = str(connection.peer_address)
        async with asyncio.timeout(PAIR_TIMEOUT_S):
            if keystore is not None and await keystore.get(name) is not None:
                try:
                    with bleak_errors("cannot encrypt"):
                        await connection.encrypt()
                except BleakError as error:
                    await keystore.delete(name)
                    logger.warning("%s does not know its bond any more: %s", self.address, error)
                    self._connected()
                else:
                    return
            with bleak_errors("cannot pair"):
                await connection.pair()

    async def unpair(self) -> None:
        """Forget the bond and disconnect."""
        connection, keystore = self._connection, self._central.device.keystore
        address = self._address if connection is None else connection.peer_address
        await self.disconnect()
        if keystore is not None and address is not None:
            await keystore.delete(str(address))

    async def read_gatt_char(
        self, characteristic: BleakGATTCharacteristic, *, use_cached: bool = False, **options: Any
    ) -> bytearray:
        """Read a value of any length."""
        del use_cached, options
        return await self._read(characteristic.handle, characteristic.uuid)

    async def read_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, *, use_cached: bool = False, **options: Any
    ) -> bytearray:
        """Read a descriptor."""
        del use_cached, options
        return await self._read(descriptor.handle, descriptor.uuid)

    async def write_gatt_char(
        self, characteristic: BleakGATTCharacteristic, data: SizedBuffer, response: bool
    ) -> None:
        """Write a value."""
        await self._write(characteristic.handle, characteristic.uuid, bytes(data), response)

    async def write_gatt_descriptor(
        self, descriptor: BleakGATTDescriptor, data: SizedBuffer
    ) -> None:
        """Write a descriptor."""
        await self._write(descriptor.handle, descriptor.uuid, bytes(data), True)

    async def start_notify(
        self, characteristic: BleakGATTCharacteristic, callback: NotifyCallback, **options: Any
    ) -> None:
        """Subscribe to notifications, or to indications where the value has only those."""
        del options
        self._connected()
        proxy = characteristic.obj
        if characteristic.handle in self._callbacks:
            raise BleakError(f"{characteristic.uuid} is subscribed to already")
        if proxy.get_descriptor(GATT_CLIENT_CHARACTERISTIC_CONFIGURATION_DESCRIPTOR) is None:
            raise BleakError(f"{characteristic.uuid} has no descriptor to subscribe with")

        def on_value(value: bytes) -> None:
            callback(bytearray(value))

        self._callbacks[characteristic.handle] = on_value
        try:
            with bleak_errors(f"cannot subscribe to {characteristic.uuid}"):
                await self._peer.subscribe(proxy, on_value)
        except BaseException:
            self._callbacks.pop(characteristic.handle, None)
            raise

    async def stop_notify(self, characteristic: BleakGATTCharacteristic) -> None:
        """Unsubscribe."""
        self._connected()
        on_value = self._callbacks.pop(characteristic.handle, None)
        if on_value is not None:
            with bleak_errors(f"cannot unsubscribe from {characteristic.uuid}"):
                await self._peer.unsubscribe(characteristic.obj, on_value)

    def _connected(self) -> Any:
        if self._connection is None:
            raise BleakError("not connected")
        return self._connection

    def _on_disconnection(self, *reason: Any) -> None:
        del reason
        if self._connection is None:
            return
        self._connection = self._peer = self.services = None
        self._callbacks.clear()
        if self._disconnected_callback is not None:
            self._disconnected_callback()

    async def _read(self, handle: int, uuid: str) -> bytearray:
        self._connected()
        with bleak_errors(f"cannot read {uuid}"):
            return bytearray(await self._peer.read_value(handle))

    async def _write(self, handle: int, uuid: str, data: bytes, response: bool) -> None:
        self._connected()
        with bleak_errors(f"cannot write {uuid}"):
            await self._peer.write_value(handle, data, with_response=response)

    async def _resolve(self) -> hci.Address:
        """Hear the address, as its type has to be known to connect."""
        found = asyncio.get_running_loop().create_future()

        def on_advertisement(advertisement: Any) -> None:
            heard = advertisement.address
            if heard.to_string(False).upper() == self.address.upper() and not found.done():
                found.set_result(heard)

        await self._central.start_scan()
        self._central.device.on("advertisement", on_advertisement)
        try:
            return await found
        finally:
            self._central.device.remove_listener("advertisement", on_advertisement)
            await self._central.stop_scan()

    async def _link(self, pair: bool) -> None:
        """Connect to the address that is known, as far as services that can be used."""
        self._connection = await self._central.connect(self._address)
        self._peer = Peer(self._connection)
        self._connection.on("disconnection", self._on_disconnection)
        try:
            if pair:
                await self.pair()
            await self._agree_on_mtu()
            with bleak_errors("cannot discover services"):
                self.services = await discover(
                    self._peer, self._services or (), lambda: self.mtu_size - 3
                )
        except BaseException:
            # Nobody was told of a connection, so nobody is told of its end.
            callback, self._disconnected_callback = self._disconnected_callback, None
            await self.disconnect()
            self._disconnected_callback = callback
            raise

    async def _agree_on_mtu(self) -> None:
        # A server may refuse: then the default stays.
        with contextlib.suppress(BleakGATTProtocolError), bleak_errors("cannot agree on an MTU"):
            await self._peer.request_mtu(MTU)
