"""One Bluetooth adapter with bumble's host stack, shared by scanners and clients."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bleak.exc import (
    BleakBluetoothNotAvailableError,
    BleakBluetoothNotAvailableReason,
    BleakError,
)
from bumble import core, hci
from bumble.device import ConnectionParametersPreferences, Device, DeviceConfiguration
from bumble.transport import open_transport
from bumble.transport.common import Transport

from sensor.bumble_backend.bonds import BondFile, own_address
from sensor.bumble_backend.translate import bleak_errors

logger = logging.getLogger(__name__)

GIVEN = "the given transport"
START_TIMEOUT_S = 5.0
CANCEL_TIMEOUT_S = 1.0
COMMAND_TIMEOUT_S = 5.0
"""Controllers answer within milliseconds; one that does not stands still."""
SUPERVISION_TIMEOUT_MS = 4000
"""bumble asks for 720 ms, which a body between band and phone exceeds."""


class BumbleCentral:
    """An adapter that is powered on; an async context manager. See `open`."""

    def __init__(self, device: Device, transport: Transport, name: str, bonds: Path | None) -> None:
        self.device = device
        self._transport = transport
        self._name = name
        self._bonds = bonds
        self._connecting = asyncio.Lock()
        self._scanning = asyncio.Lock()
        self._scans = 0
        self._stands_still = False

    @classmethod
    async def open(
        cls,
        transport: str | Transport,
        *,
        address: str | None = None,
        bonds: Path | None = None,
    ) -> BumbleCentral:
        """Power an adapter on.

        Parameters
        ----------
        transport
            bumble's name of an HCI transport (`usb:0`, `serial:/dev/ttyACM0,1000000`,
            `hci-socket:0`, `tcp-client:HOST:PORT`, `unix-client:PATH`), or one that is open.
        address
            Our own static random address. By default a random one, or with `bonds` a fixed one.
        bonds
            File that keeps the keys of paired devices; without it they are forgotten at the end.

        Raises
        ------
        BleakBluetoothNotAvailableError
            If there is no such adapter, or it does not answer.
        """
        name = transport if isinstance(transport, str) else GIVEN
        own = hci.Address(address) if address is not None else own_address(bonds)
        if isinstance(transport, str):
            transport = await _opened(transport)
        return cls(await _powered_on(transport, name, own, bonds), transport, name, bonds)

    async def reopen(self) -> None:
        """Open an adapter that is gone or stands still once more; nothing where it is well.

        It is reset, so that it holds no link that nobody here knows of.

        Raises
        ------
        BleakBluetoothNotAvailableError
            If it has not come back, or its transport was given open and has ended.
        """
        if not self.is_lost:
            return
        if self._name == GIVEN and self._has_ended:
            self.check()
        self._stands_still = True  # until it answers again
        if self._name == GIVEN:
            transport = self._transport
        else:
            # first, as most adapters can be opened once only
            await _closed(self._transport)
            transport = self._transport = await _opened(self._name)
        own = self.device.random_address
        self.device = await _powered_on(transport, self._name, own, self._bonds)
        self._scans, self._stands_still = 0, False

    async def __aenter__(self) -> BumbleCentral:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def close(self) -> None:
        """End all links and give the adapter back."""
        for connection in list(self.device.connections.values()):
            if not self.is_lost:
                await self.disconnect(connection)
        with contextlib.suppress(core.BaseBumbleError, TimeoutError):
            async with asyncio.timeout(CANCEL_TIMEOUT_S):
                await self.device.power_off()
        await _closed(self._transport)

    @property
    def is_lost(self) -> bool:
        """Whether the adapter is gone (unplugged, its socket closed), or stands still."""
        return self._stands_still or self._has_ended

    @property
    def _has_ended(self) -> bool:
        terminated = getattr(self._transport.source, "terminated", None)
        return terminated is not None and bool(terminated.done())

    def check(self) -> None:
        """Raise BleakBluetoothNotAvailableError if the adapter is gone."""
        if self.is_lost:
            raise _unavailable(
                "the Bluetooth adapter does not answer"
                if self._stands_still
                else "the Bluetooth adapter is gone"
            )

    @contextlib.asynccontextmanager
    async def _answered(self, within_s: float) -> AsyncIterator[None]:
        """A command to the controller; one that is not answered in time means that it is lost."""
        try:
            async with asyncio.timeout(within_s):
                yield
        except TimeoutError:
            self._stands_still = True
            raise

    async def start_scan(self, *, active: bool = True) -> None:
        """Listen for adverts until as many `stop_scan` as `start_scan` came."""
        async with self._scanning:
            self.check()
            if self._scans == 0:
                with bleak_errors("cannot scan"):
                    async with self._answered(COMMAND_TIMEOUT_S):
                        await self.device.start_scanning(active=active)
            self._scans += 1

    async def stop_scan(self) -> None:
        """End one listener's scan."""
        async with self._scanning:
            self._scans -= 1
            if self._scans == 0 and not self.is_lost:
                with bleak_errors("cannot stop scanning"):
                    async with self._answered(COMMAND_TIMEOUT_S):
                        await self.device.stop_scanning()

    async def connect(self, address: hci.Address) -> Any:
        """Connect as soon as the device advertises; cancel to give up. One waits at a time."""
        async with self._connecting:
            self.check()
            preferences = ConnectionParametersPreferences(
                supervision_timeout=SUPERVISION_TIMEOUT_MS
            )
            attempt = asyncio.ensure_future(
                self.device.connect_le(address, {hci.Phy.LE_1M: preferences})
            )
            try:
                await asyncio.wait({attempt})
            except asyncio.CancelledError:
                await self._abandon(attempt)
                raise
            with bleak_errors(f"cannot connect to {address.to_string(False)}"):
                return attempt.result()

    async def disconnect(self, connection: Any) -> None:
        """End a link; one that is already gone is no error."""
        try:
            with bleak_errors("disconnect"):
                async with asyncio.timeout(CANCEL_TIMEOUT_S):
                    await connection.disconnect()
        except BleakError:
            pass
        except TimeoutError:
            # The peer may be away, and the link ends when it is missed; or nobody answers.
            with contextlib.suppress(BleakError, TimeoutError), bleak_errors("disconnect"):
                async with self._answered(CANCEL_TIMEOUT_S):
                    await self.device.send_sync_command(
                        hci.HCI_Read_Local_Version_Information_Command()
                    )

    async def _abandon(self, attempt: asyncio.Future[Any]) -> None:
        """Tell the controller to stop connecting, else it takes no other request."""
        with contextlib.suppress(core.BaseBumbleError, TimeoutError):
            async with self._answered(CANCEL_TIMEOUT_S):
                await self.device.send_sync_command(hci.HCI_LE_Create_Connection_Cancel_Command())
                await asyncio.wait({attempt})
        if not attempt.done():
            attempt.cancel()
            await asyncio.wait({attempt}, timeout=CANCEL_TIMEOUT_S)
        elif not attempt.cancelled() and attempt.exception() is None:
            await self.disconnect(attempt.result())


