"""A file written for a person: whole or not at all, and never over what was measured."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sensor.errors import BandError
from sensor.recording.file import is_recording
from sensor.recording.log import SUFFIX


@contextmanager
def written(path: Path, source: Path | None = None) -> Iterator[Path]:
    """Write to the path given, beside the target; it is renamed when all is well.

    Parameters
    ----------
    source
        What the content was computed from.

    Raises
    ------
    BandError
        If the target is the source or a recording, or cannot be written.
    """
    try:
        itself = source is not None and path.exists() and path.samefile(source)
        if itself or path.suffix == SUFFIX or (path.is_file() and is_recording(path)):
            what = "what is read" if itself else "a recording"
            raise BandError(f"{path}: is {what}, and is not written over; choose another name")
        new = path.with_name(f".{path.stem}.part{path.suffix}")
        try:
            yield new
            new.replace(path)
        finally:
            new.unlink(missing_ok=True)
    except OSError as error:
        raise BandError(f"{path}: cannot be written: {error.strerror or error}") from error
