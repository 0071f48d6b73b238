"""How far a long job is, on stderr; what takes less than a second says nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

SILENT_S = 1.0


@contextmanager
def shown_progress(what: str) -> Iterator[Callable[[float], None] | None]:
    """What to tell which part of a job is done, 0 to 1; None where nobody looks."""
    if not sys.stderr.isatty():
        yield None
        return
    from rich.console import Console
    from rich.progress import Progress

    began_s = time.monotonic()
    with Progress(console=Console(stderr=True), transient=True, disable=True) as bar:
        task = bar.add_task(what, total=1.0)

        def tell(done: float) -> None:
            if bar.disable and time.monotonic() - began_s > SILENT_S:
                bar.disable = False
                bar.start()
            bar.update(task, completed=done)

        yield tell
