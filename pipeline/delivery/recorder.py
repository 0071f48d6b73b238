"""The log first, then the session, then everybody who listens."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress

from pipeline.delivery.delivery import Delivery
from pipeline.delivery.log_writer import LogWriter, Notice
from pipeline.session.events import Emitted
from pipeline.session.facts import SessionFacts
from pipeline.session.session import Session
from pipeline.sinks.sink import LiveSink
from sensor.errors import RecordingError
from sensor.recording.log import Recording
from sensor.samples import Channel, Notification
from sensor.source import suspended_s

logger = logging.getLogger(__name__)

SYNC_EVERY_S = 5.0
WATCH_EVERY_S = 1.0

LEAST_STEP_US = 500_000
"""Smaller steps are left to the clock's own wander."""
LEAST_SLEEP_S = 2.0


def _duration(seconds: float) -> str:
    """As people say it, to the second."""
    minutes, rest = divmod(round(seconds, 1 if seconds < 60 else None), 60)
    hours, minutes = divmod(int(minutes), 60)
    days, hours = divmod(hours, 24)
    parts = ((days, "d"), (hours, "h"), (minutes, "min"), (rest, "s"))
    return " ".join(f"{number:g} {unit}" for number, unit in parts if number) or "0 s"


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
        clock_shift_us: Callable[[], int] = lambda: 0,
    ) -> None:
        self._recording = recording
        self._writer = None if recording is None else LogWriter(recording, notice)
        self._session = session
        self._facts = facts
        self._live_sinks = live_sinks
        self._deliveries = deliveries
        self._now_us = now_us
        self._notice = notice
        self._clock_shift_us = clock_shift_us
        self._suspended_s = suspended_s()
        self.row = 0
        """The row that was taken last."""
        self._taking = False
        self._waiting: deque[Notification] = deque()

    @property
    def not_recorded(self) -> int:
        """Notifications of the whole session that the recording lacks."""
        return 0 if self._writer is None else self._writer.not_recorded

    def take(self, notification: Notification) -> list[Emitted]:
        """Record one notification, compute what it means and pass that on."""
        self._taking = True
        try:
            self.row = self.row + 1 if self._writer is None else self._writer.add(notification)
            emitted = self._session.receive(notification, self.row)
            for sink in self._live_sinks:
                sink.show(self._facts, emitted)
            for delivery in self._deliveries:
                delivery.offer(emitted, self.row)
        finally:
            self._taking = False
        if self._waiting:
            self.take(self._waiting.popleft())
        return emitted

    def mark(self, kind: str, text: str) -> None:
        """Note something that a person or the host did; what a sink notes follows its event."""
        payload = json.dumps({"kind": kind, "text": text}).encode()
        notification = Notification(self._now_us(), payload, Channel.MARK)
        if self._taking:
            self._waiting.append(notification)
        else:
            self.take(notification)

    def watch_clock(self) -> None:
        """See whether the computer's clock was set, or stood still.

        Its clock was wrong until then: the whole session's UTC is mended, in the file, and in what
        was sent, which is sent once more.
        """
        slept_s, self._suspended_s = suspended_s() - self._suspended_s, suspended_s()
        if slept_s >= LEAST_SLEEP_S:
            self.mark("suspended", f"the computer slept for {_duration(slept_s)}")
            self._notice(
                "warning",
                f"the computer slept for {_duration(slept_s)}: what the band still remembers of "
                "that is fetched",
            )
        shift_us = self._clock_shift_us()
        moved_us = shift_us - self._session.utc_shift_us
        if self._recording is None or abs(moved_us) < LEAST_STEP_US:
            return
        with suppress(RecordingError):  # a full disk: the mark is kept for it
            self._recording.set_facts({"utc_shift_us": shift_us})
        way = "forward" if moved_us > 0 else "back"
        text = f"the computer's clock was set {way} by {_duration(abs(moved_us) / 1e6)}"
        payload = json.dumps({"kind": "clock", "shift_us": shift_us, "text": text}).encode()
        self.take(Notification(self._now_us(), payload, Channel.MARK))
        for delivery in self._deliveries:
            delivery.again()
        self._notice(
            "warning",
            f"{text}: the session's times follow it from its start; what was sent with the old "
            "times is sent again",
        )

    def end(self) -> None:
        """Close the log: the session is complete."""
        self.watch_clock()
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
            self.watch_clock()
            if synced_s < SYNC_EVERY_S:
                continue
            synced_s = 0.0
            try:  # away from the event loop
                await asyncio.to_thread(self._recording.sync)
            except RecordingError as error:  # a full disk: the writer says so to the person
                logger.debug("sync: %s", error)
