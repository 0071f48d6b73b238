"""The recording: every notification as received, in one SQLite file that survives a kill.

Append-only log first, everything else second: facts about the session, the cursors of those who
deliver its events, and what a server rejected for good. SQLite in WAL mode commits each
notification; a process killed at any moment leaves a file that opens with all that was committed.
Closing packs rows of equal size together, which halves the time to read them, and writes
everything into the one file.
"""

from __future__ import annotations

import heapq
import os
import sqlite3
import struct
from collections.abc import Iterator
from contextlib import closing, suppress
from itertools import chain, groupby, islice
from operator import attrgetter
from pathlib import Path
from typing import Any, Self

import numpy as np

from sensor.errors import RecordingError
from sensor.recording.file import (
    APPLICATION_ID,
    FORMAT,
    check,
    connect,
    lock,
    lock_path,
    look_at,
    translated,
)
from sensor.recording.notes import Notes
from sensor.samples import Batch, Channel, Notification

SUFFIX = ".forceband"
MAX_PAYLOAD_BYTES = 65_536
MAX_PACK, MIN_PACK = 4096, 8

_TABLES = """
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE log (id INTEGER PRIMARY KEY, received_us INTEGER NOT NULL, channel INTEGER NOT NULL,
                  payload BLOB NOT NULL);
CREATE TABLE packs (first INTEGER PRIMARY KEY, channel INTEGER NOT NULL, count INTEGER NOT NULL,
                    received_us BLOB NOT NULL, payload BLOB NOT NULL);
CREATE TABLE cursors (sink TEXT PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE dead_letters (id INTEGER PRIMARY KEY, sink TEXT NOT NULL, body TEXT NOT NULL,
                           error TEXT NOT NULL);
"""

_INSERT = "INSERT INTO log (id, received_us, channel, payload) VALUES (?, ?, ?, ?)"
_CHANNELS = frozenset(map(int, Channel))


