"""A band over Bluetooth as a source: found, followed, reconnected, its losses asked for again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import Self

from sensor.ble.connection import Connection
from sensor.ble.link import RESPONSE_TIMEOUT_S, Link, accepted
from sensor.ble.waiting import ended
from sensor.errors import LinkError
from sensor.samples import Notification
from sensor.source import About
from sensor.timeline.ledger import Ledger
from sensor.wire.profile import Calibration, Command, Opcode, Response


class BleSource(Connection):
    """Everything a band sends, and what the host does about it, as notifications.

    Entering finds the band and connects. Then the stream goes on over losses of the link for as
    long as asked: each connection says `up`, its Info, battery, commands and responses, and `down`
    with a reason. What comes is passed on as it is; only a frame that repeats the one before is
    dropped. Samples that the ledger of whoever reads (`follow`) misses are asked for again; those
    that nobody can bring are named in a mark `{"kind": "gave_up", "first": ..., "count": ...}`.
    """

    _runner: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._open()
        self._runner = asyncio.create_task(self._run(), name="band")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        runner = self._runner
        if runner is None:
            return
        await ended(runner)
        await self._leave()
        if exc is None and not runner.cancelled() and (error := runner.exception()) is not None:
            raise error

    async def __aiter__(self) -> AsyncIterator[Notification]:
        while (notification := await self._inbox.get()) is not None:
            yield notification
            self._resender.look()

    def now_us(self) -> int:
        """UTC in µs on the clock that notifications are stamped with; it never steps."""
        return self._inbox.now_us()

    def clock_shift_us(self) -> int:
        """How far the computer's own clock was set forward since the start, µs."""
        return self._inbox.clock.shift_us()

    def follow(self, ledger: Callable[[], Ledger]) -> None:
        """Ask the band again for what this ledger misses.

        `ledger` gives the one of the present power-on; whoever reads keeps it up to date.
        """
        self._resender.follow(ledger)

    @property
    def address(self) -> str | None:
        """The band's address, once it is found."""
        return None if self._found is None else self._found.address

    @property
    def about(self) -> About:
        """What the band said of itself when it was first connected."""
        return self._about or About(self.address)

    @property
    def mtu(self) -> int | None:
        """The ATT MTU of the present link, as the backend reports it."""
        return None if self._link is None else self._link.mtu

    @property
    def dropped(self) -> int:
        """Notifications dropped because the reader was too slow."""
        return self._inbox.dropped

    async def stop(self) -> None:
        """Stop the band, wait a while for what can still be had, and end the iteration.

        Go on iterating to get the rest.
        """
        self._stopping.set()
        if self._runner is not None:
            await asyncio.wait({self._runner})

    async def command(self, command: Command, timeout_s: float = RESPONSE_TIMEOUT_S) -> Response:
        """Give the band a command, once it is connected; LinkError if it is not, or no response."""
        link = await self._connected(timeout_s)
        return await link.command(command, timeout_s)

    async def _connected(self, timeout_s: float) -> Link:
        """The link, which may be in the making."""
        if self._runner is not None and not self._runner.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._ready.wait()
        if self._link is None or not self._ready.is_set():
            raise LinkError("the band is not connected just now: try again", self.address)
        return self._link

    async def _accepted(self, command: Command) -> Response:
        return accepted(await self.command(command), self.address)

    async def tare(self) -> Calibration | None:
        """Take the present force as zero; the calibration from now on, if the device keeps it."""
        return await (await self._connected(RESPONSE_TIMEOUT_S)).tare()

    async def identify(self) -> None:
        """Let the band show itself."""
        await self._accepted(Command(Opcode.IDENTIFY))

    async def pause(self) -> None:
        """Let the band fall silent; the link stays. It goes on sampling into its memory."""
        await (await self._connected(RESPONSE_TIMEOUT_S)).end()
        self._expect_frames(False)

    async def resume(self) -> None:
        """Stream again; what the band still remembers of the pause is fetched."""
        self._expect_frames(True)
        await (await self._connected(RESPONSE_TIMEOUT_S)).start()

    async def set_rate(self, rate_hz: float) -> float:
        """Change the sample rate; the rate that the band took. Its Info follows in the stream."""
        response = await self._accepted(Command.set_rate(rate_hz))
        if self._link is not None:
            await self._link.take_info()
            self.info = self._link.info
        return response.rate_hz()
