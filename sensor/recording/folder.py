"""The recordings of a folder, without what is left of those that never began."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from sensor.recording.file import holds_nothing, remove
from sensor.recording.lock import Lock
from sensor.recording.log import SUFFIX


def recordings(folder: Path) -> list[Path]:
    """All files that are called recordings, sorted by name."""
    return sorted(path for path in folder.glob(f"*{SUFFIX}") if not path.name.startswith("."))


def sweep(folder: Path) -> list[Path]:
    """Remove what nobody writes and holds not one row; the recordings that were removed."""
    with suppress(OSError):
        for mark in [*folder.glob(f"*{SUFFIX}-lock"), *folder.glob(f".*{SUFFIX}.new")]:
            name = mark.name.removesuffix("-lock").removesuffix(".new").lstrip(".")
            path = folder / name
            if not path.exists():
                _unless_in_use(path)
        return [path for path in recordings(folder) if holds_nothing(path) and _unless_in_use(path)]
    return []


def _unless_in_use(path: Path) -> bool:
    """Remove a recording and all beside it, unless somebody writes it; whether that was done."""
    with suppress(OSError):
        lock = Lock.take(path)
        if lock is None:
            return False
        try:
            if path.exists() and not holds_nothing(path):  # it may just have begun
                return False
            remove(path)
            return True
        finally:
            lock.release()
    return False
