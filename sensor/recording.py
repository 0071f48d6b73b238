"""The recording: every notification as received, in one SQLite file that survives a kill.

Append-only log first, everything else second: facts about the session, the cursors of those who
deliver its events, and what a server rejected for good. SQLite in WAL mode commits each
notification; a process killed at any moment leaves a file that opens with all that was committed.
Closing writes everything into the one file.
"""

from __future__ import annotations

import json
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

from sensor.errors import RecordingError
from sensor.samples import Channel, Notification, Run

SUFFIX = ".forceband"
FORMAT = 1
APPLICATION_ID = 0x46424E44  # "FBND"
MAX_PAYLOAD_BYTES = 65_536
MAX_RUN = 8192
_BUSY_MS = 5000

_TABLES = """
CREATE TABLE facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE log (id INTEGER PRIMARY KEY, received_us INTEGER NOT NULL, channel INTEGER NOT NULL,
                  payload BLOB NOT NULL);
CREATE TABLE cursors (sink TEXT PRIMARY KEY, row INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE dead_letters (id INTEGER PRIMARY KEY, sink TEXT NOT NULL, body TEXT NOT NULL,
                           error TEXT NOT NULL);
"""


class Recording:
    """A session's file; `create` a new one, `open` one that is there.

    Every method raises RecordingError with a sentence where the file or the disk is at fault.
    """

    def __init__(self, path: Path, database: sqlite3.Connection, *, writable: bool) -> None:
        self.path = path
        self.writable = writable
        self._database = database
        self._lock: int | None = None

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
        with _translated(path):
            database = _connect(path, "rw")
            database.execute("PRAGMA journal_mode=WAL")
            database.execute("PRAGMA synchronous=NORMAL")
            database.execute("PRAGMA wal_autocheckpoint=0")
            database.executescript(
                f"BEGIN;{_TABLES}PRAGMA application_id={APPLICATION_ID};"
                f"PRAGMA user_version={FORMAT};COMMIT;"
            )
            recording = cls(path, database, writable=True)
            recording.set_facts(facts)
        recording._take_lock()
        return recording

    @classmethod
    def open(cls, path: Path, *, write: bool = False) -> Self:
        """An existing file, to read or also to move cursors and close what a kill left open.

        Raises
        ------
        RecordingError
            If it is missing, empty, no recording, damaged, or of a newer format.
        """
        _look_at(path)
        with _translated(path):
            database = _connect(path, "rw" if write else "ro")
            try:
                _check(path, database)
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
            with suppress(sqlite3.Error):  # a reader or a full disk: the WAL stays, and is good
                self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
                self._database.execute("PRAGMA journal_mode=DELETE")
        self._database.close()
        if self._lock is not None:
            _lock_path(self.path).unlink(missing_ok=True)
            os.close(self._lock)
            self._lock = None

    # -- the log ---------------------------------------------------------------------------------

    def append(self, notification: Notification) -> int:
        """Commit one notification and return its row, counted from 1."""
        if len(notification.payload) > MAX_PAYLOAD_BYTES:
            raise RecordingError(f"payload of {len(notification.payload)} bytes", self.path)
        with _translated(self.path):
            cursor = self._database.execute(
                "INSERT INTO log (received_us, channel, payload) VALUES (?, ?, ?)",
                (notification.received_us, int(notification.channel), notification.payload),
            )
        row = cursor.lastrowid
        if row is None:
            raise RecordingError("SQLite gave no row for what was appended", self.path)
        return row

    def extend(self, notifications: list[Notification]) -> None:
        """Commit many notifications at once."""
        with _translated(self.path):
            self._database.execute("BEGIN")
            try:
                self._database.executemany(
                    "INSERT INTO log (received_us, channel, payload) VALUES (?, ?, ?)",
                    ((n.received_us, int(n.channel), n.payload) for n in notifications),
                )
            except BaseException:
                self._database.execute("ROLLBACK")
                raise
            self._database.execute("COMMIT")

    def rows(self, after: int = 0, limit: int = -1) -> Iterator[tuple[int, Notification]]:
        """Rows with a number above `after`, in order. Rows that make no sense are skipped."""
        with _translated(self.path):
            for row, received_us, channel, payload in self._database.execute(
                "SELECT id, received_us, channel, payload FROM log "
                "WHERE id > ? AND length(payload) <= ? ORDER BY id LIMIT ?",
                (after, MAX_PAYLOAD_BYTES, limit),
            ):
                if _is_time(received_us) and isinstance(payload, bytes):
                    with suppress(ValueError):  # a channel of a later version
                        yield row, Notification(received_us, payload, Channel(channel))

    def others(self, after: int = 0) -> list[tuple[int, Notification]]:
        """Rows that are no force frames: the few that tell of band, link and host."""
        with _translated(self.path):
            query = "SELECT id FROM log WHERE channel <> ? AND id > ? ORDER BY id"
            numbers = self._database.execute(query, (int(Channel.FORCE), after)).fetchall()
        rows = (next(self.rows(after=row - 1, limit=1), None) for (row,) in numbers)
        return [row for row in rows if row is not None]

    def runs(self, after: int = 0) -> Iterator[Run]:
        """Rows with a number above `after` as runs of one channel, much faster than one by one."""
        at, last = after + 1, self.last_row
        for row, other in [*self.others(after), (last + 1, None)]:
            while at < row:
                end = min(at + MAX_RUN, row)
                yield from self._force_run(at, end)
                at = end
            if other is not None:
                yield Run(row, other.received_us, other.channel, [other.payload])
            at = row + 1

    def _force_run(self, first: int, end: int) -> Iterator[Run]:
        with _translated(self.path):
            payloads = self._database.execute(
                "SELECT payload FROM log WHERE id >= ? AND id < ? AND channel = ? "
                "AND typeof(payload) = 'blob' AND length(payload) <= ? ORDER BY id",
                (first, end, int(Channel.FORCE), MAX_PAYLOAD_BYTES),
            ).fetchall()
            query = "SELECT received_us FROM log WHERE id < ? ORDER BY id DESC LIMIT 1"
            received_us = self._database.execute(query, (end,)).fetchone()
        if payloads and _is_time(received_us[0]):
            yield Run(first, received_us[0], Channel.FORCE, [payload for (payload,) in payloads])

    @property
    def last_row(self) -> int:
        """Number of the last row; 0 for an empty log."""
        with _translated(self.path):
            return int(self._database.execute("SELECT coalesce(max(id), 0) FROM log").fetchone()[0])

    @property
    def ended(self) -> bool:
        """Whether the session was closed properly."""
        with _translated(self.path):
            query = "SELECT channel FROM log ORDER BY id DESC LIMIT 1"
            last = self._database.execute(query).fetchone()
        return last is not None and last[0] == Channel.END

    @property
    def in_use(self) -> bool:
        """Whether a process is recording into it now."""
        if self._lock is not None:
            return True
        try:
            handle = os.open(_lock_path(self.path), os.O_RDONLY)
        except OSError:
            return False
        try:
            return not _lock(handle)
        finally:
            os.close(handle)

    def sync(self) -> None:
        """Bring what is committed to the disk itself, so that it outlives a power cut."""
        with _translated(self.path), _closing(_connect(self.path, "rw")) as database:
            database.execute("PRAGMA wal_checkpoint(PASSIVE)")

    # -- beside the log --------------------------------------------------------------------------

    @property
    def facts(self) -> dict[str, Any]:
        """What was noted about the session, by name."""
        with _translated(self.path):
            rows = self._database.execute("SELECT key, value FROM facts").fetchall()
        facts = {}
        for key, value in rows:
            with suppress(ValueError, TypeError):
                facts[str(key)] = json.loads(value)
        return facts

    def set_facts(self, facts: dict[str, Any]) -> None:
        """Note or replace facts."""
        with _translated(self.path):
            self._database.executemany(
                "INSERT OR REPLACE INTO facts VALUES (?, ?)",
                [(key, json.dumps(value)) for key, value in facts.items()],
            )

    def cursors(self) -> dict[str, int]:
        """The last row whose events each sink has acknowledged; a new sink starts at 0."""
        with _translated(self.path):
            rows = self._database.execute("SELECT sink, row FROM cursors").fetchall()
        return {str(sink): int(row) for sink, row in rows}

    def set_cursor(self, sink: str, row: int) -> None:
        """Note that a sink has everything up to and with `row`."""
        with _translated(self.path):
            self._database.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (sink, row))

    def dead_letters(self) -> list[tuple[str, str, str]]:
        """What a server rejected for good: sink, body and the server's words."""
        with _translated(self.path):
            query = "SELECT sink, body, error FROM dead_letters ORDER BY id"
            return [(str(s), str(b), str(e)) for s, b, e in self._database.execute(query)]

    def add_dead_letter(self, sink: str, body: str, error: str) -> None:
        """Keep what a server rejected, with the reason; once, however often it is tried."""
        with _translated(self.path):
            self._database.execute(
                "INSERT INTO dead_letters (sink, body, error) SELECT ?1, ?2, ?3 WHERE NOT EXISTS "
                "(SELECT 1 FROM dead_letters WHERE sink = ?1 AND body = ?2)",
                (sink, body, error[:1000]),
            )

    def _take_lock(self) -> None:
        self._lock = os.open(_lock_path(self.path), os.O_RDONLY | os.O_CREAT, 0o600)
        _lock(self._lock)


