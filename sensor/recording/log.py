"""The recording: every notification as received, in one SQLite file that survives a kill.

Append-only log first, everything else second: facts about the session, the cursors of those who
deliver its events, and what a server rejected for good. SQLite in WAL mode commits each
notification; a process killed at any moment leaves a file that opens with all that was committed.
Closing packs rows of equal size together, which halves the time to read them, and writes
everything into the one file.
"""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Iterator
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any, Self

from sensor.errors import RecordingError
from sensor.recording.checksums import PREFIX, checksum, is_summed
from sensor.recording.file import (
    build,
    check,
    connect,
    in_memory,
    is_part_of_two,
    look_at,
    remove,
    translated,
)
from sensor.recording.kept import Kept
from sensor.recording.lock import Lock, is_held
from sensor.recording.rows import MAX_PAYLOAD_BYTES, MIN_PACK, Rows
from sensor.recording.watch import Watch
from sensor.samples import Batch, Channel, Notification

SUFFIX = ".forceband"
CUT = "lacks_end"
"""The fact that a recording was closed without its newest rows."""

_INSERT = "INSERT INTO log (id, received_us, channel, payload) VALUES (?, ?, ?, ?)"
_INSERT_SUM = "INSERT OR REPLACE INTO facts VALUES (?, ?)"


class InUseError(RecordingError):
    """Another process records or delivers the session now."""


