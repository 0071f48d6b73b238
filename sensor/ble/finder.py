"""Bands that are in the air: a list of all, or the one that is wanted."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bleak import BleakScanner
from bleak.backends.device import BLEDevice
from bleak.backends.scanner import AdvertisementData, AdvertisementDataCallback

from sensor.ble.explain import BLUETOOTH_ERRORS, link_error
from sensor.drivers.driver import Driver, Heard
from sensor.drivers.registry import recognised
from sensor.errors import NotHeardError
from sensor.wire.profile import SERVICE_UUID

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral

NAME_S = 0.3
"""The name may be in the scan response, which follows the advert."""
OWN_FIRST_S = 1.5
"""Where nobody named a band, ours is waited for so long before a device of others is taken."""


@dataclass(frozen=True, slots=True)
class FoundDevice:
    """A device that advertises. `is_band` says that it offers our service.

    `driver` is of a device of others that is known.
    """

    name: str | None
    address: str
    rssi_dbm: int
    is_band: bool
    device: BLEDevice = field(repr=False, compare=False)
    driver: Driver | None = field(default=None, repr=False)

    @property
    def is_usable(self) -> bool:
        """Whether force can be had from it."""
        return self.is_band or self.driver is not None


async def scan(
    timeout_s: float = 5.0, *, central: BumbleCentral | None = None
) -> list[FoundDevice]:
    """All devices heard within `timeout_s`, usable ones first, then the strongest first.

    Raises
    ------
    LinkError
        If there is no Bluetooth to scan with; the sentence says what to do.
    """
    listening = scanner(central)
    try:
        async with listening:
            await asyncio.sleep(timeout_s)
    except BLUETOOTH_ERRORS as error:
        raise link_error(error, "scanning") from error
    heard = listening.discovered_devices_and_advertisement_data.values()
    found = [_found(device, advert) for device, advert in heard]
    return sorted(
        found,
        key=lambda each: (not each.is_band, not each.is_usable, -each.rssi_dbm, each.address),
    )


async def find(
    wanted: str | None = None,
    timeout_s: float = 15.0,
    *,
    central: BumbleCentral | None = None,
    avoid: Collection[str] = (),
) -> FoundDevice:
    """The first band heard, or the device whose address or name is `wanted`.

    Devices with an address in `avoid` are passed over.
    Without `wanted` a device of others is taken only if no band of ours is heard soon after it, and
    if its format is known well.

    Raises
    ------
    NotHeardError
        If it is not heard within `timeout_s`.
    LinkError
        If there is no Bluetooth.
    """
    found: FoundDevice | None = None
    try:
        async with asyncio.timeout(timeout_s) as limit, scanner(central) as adverts:
            async for device, advert in adverts.advertisement_data():
                heard = _found(device, advert)
                if heard.address in avoid or not is_wanted(heard, wanted):
                    continue
                if not _better(heard, found):
                    continue
                if found is None or heard.address != found.address:
                    grace_s = NAME_S if heard.is_band or wanted is not None else OWN_FIRST_S
                    if not limit.expired():
                        limit.reschedule(asyncio.get_running_loop().time() + grace_s)
                found = heard
                if found.name is not None and (found.is_band or (wanted and found.is_usable)):
                    return found
    except TimeoutError:
        if found is not None:
            return found
    except BLUETOOTH_ERRORS as error:
        raise link_error(error, "scanning") from error
    what = "no band was" if wanted is None else f"{wanted!r} was not"
    raise NotHeardError(
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
        driver = found.driver
        known = driver is not None and driver.automatic and driver.capabilities.verified
        return found.is_band or known
    return wanted.casefold() in (found.address.casefold(), (found.name or "").casefold())


def _better(heard: FoundDevice, found: FoundDevice | None) -> bool:
    """Whether to go on with what is heard: the same device, heard whole, or ours, not others'."""
    if found is None or heard.is_band > found.is_band:
        return True
    return heard.address == found.address and heard.is_usable >= found.is_usable


def scanner(
    central: BumbleCentral | None, heard: AdvertisementDataCallback | None = None
) -> BleakScanner:
    """One that hears through a central, or the system's radio; `heard` is called with adverts."""
    if central is None:
        return BleakScanner(heard)
    from sensor.bumble_backend import BumbleScanner

    return BleakScanner(heard, backend=BumbleScanner, central=central)


def _found(device: BLEDevice, advert: AdvertisementData) -> FoundDevice:
    name = advert.local_name or device.name
    is_band = SERVICE_UUID in advert.service_uuids
    heard = Heard(name, advert.service_uuids, advert.manufacturer_data)
    driver = None if is_band else recognised(heard)
    return FoundDevice(name, device.address, advert.rssi, is_band, device, driver)
