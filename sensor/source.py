"""Where notifications come from: a band, its simulator, or a recording."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Protocol, Self

from sensor.samples import Notification


@dataclass(frozen=True, slots=True)
class About:
    """What a band says of itself, as far as it does."""

    address: str | None = None
    manufacturer: str | None = None
    model: str | None = None
    serial: str | None = None
    firmware: str | None = None
    hardware: str | None = None


class Source(Protocol):
    """Entered, then iterated once. Entering raises what keeps it from starting at all."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> bool | None: ...

    def __aiter__(self) -> AsyncIterator[Notification]: ...


def ticks_ns() -> int:
    """A clock that never steps and, where the system has one, goes on while it is suspended.

    Linux's monotonic clock stands still in suspend, and the band does not.
    """
    if hasattr(time, "CLOCK_BOOTTIME"):
        return time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return time.monotonic_ns()


class HostClock:
    """UTC that never steps: read once, then carried on by another clock.

    Parameters
    ----------
    utc_ns
        UTC at the start in ns since 1970; by default the computer's.
    monotonic_ns
        The clock that carries on.
    system_ns
        What the computer takes for UTC; by default its own, or none beside a clock of one's own.
    """

    def __init__(
        self,
        utc_ns: int | None = None,
        monotonic_ns: Callable[[], int] = ticks_ns,
        system_ns: Callable[[], int] | None = None,
    ) -> None:
        self._monotonic_ns = monotonic_ns
        own = utc_ns is not None or monotonic_ns is not ticks_ns
        self.system_ns = time.time_ns if system_ns is None and not own else system_ns
        utc_ns = time.time_ns() if utc_ns is None else utc_ns
        self._offset_ns = utc_ns - monotonic_ns()

    def now_us(self) -> int:
        """UTC in µs since 1970."""
        return (self._offset_ns + self._monotonic_ns()) // 1000

    def shift_us(self) -> int:
        """How far the computer's clock was set forward since the start, µs; back is below 0."""
        if self.system_ns is None:
            return 0
        return self.system_ns() // 1000 - self.now_us()


def suspended_s() -> float:
    """How long the computer has been suspended since it was started; 0 where it does not say."""
    if not hasattr(time, "CLOCK_BOOTTIME"):
        return 0.0
    return time.clock_gettime(time.CLOCK_BOOTTIME) - time.clock_gettime(time.CLOCK_MONOTONIC)
