"""The log first, then the session, then everybody who listens."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Sequence

from pipeline.delivery.delivery import Delivery
from pipeline.session.events import Emitted
from pipeline.session.facts import SessionFacts
from pipeline.session.session import Session
from pipeline.sinks.sink import LiveSink
from sensor.errors import RecordingError
from sensor.recording.log import Recording
from sensor.samples import Channel, Notification

logger = logging.getLogger(__name__)

SYNC_EVERY_S = 5.0

Notice = Callable[[str, str], None]
"""Shows the person a sentence at once: level (`info`, `warning`, `error`) and text."""


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
        self._session = session
        self._facts = facts
        self._live_sinks = live_sinks
        self._deliveries = deliveries
        self._now_us = now_us
        self._notice = notice
        self._row = 0
        self._not_recorded = 0
        self.not_recorded = 0
        """Notifications of the whole session that the recording lacks."""

    def take(self, notification: Notification) -> list[Emitted]:
        """Record one notification, compute what it means and pass that on."""
        self._append(notification)
        emitted = self._session.receive(notification, self._row)
        for sink in self._live_sinks:
            sink.show(self._facts, emitted)
        for delivery in self._deliveries:
            delivery.offer(emitted, self._row)
        return emitted

    def mark(self, kind: str, text: str) -> None:
        """Note something that a person or the host did."""
        payload = json.dumps({"kind": kind, "text": text}).encode()
        self.take(Notification(self._now_us(), payload, Channel.MARK))

    def end(self) -> None:
        """Close the log: the session is complete."""
        self.take(Notification(self._now_us(), b"", Channel.END))

    async def keep_synced(self) -> None:
        """Bring the log to the disk every few seconds, away from the event loop."""
        while self._recording is not None:
            await asyncio.sleep(SYNC_EVERY_S)
            try:
                await asyncio.to_thread(self._recording.sync)
            except RecordingError as error:  # a full disk: `take` says so to the person
                logger.debug("sync: %s", error)

    def _append(self, notification: Notification) -> None:
        """A recording that cannot be written stops nothing; what it lacks is named in it."""
        if self._recording is None:
            self._row += 1
            return
        try:
            if self._not_recorded:
                lost = f"{self._not_recorded} notifications were not recorded"
                payload = json.dumps({"kind": "not_recorded", "text": lost}).encode()
                self._recording.append(
                    Notification(notification.received_us, payload, Channel.MARK)
                )
                self._notice("warning", f"recording again; {lost}")
                self._not_recorded = 0
            self._row = self._recording.append(notification)
        except RecordingError as error:
            if not self._not_recorded:
                self._notice("error", f"not recording: {error}")
                logger.warning("not recording: %s", error)
            self._not_recorded += 1
            self.not_recorded += 1
