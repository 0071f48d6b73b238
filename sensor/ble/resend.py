"""Asks a band again for the samples that did not come, while its stream goes on."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable

from sensor.ble.inbox import Inbox
from sensor.ble.link import BandLink
from sensor.ble.waiting import now_s
from sensor.errors import LinkError
from sensor.timeline.ledger import Ledger
from sensor.timeline.requests import Requests
from sensor.wire.profile import Command

logger = logging.getLogger(__name__)

RESEND_TIMEOUT_S = 10.0
"""A response may be late behind a burst; the watchdog judges the link, not this."""


class Resender:
    """Fetches what the reader's ledger misses. What is lost for good becomes a mark."""

    def __init__(self, inbox: Inbox) -> None:
        self._inbox = inbox
        self._ledger: Callable[[], Ledger] | None = None
        self._requests: Requests | None = None
        self._due = asyncio.Event()

    def follow(self, ledger: Callable[[], Ledger]) -> None:
        """Ask for what this misses: the ledger of the power-on that the reader has come to."""
        self._ledger = ledger
        self._due.set()

    @property
    def missing(self) -> int:
        """How many samples may still be had, as far as the reader has read."""
        requests = self._current()
        return 0 if requests is None else requests.missing

    def look(self) -> None:
        """The reader has taken a notification: there may be something to ask for."""
        if self._ledger is not None and self._ledger().missing:
            self._due.set()

    async def run(self, link: BandLink) -> None:
        """Ask for one missing range after the other for as long as the link lasts.

        Nothing is asked for while the reader is behind: it would be dropped again. What it reads
        is looked at in any case.
        """
        if self._requests is not None:
            # An earlier link may have ended between a request and its response.
            self._requests.unanswered(now_s())
        while not link.lost.is_set():
            wanted = wait_s = None
            requests = self._current()
            if requests is not None and not self._inbox.is_crowded:
                wanted = requests.request(now_s())
                self._mark_abandoned(requests)
                wait_s = requests.wait_s(now_s())
            if requests is not None and wanted is not None:
                await self._ask(link, requests, *wanted)
                continue
            self._due.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(None if wait_s is None else wait_s + 0.001):
                    await self._due.wait()

    def _current(self) -> Requests | None:
        """After a power-on the band's index and memory begin again, and so does what is asked."""
        if self._ledger is None:
            return None
        ledger = self._ledger()
        if self._requests is None or self._requests.ledger is not ledger:
            self._requests = Requests(ledger)
        return self._requests

    async def _ask(self, link: BandLink, requests: Requests, first: int, count: int) -> None:
        try:
            response = await link.command(Command.resend(first, count), RESEND_TIMEOUT_S)
        except LinkError as error:
            logger.info("resend of %d samples from %d on: %s", count, first, error)
            requests.unanswered(now_s())
        else:
            requests.answered(response, now_s())
        self._mark_abandoned(requests)

    def _mark_abandoned(self, requests: Requests) -> None:
        for first, count in requests.take_abandoned():
            logger.warning("%d samples from %d on are lost", count, first)
            self._inbox.mark(kind="gave_up", first=first, count=count)
