"""One browser that looks on: what waits to be sent to it, and what it may send."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable

from aiohttp import web

from pipeline.sinks.page.state import together
from sensor.errors import BandError

logger = logging.getLogger(__name__)

MAX_CURVE_CHARS = 64 * 1024
MAX_STATE_CHARS = 256 * 1024
MAX_QUESTION_CHARS = 1024
MAX_ASK_CHARS = 80
QUESTIONS = 20
QUESTIONS_PER_S = 2.0
SEND_TIMEOUT_S = 30.0
SKIPPED = '{"type":"skipped"}'


class Backlog:
    """What a viewer has yet to be sent: never more than it takes to begin again.

    A slow viewer loses its oldest curve, and the page breaks the line there. State is kept; where
    even that piles up, one snapshot, made when the viewer can take it, says it all.
    """

    def __init__(self) -> None:
        self._curve: deque[str] = deque()
        self._state: deque[str] = deque()
        self._curve_chars = 0
        self._state_chars = 0
        self._skipped = False
        self.stale = True

    def __bool__(self) -> bool:
        return self.stale or bool(self._state or self._curve)

    @property
    def chars(self) -> int:
        """Size of what waits."""
        return self._curve_chars + self._state_chars

    def curve(self, text: str) -> None:
        """Add messages that may be dropped."""
        if self.stale:
            return
        self._curve.append(text)
        self._curve_chars += len(text)
        while self._curve_chars > MAX_CURVE_CHARS:
            self._curve_chars -= len(self._curve.popleft())
            self._skipped = True

    def state(self, text: str) -> None:
        """Add messages that must arrive, in order, or be made good by a snapshot."""
        if self.stale:
            return
        self._state.append(text)
        self._state_chars += len(text)
        if self._state_chars > MAX_STATE_CHARS:
            self.begin_again()

    def begin_again(self) -> None:
        """Send a snapshot next, instead of all that waits."""
        self._curve.clear()
        self._state.clear()
        self._curve_chars = self._state_chars = 0
        self._skipped = False
        self.stale = True

    def take(self, snapshot: Callable[[], str]) -> str:
        """Everything that waits, as one frame."""
        if self.stale:
            text = together([snapshot()])
            self.stale = False
            return text
        parts = [*self._state, *([SKIPPED] if self._skipped else []), *self._curve]
        self.begin_again()
        self.stale = False
        return together(parts)


class Allowance:
    """So many questions at once, and so many each second after that."""

    def __init__(self, now_s: float) -> None:
        self._left = float(QUESTIONS)
        self._at_s = now_s

    def spend(self, now_s: float) -> bool:
        """Whether one more is allowed at `now_s`."""
        self._left = min(QUESTIONS, self._left + (now_s - self._at_s) * QUESTIONS_PER_S)
        self._at_s = now_s
        if self._left < 1:
            return False
        self._left -= 1
        return True


class Viewer:
    """A WebSocket with its backlog."""

    def __init__(self, socket: web.WebSocketResponse, transport: asyncio.Transport | None) -> None:
        self.socket = socket
        self.backlog = Backlog()
        self._transport = transport
        self._wake = asyncio.Event()
        self._idle = asyncio.Event()
        self.wake()

    def wake(self) -> None:
        """There is something to send."""
        self._idle.clear()
        self._wake.set()

    async def send_on(self, snapshot: Callable[[], str]) -> None:
        """Send what waits, as fast as the viewer takes it, until it is gone."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            if self.backlog:
                try:
                    async with asyncio.timeout(SEND_TIMEOUT_S):
                        await self.socket.send_str(self.backlog.take(snapshot))
                except (TimeoutError, ConnectionError):
                    logger.debug("a viewer of the live page takes nothing any more")
                    self.drop()
                    return
            if not self.backlog:
                self._idle.set()

    async def drained(self) -> None:
        """Return when everything has been sent."""
        await self._idle.wait()

    def drop(self) -> None:
        """End the connection without a word; the page comes back by itself."""
        if self._transport is not None:
            self._transport.abort()


def command_in(text: str, allowed: frozenset[str]) -> str:
    """The command that a page sent: `{"command": "tare"}`; the coach's with what is asked of it.

    Raises
    ------
    BandError
        If it is anything else; the sentence says what.
    """
    try:
        asked = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BandError("The page sent something that is not JSON.") from error
    command = asked.get("command") if isinstance(asked, dict) else None
    if not isinstance(command, str) or command not in allowed:
        raise BandError(f"The page asked for none of: {', '.join(sorted(allowed))}.")
    if command == "coach":
        return f"coach {str(asked.get('ask', ''))[:MAX_ASK_CHARS]}"
    return command
