"""A band over Bluetooth as a source: found, followed, reconnected, its losses asked for again."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from types import TracebackType
from typing import TYPE_CHECKING, Self

from sensor.ble.connection import Connection, accepted, ended
from sensor.ble.finder import FoundDevice, find, scan
from sensor.ble.inbox import MAX_WAITING, Inbox
from sensor.ble.link import RESPONSE_TIMEOUT_S, BandLink
from sensor.ble.resend import Resender
from sensor.errors import LinkError
from sensor.samples import Notification
from sensor.source import HostClock
from sensor.timeline.ledger import Ledger
from sensor.wire.profile import Calibration, Command, Info, Opcode, Response

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral

__all__ = ["BleSource", "FoundDevice", "find", "scan"]

FIND_TIMEOUT_S = 15.0
SILENCE_S = 3.0


class BleSource:
    """Everything a band sends, and what the host does about it, as notifications.

    Entering finds the band and connects. Then the stream goes on over losses of the link for as
    long as asked: each connection says `up`, its Info, battery, commands and responses, and `down`
    with a reason. What comes is passed on as it is; only a frame that repeats the one before is
    dropped. Samples that the ledger of whoever reads (`follow`) misses are asked for again; those
    that nobody can bring are named in a mark `{"kind": "gave_up", "first": ..., "count": ...}`.

    Parameters
    ----------
    wanted
        Address or name of the band; by default the first one heard.
    central
        The radio to use; by default the system's.
    pair
        Bond with the band, for one that demands it.
    clock
        Host time; by default the computer's.
    find_timeout_s
        How long to look for the band at first.
    silence_s
        A link without a force frame for so long is dropped and made again.
    give_up_after_s
        How long to look for a lost band; None means for ever.
    max_waiting
        Notifications that may wait for a slow reader; beyond, frames are dropped and asked for
        again when it has caught up.
    """

    def __init__(
        self,
        wanted: str | None = None,
        *,
        central: BumbleCentral | None = None,
        pair: bool = False,
        clock: HostClock | None = None,
        find_timeout_s: float = FIND_TIMEOUT_S,
        silence_s: float = SILENCE_S,
        give_up_after_s: float | None = None,
        max_waiting: int = MAX_WAITING,
    ) -> None:
        self._inbox = Inbox(clock or HostClock(), max_waiting)
        self._resender = Resender(self._inbox)
        self._connection = Connection(
            self._inbox,
            self._resender,
            wanted=wanted,
            central=central,
            pair=pair,
            find_timeout_s=find_timeout_s,
            silence_s=silence_s,
            give_up_after_s=give_up_after_s,
        )
        self._runner: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Self:
        await self._connection.open()
        self._runner = asyncio.create_task(self._connection.run(), name="band")
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
        await self._connection.leave()
        if exc is None and not runner.cancelled() and (error := runner.exception()) is not None:
            raise error

    async def __aiter__(self) -> AsyncIterator[Notification]:
        while (notification := await self._inbox.get()) is not None:
            yield notification
            self._resender.look()

    def now_us(self) -> int:
        """UTC in µs on the clock that notifications are stamped with; it never steps."""
        return self._inbox.now_us()

    def follow(self, ledger: Callable[[], Ledger]) -> None:
        """Ask the band again for what this ledger misses.

        `ledger` gives the one of the present power-on; whoever reads keeps it up to date.
        """
        self._resender.follow(ledger)

    @property
    def address(self) -> str | None:
        """The band's address, once it is found."""
        found = self._connection.found
        return None if found is None else found.address

    @property
    def info(self) -> Info | None:
        """What the band last said of itself."""
        return self._connection.info

    @property
    def mtu(self) -> int | None:
        """The ATT MTU of the present link, as the backend tells it."""
        link = self._connection.link
        return None if link is None else link.mtu

    @property
    def dropped(self) -> int:
        """Notifications dropped because the reader was too slow."""
        return self._inbox.dropped

    async def stop(self) -> None:
        """Stop the band, wait a while for what can still be had, and end the iteration.

        Go on iterating to get the rest.
        """
        self._connection.stopping.set()
        if self._runner is not None:
            await asyncio.wait({self._runner})

    async def command(self, command: Command, timeout_s: float = RESPONSE_TIMEOUT_S) -> Response:
        """Give the band a command, once it is connected; LinkError if it is not, or no response."""
        link = await self._connected(timeout_s)
        return await link.command(command, timeout_s)

    async def _connected(self, timeout_s: float) -> BandLink:
        """The link, which may be in the making."""
        ready = self._connection.ready
        if self._runner is not None and not self._runner.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await ready.wait()
        link = self._connection.link
        if link is None or not ready.is_set():
            raise LinkError("the band is not connected just now: try again", self.address)
        return link

    async def _accepted(self, command: Command) -> Response:
        return accepted(await self.command(command), self.address)

    async def tare(self) -> Calibration:
        """Take the present force as zero; the calibration that holds from now on."""
        return (await self._accepted(Command(Opcode.TARE))).calibration()

    async def identify(self) -> None:
        """Let the band show itself."""
        await self._accepted(Command(Opcode.IDENTIFY))

    async def pause(self) -> None:
        """Let the band fall silent; the link stays. It goes on sampling into its memory."""
        await self._accepted(Command(Opcode.STOP))
        self._connection.expect_frames(False)

    async def resume(self) -> None:
        """Stream again; what the band still remembers of the pause is fetched."""
        self._connection.expect_frames(True)
        await self._accepted(Command(Opcode.START))

    async def set_rate(self, rate_hz: float) -> float:
        """Change the sample rate; the rate that the band took. Its Info follows in the stream."""
        response = await self._accepted(Command.set_rate(rate_hz))
        if self._connection.link is not None:
            await self._connection.take_info(self._connection.link)
        return response.rate_hz()
