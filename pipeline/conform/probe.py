"""A band on trial: its link, what it sent, and questions to it."""

from __future__ import annotations

import asyncio
import contextlib
import time
from typing import TYPE_CHECKING

from sensor.ble.finder import FoundDevice, find
from sensor.ble.link import BandLink
from sensor.errors import BandError, FrameError, LinkError
from sensor.samples import Channel, Notification
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Command, Info, Opcode, Response, Status
from sensor.wire.stream_check import StreamCheck

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral

FIND_S = 15.0
ANSWER_S = 3.0
RESENT_S = 3.0


class Probe:
    """One band; whoever uses it calls `leave` at the end."""

    def __init__(
        self, found: FoundDevice, central: BumbleCentral | None = None, *, pair: bool = False
    ) -> None:
        self.check = StreamCheck()
        self.frames: list[ForceFrame] = []
        """What came, to be cleared by whoever wants to see what comes next."""
        self.counts: dict[int, int] = {}
        """Counts of what came live, by index."""
        self._found, self._central, self._pair = found, central, pair
        self._link: BandLink | None = None
        self._came = asyncio.Event()

    @property
    def link(self) -> BandLink:
        assert self._link is not None
        return self._link

    @property
    def info(self) -> Info:
        assert self.link.info is not None
        return self.link.info

    async def connect(self) -> None:
        """A link that hears nothing yet."""
        if self._link is not None:
            self._found = await find(self._found.address, FIND_S, central=self._central)
        self._link = BandLink(
            self._found.device, self._receive, pair=self._pair, central=self._central
        )
        await self._link.open()

    async def leave(self) -> None:
        """Stop the band and let it go."""
        if self._link is not None:
            with contextlib.suppress(BandError):
                await self._link.end(1.0)
            await self._link.close("done")

    async def ask(self, data: bytes, name: str) -> Response | None:
        """A response; None if there is none in time. LinkError if the link is lost."""
        try:
            return await self.link.ask(data, name, ANSWER_S)
        except LinkError:
            if self.link.lost.is_set():
                raise
            return None

    async def command(self, command: Command) -> Response | None:
        return await self.ask(bytes(command), command.opcode.name)

    async def start(self) -> int | None:
        """START; the index from which on it streams, as it says.

        Raises
        ------
        LinkError
            If it will not.
        """
        self.frames.clear()
        response = await self.command(Command(Opcode.START))
        if response is None:
            raise LinkError("it did not answer START: nothing more can be tried")
        if response.status is not Status.OK:
            raise LinkError(f"it refused START ({response.status.name})")
        return response.next_sample()

    async def resent(self, first: int, count: int) -> tuple[Response | None, dict[int, int]]:
        """Ask for samples again; the response, and the counts of what came, by index.

        What does not come is asked for a second time, as a radio may lose it.
        """
        self.frames.clear()
        wanted = set(range(first, first + count))
        response = None
        for _ in range(2):
            response = await self.command(Command.resend(first, count))
            if response is None or response.status is not Status.OK:
                break
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(RESENT_S):
                    while not self._resent_counts().keys() >= wanted:
                        self._came.clear()
                        await self._came.wait()
                break
        return response, self._resent_counts()

    def _resent_counts(self) -> dict[int, int]:
        resent = (frame for frame in self.frames if frame.flags & Flag.RESENT)
        return {index: count for frame in resent for index, count in numbered(frame)}

    def _receive(self, channel: Channel, payload: bytes) -> None:
        self.check.receive(Notification(time.monotonic_ns() // 1000, payload, channel))
        if channel is Channel.FORCE:
            with contextlib.suppress(FrameError):
                frame = ForceFrame.from_bytes(payload)
                self.frames.append(frame)
                if not frame.flags & Flag.RESENT:
                    self.counts |= dict(numbered(frame))
        self._came.set()


def numbered(frame: ForceFrame) -> list[tuple[int, int]]:
    """Index and counts of each sample of a frame."""
    return list(enumerate((int(count) for count in frame.counts), frame.first_sample))
