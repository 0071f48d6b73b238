"""The log first, then the session, then everybody who listens."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence

from pipeline.delivery.delivery import Delivery
from pipeline.delivery.log_writer import LogWriter, Notice
from pipeline.session.events import Emitted
from pipeline.session.facts import SessionFacts
from pipeline.session.session import Session
from pipeline.sinks.sink import LiveSink
from sensor.errors import RecordingError
from sensor.recording.log import Recording
from sensor.samples import Channel, Notification

logger = logging.getLogger(__name__)

SYNC_EVERY_S = 5.0
WATCH_EVERY_S = 1.0


class Recorder:
    """Takes notifications in and hands their events on.

    Parameters
    ----------
    recording
        Written before anything else happens; None for a replay, which is recorded already.
    now_us
        The steady UTC clock of the source, in µs.
    """

    def __init__(
        self,
        recording: Recording | None,
        session: Session,
        facts: SessionFacts,
        *,
        live_sinks: Sequence[LiveSink],
        deliveries: Sequence[Delivery],
        now_us: Callable[[], int],
        notice: Notice,
    ) -> None:
        self._recording = recording
        self._writer = None if recording is None else LogWriter(recording, notice)
        self._session = session
        self._facts = facts
        self._live_sinks = live_sinks
        self._deliveries = deliveries
        self._now_us = now_us
        self.row = 0
        """The row that was taken last."""

    @property
    def not_recorded(self) -> int:
        """Notifications of the whole session that the recording lacks."""
        return 0 if self._writer is None else self._writer.not_recorded

    def take(self, notification: Notification) -> list[Emitted]:
        """Record one notification, compute what it means and pass that on."""
        self.row = self.row + 1 if self._writer is None else self._writer.add(notification)
        emitted = self._session.receive(notification, self.row)
        for sink in self._live_sinks:
            sink.show(self._facts, emitted)
        for delivery in self._deliveries:
            delivery.offer(emitted, self.row)
        return emitted

    def mark(self, kind: str, text: str) -> None:
        """Note something that a person or the host did."""
        payload = json.dumps({"kind": kind, "text": text}).encode()
        self.take(Notification(self._now_us(), payload, Channel.MARK))

    def end(self) -> None:
        """Close the log: the session is complete."""
        self.take(Notification(self._now_us(), b"", Channel.END))

    def watch(self) -> None:
        """See to it that the log has a file."""
        if self._writer is not None:
            self._writer.watch()

    def finish(self) -> None:
        """Nothing more is taken: what is not in a file yet is brought to one."""
        if self._writer is not None:
            self._writer.finish()

    async def keep_synced(self) -> None:
        """Bring the log to the disk every few seconds, and see whether its file is still there."""
        synced_s = 0.0
        while self._recording is not None:
            await asyncio.sleep(WATCH_EVERY_S)
            synced_s += WATCH_EVERY_S
            self.watch()
            if synced_s < SYNC_EVERY_S:
                continue
            synced_s = 0.0
            try:  # away from the event loop
                await asyncio.to_thread(self._recording.sync)
            except RecordingError as error:  # a full disk: the writer says so to the person
                logger.debug("sync: %s", error)