async def _opened(name: str) -> Transport:
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            return await open_transport(name)
    except TimeoutError:
        raise _unavailable(f"{name} did not open within {START_TIMEOUT_S:.0f} s") from None
    except Exception as error:
        # Every transport has its own: OSError, SerialException, USBError, ImportError ...
        raise _unavailable(f"cannot open {name}: {str(error) or repr(error)}") from error


async def _closed(transport: Transport) -> None:
    """Close; what is gone already is no error, and what does not close is left alone."""
    with contextlib.suppress(OSError, core.BaseBumbleError, TimeoutError):
        async with asyncio.timeout(CANCEL_TIMEOUT_S):
            await transport.close()


async def _powered_on(
    transport: Transport, name: str, own: hci.Address, bonds: Path | None
) -> Device:
    device = Device.from_config_with_hci(
        DeviceConfiguration(name="bleak", address=own), transport.source, transport.sink
    )
    if bonds is not None:
        device.keystore = BondFile(str(own), str(bonds))
    try:
        async with asyncio.timeout(START_TIMEOUT_S):
            with bleak_errors(f"cannot start {name}"):
                await device.power_on()
    except BaseException as error:
        if name != GIVEN:
            await _closed(transport)
        if isinstance(error, TimeoutError):
            raise _unavailable(f"{name} does not answer as a Bluetooth adapter") from None
        if isinstance(error, BleakError):
            raise _unavailable(str(error)) from error
        raise
    return device


def _unavailable(message: str) -> BleakBluetoothNotAvailableError:
    return BleakBluetoothNotAvailableError(message, BleakBluetoothNotAvailableReason.NO_BLUETOOTH)
