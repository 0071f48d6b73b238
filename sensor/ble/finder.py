"""Bands that are in the air: a list of all, or the one that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData

from sensor.ble.explain import BLUETOOTH_ERRORS, link_error
from sensor.errors import LinkError
from sensor.wire.profile import SERVICE_UUID

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral

NAME_S = 0.3
"""The name may be in the scan response, which follows the advert."""


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that advertises. `is_band` says that it offers our service."""

    name: str | None
    address: str
    rssi_dbm: int
    is_band: bool
    device: BLEDevice = field(repr=False, compare=False)


async def scan(
    timeout_s: float = 5.0, *, central: BumbleCentral | None = None
) -> list[FoundDevice]:
    """All devices heard within `timeout_s`, bands first, then the strongest first.

    Raises
    ------
    LinkError
        If there is no Bluetooth to scan with; the sentence says what to do.
    """
    scanner = _scanner(central)
    try:
        async with scanner:
            await asyncio.sleep(timeout_s)
    except BLUETOOTH_ERRORS as error:
        raise link_error(error, "scanning") from error
    heard = scanner.discovered_devices_and_advertisement_data.values()
    found = [_found(device, advert) for device, advert in heard]
    return sorted(found, key=lambda each: (not each.is_band, -each.rssi_dbm, each.address))


async def find(
    wanted: str | None = None,
    timeout_s: float = 15.0,
    *,
    central: BumbleCentral | None = None,
    avoid: Collection[str] = (),
) -> FoundDevice:
    """The first band heard, or the device whose address or name is `wanted`.

    Devices with an address in `avoid` are passed over.

    Raises
    ------
    LinkError
        If it is not heard within `timeout_s`, or there is no Bluetooth.
    """
    found: FoundDevice | None = None
    try:
        async with asyncio.timeout(timeout_s) as limit, _scanner(central) as scanner:
            async for device, advert in scanner.advertisement_data():
                heard = _found(device, advert)
                if heard.address in avoid or not is_wanted(heard, wanted):
                    continue
                if found and found.address != heard.address:
                    continue
                if found is None and not limit.expired():
                    limit.reschedule(asyncio.get_running_loop().time() + NAME_S)
                found = heard
                if found.name is not None:
                    return found
    except TimeoutError:
        if found is not None:
            return found
    except BLUETOOTH_ERRORS as error:
        raise link_error(error, "scanning") from error
    what = "no band was" if wanted is None else f"{wanted!r} was not"
    raise LinkError(
        f"{what} found within {timeout_s:.0f} s: switch it on, bring it near, and disconnect it "
        "from other programs and phones; `forceband scan` lists what is in the air",
        wanted,
    )


async def reopen(central: BumbleCentral) -> None:
    """Open an adapter once more that was unplugged, or whose socket ended.

    Raises
    ------
    LinkError
        If it has not come back.
    """
    try:
        await central.reopen()
    except BLUETOOTH_ERRORS as error:
        raise link_error(error, "the radio") from error


def is_wanted(found: FoundDevice, wanted: str | None) -> bool:
    """Whether a device is the wanted one, by address or name; any band if `wanted` is None."""
    if wanted is None:
        return found.is_band
    return wanted.casefold() in (found.address.casefold(), (found.name or "").casefold())


def _scanner(central: BumbleCentral | None) -> BleakScanner:
    if central is None:
        return BleakScanner()
    from sensor.bumble_backend import BumbleScanner

    return BleakScanner(backend=BumbleScanner, central=central)


def _found(device: BLEDevice, advert: AdvertisementData) -> FoundDevice:
    name = advert.local_name or device.name
    is_band = SERVICE_UUID in advert.service_uuids
    return FoundDevice(name, device.address, advert.rssi, is_band, device)
