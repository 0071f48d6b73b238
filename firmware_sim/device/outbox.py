"""What waits for the radio: notifications and responses of one peripheral, in order and bounded."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from typing import Any

from bumble import core, hci

logger = logging.getLogger(__name__)

MAX_WAITING = 64
"""Notifications; later ones are dropped, and a client can ask for their samples again."""


class Outbox:
    """Sends through a bumble `device`. What is put while there is no link is let go.

    A response is indicated: it waits until the one before is confirmed, and all that follows waits
    behind it.
    """

    def __init__(self, device: Any, *, encrypted: bool) -> None:
        self.dropped = 0
        """Values that the radio could not take."""
        self._device = device
        self._encrypted = encrypted
        self._connection: Any = None
        self._waiting: deque[tuple[Any, bytes, bool]] = deque()
        self._confirmation: asyncio.Task[None] | None = None

    def __len__(self) -> int:
        return len(self._waiting)

    def open(self, connection: Any) -> None:
        """Send over this link from now on."""
        self.close()
        self._connection = connection

    def close(self) -> None:
        """The link is gone, and what waits with it."""
        self._connection = None
        self._waiting.clear()
        if self._confirmation is not None:
            self._confirmation.cancel()
            self._confirmation = None

    def notify(self, characteristic: Any, value: bytes) -> None:
        """Put a notification, unless the link must be encrypted first or too much waits."""
        if self._connection is None or (self._encrypted and not self._connection.encryption):
            return
        if len(self._waiting) >= MAX_WAITING:
            self.dropped += 1
        else:
            self._waiting.append((characteristic, value, False))

    def response(self, characteristic: Any, value: bytes) -> None:
        """Put an indication; one of a client that writes and never confirms may be dropped too."""
        if self._connection is None:
            return
        if len(self._waiting) >= 2 * MAX_WAITING:
            self.dropped += 1
        else:
            self._waiting.append((characteristic, value, True))

    async def send(self) -> None:
        """Hand on what the radio takes now."""
        while self._waiting and (connection := self._connection) is not None:
            queue = connection.data_packet_queue
            if queue is not None and queue.pending > MAX_WAITING:
                return
            characteristic, value, confirmed = self._waiting[0]
            if confirmed and self._confirmation is not None and not self._confirmation.done():
                return
            self._waiting.popleft()
            if not confirmed:
                await self._device.notify_subscriber(connection, characteristic, value)
                continue
            indication = self._indicate(connection, characteristic, value)
            self._confirmation = asyncio.create_task(indication)
            # The indication is on its way before any frame that its command brings about.
            await asyncio.sleep(0)

    async def drain(self, timeout_s: float) -> None:
        """Wait until the last response is confirmed."""
        if self._confirmation is not None:
            await asyncio.wait({self._confirmation}, timeout=timeout_s)

    async def _indicate(self, connection: Any, characteristic: Any, value: bytes) -> None:
        try:
            await self._device.indicate_subscriber(connection, characteristic, value)
        except TimeoutError:
            logger.warning("%s did not confirm a response: disconnecting", connection.peer_address)
            with contextlib.suppress(core.BaseBumbleError, hci.HCI_Error):
                await connection.disconnect()