class Recording(Notes):
    """A session's file; `create` a new one, `open` one that is there.

    Every method raises RecordingError with a sentence where the file or the disk is at fault.
    """

    def __init__(self, path: Path, database: sqlite3.Connection, *, writable: bool) -> None:
        super().__init__(path, database)
        self.writable = writable
        self._lock: int | None = None
        self._next = self.last_row + 1

    @classmethod
    def create(cls, path: Path, facts: dict[str, Any]) -> Self:
        """A new file; its folder is made where missing. `facts` are JSON values by name."""
        if path.exists():
            raise RecordingError("there is a file of this name already", path)
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch(mode=0o600)
        except OSError as error:
            raise RecordingError(f"cannot be made: {error.strerror}", path) from error
        with translated(path):
            database = connect(path, "rw")
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute("PRAGMA wal_autocheckpoint=0")
            database.executescript(
                f"BEGIN;{_TABLES}PRAGMA application_id={APPLICATION_ID};"
                f"PRAGMA user_version={FORMAT};COMMIT;"
            )
            recording = cls(path, database, writable=True)
            recording.set_facts(facts)
        recording._lock = os.open(lock_path(path), os.O_RDONLY | os.O_CREAT, 0o600)
        lock(recording._lock)
        return recording

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> Self:
        """An existing file, to read or also to move cursors and close what a kill left open.

        Raises
        ------
        RecordingError
            If it is missing, empty, no recording, damaged, or of a newer format.
        """
        look_at(path)
        with translated(path):
            database = connect(path, "rw" if write else "ro")
            try:
                check(path, database)
            except BaseException:
                database.close()
                raise
            return cls(path, database, writable=write)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Write everything into the one file and let go of it."""
        if self.writable and self._lock is not None:
            with suppress(
                sqlite3.Error, RecordingError
            ):  # a reader, a full disk: all is good as is
                self._pack()
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._database.execute("PRAGMA journal_mode=DELETE")
        self._database.close()
        if self._lock is not None:
            lock_path(self.path).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    def _pack(self) -> None:
        """Move what the log holds into packs, all or nothing."""
        packs = [
            (each.first_row, int(each.channel), len(each.received_us), _times(each), each.joined)
            for each in self._loose_batches(0)
            if len(each.received_us) >= MIN_PACK
        ]
        self._database.execute("BEGIN")
        try:
            self._database.executemany("INSERT INTO packs VALUES (?, ?, ?, ?, ?)", packs)
            self._database.executemany(
                "DELETE FROM log WHERE id >= ? AND id < ?",
                [(first, first + count) for first, _, count, _, _ in packs],
            )
        except BaseException:
            self._database.execute("ROLLBACK")
            raise
        self._database.execute("COMMIT")
        self._database.execute("VACUUM")

    def append(self, notification: Notification) -> int:
        """Commit one notification and return its row, counted from 1."""
        if len(notification.payload) > MAX_PAYLOAD_BYTES:
            raise RecordingError(f"payload of {len(notification.payload)} bytes", self.path)
        with translated(self.path):
            self._database.execute(_INSERT, (self._next, *_columns(notification)))
        self._next += 1
        return self._next - 1

    def extend(self, notifications: list[Notification]) -> None:
        """Commit many notifications at once."""
        with translated(self.path):
            self._database.execute("BEGIN")
            try:
                self._database.executemany(
                    _INSERT,
                    ((row, *_columns(n)) for row, n in enumerate(notifications, self._next)),
                )
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")
        self._next += len(notifications)

    def rows(self, after: int = 0, limit: int | None = None) -> Iterator[tuple[int, Notification]]:
        """Rows with a number above `after`, in order. Rows that make no sense are left out."""
        batches = heapq.merge(
            self._packed_batches(after), self._loose_rows(after, limit), key=attrgetter("first_row")
        )
        return islice(chain.from_iterable(batch.rows(after) for batch in batches), limit)

    def batches(self, after: int = 0) -> Iterator[Batch]:
        """The same in runs of one channel and size, much faster."""
        packed, loose = self._packed_batches(after), self._loose_batches(after)
        for batch in heapq.merge(packed, loose, key=attrgetter("first_row")):
            if batch.last_row > after:
                yield batch.part(max(after + 1 - batch.first_row, 0))

    def others(self) -> Iterator[Notification]:
        """What is no force: the few rows about band, link and host."""
        with translated(self.path):
            query = "SELECT id FROM log WHERE channel <> ? ORDER BY id"
            numbers = self._database.execute(query, (int(Channel.FORCE),)).fetchall()
        for (row,) in numbers:
            for batch in self._loose_rows(row - 1, 1):
                yield from (notification for _, notification in batch.rows())

    def _loose_rows(self, after: int, limit: int | None = None) -> Iterator[Batch]:
        """Rows that are not packed, each as a run of its own."""
        with translated(self.path):
            for row, received_us, channel, payload in self._database.execute(
                "SELECT id, received_us, channel, payload FROM log "
                "WHERE id > ? AND length(payload) <= ? ORDER BY id LIMIT ?",
                (after, MAX_PAYLOAD_BYTES, -1 if limit is None else limit),
            ):
                if _is_time(received_us) and isinstance(payload, bytes) and channel in _CHANNELS:
                    yield Batch(row, (received_us,), Channel(channel), payload)

    def _loose_batches(self, after: int) -> Iterator[Batch]:
        """Rows that are not packed, those of one channel and size together."""

        def kind(batch: Batch) -> tuple[int, int]:
            return batch.channel, len(batch.joined)

        for _, group in groupby(self._loose_rows(after), kind):
            part: list[Batch] = []
            for batch in group:
                if part and (batch.first_row != part[-1].first_row + 1 or len(part) >= MAX_PACK):
                    yield _joined(part)
                    part = []
                part.append(batch)
            yield _joined(part)

    def _packed_batches(self, after: int) -> Iterator[Batch]:
        with translated(self.path):
            for first, channel, count, received, payload in self._database.execute(
                "SELECT first, channel, count, received_us, payload FROM packs "
                "WHERE first + count > ? + 1 AND length(payload) <= ? ORDER BY first",
                (after, MAX_PACK * MAX_PAYLOAD_BYTES),
            ):
                whole = isinstance(received, bytes) and isinstance(payload, bytes)
                if not whole or channel not in _CHANNELS or not isinstance(count, int):
                    continue
                if not 0 < count <= MAX_PACK:
                    continue
                if len(received) != 8 * count or len(payload) % count:
                    continue
                times = np.frombuffer(received, "<i8")
                if _is_time(int(times.min())) and _is_time(int(times.max())):
                    yield Batch(first, tuple(times.tolist()), Channel(channel), payload)

    @property
    def last_row(self) -> int:
        """Number of the last row; 0 for an empty log."""
        query = (
            "SELECT max(coalesce((SELECT max(id) FROM log), 0), "
            "coalesce((SELECT first + count - 1 FROM packs WHERE count BETWEEN 1 AND ? "
            "ORDER BY first DESC LIMIT 1), 0))"
        )
        with translated(self.path):
            return int(self._database.execute(query, (MAX_PACK,)).fetchone()[0])

    @property
    def ended(self) -> bool:
        """Whether the session was closed properly."""
        last = next(self.rows(after=self.last_row - 1), None)
        return last is not None and last[1].channel is Channel.END

    @property
    def in_use(self) -> bool:
        """Whether a process is recording into it now."""
        if self._lock is not None:
            return True
        try:
            handle = os.open(lock_path(self.path), os.O_RDONLY)
        except OSError:
            return False
        try:
            return not lock(handle)
        finally:
            os.close(handle)

    def sync(self) -> None:
        """Bring what is committed to the disk itself, so that it outlives a power cut."""
        with translated(self.path), closing(connect(self.path, "rw")) as database:
            database.execute("PRAGMA wal_checkpoint(PASSIVE)")


def _columns(notification: Notification) -> tuple[int, int, bytes]:
    return notification.received_us, int(notification.channel), notification.payload


def _times(batch: Batch) -> bytes:
    return struct.pack(f"<{len(batch.received_us)}q", *batch.received_us)


def _joined(batches: list[Batch]) -> Batch:
    times = tuple(batch.received_us[0] for batch in batches)
    return Batch(
        batches[0].first_row, times, batches[0].channel, b"".join(batch.joined for batch in batches)
    )


def _is_time(received_us: object) -> bool:
    """Whether it is µs since 1970 that arithmetic can carry: a file may hold anything."""
    return isinstance(received_us, int) and 0 <= received_us < 2**53
