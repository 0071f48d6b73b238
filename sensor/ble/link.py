"""One connection to a band: its subscriptions, and its commands one after the other."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from bleak import BleakClient
from bleak.backends.characteristic import BleakGATTCharacteristic
from bleak.backends.client import BaseBleakClient
from bleak.backends.device import BLEDevice
from bleak.exc import BleakCharacteristicNotFoundError

from sensor.ble.explain import BLUETOOTH_ERRORS, link_error
from sensor.errors import FrameError, LinkError
from sensor.samples import Channel
from sensor.source import About
from sensor.wire.frames import MAX_FRAME_BYTES, MAX_SAMPLES, ForceFrame
from sensor.wire.profile import (
    BATTERY_LEVEL_UUID,
    CONTROL_UUID,
    FIRMWARE_REVISION_UUID,
    FORCE_UUID,
    HARDWARE_REVISION_UUID,
    INFO_UUID,
    MANUFACTURER_NAME_UUID,
    MODEL_NUMBER_UUID,
    SERIAL_NUMBER_UUID,
    Calibration,
    Command,
    Info,
    Opcode,
    Response,
    Status,
)

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral

logger = logging.getLogger(__name__)

CONNECT_TIMEOUT_S = 20.0
RESPONSE_TIMEOUT_S = 5.0
ANSWER_TIMEOUT_S = 10.0
"""Of a read or a subscription: BlueZ itself may never answer."""
LEAVE_TIMEOUT_S = 5.0
"""BlueZ takes up to three seconds."""
MIN_MTU = 23
HEADER_BYTES = 3
MAX_TEXT = 100

Receive = Callable[[Channel, bytes], None]


class Link:
    """A connection, with a client of its own, as bleak's clients do not always survive a loss.

    `receive` gets all that comes over the link and all that is written, as it happens; it must not
    block. A link is opened once and closed once.
    """

    info: Info | None = None
    """What the device last said of itself, if it is our band."""
    patience_s = 0.0
    """How long it may be silent while it streams."""

    def __init__(
        self,
        device: BLEDevice,
        receive: Receive,
        *,
        pair: bool = False,
        central: BumbleCentral | None = None,
    ) -> None:
        self.address = device.address
        self.band = f"the band {device.name or device.address}"
        self.lost = asyncio.Event()
        """Set when the link is gone, for whatever reason."""
        self.mtu: int | None = None
        """The ATT MTU, as the backend reports it; some say 23 until the first exchange."""
        self.reason = ""
        self._receive = receive
        self._trusts_mtu = central is not None
        self._client = BleakClient(
            device,
            self._on_disconnected,
            timeout=CONNECT_TIMEOUT_S,
            pair=pair,
            backend=client_backend(central),
        )
        self._up = False

    async def open(self) -> None:
        """Connect.

        Raises
        ------
        LinkError
            If that fails, or the link cannot carry what the device sends.
        """
        try:
            await self._client.connect()
            self._up = True
            self._receive(Channel.LINK, b"up")
            self._check()
        except BLUETOOTH_ERRORS as error:
            explained = link_error(error, self.band, self.address)
            await self.close(str(explained))
            raise explained from error
        except BaseException:
            await self.close("interrupted")
            raise

    def _check(self) -> None:
        """Look at what the device offers; LinkError or one of bleak where that does not fit."""

    async def begin(self) -> None:
        """Hear the device from now on."""

    async def start(self) -> None:
        """Let it stream; LinkError if it will not."""

    async def end(self, timeout_s: float = RESPONSE_TIMEOUT_S) -> None:
        """Let it fall silent."""

    async def tare(self) -> Calibration | None:
        """Take the present force as zero; the calibration from now on, if the band keeps it."""

    async def command(self, command: Command, timeout_s: float = RESPONSE_TIMEOUT_S) -> Response:
        """Only our own band takes commands."""
        del timeout_s
        raise LinkError(f"{self.band} knows no {command.opcode.name}", self.address)

    async def take_info(self) -> None:
        """Read what our band says of itself, and pass it on."""

    async def close(self, reason: str) -> None:
        """Disconnect; no error."""
        self.fail(reason)
        with contextlib.suppress(*BLUETOOTH_ERRORS):
            async with asyncio.timeout(LEAVE_TIMEOUT_S):
                await self._client.disconnect()

    def fail(self, reason: str) -> None:
        """Take the link for lost. Only the first reason counts."""
        if self.lost.is_set():
            return
        self.reason = reason
        self.lost.set()
        if self._up:
            self._receive(Channel.LINK, f"down: {reason}".encode())

    def is_cut_short(self, frame: bytes) -> bool:
        """Whether a frame that cannot be read is just what the smallest MTU leaves of one."""
        del frame
        return False

    def misread(self, payload: bytes) -> FrameError | None:
        """Why a notification is none that the device should send."""
        del payload
        return None

    def mtu_error(self) -> LinkError:
        """The error for frames that are `is_cut_short`."""
        if self.mtu is not None and self.mtu > MIN_MTU:
            return LinkError(
                f"{self.band} cuts its frames to {MIN_MTU - HEADER_BYTES} bytes, though the link "
                f"carries {self.mtu - HEADER_BYTES}: update the band's firmware",
                self.address,
            )
        return LinkError(_too_small(self.band, MIN_MTU), self.address)

    def unreadable(self, count: int, error: FrameError) -> LinkError:
        """The error for a band whose first `count` notifications are `misread`."""
        return LinkError(
            f"{self.band} sent {count} notifications and none of them can be read ({error}): "
            "update its firmware, or forceband",
            self.address,
        )

    async def read_about(self) -> About:
        """What the Device Information service tells; a band that has none, or half, is fine."""
        return About(
            self.address,
            await self._read_text(MANUFACTURER_NAME_UUID),
            await self._read_text(MODEL_NUMBER_UUID),
            await self._read_text(SERIAL_NUMBER_UUID),
            await self._read_text(FIRMWARE_REVISION_UUID),
            await self._read_text(HARDWARE_REVISION_UUID),
        )

    async def follow_battery(self) -> None:
        """Read the battery level, and hear of changes, where the band has one."""
        level = self._client.services.get_characteristic(BATTERY_LEVEL_UUID)
        if level is None:
            return
        if "read" in level.properties:
            self._receive(Channel.BATTERY, await self._read(level.uuid))
        if "notify" in level.properties:
            try:
                async with asyncio.timeout(ANSWER_TIMEOUT_S):
                    await self._client.start_notify(
                        level, lambda _, value: self._receive(Channel.BATTERY, bytes(value))
                    )
            except BLUETOOTH_ERRORS as error:
                raise link_error(error, self.band, self.address) from error

    async def _read(self, uuid: str) -> bytes:
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                return bytes(await self._client.read_gatt_char(uuid))
        except BLUETOOTH_ERRORS as error:
            raise link_error(error, self.band, self.address) from error

    async def _read_text(self, uuid: str) -> str | None:
        found = self._client.services.get_characteristic(uuid)
        if found is None or "read" not in found.properties:
            return None
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                value = bytes(await self._client.read_gatt_char(found))
        except BLUETOOTH_ERRORS as error:
            logger.info("%s does not tell %s: %s", self.band, uuid, error)
            return None
        text = value.decode("utf-8", "replace").strip("\0 \t\r\n")
        return text[:MAX_TEXT] or None

    def _on_disconnected(self, _: BleakClient) -> None:
        self.fail("the band went out of range or was switched off")


class BandLink(Link):
    """A connection to our own band."""

    def __init__(
        self,
        device: BLEDevice,
        receive: Receive,
        *,
        pair: bool = False,
        central: BumbleCentral | None = None,
    ) -> None:
        super().__init__(device, receive, pair=pair, central=central)
        self._commands = asyncio.Lock()
        self._response: tuple[int, asyncio.Future[Response]] | None = None
        self._last_force = b""

    def fail(self, reason: str) -> None:
        """Take the link for lost; nobody waits for a response any more."""
        if self._response is not None and not self._response[1].done():
            self._response[1].set_exception(LinkError(f"{self.band}: {reason}", self.address))
        super().fail(reason)

    async def subscribe(self) -> None:
        """Hear responses and force frames from now on."""
        try:
            async with asyncio.timeout(ANSWER_TIMEOUT_S):
                await self._client.start_notify(CONTROL_UUID, self._on_response)
                await self._client.start_notify(FORCE_UUID, self._on_force)
        except BLUETOOTH_ERRORS as error:
            raise link_error(error, self.band, self.address) from error

    async def begin(self) -> None:
        """Learn what the band says of itself, and hear it from now on."""
        await self.take_info()
        await self.follow_battery()
        await self.subscribe()

    async def start(self) -> None:
        """Let the band stream; LinkError if it will not."""
        accepted(await self.command(Command(Opcode.START)), self.address)

    async def end(self, timeout_s: float = RESPONSE_TIMEOUT_S) -> None:
        """Let the band fall silent."""
        accepted(await self.command(Command(Opcode.STOP), timeout_s), self.address)

    async def tare(self) -> Calibration | None:
        """Take the present force as zero; the calibration from now on."""
        return accepted(await self.command(Command(Opcode.TARE)), self.address).calibration()

    async def take_info(self) -> None:
        """Read what the band says of itself, and pass it on."""
        payload = await self._read(INFO_UUID)
        try:
            self.info = Info.from_bytes(payload)
        except FrameError as error:
            raise LinkError(
                f"{self.band} says nothing sensible of itself ({error}): update its firmware",
                self.address,
            ) from error
        # A slow band needs time to fill a frame.
        self.patience_s = 1.0 + MAX_SAMPLES / self.info.rate_hz
        self._receive(Channel.INFO, payload)

    def is_cut_short(self, frame: bytes) -> bool:
        """Whether a frame that cannot be read is just what the smallest MTU leaves of one."""
        return len(frame) == MIN_MTU - HEADER_BYTES

    def offers(self) -> dict[str, set[str]]:
        """The characteristics of the device by UUID, with what may be done with each."""
        found = self._client.services.characteristics.values()
        return {each.uuid: set(each.properties) for each in found}

    def misread(self, payload: bytes) -> FrameError | None:
        """Why a notification is no frame."""
        try:
            ForceFrame.from_bytes(payload)
        except FrameError as error:
            return error
        return None

    async def command(self, command: Command, timeout_s: float = RESPONSE_TIMEOUT_S) -> Response:
        """Write a command and wait for its response; others wait for their turn.

        Raises
        ------
        LinkError
            If the link is lost, the band refuses the write, or there is no response in time.
        """
        return await self.ask(bytes(command), command.opcode.name, timeout_s)

    async def ask(self, data: bytes, name: str, timeout_s: float = RESPONSE_TIMEOUT_S) -> Response:
        """Write any bytes to the control characteristic, and wait for the response as above."""
        async with self._commands:
            if self.lost.is_set():
                raise LinkError(f"{self.band}: {self.reason}", self.address)
            future: asyncio.Future[Response] = asyncio.get_running_loop().create_future()
            self._response = (data[0] if data else 0, future)
            self._receive(Channel.COMMAND, data)
            try:
                async with asyncio.timeout(timeout_s):
                    await self._client.write_gatt_char(CONTROL_UUID, data, response=True)
                    return await future
            except TimeoutError as error:
                raise LinkError(
                    f"{self.band} did not answer {name} within {timeout_s:.0f} s",
                    self.address,
                ) from error
            except LinkError:
                raise
            except BLUETOOTH_ERRORS as error:
                raise link_error(error, self.band, self.address) from error
            finally:
                self._response = None
                if future.done() and not future.cancelled():
                    future.exception()

    def _check(self) -> None:
        force = self._client.services.get_characteristic(FORCE_UUID)
        if force is None:
            raise BleakCharacteristicNotFoundError(FORCE_UUID)
        mtu = self.mtu = force.max_write_without_response_size + HEADER_BYTES
        # Older BlueZ does not report the MTU; then the first frame does.
        if mtu <= MIN_MTU and self._trusts_mtu:
            raise LinkError(_too_small(self.band, mtu), self.address)
        if MIN_MTU < mtu < MAX_FRAME_BYTES + HEADER_BYTES:
            logger.warning(
                "%s: an MTU of %d may cut frames short; they need %d",
                self.band,
                mtu,
                MAX_FRAME_BYTES + HEADER_BYTES,
            )

    def _on_force(self, _: BleakGATTCharacteristic, value: bytearray) -> None:
        payload = bytes(value)
        # After a reconnect some stacks call twice for each notification.
        if payload != self._last_force and not self.lost.is_set():
            self._last_force = payload
            self._receive(Channel.FORCE, payload)

    def _on_response(self, _: BleakGATTCharacteristic, value: bytearray) -> None:
        payload = bytes(value)
        self._receive(Channel.RESPONSE, payload)
        try:
            response = Response.from_bytes(payload)
        except FrameError as error:
            logger.warning("%s: %s", self.band, error)
            return
        if self._response is not None and self._response[0] == response.opcode:
            future = self._response[1]
            if not future.done():
                future.set_result(response)


def client_backend(central: BumbleCentral | None) -> type[BaseBleakClient] | None:
    """bleak's backend for a central; None, the platform's own, without one."""
    if central is None:
        return None
    # Late, as bumble is of no use where the platform's own backend does the work.
    from sensor.bumble_backend import BumbleClient

    return BumbleClient


def accepted(response: Response, address: str | None) -> Response:
    """A response that says OK; LinkError for another."""
    if response.status != Status.OK:
        name = Opcode(response.opcode).name
        raise LinkError(f"the band refused {name}: {response.status.name}", address)
    return response


def _too_small(band: str, mtu: int) -> str:
    return (
        f"{band} agreed on an MTU of {mtu} only, too small for its frames: "
        "update the Bluetooth adapter's driver or use another adapter"
    )
