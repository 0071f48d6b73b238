"""The terminal around a process: standard error that never ends or holds it up, and signals."""

from __future__ import annotations

import io
import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import TextIO

WAIT_S = 0.2
"""How long a write waits for one that is slow; one that stands still is not waited for again."""
MAX_WAITING_BYTES = 65_536
"""What a terminal may owe; beyond, nothing more is kept for it."""

ENDING = tuple(
    getattr(signal, name)
    for name in ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
    if hasattr(signal, name)
)
"""Ctrl-C, a service's or a container's end, a closed terminal: each ends a session cleanly."""


def ending_signals() -> list[signal.Signals]:
    """All, but SIGHUP where it is ignored, as under `nohup`.

    SIGINT is ignored in the background of a script; who sends it there means it.
    """
    hang_up = getattr(signal, "SIGHUP", None)
    return [e for e in ENDING if e != hang_up or signal.getsignal(e) is not signal.SIG_IGN]


class PatientStream(io.TextIOBase):
    """Text to a file descriptor, written by a thread of its own.

    A terminal that was closed, a full disk, or a pipe that nobody reads any more loses what is
    written there, and nothing else. While a terminal stands still (Ctrl-S, a connection that
    hangs), what is written waits for it, up to a bound.
    """

    def __init__(self, stream: TextIO) -> None:
        self._descriptor = stream.fileno()
        self._tty = stream.isatty()
        self._encoding = stream.encoding or "utf-8"
        self._waiting: deque[bytes] = deque()
        self._waiting_bytes = 0
        self._changed = threading.Condition()
        self._stands_still = False
        threading.Thread(target=self._run, name="stderr", daemon=True).start()

    @property
    def encoding(self) -> str:  # type: ignore[override]
        """Of the stream in its place."""
        return self._encoding

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._tty

    def fileno(self) -> int:
        """The descriptor that is written to."""
        return self._descriptor

    def writable(self) -> bool:
        """Always."""
        return True

    def write(self, text: str) -> int:
        """Write, and wait a moment until it is through; no error."""
        data = text.encode(self._encoding, "backslashreplace")
        with self._changed:
            if self._waiting_bytes + len(data) <= MAX_WAITING_BYTES:
                self._waiting.append(data)
                self._waiting_bytes += len(data)
                self._changed.notify_all()
            if not self._stands_still:
                through = self._changed.wait_for(lambda: not self._waiting_bytes, WAIT_S)
                self._stands_still = not through
        return len(text)

    def _run(self) -> None:
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._waiting)
                data = self._waiting.popleft()
            self._put(data)
            with self._changed:
                self._waiting_bytes -= len(data)
                if not self._waiting:
                    self._stands_still = False
                self._changed.notify_all()

    def _put(self, data: bytes) -> None:
        with suppress(OSError):
            while data:
                data = data[os.write(self._descriptor, data) :]


@contextmanager
def patient_stderr() -> Iterator[None]:
    """Make `sys.stderr` patient; descriptors that are closed lead nowhere, so that no file gets
    one of their numbers."""
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest free number: this one
    if os.name == "nt":  # a console there takes text, not bytes
        yield
        return
    before = sys.stderr
    # without its descriptor, Python has none of these
    sys.stdout = sys.stdout or open(1, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    stderr = before or open(2, "w", encoding="utf-8", closefd=False)  # noqa: SIM115
    try:
        stderr.fileno()
    except OSError:  # somebody listens in this process
        yield
        return
    sys.stderr = PatientStream(stderr)
    try:
        yield
    finally:
        sys.stderr = before or stderr
