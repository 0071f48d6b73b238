"""The connection to one band: made again whenever it is lost, for as long as the band is wanted."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from itertools import chain, repeat
from typing import TYPE_CHECKING

from sensor.ble.finder import FoundDevice, find, reopen
from sensor.ble.foreign import AdvertLink, ForeignLink
from sensor.ble.inbox import MAX_WAITING, Inbox
from sensor.ble.link import BandLink, Link
from sensor.ble.resend import Resender
from sensor.ble.waiting import ended, first, now_s
from sensor.errors import LinkError
from sensor.samples import Channel
from sensor.source import About, HostClock
from sensor.wire.profile import Info

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral

logger = logging.getLogger(__name__)

FIND_TIMEOUT_S = 15.0
SILENCE_S = 3.0
DRAIN_S = 5.0
"""At the end, resends are waited for as long as they bring something within this time."""
WAIT_S = 0.05
GRACE_S = 2.0
LEAVE_TIMEOUT_S = 1.0
MAX_BACK_OFF_S = 10.0
STEADY_S = 5.0
"""A link that lasts so long is a good one; the pauses before the next begin again."""
MOST_UNREADABLE = 20
"""No air damages so many in a row: the band does not speak our language."""
OTHERS_S = 3.0
"""How long to listen for another band, where the one that was heard first does not answer."""


class Connection:
    """One link after the other; what they bring goes into the inbox.

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
    scale
        Newtons per count of a device that sends counts; a correcting factor for another's newtons.
        Our own band keeps its calibration itself.
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
        scale: float | None = None,
    ) -> None:
        self._wanted = wanted
        self._scale = scale
        self._central = central
        self._pair = pair
        self._find_timeout_s = find_timeout_s
        self._silence_s = silence_s
        self._give_up_after_s = give_up_after_s
        self.info: Info | None = None
        """What the band last said of its samples."""
        self._about: About | None = None
        self._inbox = Inbox(clock or HostClock(), max_waiting)
        self._resender = Resender(self._inbox)
        self._found: FoundDevice | None = None
        self._link: Link | None = None
        self._ready = asyncio.Event()
        """Set while commands are answered: before a link is subscribed no response arrives."""
        self._stopping = asyncio.Event()
        self._last_force_s = self._connected_s = 0.0
        self._paused = False
        self._has_whole_frames = False
        self._unreadable = 0
        self._pauses = back_off()
        self._tried: dict[str, LinkError] = {}
        """Bands that brought nothing; others are tried first, unless one is wanted by name."""

    async def _open(self) -> None:
        """Find the band and make the first link.

        Raises
        ------
        LinkError
            If that fails.
        """
        while True:
            found = await self._heard()
            try:
                await self._connect(found)
            except LinkError as error:
                if self._wanted is not None:
                    raise
                logger.warning("%s: %s", found.address, error)
                self._tried[found.address] = error
            else:
                self._found = found
                return

    async def _heard(self) -> FoundDevice:
        """A band that was not tried yet.

        Raises
        ------
        LinkError
            If there is none, or what the first that was tried was about.
        """
        timeout_s = min(OTHERS_S, self._find_timeout_s) if self._tried else self._find_timeout_s
        try:
            return await find(self._wanted, timeout_s, central=self._central, avoid=self._tried)
        except LinkError as error:
            raise next(iter(self._tried.values()), error) from None

    async def _run(self) -> None:
        """Serve one link after the other until told to stop."""
        error: Exception | None = None
        try:
            while True:
                link = self._link
                assert link is not None
                await self._serve(link)
                if self._stopping.is_set():
                    return
                logger.warning("lost %s: %s", link.band, link.reason)
                if not await self._reconnect(link):
                    return
        except LinkError as lost:
            error = lost
        except Exception as unforeseen:
            error = unforeseen
            raise
        finally:
            self._inbox.end(error)

    async def _leave(self) -> None:
        """Stop the band and let it go, if it is still there."""
        assert self._link is not None
        if not self._link.lost.is_set():
            with contextlib.suppress(LinkError):
                await self._link.end(LEAVE_TIMEOUT_S)
        await self._link.close("stopped")
        self._inbox.end()

    def _expect_frames(self, expected: bool) -> None:
        """Whether the band streams: only then silence is a reason to make a new link."""
        self._paused, self._last_force_s = not expected, now_s()

    async def _connect(self, found: FoundDevice) -> None:
        """A link that streams."""
        link = self._link_to(found)
        try:
            await link.open()
            await link.begin()
            self.info = link.info
            if self._about is None:
                self._about = await link.read_about()
            self._last_force_s = now_s()
            if not self._paused:
                await link.start()
        except BaseException as error:
            await link.close(str(error) or "interrupted")
            raise
        self._link, self._connected_s = link, now_s()
        self._ready.set()
        logger.info("connected to %s", link.band)

    def _link_to(self, found: FoundDevice) -> Link:
        device, receive, central = found.device, self._receive, self._central
        if found.driver is None:
            return BandLink(device, receive, pair=self._pair, central=central)
        if found.driver.company is not None:
            return AdvertLink(found.driver, self._scale, device, receive, central=central)
        return ForeignLink(
            found.driver, self._scale, device, receive, pair=self._pair, central=central
        )

    async def _serve(self, link: Link) -> None:
        """Watch over a link until it is lost or the end is wanted."""
        resending = asyncio.create_task(self._resend_over(link), name="band resends")
        try:
            while not link.lost.is_set() and not self._stopping.is_set():
                silent_s = 0.0 if self._paused else now_s() - self._last_force_s
                if silent_s >= self._patience_s:
                    await link.close(f"no force frame for {silent_s:.1f} s")
                    break
                nap_s = min(self._patience_s - silent_s, self._patience_s / 4)
                awake_s = now_s() + nap_s
                await first(nap_s, link.lost, self._stopping)
                if now_s() > awake_s + self._patience_s / 4:
                    # The computer slept, not the band: what came meanwhile is yet to be read.
                    self._last_force_s = now_s()
            if self._stopping.is_set():
                await self._drain(link)
        finally:
            await ended(resending)
            if not resending.cancelled() and (error := resending.exception()) is not None:
                raise error
        if link.lost.is_set():
            # Frees what the backend keeps of a lost connection.
            await link.close(link.reason)

    async def _resend_over(self, link: Link) -> None:
        """Only our own band remembers."""
        if isinstance(link, BandLink):
            await self._resender.run(link)

    @property
    def _patience_s(self) -> float:
        """How long the link may be silent."""
        return max(self._silence_s, 0.0 if self._link is None else self._link.patience_s)

    async def _drain(self, link: Link) -> None:
        """Stop the band, and let what is missing be brought."""
        with contextlib.suppress(LinkError):
            await link.end()
        # Waits are counted, not the clock: the computer may stand still, and the band remembers.
        fewest, waits = self._left(), 0
        while any(self._left()) and not link.lost.is_set() and waits * WAIT_S < DRAIN_S:
            await first(WAIT_S, link.lost)
            waits += 1
            if self._left() < fewest:
                fewest, waits = self._left(), 0
        await link.close("stopped")

    def _left(self) -> tuple[int, int]:
        """Notifications that are yet to be read, and samples that may still be had."""
        return self._inbox.unread, self._resender.missing

    async def _reconnect(self, lost: Link) -> bool:
        """Make the next link; False if the end is wanted first.

        Raises
        ------
        LinkError
            If it takes longer than `give_up_after_s`.
        """
        assert self._found is not None
        if now_s() >= self._connected_s + STEADY_S:
            self._pauses = back_off()
        limit_s = self._give_up_after_s
        until_s = None if limit_s is None else now_s() + limit_s
        for attempt, pause_s in enumerate(self._pauses):
            if await first(pause_s, self._stopping):
                return False
            left_s = None if until_s is None else until_s - now_s()
            if left_s is not None and left_s <= 0:
                raise LinkError(f"{lost.band} did not come back within {limit_s:g} s", lost.address)
            looking = asyncio.create_task(self._look_again(self._found, search=attempt % 2 == 1))
            try:
                if await first(left_s, self._stopping, looking):
                    # It may be about to succeed, and the samples to be had.
                    await asyncio.wait({looking}, timeout=GRACE_S)
                    if not looking.done():
                        return False
                if looking.done():
                    looking.result()
                    return True
            except LinkError as error:
                logger.info("%s is still away: %s", lost.band, error)
            finally:
                await ended(looking)
        raise AssertionError("back_off ended")

    async def _look_again(self, found: FoundDevice, *, search: bool) -> None:
        if self._central is not None and self._central.is_lost:
            await reopen(self._central)
            search = True  # what was found belongs to the adapter that is gone
        if self._wanted is None and not self._has_whole_frames:
            # It was connected and brought nothing: perhaps another one does.
            self._tried.setdefault(found.address, LinkError("it brought nothing", found.address))
            try:
                found = self._found = await self._heard()
                search = False
            except LinkError:
                self._tried.clear()
        if search:
            again = await find(found.address, self._find_timeout_s, central=self._central)
            found = again if again.is_usable else replace(again, driver=found.driver)
        await self._connect(found)

    def _receive(self, channel: Channel, payload: bytes) -> None:
        """What a link brings; called from the radio's callbacks."""
        self._inbox.put(channel, payload)
        if channel is Channel.LINK:
            self._ready.clear()
        elif channel is Channel.FORCE:
            self._last_force_s = now_s()
            if self._link is not None and not self._has_whole_frames:
                self._look_at_first(payload, self._link)

    def _look_at_first(self, payload: bytes, link: Link) -> None:
        """Up to the first frame that can be read: is this a band, and over a link that fits?"""
        error = link.misread(payload)
        if error is None:
            self._has_whole_frames = True
            return
        self._unreadable += 1
        if link.is_cut_short(payload):
            # No frame will ever fit; some stacks do not report the MTU.
            self._inbox.end(link.mtu_error())
            self._stopping.set()
        elif self._unreadable >= MOST_UNREADABLE:
            self._inbox.end(link.unreadable(self._unreadable, error))
            self._stopping.set()


def back_off() -> Iterator[float]:
    """Pauses before each attempt to reconnect, s: at once, then ever longer."""
    return chain((0.0, 0.5, 1.0, 2.0, 4.0, 8.0), repeat(MAX_BACK_OFF_S))
