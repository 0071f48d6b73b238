"""A bleak backend on bumble's host stack: Bluetooth through any HCI transport.

    async with await BumbleCentral.open("usb:0") as central:
        options = {"backend": BumbleScanner, "central": central}
        device = await BleakScanner.find_device_by_name("BAND", **options)
        async with BleakClient(device, backend=BumbleClient) as client:
            ...

The package imports nothing else of this product.
"""

from sensor.bumble_backend.central import BumbleCentral
from sensor.bumble_backend.client import BumbleClient
from sensor.bumble_backend.scanner import BumbleScanner

__all__ = ["BumbleCentral", "BumbleClient", "BumbleScanner"]
