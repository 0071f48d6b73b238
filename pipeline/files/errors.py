"""What is wrong with a file, in one sentence."""

from __future__ import annotations

from sensor.errors import BandError


class FileError(BandError, ValueError):
    """A file that cannot be taken; the text names the file, the place and what to do."""


def shown(text: object, most: int = 40) -> str:
    """A piece of a file that a terminal may show."""
    signs = str(text).strip()
    cut = signs[:most] + ("..." if len(signs) > most else "")
    return "".join(sign if sign.isprintable() else "?" for sign in cut)
