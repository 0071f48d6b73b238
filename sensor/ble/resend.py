"""Asks a band again for the samples that did not come, while its stream goes on."""

from __future__ import annotations

import asyncio
import contextlib
import logging

from sensor.ble.inbox import Inbox
from sensor.ble.link import BandLink
from sensor.errors import FrameError, LinkError
from sensor.timeline.repair import Repair
from sensor.wire.frames import ForceFrame
from sensor.wire.profile import Answer, Command, Info, Opcode, Status

logger = logging.getLogger(__name__)

RESEND_TIMEOUT_S = 10.0
"""An answer may be late behind a burst; the watchdog judges the link, not this."""
CROWDED_S = 0.1


class GapFiller:
    """The gaps of a session, over all its links. What is lost for good becomes a mark."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._repair: Repair | None = None
        self._boot_id: int | None = None
        self._due = asyncio.Event()
        self.good_frames = self.bad_frames = 0

    @property
    def missing(self) -> int:
        """How many samples may still be had."""
        return 0 if self._repair is None else self._repair.missing

    def take_info(self, info: Info) -> None:
        """The band said this of itself. After a power-on its index and memory begin anew."""
        if self._repair is not None and self._boot_id == info.boot_id:
            self._repair.set_rate(info.rate_hz, info.ring_samples)
            return
        self.give_up()
        self._boot_id = info.boot_id
        self._repair = Repair(info.rate_hz, info.ring_samples)

    def take_frame(self, payload: bytes) -> bool:
        """A force frame came; False if it cannot be read."""
        try:
            frame = ForceFrame.from_bytes(payload)
        except FrameError as error:
            self.bad_frames += 1
            logger.debug("%s", error)
            return False
        self.good_frames += 1
        if self._repair is not None:
            self._repair.receive(frame, _now_s())
            if self._repair.missing:
                self._due.set()
        return True

    def take_answer(self, payload: bytes) -> None:
        """Learn a new rate: its frames follow at once, before Info can be read again."""
        with contextlib.suppress(FrameError):
            answer = Answer.from_bytes(payload)
            if answer.opcode == Opcode.SET_RATE and answer.status == Status.OK:
                rate_hz = answer.rate_hz()
                if self._repair is not None and rate_hz > 0:
                    self._repair.set_rate(rate_hz)

    def take_reached(self, answer: Answer) -> None:
        """START or STOP was answered, perhaps with the index of the next sample."""
        index = answer.next_sample()
        if self._repair is not None and index is not None and answer.status == Status.OK:
            self._repair.reached(index)
            self._due.set()

    def give_up(self) -> None:
        """Nothing more will come of what is missing."""
        if self._repair is not None:
            self._repair.give_up_all()
            self._mark_given_up()

    async def run(self, link: BandLink) -> None:
        """Ask for one missing range after the other for as long as the link lasts.

        Nothing is asked for while the reader is behind: it would be dropped again.
        """
        repair = self._repair
        assert repair is not None
        # An earlier link may have ended between a request and its answer.
        repair.unanswered(_now_s())
        while not link.lost.is_set():
            wanted = None if self._inbox.is_crowded else repair.request(_now_s())
            self._mark_given_up()
            if wanted is not None:
                await self._ask(link, repair, *wanted)
                continue
            self._due.clear()
            wait_s = CROWDED_S if self._inbox.is_crowded else repair.wait_s(_now_s())
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if wait_s is None else wait_s + 0.001):
                    await self._due.wait()

    async def _ask(self, link: BandLink, repair: Repair, first: int, count: int) -> None:
        try:
            answer = await link.command(Command.resend(first, count), RESEND_TIMEOUT_S)
        except LinkError as error:
            logger.info("resend of %d samples from %d on: %s", count, first, error)
            repair.unanswered(_now_s())
        else:
            repair.answered(answer, _now_s())
        self._mark_given_up()

    def _mark_given_up(self) -> None:
        assert self._repair is not None
        for first, count in self._repair.take_given_up():
            logger.warning("%d samples from %d on are lost", count, first)
            self._inbox.mark(kind="gave_up", first=first, count=count)


def _now_s() -> float:
    return asyncio.get_running_loop().time()
