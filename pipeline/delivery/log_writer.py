"""Writes a session's log, whatever becomes of its file and of the room on its disk.

What cannot be written waits in memory for its turn; a file that was deleted, moved or replaced is
made again elsewhere with all that was recorded so far. The person is told at once.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections import deque
from collections.abc import Callable
from itertools import islice
from pathlib import Path

from pipeline.delivery.session_log import another_path
from sensor.errors import RecordingError
from sensor.recording.log import Recording
from sensor.samples import Channel, Notification

logger = logging.getLogger(__name__)

MOST_WAITING = 200_000
"""More than five hours at 80 Hz, some 50 MiB; beyond, the oldest are lost and named."""
AT_ONCE = 2000

Notice = Callable[[str, str], None]
"""Shows the person a sentence at once: level (`info`, `warning`, `error`) and text."""


class LogWriter:
    """The rows of one session on their way into its recording."""

    def __init__(self, recording: Recording, notice: Notice) -> None:
        self._recording = recording
        self._notice = notice
        self._waiting: deque[Notification] = deque()
        self._waits_told = self._homeless_told = False
        self._dropped = 0
        self._lost = 0

    @property
    def not_recorded(self) -> int:
        """Notifications that the recording lacks."""
        return self._lost + self._dropped + len(self._waiting)

    def add(self, notification: Notification) -> int:
        """Write a row, now or when that is possible; its number."""
        self._waiting.append(notification)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popleft()
            self._dropped += 1
        self._write()
        return self._recording.written + len(self._waiting)

    def watch(self) -> None:
        """See to it that there is a file; where it was lost, all so far goes into a new one."""
        recording = self._recording
        problem = recording.problem
        if recording.on_disk and problem is None:
            return
        what = f"{recording.path}: {problem} while it was written" if problem else ""
        try:
            recording.move_to(another_path(recording.path))
        except RecordingError as error:
            if recording.on_disk:
                recording.move_to(None)
                what += ", and no new one can be made"
            elif self._homeless_told:
                return
            self._homeless_told = True
            self._tell(
                "error",
                f"{what + ': ' if what else ''}{error}. Until that is possible all of the session "
                "is kept in memory only",
            )
        else:
            self._homeless_told = False
            whole = f"{what}; all of the session" if what else "all of the session"
            self._tell("error" if what else "info", f"{whole} is recorded in {recording.path}")

    def finish(self) -> None:
        """Before the end: what is not in a file yet goes to another place, if need be."""
        self.watch()
        if self._waiting:
            self._write()
        if self._recording.on_disk and not self._waiting:
            return
        for folder in (Path.home(), Path(tempfile.gettempdir())):
            try:
                self._recording.move_to(another_path(folder / self._recording.path.name))
                self._write()
            except RecordingError as error:
                logger.debug("rescue: %s", error)
                continue
            text = f"the session is recorded in {self._recording.path}, where there is room"
            self._tell("warning", text)
            return

    def _write(self) -> None:
        """Write what waits, in order; after a failure first one row to see whether it goes."""
        many = 1 if self._waits_told else AT_ONCE
        try:
            if self._dropped:
                self._name_dropped()
            while self._waiting:
                rows = list(islice(self._waiting, many))
                if len(rows) == 1:
                    self._recording.append(rows[0])
                else:
                    self._recording.extend(rows)
                for _ in rows:
                    self._waiting.popleft()
                many = AT_ONCE
        except RecordingError as error:
            if not self._waits_told:
                self._waits_told = True
                self._tell("error", f"not recording: {error}. What comes waits in memory")
        else:
            if self._waits_told:
                self._waits_told = False
                lost = f"{self._lost} notifications were not recorded"
                named = lost if self._lost else "nothing is missing"
                self._tell("warning" if self._lost else "info", f"recording again; {named}")

    def _name_dropped(self) -> None:
        text = f"{self._dropped} notifications were not recorded"
        mark = json.dumps({"kind": "not_recorded", "text": text}).encode()
        at_us = self._waiting[0].received_us if self._waiting else 0
        self._recording.append(Notification(at_us, mark, Channel.MARK))
        self._lost, self._dropped = self._lost + self._dropped, 0

    def _tell(self, level: str, text: str) -> None:
        self._notice(level, text)
        logger.warning("%s", text)
