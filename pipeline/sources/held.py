"""A band that is connected before its session begins, and may have to wait for a pull."""

from __future__ import annotations

from collections import deque
from collections.abc import AsyncIterator, Callable
from typing import Protocol, Self

from sensor.samples import Channel, Notification
from sensor.source import About, Source
from sensor.timeline.ledger import Ledger

LEAD_US = 10_000_000
"""How much of what came before the pull belongs to the session."""


class ConnectedSource(Source, Protocol):
    """What a held band needs of its source, which is entered already."""

    @property
    def about(self) -> About: ...
    async def stop(self) -> None: ...
    def now_us(self) -> int: ...
    def clock_shift_us(self) -> int: ...
    def follow(self, ledger: Callable[[], Ledger], /) -> None: ...


class HeldBand:
    """The source of one session; whoever made the connection ends it."""

    def __init__(self, band: ConnectedSource) -> None:
        self._band = band
        self._said: list[Notification] = []
        self._force: deque[Notification] = deque()

    async def wait_for(self, pull: Callable[[Notification], bool]) -> bool:
        """Return when `pull` says so of a notification; False if the link is lost before.

        What the band said of itself is kept for the session, and the last seconds of force.
        """
        async for notification in self._band:
            match notification.channel:
                case Channel.FORCE:
                    self._force.append(notification)
                    while notification.received_us - self._force[0].received_us > LEAD_US:
                        self._force.popleft()
                case Channel.LINK if notification.payload != b"up":
                    return False
                case Channel.BATTERY:
                    self._said = [e for e in self._said if e.channel is not Channel.BATTERY]
                    self._said.append(notification)
                case _:
                    self._said.append(notification)
            if pull(notification):
                return True
        return False

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None

    async def __aiter__(self) -> AsyncIterator[Notification]:
        for kept in sorted([*self._said, *self._force], key=lambda each: each.received_us):
            yield kept
        self._said.clear()
        self._force.clear()
        async for notification in self._band:
            yield notification

    @property
    def about(self) -> About:
        """What the band says of itself."""
        return self._band.about

    async def stop(self) -> None:
        """Let the band come to its end; go on iterating for the rest."""
        await self._band.stop()

    def now_us(self) -> int:
        """Steady UTC of the band's source, µs."""
        return self._band.now_us()

    def clock_shift_us(self) -> int:
        """How far the computer's clock was set forward since that began, µs."""
        return self._band.clock_shift_us()

    def follow(self, ledger: Callable[[], Ledger]) -> None:
        """Bring what this ledger misses."""
        self._band.follow(ledger)
