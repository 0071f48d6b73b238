"""From the recording to one sink, each event at least once and in order.

Live events go straight on. When the sink is away or slow, nothing is queued beyond a bound: what it
missed is computed again from the recording, from the sink's own cursor on. A process killed at any
moment leaves the cursor behind at worst, and events carry ids so that a doubled one is known.
"""

from __future__ import annotations

import asyncio
import logging
import random
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass

from pipeline.session.events import Emitted
from pipeline.session.facts import SessionFacts
from pipeline.session.session import Session
from pipeline.sinks.sink import DurableSink, SinkUnavailableError
from sensor.errors import RecordingError
from sensor.recording.log import Recording
from sensor.samples import Notification

logger = logging.getLogger(__name__)

MAX_QUEUED = 4000
CATCH_UP_ROWS = 200
BATCH = 500
FIRST_RETRY_S, LAST_RETRY_S = 0.25, 30.0


@dataclass(frozen=True, slots=True)
class DeliveryStatus:
    """Where one sink stands."""

    sink: str
    delivered_row: int
    waiting_rows: int
    problem: str | None
    rejected: str = ""
    """How much the sink rejected since `run` began, and why, in a sentence; empty for nothing."""


def waiting_rows(recording: Recording) -> dict[str, int]:
    """How many rows each sink of a recording has not acknowledged, where there are any."""
    cursors, last = recording.cursors(), recording.last_row
    owed = recording.facts.get("sinks", list(cursors))
    names = [name for name in owed if isinstance(name, str)] if isinstance(owed, list) else []
    waiting = {name: last - cursors.get(name, 0) for name in sorted(names)}
    return {name: rows for name, rows in waiting.items() if rows > 0}


