"""A bounded queue from a radio's callback to whoever reads, that reports what it had to drop."""

from __future__ import annotations

import asyncio
import json
from collections import deque
from typing import Any

from sensor.samples import Channel, Notification
from sensor.source import HostClock

MAX_WAITING = 4096
"""Some minutes of force frames at 80 Hz; a reader that is later than this has stalled."""


class Inbox:
    """Notifications on their way to one reader; `put` never blocks.

    Force frames and battery levels beyond `max_waiting` are dropped and counted, and a mark says
    how many, where they are missing. What the host itself has to say always gets in.
    """

    def __init__(self, clock: HostClock, max_waiting: int = MAX_WAITING) -> None:
        self.clock = clock
        self.now_us = clock.now_us
        self._max = max_waiting
        self._waiting: deque[Notification] = deque()
        self._changed = asyncio.Event()
        self._dropped_since_mark = 0
        self._end: BaseException | None = None
        self._ended = False
        self._handed_out = 0
        self.dropped = 0

    @property
    def is_crowded(self) -> bool:
        """Whether the reader is behind, so that nothing more should be asked for."""
        return len(self._waiting) > self._max // 2

    @property
    def unread(self) -> int:
        """Notifications that the reader has not yet done with."""
        return len(self._waiting) + self._handed_out

    def put(self, channel: Channel, payload: bytes) -> None:
        """Queue a payload with the present time."""
        now_us = self.now_us()
        if channel in (Channel.FORCE, Channel.BATTERY):
            if len(self._waiting) >= self._max:
                self.dropped += 1
                self._dropped_since_mark += 1
                return
            self._tell_dropped(now_us)
        self._waiting.append(Notification(now_us, payload, channel))
        self._changed.set()

    def mark(self, **facts: Any) -> None:
        """Queue a mark; `kind` names it."""
        self.put(Channel.MARK, json.dumps(facts).encode())

    def end(self, error: BaseException | None = None) -> None:
        """Let the reader finish, with `error` if there is one, once it has read what waits."""
        if not self._ended:
            self._tell_dropped(self.now_us())
            self._ended, self._end = True, error
            self._changed.set()

    async def get(self) -> Notification | None:
        """Wait for the next, having done with the one before; None at the end."""
        self._handed_out = 0
        while not self._waiting:
            if self._ended:
                if self._end is not None:
                    raise self._end
                return None
            self._changed.clear()
            await self._changed.wait()
        self._handed_out = 1
        return self._waiting.popleft()

    def _tell_dropped(self, now_us: int) -> None:
        if self._dropped_since_mark:
            facts = {"kind": "overflow", "notifications": self._dropped_since_mark}
            self._waiting.append(Notification(now_us, json.dumps(facts).encode(), Channel.MARK))
            self._dropped_since_mark = 0
