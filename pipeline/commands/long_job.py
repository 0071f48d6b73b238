"""How far a long job is, on stderr; what takes less than a second says nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SILENT_S, SHORT_S = 1.0, 0.3
"""A job says nothing for so long; one that was read sooner than the second is soon done."""


@contextmanager
def shown_progress(what: str) -> Iterator[Callable[[float], None] | None]:
    """What to tell which part of a job is done, 0 to 1; None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    began_s = time.monotonic()
    bar = Progress(console=Console(stderr=True), transient=True)
    task = bar.add_task(what, total=1.0)

    def tell(done: float) -> None:
        # Once all is read, nobody knows how long the analysis takes.
        bar.update(task, completed=done, total=1.0 if done < 1 else None)
        if time.monotonic() - began_s > (SILENT_S if done < 1 else SHORT_S):
            bar.start()

    try:
        yield tell
    finally:
        bar.stop()
