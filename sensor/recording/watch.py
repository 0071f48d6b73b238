"""Whether the files that are written are still those of their names.

SQLite writes on into a file that was deleted, moved or replaced, and says nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

PARTS = ("", "-wal", "-shm")


class Watch:
    """The identity of a recording's files, taken while they are good.

    SQLite keeps them open, so that no other file can have the same inode.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._was = {part: _look(path, part) for part in PARTS}

    @property
    def problem(self) -> str | None:
        """What happened to one of them, in words; None if nothing did."""
        for part, was in self._was.items():
            now = _look(self._path, part)
            if was is None or isinstance(was, str):
                continue
            name = f"its {part} file" if part else "the file"
            if now is None:
                return f"{name} was deleted or moved away"
            if isinstance(now, str):
                return f"{name} cannot be reached ({now})"
            if not os.path.samestat(now, was):
                return f"{name} was replaced by another"
            if now.st_size < was.st_size:
                return f"{name} was cut short"
            self._was[part] = now
        return None


def _look(path: Path, part: str) -> os.stat_result | str | None:
    try:
        return path.with_name(path.name + part).stat()
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        return error.strerror or str(error)
