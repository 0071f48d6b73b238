"""A band over Bluetooth as a source: found, followed, reconnected, its gaps repaired."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterator
from itertools import chain, repeat
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sensor.ble.finder import FoundDevice, find, reopen, scan
from sensor.ble.inbox import MAX_WAITING, Inbox
from sensor.ble.link import ANSWER_TIMEOUT_S, BandLink, is_cut_short
from sensor.ble.resend import GapFiller
from sensor.errors import FrameError, LinkError
from sensor.samples import Channel, Notification
from sensor.source import HostClock
from sensor.wire.frames import MAX_SAMPLES
from sensor.wire.profile import Answer, Calibration, Command, Info, Opcode, Status

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral

__all__ = ["BleSource", "FoundDevice", "find", "scan"]

logger = logging.getLogger(__name__)

FIND_TIMEOUT_S = 15.0
SILENCE_S = 3.0
DRAIN_S = 5.0
"""At the end, resends are waited for as long as they bring something within this time."""
WAIT_S = 0.05
GRACE_S = 2.0
LEAVE_TIMEOUT_S = 1.0
MAX_BACK_OFF_S = 10.0


class BleSource:
    """Everything a band sends, and what the host does about it, as notifications.

    Entering finds the band and connects. Then the stream goes on over losses of the link for as
    long as asked: each connection says `up`, its Info, battery, commands and answers, and `down`
    with a reason. Samples that the index shows as missing are asked for again; those that nobody
    can bring are named in a mark `{"kind": "gave_up", "first": ..., "count": ...}`. Frames that
    cannot be read are passed on as they are. A frame that repeats the one before is dropped.

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
        A link without a force frame for so long is dropped and made anew.
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
        self._wanted = wanted
        self._central = central
        self._pair = pair
        self._find_timeout_s = find_timeout_s
        self._silence_s = silence_s
        self._give_up_after_s = give_up_after_s
        self._inbox = Inbox(clock or HostClock(), max_waiting)
        self._found: FoundDevice | None = None
        self._link: BandLink | None = None
        self._ready = asyncio.Event()
        self._info: Info | None = None
        self._gaps = GapFiller(self._inbox)
        self._stopping = asyncio.Event()
        self._runner: asyncio.Task[None] | None = None
        self._last_force_s = 0.0
        self._paused = False

    async def __aenter__(self) -> Self:
        self._found = await find(self._wanted, self._find_timeout_s, central=self._central)
        link = await self._connect(self._found)
        self._runner = asyncio.create_task(self._run(link), name="band")
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        runner, link = self._runner, self._link
        if runner is None or link is None:
            return
        await _ended(runner)
        if not link.lost.is_set():
            with contextlib.suppress(LinkError):
                await link.command(Command(Opcode.STOP), LEAVE_TIMEOUT_S)
        await link.close("stopped")
        self._end()
        if exc is None and not runner.cancelled() and (error := runner.exception()) is not None:
            raise error

    async def __aiter__(self) -> AsyncIterator[Notification]:
        while (notification := await self._inbox.get()) is not None:
            yield notification

    @property
    def address(self) -> str | None:
        """The band's address, once it is found."""
        return None if self._found is None else self._found.address

    @property
    def info(self) -> Info | None:
        """What the band last said of itself."""
        return self._info

    @property
    def mtu(self) -> int | None:
        """The ATT MTU of the present link, as the backend tells it."""
        return None if self._link is None else self._link.mtu

    @property
    def dropped(self) -> int:
        """Notifications dropped because the reader was too slow."""
        return self._inbox.dropped

    @property
    def bad_frames(self) -> int:
        """Force notifications that could not be read."""
        return self._gaps.bad_frames

    async def stop(self) -> None:
        """Stop the band, wait a while for what can still be repaired, and end the iteration.

        Go on iterating to get the rest.
        """
        self._stopping.set()
        if self._runner is not None:
            await asyncio.wait({self._runner})

    async def command(self, command: Command, timeout_s: float = ANSWER_TIMEOUT_S) -> Answer:
        """Give the band a command, once it is connected; LinkError if it is not, or no answer."""
        link = await self._connected(timeout_s)
        return await link.command(command, timeout_s)

    async def _connected(self, timeout_s: float) -> BandLink:
        """The link, which may be in the making: before it is subscribed no answer arrives."""
        if self._runner is not None and not self._runner.done():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._ready.wait()
        if self._link is None or not self._ready.is_set():
            raise LinkError("the band is not connected just now: try again", self.address)
        return self._link

    async def tare(self) -> Calibration:
        """Take the present force as zero; the calibration that holds from now on."""
        return _accepted(await self.command(Command(Opcode.TARE)), self.address).calibration()

    async def identify(self) -> None:
        """Let the band show itself."""
        _accepted(await self.command(Command(Opcode.IDENTIFY)), self.address)

    async def pause(self) -> None:
        """Let the band fall silent; the link stays. It goes on sampling into its memory."""
        answer = _accepted(await self.command(Command(Opcode.STOP)), self.address)
        self._paused = True
        self._gaps.take_reached(answer)

    async def resume(self) -> None:
        """Stream again; what the band still remembers of the pause is fetched."""
        self._paused, self._last_force_s = False, _now_s()
        self._gaps.take_reached(_accepted(await self.command(Command(Opcode.START)), self.address))

    async def set_rate(self, rate_hz: float) -> float:
        """Change the sample rate; the rate that the band took. Its Info follows in the stream."""
        answer = _accepted(await self.command(Command.set_rate(rate_hz)), self.address)
        if self._link is not None:
            await self._take_info(self._link)
        return answer.rate_hz()

    async def _connect(self, found: FoundDevice) -> BandLink:
        """A link that streams."""
        link = BandLink(found.device, self._receive, pair=self._pair, central=self._central)
        try:
            await link.open()
            await self._take_info(link)
            await link.follow_battery()
            await link.subscribe()
            self._last_force_s = _now_s()
            if not self._paused:
                started = await link.command(Command(Opcode.START))
                self._gaps.take_reached(_accepted(started, link.address))
        except BaseException as error:
            await link.close(str(error) or "interrupted")
            raise
        self._link = link
        self._ready.set()
        logger.info("connected to %s", link.band)
        return link

    async def _take_info(self, link: BandLink) -> None:
        payload = await link.read_info()
        try:
            self._info = Info.from_bytes(payload)
        except FrameError as error:
            raise LinkError(
                f"{link.band} says nothing sensible of itself ({error}): update its firmware",
                link.address,
            ) from error
        self._gaps.take_info(self._info)
        self._inbox.put(Channel.INFO, payload)

    async def _run(self, link: BandLink) -> None:
        """Serve one link after the other until told to stop."""
        error: Exception | None = None
        try:
            while True:
                await self._serve(link)
                if self._stopping.is_set():
                    return
                logger.warning("lost %s: %s", link.band, link.reason)
                found = await self._reconnect(link)
                if found is None:
                    return
                link = found
        except LinkError as lost:
            error = lost
        except Exception as unforeseen:
            error = unforeseen
            raise
        finally:
            self._end(error)

    async def _serve(self, link: BandLink) -> None:
        """Watch over a link until it is lost or the end is wanted."""
        repairing = asyncio.create_task(self._gaps.run(link), name="band gaps")
        try:
            while not link.lost.is_set() and not self._stopping.is_set():
                silent_s = 0.0 if self._paused else _now_s() - self._last_force_s
                if silent_s >= self._patience_s:
                    await link.close(f"no force frame for {silent_s:.1f} s")
                    break
                nap_s = min(self._patience_s - silent_s, self._patience_s / 4)
                awake_s = _now_s() + nap_s
                await _first(nap_s, link.lost, self._stopping)
                if _now_s() > awake_s + self._patience_s / 4:
                    # The computer slept, not the band: what came meanwhile is yet to be read.
                    self._last_force_s = _now_s()
            if self._stopping.is_set():
                await self._drain(link)
        finally:
            await _ended(repairing)
            if not repairing.cancelled() and (error := repairing.exception()) is not None:
                raise error
        if link.lost.is_set():
            # Frees what the backend keeps of a lost connection.
            await link.close(link.reason)

    @property
    def _patience_s(self) -> float:
        """A slow band needs its time to fill a frame."""
        rate_hz = self._info.rate_hz if self._info is not None else 1.0
        return max(self._silence_s, 1.0 + MAX_SAMPLES / rate_hz)

    async def _drain(self, link: BandLink) -> None:
        """Stop the band, and let the last gaps be repaired."""
        with contextlib.suppress(LinkError):
            self._gaps.take_reached(await link.command(Command(Opcode.STOP)))
        # Waits are counted, not the clock: the computer may stand still, and the band remembers.
        fewest, waits = self._gaps.missing, 0
        while self._gaps.missing and not link.lost.is_set() and waits * WAIT_S < DRAIN_S:
            await _first(WAIT_S, link.lost)
            waits += 1
            if self._gaps.missing < fewest:
                fewest, waits = self._gaps.missing, 0
        await link.close("stopped")

    async def _reconnect(self, lost: BandLink) -> BandLink | None:
        """The next link; None if the end is wanted first.

        Raises
        ------
        LinkError
            If it takes longer than `give_up_after_s`.
        """
        assert self._found is not None
        limit_s = self._give_up_after_s
        until_s = None if limit_s is None else _now_s() + limit_s
        for attempt, pause_s in enumerate(back_off()):
            if await _first(pause_s, self._stopping):
                return None
            left_s = None if until_s is None else until_s - _now_s()
            if left_s is not None and left_s <= 0:
                raise LinkError(f"{lost.band} did not come back within {limit_s:g} s", lost.address)
            looking = asyncio.create_task(self._look_again(self._found, search=attempt > 0))
            try:
                if await _first(left_s, self._stopping, looking):
                    # It may be about to succeed, and the samples to be had.
                    await asyncio.wait({looking}, timeout=GRACE_S)
                    if not looking.done():
                        return None
                if looking.done():
                    return looking.result()
            except LinkError as error:
                logger.info("%s is still away: %s", lost.band, error)
            finally:
                await _ended(looking)
        raise AssertionError("back_off ended")

    def _end(self, error: BaseException | None = None) -> None:
        self._gaps.give_up()
        self._inbox.end(error)

    async def _look_again(self, found: FoundDevice, *, search: bool) -> BandLink:
        if self._central is not None and self._central.is_lost:
            await reopen(self._central)
            search = True  # what was found belongs to the adapter that is gone
        if search:
            found = await find(found.address, self._find_timeout_s, central=self._central)
        return await self._connect(found)

    def _receive(self, channel: Channel, payload: bytes) -> None:
        """What a link brings; called from the radio's callbacks."""
        kept = self._inbox.put(channel, payload)
        if channel is Channel.LINK:
            self._ready.clear()
        elif channel is Channel.ANSWER:
            self._gaps.take_answer(payload)
        elif channel is Channel.FORCE:
            self._last_force_s = _now_s()
            if kept and not self._gaps.take_frame(payload):
                self._judge_bad_frame(payload)

    def _judge_bad_frame(self, payload: bytes) -> None:
        """End where no frame will ever fit; some stacks do not tell the MTU."""
        if is_cut_short(payload) and not self._gaps.good_frames and self._link is not None:
            self._inbox.end(self._link.mtu_error())
            self._stopping.set()


def back_off() -> Iterator[float]:
    """Pauses before each attempt to reconnect, s: at once, then ever longer."""
    return chain((0.0, 0.5, 1.0, 2.0, 4.0, 8.0), repeat(MAX_BACK_OFF_S))


def _accepted(answer: Answer, address: str | None) -> Answer:
    if answer.status != Status.OK:
        name = Opcode(answer.opcode).name
        raise LinkError(f"the band refused {name}: {answer.status.name}", address)
    return answer


def _now_s() -> float:
    return asyncio.get_running_loop().time()


async def _ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it is done.

    Up to Python 3.11 `asyncio.wait_for`, which bumble uses, may swallow a cancellation.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)
    if not task.cancelled():
        task.exception()


async def _first(timeout_s: float | None, *things: asyncio.Event | asyncio.Task[BandLink]) -> bool:
    """Wait until one of the things is set or done; whether the first one is."""
    waiting = {
        asyncio.ensure_future(thing.wait()) if isinstance(thing, asyncio.Event) else thing
        for thing in things
    }
    try:
        await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in waiting:
            if future not in things:
                future.cancel()
    return isinstance(things[0], asyncio.Event) and things[0].is_set()
