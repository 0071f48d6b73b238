"""What an advertisement says, read defensively: its bytes come from anybody nearby."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from bleak.uuids import normalize_uuid_16, normalize_uuid_32
from bumble.core import AdvertisingData

_UUID_LISTS = {0x02: 2, 0x03: 2, 0x04: 4, 0x05: 4, 0x06: 16, 0x07: 16}
_SERVICE_DATA = {0x16: 2, 0x20: 4, 0x21: 16}
_SHORT_NAME, _NAME, _TX_POWER, _MANUFACTURER = 0x08, 0x09, 0x0A, 0xFF
MAX_UUIDS = 64
"""More than fit into an extended advertisement's useful data; the rest is ignored."""


@dataclass(slots=True)
class Advert:
    """The parts of an advertisement and its scan response that bleak knows."""

    name: str | None = None
    service_uuids: list[str] = field(default_factory=list)
    service_data: dict[str, bytes] = field(default_factory=dict)
    manufacturer_data: dict[int, bytes] = field(default_factory=dict)
    tx_power_dbm: int | None = None


def uuid_string(little_endian: bytes) -> str:
    """The 128-bit form of a UUID of 2, 4 or 16 bytes."""
    if len(little_endian) == 2:
        return normalize_uuid_16(int.from_bytes(little_endian, "little"))
    if len(little_endian) == 4:
        return normalize_uuid_32(int.from_bytes(little_endian, "little"))
    digits = little_endian[::-1].hex()
    return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))


def parse(pairs: Iterable[tuple[int, bytes]]) -> Advert:
    """Read (type, value) pairs. What is malformed or unknown is left out."""
    advert = Advert()
    for kind, value in pairs:
        if kind == _NAME or (kind == _SHORT_NAME and advert.name is None):
            advert.name = _printable(value)
        elif size := _UUID_LISTS.get(kind):
            for at in range(0, len(value) - size + 1, size):
                uuid = uuid_string(value[at : at + size])
                if uuid not in advert.service_uuids and len(advert.service_uuids) < MAX_UUIDS:
                    advert.service_uuids.append(uuid)
        elif (size := _SERVICE_DATA.get(kind)) and len(value) >= size:
            advert.service_data[uuid_string(value[:size])] = value[size:]
        elif kind == _MANUFACTURER and len(value) >= 2:
            advert.manufacturer_data[int.from_bytes(value[:2], "little")] = value[2:]
        elif kind == _TX_POWER and len(value) == 1:
            advert.tx_power_dbm = int.from_bytes(value, "little", signed=True)
    return advert


def from_bumble(data: AdvertisingData) -> Advert:
    """Read what bumble took apart."""
    return parse((int(kind), bytes(value)) for kind, value in data.ad_structures)


def _printable(name: bytes) -> str | None:
    """A name fit for a terminal: control characters out, None where nothing is left."""
    text = "".join(c for c in name.decode("utf-8", "replace") if c.isprintable())
    return text.strip() or None
