"""Who writes a recording now: a lock beside it, let go of however its process ends."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

TRIES, PAUSE_S = 5, 0.02
"""A reader that asks whether a file is in use has the lock for a moment."""


def lock_path(path: Path) -> Path:
    """Beside the recording: closing any handle of the file itself would drop SQLite's locks."""
    return path.with_name(path.name + "-lock")


class Lock:
    """The lock of one recording, held until `release`."""

    def __init__(self, path: Path, handle: int) -> None:
        self._path = path
        self._handle = handle

    @classmethod
    def take(cls, path: Path) -> Lock | None:
        """Take it; None if somebody else has it. OSError where no file can be made."""
        place = lock_path(path)
        for _ in range(TRIES):
            handle = os.open(place, os.O_RDONLY | os.O_CREAT, 0o600)
            if _locked(handle) and _is_there(place, handle):
                return cls(place, handle)
            os.close(handle)
            time.sleep(PAUSE_S)
        return None

    def release(self) -> None:
        """Let go, and leave no file."""
        try:
            if _is_there(self._path, self._handle):
                self._path.unlink(missing_ok=True)
            os.close(self._handle)
        except PermissionError:  # Windows takes no file away that somebody has open
            os.close(self._handle)
            with suppress(OSError):  # the next one has it already
                self._path.unlink()


def is_held(path: Path) -> bool:
    """Whether a process writes the recording now."""
    try:
        handle = os.open(lock_path(path), os.O_RDONLY)
    except OSError:
        return False
    try:
        return not _locked(handle)
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    try:
        import fcntl
    except ImportError:
        return _locked_on_windows(handle)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _locked_on_windows(handle: int) -> bool:
    windows: Any = import_module("msvcrt")
    try:
        windows.locking(handle, windows.LK_NBLCK, 1)
    except OSError:
        return False
    return True


def _is_there(path: Path, handle: int) -> bool:
    """Whether the file that was opened is still the one of that name."""
    try:
        return os.path.samestat(path.stat(), os.fstat(handle))
    except OSError:
        return False
