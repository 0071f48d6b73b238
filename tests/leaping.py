"""An event loop whose time leaps: what waits for time goes on at once, in the same order."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

PATIENCE_S = 24 * 3600.0
"""What is not over by then waits for what never comes."""
MOST_TURNS = 20_000
"""A loop that takes more without time passing spins."""


class _Leaping(selectors.SelectSelector):
    """Leaps over the time that nobody uses; waits only for what comes from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.now_s = 0.0
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(None if timeout is None else 0)
        self._turns += 1
        if not ready and timeout:
            self.now_s += timeout
            self._turns = 0
        if self._turns > MOST_TURNS:
            raise AssertionError(f"{MOST_TURNS} turns of the loop, and no time passed")
        return ready


class LeapingLoop(asyncio.SelectorEventLoop):
    """For what runs in the loop alone: a thread that is waited for finds its time-outs over."""

    def __init__(self) -> None:
        self._leaping = _Leaping()
        super().__init__(self._leaping)

    def time(self) -> float:
        """Seconds since the loop was made."""
        return self._leaping.now_s

    def sleep(self, seconds: float) -> None:
        """Nothing runs for so long."""
        self._leaping.now_s += seconds


def leap(main: Coroutine[Any, Any, T]) -> T:
    """Run it as `asyncio.run` does, in no time; what hangs or spins fails."""

    async def patiently() -> T:
        async with asyncio.timeout(PATIENCE_S):
            return await main

    with asyncio.Runner(loop_factory=LeapingLoop) as runner:
        return runner.run(patiently())


def stand_still(seconds: float) -> None:
    """The whole computer sleeps, and time goes on."""
    loop = asyncio.get_running_loop()
    assert isinstance(loop, LeapingLoop)
    loop.sleep(seconds)
