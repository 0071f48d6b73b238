"""A recording as a source: the same rows, at the pace they came, faster, or at once."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator
from typing import Self

from sensor.recording.log import Recording
from sensor.samples import Notification
from sensor.source import About

ROWS_AT_ONCE = 500


class Playback:
    """Yields a recording's notifications.

    Parameters
    ----------
    speed
        Times real time; infinite plays as fast as the consumer takes them.
    """

    def __init__(self, recording: Recording, speed: float = 1.0) -> None:
        if not speed > 0:
            raise ValueError(f"speed not above 0: {speed}")
        self._recording = recording
        self._speed = speed
        self._last_us = 0
        self._stopped = False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None

    def now_us(self) -> int:
        """When the row that was played last was received, UTC in µs."""
        return self._last_us

    def clock_shift_us(self) -> int:
        """A recording's times stand."""
        return 0

    def follow(self, ledger: object) -> None:
        """Nothing can be asked of a recording."""

    @property
    def about(self) -> About:
        """Nothing: there is no band."""
        return About()

    async def stop(self) -> None:
        """End the iteration at the next row."""
        self._stopped = True

    async def __aiter__(self) -> AsyncIterator[Notification]:
        loop = asyncio.get_running_loop()
        start_s, first_us, after = loop.time(), None, 0
        while rows := list(self._recording.rows(after=after, limit=ROWS_AT_ONCE)):
            for _, notification in rows:
                if self._stopped:
                    return
                if first_us is None:
                    first_us = notification.received_us
                self._last_us = notification.received_us
                due_s = start_s + (notification.received_us - first_us) / 1e6 / self._speed
                if math.isfinite(self._speed) and due_s > loop.time():
                    await asyncio.sleep(due_s - loop.time())
                yield notification
            after = rows[-1][0]
            await asyncio.sleep(0)