class Delivery:
    """Brings one recording's events to one sink.

    Parameters
    ----------
    recording
        Open for writing; its rows are the truth and its cursor `sink.name` is moved.
    live_session
        Whether `offer` will be called as rows are appended; without, `run` delivers what there is
        and returns.
    on_status
        Called when a problem begins or ends.
    on_rejected
        Called when the sink rejected something, and again whenever that has grown tenfold.
    """

    def __init__(
        self,
        recording: Recording,
        sink: DurableSink,
        facts: SessionFacts,
        *,
        live_session: bool = True,
        new_session: Callable[[], Session] = Session,
        on_status: Callable[[DeliveryStatus], None] = lambda status: None,
        on_rejected: Callable[[DeliveryStatus], None] = lambda status: None,
    ) -> None:
        self._recording = recording
        self._sink = sink
        self._facts = facts
        self._live = live_session
        self._new_session = new_session
        self._on_status = on_status
        self._on_rejected = on_rejected
        self.on_progress: Callable[[], None] = lambda: None
        """Called when rows were computed or the cursor moved, before the loop may go on: what is
        between two calls is waiting for the sink."""
        self._queue: deque[Emitted] = deque()
        self._offered_row = recording.last_row
        # rows that never came to the file may have been delivered from memory
        self._cursor = min(recording.cursors().get(sink.name, 0), self._offered_row)
        self._cursor_kept = True
        self._behind = self._offered_row > self._cursor
        self._computed: tuple[Session, int] | None = None
        """As far as events were computed again, for the next time that the sink is behind."""
        self._wake = asyncio.Event()
        self._closing = False
        self._rounds = 0
        self._problem: str | None = None
        self._rejected, self._rejected_told = 0, 0
        self._rejection = ""

    @property
    def status(self) -> DeliveryStatus:
        """Where the sink stands now."""
        waiting = max(self._offered_row - self._cursor, 0)
        rejected = ""
        if self._rejected:
            rejected = (
                f"{self._sink.unit} rejected for good: {self._rejected} ({self._rejection}); "
                "`forceband doctor` shows them"
            )
        return DeliveryStatus(self._sink.name, self._cursor, waiting, self._problem, rejected)

    def offer(self, emitted: Sequence[Emitted], row: int) -> None:
        """Take the events of a row that was just committed; never blocks."""
        self._offered_row = row
        if not self._behind:
            self._queue.extend(t for t in emitted if isinstance(t.event, self._sink.durable))
            if len(self._queue) > MAX_QUEUED:
                self._queue.clear()
                self._behind = True
        self._wake.set()

    def again(self) -> None:
        """The session's times were mended: bring everything once more."""
        self._queue.clear()
        self._rounds += 1
        self._computed = None
        self._behind, self._cursor = True, 0
        with suppress(RecordingError):  # a full disk: the old cursor stands
            self._recording.set_cursor(self._sink.name, 0)
        self._wake.set()

    def close(self) -> None:
        """Nothing more will be offered; `run` ends when all is delivered."""
        self._closing = True
        self._wake.set()

    async def run(self) -> None:
        """Deliver until closed and done; waits out every absence of the sink."""
        while True:
            if self._behind:
                await self._catch_up()
            elif self._queue:
                batch = [self._queue.popleft() for _ in range(min(BATCH, len(self._queue)))]
                # the rest of a row may still be queued: the cursor moves past whole rows only
                done = batch[-1].row if self._queue else self._offered_row
                if self._queue and self._queue[0].row == batch[-1].row:
                    done -= 1
                await self._deliver(batch, done)
            else:
                self._move_cursor(self._offered_row)
                if self._closing or not self._live:
                    return
                self._wake.clear()
                await self._wake.wait()

    async def _catch_up(self) -> None:
        """Compute the events after the cursor again and deliver them, up to the live end."""
        rounds = self._rounds
        session, row = self._computed or (self._new_session(), 0)
        session.mend_utc(self._recording.utc_shift_us)
        cursor = self._cursor
        pending: list[Emitted] = []
        while True:
            rows = await self._read(row)
            for row, notification in rows:
                emitted = session.receive(notification, row)
                if row > cursor:
                    pending += [t for t in emitted if isinstance(t.event, self._sink.durable)]
            if not rows and not self._live:
                pending += self._leftover(session)
            if len(pending) >= BATCH or (pending and not rows):
                for start in range(0, len(pending), BATCH):
                    part = pending[start : start + BATCH]
                    last = start + BATCH >= len(pending)
                    await self._deliver(part, row if last else part[0].row - 1)
                pending = []
            if rounds != self._rounds:
                return
            if not rows and row >= self._offered_row:
                # no await since the last look: what is offered from here on is queued
                self._behind, self._computed = False, (session, row)
                self._move_cursor(max(row, self._cursor))
                return
            self.on_progress()
            # rows that are offered and not yet there wait for room on the disk
            await asyncio.sleep(0 if rows else FIRST_RETRY_S)

    async def _read(self, after: int) -> list[tuple[int, Notification]]:
        """The next rows; while a session runs, a disk that fails is waited for."""
        failures = 0
        while True:
            try:
                return list(self._recording.rows(after=after, limit=CATCH_UP_ROWS))
            except RecordingError as error:
                if not self._live:
                    raise
                failures += 1
                await self._hold(error, failures)

    def _leftover(self, session: Session) -> list[Emitted]:
        return [t for t in session.finish() if isinstance(t.event, self._sink.durable)]

    async def _deliver(self, batch: list[Emitted], row: int) -> None:
        """Deliver one batch, as often as it takes, and move the cursor."""
        self.on_progress()
        failures, rounds = 0, self._rounds
        while True:
            try:
                rejected = await self._sink.deliver(self._facts, batch)
                for each in rejected:
                    self._recording.add_dead_letter(self._sink.name, each.body, each.words)
                    await asyncio.sleep(0)
            except (SinkUnavailableError, RecordingError) as error:
                # RecordingError: what the sink rejects cannot be kept aside, as the disk is full
                failures += 1
                await self._hold(error, failures)
                continue
            self._report(None)
            if rounds == self._rounds:
                self._move_cursor(row)
            if rejected:
                self._tell_rejected(len(rejected), rejected[-1].words)
            return

    async def _hold(self, error: SinkUnavailableError | RecordingError, failures: int) -> None:
        """Tell what is in the way, and wait before the next attempt."""
        self._report(str(error))
        asked_s = error.retry_after_s if isinstance(error, SinkUnavailableError) else None
        back_off_s = min(FIRST_RETRY_S * 2 ** min(failures, 10), LAST_RETRY_S)
        await asyncio.sleep(asked_s or back_off_s * random.uniform(0.5, 1))

    def _move_cursor(self, row: int) -> None:
        if row <= self._cursor:
            return
        try:
            self._recording.set_cursor(self._sink.name, row)
            self._cursor_kept = True
        except RecordingError as error:  # a full disk: delivered twice after a kill, never lost
            if self._cursor_kept:
                logger.warning("%s: the cursor could not be noted: %s", self._sink.name, error)
            self._cursor_kept = False
        self._cursor = row

    def _tell_rejected(self, count: int, words: str) -> None:
        self._rejected += count
        self._rejection = words.rstrip(".")
        if self._rejected >= 10 * self._rejected_told:
            self._rejected_told = self._rejected
            logger.warning("%s: %s", self._sink.name, self.status.rejected)
            self._on_rejected(self.status)

    def _report(self, problem: str | None) -> None:
        if problem == self._problem:
            return
        self._problem = problem
        if problem:
            why = problem.rstrip(".")
            logger.warning(
                "%s: %s. Nothing is lost: it waits in the recording", self._sink.name, why
            )
        else:
            logger.info("%s: delivering again", self._sink.name)
        self._on_status(self.status)
