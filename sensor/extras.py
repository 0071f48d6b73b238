"""What an installation may do without, and the command that adds it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import PurePath

from sensor.errors import BandError

EXTRAS = {
    "bumble": ("sim", "the simulated band, and radios that the system does not know,"),
    "amqtt": ("broker", "the embedded MQTT broker"),
    "matplotlib": ("plot", "a picture"),
    "pyarrow": ("parquet", "Parquet"),
}
"""By package: the extra that brings it, and what it is for."""


def what_is_missing(error: ImportError) -> str | None:
    """The sentence about an extra that is not installed; None for any other import that failed."""
    package = (error.name or "").partition(".")[0]
    if package not in EXTRAS:
        return None
    extra, purpose = EXTRAS[package]
    return f"{purpose} needs {package}, which is not installed: {command(extra)}"


@contextmanager
def extras_explained() -> Iterator[None]:
    """Within it, an extra that is not installed is a BandError that says how to install it."""
    try:
        yield
    except ImportError as error:
        if sentence := what_is_missing(error):
            raise BandError(sentence) from error
        raise


def command(extra: str, prefix: str = sys.prefix) -> str:
    """What adds an extra to the installation that is running."""
    what = f"'forceband[{extra}]'"
    parts = PurePath(prefix).parts
    if "pipx" in parts:
        return f"pipx install --force {what}"
    if "uv" in parts and "tools" in parts:
        return f"uv tool install --force {what}"
    return f"pip install {what}"