def _is_time(received_us: object) -> bool:
    """Whether it is µs since 1970 that arithmetic can carry: a file may hold anything."""
    return isinstance(received_us, int) and 0 <= received_us < 2**53


def _lock_path(path: Path) -> Path:
    """Beside the recording: closing any handle of the file itself would drop SQLite's locks."""
    return path.with_name(path.name + "-lock")


def _lock(handle: int) -> bool:
    """Take the lock, which the system lets go of when the process ends, however it ends."""
    try:
        import fcntl
    except ImportError:  # Windows: whether a recording is in use is not known there
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _look_at(path: Path) -> None:
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(16)
    except FileNotFoundError as error:
        raise RecordingError("there is no such file", path) from error
    except OSError as error:
        raise RecordingError(f"cannot be read: {error.strerror}", path) from error
    if size == 0:
        raise RecordingError("is empty: no recording was ever written here", path)
    if head != b"SQLite format 3\0":
        raise RecordingError("is no forceband recording", path)


def _check(path: Path, database: sqlite3.Connection) -> None:
    if database.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise RecordingError("is a database, but no forceband recording", path)
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > FORMAT:
        raise RecordingError(
            f"was written in format {version} by a newer forceband, this one reads {FORMAT}: "
            "update forceband",
            path,
        )


def _connect(path: Path, mode: str) -> sqlite3.Connection:
    """Connect; a closed recording in a folder that cannot be written is read as it stands."""
    uri = path.absolute().as_uri()
    wal = path.with_name(path.name + "-wal")
    if mode == "ro" and not wal.exists() and not os.access(path.parent, os.W_OK):
        uri, mode = uri + "?immutable=1&", "ro"
    else:
        uri += "?"
    database = sqlite3.connect(
        f"{uri}mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    database.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
    database.execute("PRAGMA trusted_schema=OFF")
    return database


@contextmanager
def _closing(database: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    try:
        yield database
    finally:
        database.close()


@contextmanager
def _translated(path: Path) -> Iterator[None]:
    """SQLite's errors as RecordingError."""
    try:
        yield
    except sqlite3.Error as error:
        words = str(error)
        if "disk is full" in words:
            words = "the disk is full: free some space; what is recorded so far is safe"
        elif "readonly" in words or "unable to open" in words:
            words = f"cannot be written or opened ({words}): check the folder's permissions"
        elif "malformed" in words or "not a database" in words or "no such table" in words:
            words = f"is damaged ({words})"
        raise RecordingError(words, path) from error
