"""bleak's scanner on bumble."""

from __future__ import annotations

from typing import Any, Literal

from bleak.backends.scanner import (
    AdvertisementData,
    AdvertisementDataCallback,
    BaseBleakScanner,
)

from sensor.bumble_backend.advert import from_bumble
from sensor.bumble_backend.central import BumbleCentral

MAX_DEVICES = 4096
"""Beacons that change their address would otherwise fill the memory of a long scan."""


class BumbleScanner(BaseBleakScanner):
    """Use as `BleakScanner(..., backend=BumbleScanner, central=central)`."""

    def __init__(
        self,
        detection_callback: AdvertisementDataCallback | None = None,
        service_uuids: list[str] | None = None,
        scanning_mode: Literal["active", "passive"] = "active",
        *,
        central: BumbleCentral,
        **options: Any,
    ) -> None:
        del options
        super().__init__(detection_callback, service_uuids)
        self._active = scanning_mode == "active"
        self._central = central

    async def start(self) -> None:
        """Start listening."""
        self.seen_devices = {}
        await self._central.start_scan(active=self._active)
        self._central.device.on("advertisement", self._on_advertisement)

    async def stop(self) -> None:
        """Stop listening."""
        self._central.device.remove_listener("advertisement", self._on_advertisement)
        await self._central.stop_scan()

    def _on_advertisement(self, advertisement: Any) -> None:
        advert = from_bumble(advertisement.data)
        address = advertisement.address.to_string(False)
        if address in self.seen_devices:
            # Advert and scan response carry different parts; a device is their sum.
            before = self.seen_devices[address][1]
            name = advert.name or before.local_name
            uuids = list(dict.fromkeys(advert.service_uuids + before.service_uuids))
        elif len(self.seen_devices) >= MAX_DEVICES:
            return
        else:
            name, uuids = advert.name, advert.service_uuids
        if not self.is_allowed_uuid(uuids):
            return
        data = AdvertisementData(
            local_name=name,
            manufacturer_data=advert.manufacturer_data,
            service_data=advert.service_data,
            service_uuids=uuids,
            tx_power=advert.tx_power_dbm,
            rssi=advertisement.rssi,
            platform_data=(advertisement,),
        )
        details = {"central": self._central, "address": advertisement.address}
        device = self.create_or_update_device(address, address, name, details, data)
        self.call_detection_callbacks(device, data)
