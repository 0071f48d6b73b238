"""The file under a recording: SQLite opened with care, its marks checked, its errors named."""

from __future__ import annotations

import errno
import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from sensor.errors import DiskFullError, RecordingError

FORMAT = 1
APPLICATION_ID = 0x46424E44  # "FBND"
_BUSY_MS = 5000
_HEAD = b"SQLite format 3\0"
_WAL_MODE = 2
_LITTLE_BYTES = 128 * 1024
"""A file in WAL mode takes 70 KiB; where less is free SQLite's words are of all kinds."""
_NO_ROOM = "the disk is full: free some space; what is recorded so far is safe"
_NOTHING_BYTES = 64 * 1024
"""A file without a row is smaller."""
_FULL = (errno.ENOSPC, errno.EDQUOT)
_DAMAGE = ("malformed", "not a database", "no such table", "no such column", "Could not decode")
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
_BUILD = (
    f"BEGIN;{_TABLES}PRAGMA application_id={APPLICATION_ID};PRAGMA user_version={FORMAT};COMMIT;"
)
_SETTLED = ((24, 1), (92, 1), (96, 3_037_000))
"""Of the header: how often the file changed, for which change its size holds, and the version of
SQLite that wrote it last (https://sqlite.org/fileformat2.html)."""
_COMPUTED = """
SELECT count(*) FROM sqlite_schema AS s
WHERE s.type NOT IN ('table', 'index') OR s.rootpage = 0
   OR EXISTS (SELECT 1 FROM pragma_table_xinfo(s.name) WHERE s.type = 'table' AND hidden <> 0)
"""
"""Views, triggers, virtual tables and computed columns: a hostile file could keep us busy."""


def is_recording(path: Path) -> bool:
    """Whether a file looks like one; OSError if it cannot be read."""
    with path.open("rb") as file:
        return file.read(len(_HEAD)) == _HEAD


def look_at(path: Path) -> None:
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
    if head != _HEAD:
        raise RecordingError("is no forceband recording", path)


def check(path: Path, database: sqlite3.Connection) -> None:
    if database.execute("PRAGMA application_id").fetchone()[0] != APPLICATION_ID:
        raise RecordingError(
            "is a database, but no forceband recording: export its table as CSV", path
        )
    version = database.execute("PRAGMA user_version").fetchone()[0]
    if version > FORMAT:
        raise RecordingError(
            f"was written in format {version} by a newer forceband, this one reads {FORMAT}: "
            "update forceband",
            path,
        )
    if database.execute(_COMPUTED).fetchone()[0]:
        raise RecordingError("holds what computes, and is no plain recording: not opened", path)


def connect(path: Path, mode: str) -> sqlite3.Connection:
    """Connect; a closed recording in a folder that cannot be written is read as it stands."""
    uri = path.absolute().as_uri() + "?"
    wal, journal = (path.with_name(path.name + part) for part in ("-wal", "-journal"))
    may_write = os.access(path.parent, os.W_OK)
    if mode == "ro" and not wal.exists() and not may_write:
        uri += "immutable=1&"
    elif mode == "ro" and journal.exists() and may_write:
        mode = "rw"  # a kill left half of a change, which no reader may take back
    database = sqlite3.connect(
        f"{uri}mode={mode}", uri=True, isolation_level=None, check_same_thread=False
    )
    try:
        database.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        database.execute("PRAGMA trusted_schema=OFF")
    except sqlite3.Error:
        database.close()
        raise
    return database


def unborn(path: Path) -> Path:
    """The name of a file that is not complete yet."""
    return path.with_name(f".{path.name}.new")


def build(path: Path) -> None:
    """Make an empty recording, which appears under its name when it is complete."""
    new = unborn(path)
    new.unlink(missing_ok=True)
    new.touch(mode=0o600)
    with closing(connect(new, "rw")) as database:
        database.executescript(_BUILD)
    new.replace(path)


def settle(path: Path) -> None:
    """Make a closed recording's bytes depend on its content alone, not on the SQLite beneath.

    Nothing that was deleted stays in its pages, and its header names neither the version that wrote
    it nor how often.
    """
    with translated(path):
        with closing(connect(path, "rw")) as database:
            database.execute("PRAGMA secure_delete=ON")
            database.execute("VACUUM")
        with path.open("r+b") as file:
            for offset, value in _SETTLED:
                file.seek(offset)
                file.write(value.to_bytes(4, "big"))


def in_memory() -> sqlite3.Connection:
    """An empty recording without a file."""
    database = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
    database.executescript(_BUILD)
    return database


def remove(path: Path) -> None:
    """Leave nothing of a recording, whatever of it there is."""
    for part in ("", "-wal", "-shm", "-journal"):
        path.with_name(path.name + part).unlink(missing_ok=True)
        unborn(path).with_name(unborn(path).name + part).unlink(missing_ok=True)


def traces(path: Path) -> list[Path]:
    """What there is of a recording, or in the place of one."""
    places = [path.with_name(path.name + part) for part in ("", "-wal", "-shm", "-lock")]
    return [place for place in places if os.path.lexists(place)]


def is_part_of_two(path: Path) -> bool:
    """Whether a file was written together with a `-wal` file that is not beside it."""
    with path.open("rb") as file:
        head = file.read(20)
    wal = path.with_name(path.name + "-wal")
    return head[18:19] == bytes([_WAL_MODE]) and not (wal.exists() and wal.stat().st_size)


def holds_nothing(path: Path) -> bool:
    """Whether a file is what is left of a recording that never got a row."""
    wal = path.with_name(path.name + "-wal")
    try:
        size = path.stat().st_size
        if size and not is_recording(path):
            return False
        if not size:
            return not (wal.exists() and wal.stat().st_size)
        if size > _NOTHING_BYTES:
            return False
        with closing(connect(path, "ro")) as database:
            if not database.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]:
                return True
            check(path, database)
            query = "SELECT EXISTS (SELECT 1 FROM log) OR EXISTS (SELECT 1 FROM packs)"
            return not database.execute(query).fetchone()[0]
    except (OSError, sqlite3.Error, RecordingError, UnicodeDecodeError):
        return False


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as RecordingError."""
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite quotes what it found in the file
        raise RecordingError("is damaged (a text in it is none)", path) from error
    except sqlite3.Error as error:
        words = str(error)
        if "disk is full" in words or ("disk I/O" in words and _is_nearly_full(path)):
            raise DiskFullError(_NO_ROOM, path) from error
        if "readonly" in words or "unable to open" in words:
            words = f"cannot be written or opened ({words}): check the folder's permissions"
        elif any(sign in words for sign in _DAMAGE):
            words = f"is damaged ({words})"
        raise RecordingError(words, path) from error
    except OSError as error:
        if error.errno in _FULL:
            raise DiskFullError(_NO_ROOM, path) from error
        raise RecordingError(f"cannot be made or opened: {error.strerror}", path) from error


def _is_nearly_full(path: Path) -> bool:
    try:
        return shutil.disk_usage(path.parent).free < _LITTLE_BYTES
    except OSError:
        return False