class Recording(Rows):
    """A session's file; `create` a new one, `open` one that is there.

    Every method raises RecordingError with a sentence where the file or the disk is at fault.
    """

    def __init__(
        self,
        path: Path,
        database: sqlite3.Connection,
        lock: Lock | None = None,
        watch: Watch | None = None,
        kept: Kept | None = None,
        *,
        lacks_end: bool = False,
    ) -> None:
        super().__init__(path, database)
        self.lacks_end = lacks_end
        """Whether the newest rows were in a second file, which is not here."""
        self._lock = lock
        self._watch = watch
        self._kept = kept
        self._next = self.last_row + 1

    @classmethod
    def create(cls, path: Path, facts: dict[str, Any], *, keep: bool = False) -> Self:
        """A new file; its folder is made where missing. `facts` are JSON values by name.

        The file appears under its name when it is complete. With `keep` all rows are kept in
        memory, too, so that `move_to` can make another file of them.
        """
        if path.exists():
            raise RecordingError("there is a file of this name already", path)
        lock: Lock | None = None
        database: sqlite3.Connection | None = None
        try:
            with translated(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                if (lock := Lock.take(path)) is None:
                    raise InUseError("is being made by another process", path)
                build(path)
                database = connect(path, "rw")
                database.execute("PRAGMA journal_mode=WAL")
                database.execute("PRAGMA synchronous=NORMAL")
                database.execute("PRAGMA wal_autocheckpoint=0")
                recording = cls(path, database, lock, kept=Kept() if keep else None)
                recording.set_facts(facts)
                recording._watch = Watch(path)
                return recording
        except RecordingError:
            if database is not None:
                database.close()
            if lock is not None:
                remove(path)
                lock.release()
            raise

    @classmethod
    def homeless(cls, path: Path, facts: dict[str, Any]) -> Self:
        """A recording in memory, as there is no room for a file; `move_to` brings it to one."""
        recording = cls(path, in_memory(), kept=Kept())
        recording.set_facts(facts)
        return recording

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> Self:
        """An existing file, to read or also to move cursors and close what a kill left open.

        Raises
        ------
        RecordingError
            If it is missing, empty, no recording, damaged, or of a newer format; InUseError if it
            is to be written and another process does.
        """
        look_at(path)
        with translated(path), ExitStack() as undo:
            lock = Lock.take(path) if write else None
            if lock is not None:
                undo.callback(lock.release)
            elif write:
                raise InUseError("is being recorded or delivered now", path)
            lacks_end = is_part_of_two(path)
            database = connect(path, "rw" if write else "ro")
            undo.callback(database.close)
            check(path, database)
            recording = cls(path, database, lock, lacks_end=lacks_end)
            undo.pop_all()
            return recording

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Write everything into the one file and let go of it."""
        if self._lock is not None and self.problem is None:
            with suppress(sqlite3.Error, RecordingError):  # a reader, a full disk: good as it is
                self._pack()
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._database.execute("PRAGMA journal_mode=DELETE")
        self._database.close()
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    def _pack(self) -> None:
        """Move what the log holds into packs, all or nothing."""
        packs = [
            (each.first_row, int(each.channel), len(each.received_us), _times(each), each.joined)
            for each in self._loose_batches(0)
            if len(each.received_us) >= MIN_PACK
        ]
        if not packs:
            return
        with self._database:  # all or nothing
            self._database.execute("BEGIN")
            self._database.executemany("INSERT INTO packs VALUES (?, ?, ?, ?, ?)", packs)
            self._database.executemany(
                "DELETE FROM log WHERE id >= ? AND id < ?",
                [(first, first + count) for first, _, count, _, _ in packs],
            )
        self._database.execute("VACUUM")

    def append(self, notification: Notification) -> int:
        """Commit one notification and return its row, counted from 1."""
        payload = notification.payload
        if len(payload) > MAX_PAYLOAD_BYTES:
            raise RecordingError(f"payload of {len(payload)} bytes", self.path)
        if is_summed(notification.channel, payload):
            self.extend([notification])
            return self._next - 1
        with translated(self.path):
            self._database.execute(_INSERT, (self._next, *_columns(notification)))
        self._next += 1
        if self._kept is not None:
            self._kept.add(notification)
        return self._next - 1

    def extend(self, notifications: list[Notification]) -> None:
        """Commit many notifications at once."""
        with translated(self.path), self._database:
            self._database.execute("BEGIN")
            rows = list(enumerate(notifications, self._next))
            self._database.executemany(_INSERT, ((row, *_columns(each)) for row, each in rows))
            sums = (
                (f"{PREFIX}{row}", str(checksum(each)))
                for row, each in rows
                if is_summed(each.channel, each.payload)
            )
            self._database.executemany(_INSERT_SUM, sums)
        self._next += len(notifications)
        if self._kept is not None:
            for each in notifications:
                self._kept.add(each)

    @property
    def written(self) -> int:
        """Number of the last row, of one that nobody else writes."""
        return self._next - 1

    @property
    def ended(self) -> bool:
        """Whether the session was closed properly."""
        last = next(self.rows(after=self.last_row - 1), None)
        return last is not None and last[1].channel is Channel.END

    @property
    def is_cut(self) -> bool:
        """Whether it is known to lack its newest rows, also where it was closed since."""
        return self.facts.get(CUT) is True or (self.lacks_end and not self.ended)

    @property
    def in_use(self) -> bool:
        """Whether a process is recording into it now."""
        return self._watch is not None if self._lock is not None else is_held(self.path)

    @property
    def on_disk(self) -> bool:
        """Whether there is a file at all."""
        return self._lock is not None

    @property
    def problem(self) -> str | None:
        """What somebody did to the file while it is written; None if it is where it belongs."""
        return None if self._watch is None else self._watch.problem

    def move_to(self, path: Path | None) -> None:
        """Go on in another file, into which all goes that was recorded so far; None: in memory.

        Raises
        ------
        RecordingError
            If the new file cannot be written; nothing has changed then.
        """
        rows = list(self._kept if self._kept is not None and self._kept.whole else self._all())
        letters: list[tuple[str, str, str]] = []
        with suppress(RecordingError):  # they are tried again where they cannot be read any more
            letters = self.dead_letters()
        if path is None:
            new = type(self).homeless(self.path, self._facts)
        else:
            new = type(self).create(path, self._facts, keep=True)
        try:
            new.extend(rows)
            for sink, row in self._cursors.items():
                new.set_cursor(sink, row)
            for letter in letters:
                new.add_dead_letter(*letter)
        except RecordingError:
            new._discard()
            raise
        old, old_lock, old_path = self._database, self._lock, self.path
        good = self.on_disk and self.problem is None
        self.path, self._database, self._next = new.path, new._database, new._next
        self._lock, self._watch, self._kept = new._lock, new._watch, new._kept
        with suppress(sqlite3.Error):
            old.close()
        if good:  # all that it holds is in the new one
            with suppress(OSError):
                remove(old_path)
        if old_lock is not None:
            old_lock.release()

    def _all(self) -> Iterator[Notification]:
        return (notification for _, notification in self.rows())

    def _discard(self) -> None:
        """Close it, and leave no file."""
        self._database.close()
        if self._lock is not None:
            remove(self.path)
            self._lock.release()
            self._lock = None

    def copy_to(self, path: Path) -> None:
        """Write all that is committed into one file, also while it is recorded."""
        with translated(path), closing(sqlite3.connect(path)) as copy:
            self._database.backup(copy)
            copy.execute("PRAGMA journal_mode=DELETE")
            with copy:
                copy.execute(_INSERT_SUM, ("copied", "true"))

    def sync(self) -> None:
        """Bring what is committed to the disk itself, so that it outlives a power cut."""
        if not self.on_disk or self.problem is not None:
            return
        with translated(self.path), closing(connect(self.path, "rw")) as database:
            database.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _columns(notification: Notification) -> tuple[int, int, bytes]:
    return notification.received_us, int(notification.channel), notification.payload


def _times(batch: Batch) -> bytes:
    return struct.pack(f"<{len(batch.received_us)}q", *batch.received_us)
