"""The file under a recording: SQLite opened with care, its marks checked, its lock, its errors."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sensor.errors import RecordingError

FORMAT = 1
APPLICATION_ID = 0x46424E44  # "FBND"
_BUSY_MS = 5000
_HEAD = b"SQLite format 3\0"
_DAMAGE = ("malformed", "not a database", "no such table", "no such column", "Could not decode")
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


def lock_path(path: Path) -> Path:
    """Beside the recording: closing any handle of the file itself would drop SQLite's locks."""
    return path.with_name(path.name + "-lock")


def lock(handle: int) -> bool:
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
        raise RecordingError("is a database, but no forceband recording", path)
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
def translated(path: Path) -> Iterator[None]:
    """SQLite's errors as RecordingError."""
    try:
        yield
    except UnicodeDecodeError as error:  # SQLite quotes what it found in the file
        raise RecordingError("is damaged (a text in it is none)", path) from error
    except sqlite3.Error as error:
        words = str(error)
        if "disk is full" in words:
            words = "the disk is full: free some space; what is recorded so far is safe"
        elif "readonly" in words or "unable to open" in words:
            words = f"cannot be written or opened ({words}): check the folder's permissions"
        elif any(sign in words for sign in _DAMAGE):
            words = f"is damaged ({words})"
        raise RecordingError(words, path) from error
