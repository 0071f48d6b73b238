"""What can go wrong with a band, named by who is at fault."""

from __future__ import annotations

from pathlib import Path


class BandError(Exception):
    """Anything that a user of a band or of its recordings may meet."""


class FrameError(BandError, ValueError):
    """The band broke its wire format; `payload` holds the bytes."""

    def __init__(self, message: str, payload: bytes) -> None:
        super().__init__(message)
        self.payload = payload


class LinkError(BandError, ConnectionError):
    """The radio link failed; `address` names the band, if one was known."""

    def __init__(self, message: str, address: str | None = None) -> None:
        super().__init__(message)
        self.address = address


class NotHeardError(LinkError):
    """The radio is fine, and no band is in the air."""


class RecordingError(BandError, ValueError):
    """A session file cannot be read or written; `path` names it."""

    def __init__(self, message: str, path: Path | None = None) -> None:
        super().__init__(message if path is None else f"{path}: {message}")
        self.path = path


class DiskFullError(RecordingError):
    """There is no room for what is to be recorded."""
