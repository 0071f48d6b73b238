"""How far a long job is, on stderr; what takes less than a second says nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Timer

SILENT_S = 1.0
"""A job says nothing for so long."""


@contextmanager
def shown_progress(what: str) -> Iterator[Callable[[float], None] | None]:
    """What to tell which part of a job is done, 0 to 1; None where nobody looks.

    Before anything is told, and once all is, nobody knows how long it takes: the bar only moves.
    """
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    # What is printed meanwhile stands above the bar; what goes to a file or a pipe goes there.
    console, to_terminal = Console(stderr=True), sys.stdout.isatty()
    bar = Progress(console=console, transient=True, redirect_stdout=to_terminal)
    unmeasured = bar.add_task(what, total=None)
    measured = bar.add_task(what, total=1.0, visible=False)
    shown_s = time.monotonic() + SILENT_S

    def tell(done: float) -> None:
        bar.update(unmeasured, visible=done >= 1)
        bar.update(measured, completed=done, visible=done < 1)
        if time.monotonic() > shown_s:
            bar.start()

    untold = Timer(SILENT_S, bar.start)
    untold.daemon = True
    untold.start()
    try:
        yield tell
    finally:
        untold.cancel()
        untold.join()
        bar.stop()
