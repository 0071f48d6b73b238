"""The band's GATT table on bumble: our service, the SIG's services and the Progressor's.

A read is answered from callbacks, so that values are those of the moment.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bumble import att
from bumble.core import UUID
from bumble.gatt import Characteristic, CharacteristicValue, Service

from firmware_sim.device import progressor
from sensor.wire import profile

FORCE_UNKNOWN = b"\xff\xff\xff\x7f"
"""The SIG's "value is not known" of a signed 32-bit field."""

_Properties = Characteristic.Properties


@dataclass(frozen=True, slots=True)
class Handlers:
    """What the table asks of the band. `control` and `progressor` take what a client wrote."""

    info: Callable[[], bytes]
    battery: Callable[[], bytes]
    force_mn: Callable[[], bytes]
    control: Callable[[bytes], None]
    progressor: Callable[[bytes], None]


@dataclass(frozen=True, slots=True)
class Table:
    """The services to register, and the characteristics that the band sends from."""

    services: list[Any]
    force: Any
    control: Any
    battery: Any
    force_mn: Any
    weight: Any


def build(handlers: Handlers, model: str, serial: str, firmware: str, *, bonded: bool) -> Table:
    """The band's table. With `bonded` nobody reads force or gives commands on an open link."""
    read, write = Characteristic.READABLE, Characteristic.WRITEABLE
    if bonded:
        read |= Characteristic.READ_REQUIRES_ENCRYPTION
        write |= Characteristic.WRITE_REQUIRES_ENCRYPTION
    force = _sending(profile.FORCE_UUID, _Properties.NOTIFY)
    control = Characteristic(
        profile.CONTROL_UUID,
        _Properties.WRITE | _Properties.INDICATE,
        write,
        CharacteristicValue(read=refuse, write=lambda _, value: handlers.control(bytes(value))),
    )
    info = _readable(profile.INFO_UUID, handlers.info, permissions=read)
    battery = _readable(profile.BATTERY_LEVEL_UUID, handlers.battery, _Properties.NOTIFY)
    force_mn = _readable(
        profile.FORCE_MILLINEWTON_UUID, handlers.force_mn, _Properties.NOTIFY, permissions=read
    )
    weight = _sending(progressor.DATA_UUID, _Properties.NOTIFY)
    points = Characteristic(
        progressor.CONTROL_UUID,
        _Properties.WRITE | _Properties.WRITE_WITHOUT_RESPONSE,
        Characteristic.WRITEABLE,
        CharacteristicValue(read=refuse, write=lambda _, value: handlers.progressor(bytes(value))),
    )
    facts = {
        profile.MANUFACTURER_NAME_UUID: "forceband",
        profile.MODEL_NUMBER_UUID: model,
        profile.SERIAL_NUMBER_UUID: serial,
        profile.FIRMWARE_REVISION_UUID: firmware,
    }
    about = [
        Characteristic(uuid, _Properties.READ, Characteristic.READABLE, text.encode())
        for uuid, text in facts.items()
    ]
    services = [
        Service(profile.SERVICE_UUID, [force, control, info]),
        Service(short_uuid(profile.BATTERY_SERVICE_UUID), [battery]),
        Service(short_uuid(profile.DEVICE_INFORMATION_UUID), about),
        Service(short_uuid(profile.INDUSTRIAL_MEASUREMENT_UUID), [force_mn]),
    ]
    if not bonded:
        services.append(Service(progressor.SERVICE_UUID, [weight, points]))
    return Table(services, force, control, battery, force_mn, weight)


def force_value(force_n: float | None) -> bytes:
    """The SIG's Force: signed 32 bits of mN."""
    if force_n is None:
        return FORCE_UNKNOWN
    return max(-(2**31), min(2**31 - 2, round(force_n * 1000))).to_bytes(4, "little", signed=True)


def _sending(uuid: str, properties: Any) -> Any:
    """A characteristic that is only sent from."""
    refusing = CharacteristicValue(read=refuse)
    return Characteristic(uuid, properties, Characteristic.READABLE, refusing)


def _readable(
    uuid: str, value: Callable[[], bytes], more: Any = 0, permissions: Any = Characteristic.READABLE
) -> Any:
    get = CharacteristicValue(read=lambda _: value())
    return Characteristic(short_uuid(uuid), _Properties.READ | more, permissions, get)


def refuse(_: Any) -> bytes:
    """bumble's server never answers a read of what has no handler."""
    raise att.ATT_Error(att.ATT_READ_NOT_PERMITTED_ERROR)


def short_uuid(uuid: str) -> UUID:
    """Numbers of the SIG in their 16 bits, as clients expect them on the air."""
    assigned = uuid.endswith("-0000-1000-8000-00805f9b34fb")
    return UUID.from_16_bits(int(uuid[4:8], 16)) if assigned else UUID(uuid)
