"""A peer's services, found with bumble and given as bleak's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from bleak.assigned_numbers import CharacteristicPropertyName
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.descriptor import BleakGATTDescriptor
from bleak.backends.service import BleakGATTService, BleakGATTServiceCollection
from bumble.core import UUID

from sensor.bumble_backend.advert import uuid_string

_PROPERTIES: tuple[CharacteristicPropertyName, ...] = (
    "broadcast",
    "read",
    "write-without-response",
    "write",
    "notify",
    "indicate",
    "authenticated-signed-writes",
    "extended-properties",
)


async def discover(
    peer: Any, wanted: Iterable[str], max_write_bytes: Callable[[], int]
) -> BleakGATTServiceCollection:
    """Services, characteristics and descriptors; all services where none is wanted."""
    found = BleakGATTServiceCollection()
    await peer.discover_services([UUID(uuid) for uuid in wanted])
    for of_service in peer.services:
        service = BleakGATTService(of_service, of_service.handle, _uuid(of_service.uuid))
        found.add_service(service)
        for proxy in await peer.discover_characteristics(service=of_service):
            properties = [
                name for bit, name in enumerate(_PROPERTIES) if proxy.properties & 1 << bit
            ]
            characteristic = BleakGATTCharacteristic(
                proxy, proxy.handle, _uuid(proxy.uuid), properties, max_write_bytes, service
            )
            found.add_characteristic(characteristic)
            for each in await peer.discover_descriptors(proxy):
                found.add_descriptor(
                    BleakGATTDescriptor(each, each.handle, _uuid(each.type), characteristic)
                )
            proxy.descriptors_discovered = True
    return found


def _uuid(uuid: UUID) -> str:
    return uuid_string(uuid.to_bytes())
