"""Keys of a terminal, for a person who is led there: one key, one wish."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from collections.abc import Awaitable, Callable

from sensor.errors import BandError

WISHES = {
    "\n": "start", " ": "pause", "g": "go-on", "s": "skip", "r": "repeat", "l": "longer",
    "w": "swap", "t": "tap", "q": "stop", "e": "end", "n": "no-pain",
}  # fmt: skip
ESCAPE = b"\x1b"
"""What an arrow or another key without a letter begins with."""
HELP = (
    "keys: Enter start, Space pause, g go on, s skip, r repeat, l longer rest, w other side, "
    "t tap a rep, q stop, e end here, 0-9 pain"
)


async def keys(handle: Callable[[str], Awaitable[str]]) -> None:
    """Hand the coach what is typed, until cancelled; returns at once where nobody can type."""
    try:
        import termios
        import tty
    except ImportError:  # Windows: the page leads there
        return
    if not sys.stdin.isatty():
        return
    number = sys.stdin.fileno()
    if os.tcgetpgrp(number) != os.getpgrp():  # in the background the terminal is somebody else's
        return
    typed: asyncio.Queue[str] = asyncio.Queue()
    loop = asyncio.get_running_loop()

    def read() -> None:
        try:
            given = os.read(number, 1024)
        except OSError:  # the terminal is gone
            given = b""
        if not given:
            loop.remove_reader(number)
        elif not given.startswith(ESCAPE):
            for key in given.decode("ascii", "ignore"):
                typed.put_nowait(key)

    before = termios.tcgetattr(number)
    tty.setcbreak(number)
    loop.add_reader(number, read)
    print(HELP, file=sys.stderr)
    try:
        while True:
            key = await typed.get()
            wish = f"pain {key}" if key.isdigit() else WISHES.get(key)
            if wish is not None:
                with contextlib.suppress(BandError):
                    await handle(f"coach {wish}")
    finally:
        loop.remove_reader(number)
        with contextlib.suppress(termios.error):
            termios.tcsetattr(number, termios.TCSADRAIN, before)
