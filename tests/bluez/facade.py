"""As much of org.bluez as bleak's Linux backend uses, on a private D-Bus, backed by bumble.

With it the backend that real sessions run on does real ATT, without a radio and without bluetoothd.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData
from bleak.exc import BleakError, BleakGATTProtocolError
from dbus_fast import Message, MessageType, Variant
from dbus_fast.aio import MessageBus

from sensor.bumble_backend import BumbleCentral, BumbleClient, BumbleScanner

ADAPTER = "/org/bluez/hci0"
BLUEZ = "org.bluez."
OBJECT_MANAGER = "org.freedesktop.DBus.ObjectManager"
PROPERTIES = "org.freedesktop.DBus.Properties"

Reply = tuple[str, list[Any]]
NOTHING: Reply = ("", [])


class RefusedError(Exception):
    """An error to be sent back over D-Bus."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(name, text)
        self.name, self.text = name, text


class Facade:
    """The objects under /org/bluez: one adapter, its devices, their attributes."""

    def __init__(self, bus: MessageBus, central: BumbleCentral) -> None:
        self.stands_still = False
        """Calls are never answered then, and nothing is told."""
        self.ignored = 0
        """Calls that were not answered."""
        self._bus = bus
        self._central = central
        self._tree: dict[str, dict[str, dict[str, Variant]]] = {
            ADAPTER: {
                f"{BLUEZ}Adapter1": {
                    "Address": Variant("s", "C0:00:00:00:00:01"),
                    "Powered": Variant("b", True),
                    "Discovering": Variant("b", False),
                    "Roles": Variant("as", ["central"]),
                    "Name": Variant("s", "facade"),
                    "Alias": Variant("s", "facade"),
                }
            }
        }
        self._devices: dict[str, BLEDevice] = {}
        self._clients: dict[str, BumbleClient] = {}
        self._attributes: dict[
            str, tuple[BumbleClient, BleakGATTCharacteristic | BleakGATTDescriptor]
        ] = {}
        self._scanner: BumbleScanner | None = None
        self._scanning_for: set[str] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._methods: dict[tuple[str, str], Callable[[Message], Awaitable[Reply]]] = {
            (OBJECT_MANAGER, "GetManagedObjects"): self._get_managed_objects,
            (PROPERTIES, "GetAll"): self._get_all,
            (PROPERTIES, "Get"): self._get,
            (PROPERTIES, "Set"): self._set,
            (f"{BLUEZ}Adapter1", "SetDiscoveryFilter"): self._set_discovery_filter,
            (f"{BLUEZ}Adapter1", "StartDiscovery"): self._start_discovery,
            (f"{BLUEZ}Adapter1", "StopDiscovery"): self._stop_discovery,
            (f"{BLUEZ}Device1", "Connect"): self._connect,
            (f"{BLUEZ}Device1", "Pair"): self._pair,
            (f"{BLUEZ}Device1", "Disconnect"): self._disconnect,
            (f"{BLUEZ}GattCharacteristic1", "ReadValue"): self._read,
            (f"{BLUEZ}GattDescriptor1", "ReadValue"): self._read,
            (f"{BLUEZ}GattCharacteristic1", "WriteValue"): self._write,
            (f"{BLUEZ}GattCharacteristic1", "StartNotify"): self._start_notify,
            (f"{BLUEZ}GattCharacteristic1", "StopNotify"): self._stop_notify,
        }

    def on_message(self, message: Message) -> bool | None:
        """Handle a call in a task of its own, as reading takes time."""
        if message.message_type is not MessageType.METHOD_CALL:
            return None
        method = self._methods.get((message.interface or "", message.member or ""))
        if method is None:
            return None
        if self.stands_still:
            self.ignored += 1
            return True
        task = asyncio.create_task(self._reply(method, message))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return True

    async def close(self) -> None:
        for client in list(self._clients.values()):
            await client.disconnect()
        if self._scanner is not None:
            await self._scanner.stop()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _reply(self, method: Callable[[Message], Awaitable[Reply]], message: Message) -> None:
        try:
            signature, body = await method(message)
        except RefusedError as error:
            reply = Message.new_error(message, error.name, error.text)
        except BleakGATTProtocolError as error:
            text = f"Operation failed with ATT error: 0x{int(error.code):02x}"
            reply = Message.new_error(message, f"{BLUEZ}Error.Failed", text)
        except (BleakError, TimeoutError) as error:
            reply = Message.new_error(message, f"{BLUEZ}Error.Failed", str(error))
        except KeyError as error:
            name = "org.freedesktop.DBus.Error.UnknownObject"
            reply = Message.new_error(message, name, str(error))
        else:
            reply = Message.new_method_return(message, signature, body)
        self._bus.send(reply)

    def _signal(self, path: str, interface: str, member: str, signature: str, *body: Any) -> None:
        if self.stands_still:
            return
        self._bus.send(
            Message(
                message_type=MessageType.SIGNAL,
                path=path,
                interface=interface,
                member=member,
                signature=signature,
                body=list(body),
            )
        )

    def _add(self, path: str, interface: str, **properties: Variant) -> None:
        self._tree[path] = {BLUEZ + interface: properties}
        self._signal("/", OBJECT_MANAGER, "InterfacesAdded", "oa{sa{sv}}", path, self._tree[path])

    def _remove(self, path: str) -> None:
        interfaces = list(self._tree.pop(path))
        self._attributes.pop(path, None)
        self._signal("/", OBJECT_MANAGER, "InterfacesRemoved", "oas", path, interfaces)

    def _change(self, path: str, interface: str, **properties: Variant) -> None:
        self._tree[path][BLUEZ + interface].update(properties)
        self._signal(
            path, PROPERTIES, "PropertiesChanged", "sa{sv}as", BLUEZ + interface, properties, []
        )

    async def _get_managed_objects(self, message: Message) -> Reply:
        del message
        return "a{oa{sa{sv}}}", [self._tree]

    async def _get_all(self, message: Message) -> Reply:
        return "a{sv}", [self._tree[message.path or ""][message.body[0]]]

    async def _get(self, message: Message) -> Reply:
        return "v", [self._tree[message.path or ""][message.body[0]][message.body[1]]]

    async def _set(self, message: Message) -> Reply:
        interface, name, value = message.body
        self._tree[message.path or ""][interface][name] = value
        return NOTHING

    async def _set_discovery_filter(self, message: Message) -> Reply:
        del message
        return NOTHING

    async def _start_discovery(self, message: Message) -> Reply:
        self._scanning_for.add(message.sender or "")
        if self._scanner is None:
            self._scanner = BumbleScanner(self._on_advert, central=self._central)
            await self._scanner.start()
            self._change(ADAPTER, "Adapter1", Discovering=Variant("b", True))
        return NOTHING

    async def _stop_discovery(self, message: Message) -> Reply:
        self._scanning_for.discard(message.sender or "")
        if not self._scanning_for and self._scanner is not None:
            scanner, self._scanner = self._scanner, None
            await scanner.stop()
            self._change(ADAPTER, "Adapter1", Discovering=Variant("b", False))
        return NOTHING

    def _on_advert(self, device: BLEDevice, advert: AdvertisementData) -> None:
        path = f"{ADAPTER}/dev_{device.address.replace(':', '_')}"
        self._devices[path] = device
        heard = {
            "RSSI": Variant("n", advert.rssi),
            "UUIDs": Variant("as", advert.service_uuids),
            "ManufacturerData": Variant("a{qv}", {}),
            "ServiceData": Variant("a{sv}", {}),
        }
        if advert.local_name:
            heard |= {
                "Name": Variant("s", advert.local_name),
                "Alias": Variant("s", advert.local_name),
            }
        if path in self._tree:
            self._change(path, "Device1", **heard)
            return
        properties = {
            "Address": Variant("s", device.address),
            "AddressType": Variant("s", "random"),
            "Alias": Variant("s", device.address.replace(":", "-")),
            "Adapter": Variant("o", ADAPTER),
        }
        for state in ("Connected", "ServicesResolved", "Paired", "Bonded", "Trusted"):
            properties[state] = Variant("b", False)
        self._add(path, "Device1", **{**properties, **heard})

    async def _connect(self, message: Message, *, pair: bool = False) -> Reply:
        path = message.path or ""
        client = BumbleClient(
            self._devices[path], disconnected_callback=lambda: self._on_lost(path), timeout=20
        )
        await client.connect(pair)
        self._clients[path] = client
        assert client.services is not None
        for service in client.services:
            service_path = f"{path}/service{service.handle:04x}"
            self._add(
                service_path,
                "GattService1",
                UUID=Variant("s", service.uuid),
                Device=Variant("o", path),
                Primary=Variant("b", True),
            )
            for characteristic in service.characteristics:
                place = f"{service_path}/char{characteristic.handle:04x}"
                self._attributes[place] = (client, characteristic)
                self._add(
                    place,
                    "GattCharacteristic1",
                    UUID=Variant("s", characteristic.uuid),
                    Service=Variant("o", service_path),
                    Flags=Variant("as", list(characteristic.properties)),
                    MTU=Variant("q", client.mtu_size),
                    Notifying=Variant("b", False),
                )
                for descriptor in characteristic.descriptors:
                    below = f"{place}/desc{descriptor.handle:04x}"
                    self._attributes[below] = (client, descriptor)
                    self._add(
                        below,
                        "GattDescriptor1",
                        UUID=Variant("s", descriptor.uuid),
                        Characteristic=Variant("o", place),
                    )
        self._change(path, "Device1", Connected=Variant("b", True))
        self._change(path, "Device1", ServicesResolved=Variant("b", True))
        return NOTHING

    async def _pair(self, message: Message) -> Reply:
        await self._connect(message, pair=True)
        state = Variant("b", True)
        self._change(message.path or "", "Device1", Paired=state, Bonded=state)
        return NOTHING

    async def _disconnect(self, message: Message) -> Reply:
        client = self._clients.pop(message.path or "", None)
        if client is not None:
            await client.disconnect()
        return NOTHING

    def _on_lost(self, path: str) -> None:
        for below in [each for each in self._tree if each.startswith(f"{path}/")]:
            self._remove(below)
        self._change(
            path, "Device1", Connected=Variant("b", False), ServicesResolved=Variant("b", False)
        )

    def _characteristic(self, message: Message) -> tuple[BumbleClient, BleakGATTCharacteristic]:
        client, attribute = self._attributes[message.path or ""]
        if not isinstance(attribute, BleakGATTCharacteristic):
            raise RefusedError(f"{BLUEZ}Error.NotSupported", "not a characteristic")
        return client, attribute

    async def _read(self, message: Message) -> Reply:
        client, attribute = self._attributes[message.path or ""]
        if isinstance(attribute, BleakGATTDescriptor):
            return "ay", [bytes(await client.read_gatt_descriptor(attribute))]
        return "ay", [bytes(await client.read_gatt_char(attribute))]

    async def _write(self, message: Message) -> Reply:
        client, characteristic = self._characteristic(message)
        value, options = message.body
        response = options.get("type", Variant("s", "request")).value == "request"
        await client.write_gatt_char(characteristic, value, response)
        return NOTHING

    async def _start_notify(self, message: Message) -> Reply:
        path = message.path or ""
        client, characteristic = self._characteristic(message)

        def on_value(value: bytearray) -> None:
            if path in self._tree:
                self._change(path, "GattCharacteristic1", Value=Variant("ay", bytes(value)))

        await client.start_notify(characteristic, on_value)
        return NOTHING

    async def _stop_notify(self, message: Message) -> Reply:
        client, characteristic = self._characteristic(message)
        await client.stop_notify(characteristic)
        return NOTHING


@asynccontextmanager
async def bluez(bus_address: str, central: BumbleCentral) -> AsyncIterator[Facade]:
    """Serve org.bluez on the bus at `bus_address`."""
    bus = await MessageBus(bus_address=bus_address).connect()
    facade = Facade(bus, central)
    bus.add_message_handler(facade.on_message)
    await bus.request_name("org.bluez")
    try:
        yield facade
    finally:
        await facade.close()
        bus.disconnect()
        with contextlib.suppress(EOFError):
            await bus.wait_for_disconnect()  # type: ignore[no-untyped-call]
