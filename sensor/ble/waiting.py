"""Waiting for tasks and events, whichever comes first."""

from __future__ import annotations

import asyncio
from typing import Any


async def ended(task: asyncio.Task[Any]) -> None:
    """Cancel a task until it is done.

    Up to Python 3.11 `asyncio.wait_for`, which bumble uses, may swallow a cancellation.
    """
    while not task.done():
        task.cancel()
        await asyncio.wait({task}, timeout=1.0)
    if not task.cancelled():
        task.exception()


async def first(timeout_s: float | None, *things: asyncio.Event | asyncio.Task[None]) -> bool:
    """Wait until one of the things is set or done; whether the first one is."""
    waiting = {
        asyncio.ensure_future(thing.wait()) if isinstance(thing, asyncio.Event) else thing
        for thing in things
    }
    try:
        await asyncio.wait(waiting, timeout=timeout_s, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for future in waiting:
            if future not in things:
                future.cancel()
    return isinstance(things[0], asyncio.Event) and things[0].is_set()


def now_s() -> float:
    """Time on the loop's clock, s."""
    return asyncio.get_running_loop().time()
