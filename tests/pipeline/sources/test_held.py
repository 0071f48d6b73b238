"""A band that waits for a pull: what its session has of the time before."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence

import pytest

from pipeline.sources.held import LEAD_US, HeldBand
from sensor.samples import Channel, Notification
from sensor.source import About
from sensor.timeline.ledger import Ledger

PULL = b"pull"


class Band:
    """A source that brings what it was given."""

    about = About(model="made up")

    def __init__(self, notifications: Sequence[Notification]) -> None:
        self._left = list(notifications)

    async def __aenter__(self) -> Band:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        return None

    async def __aiter__(self) -> AsyncIterator[Notification]:
        while self._left:
            yield self._left.pop(0)

    async def stop(self) -> None:
        self._left.clear()

    def now_us(self) -> int:
        return 7

    def clock_shift_us(self) -> int:
        return 3

    def follow(self, ledger: Callable[[], Ledger]) -> None:
        pass


def frames(seconds: int) -> list[Notification]:
    return [Notification(k * 1_000_000, b"frame") for k in range(seconds)]


def hours() -> list[Notification]:
    """A band that says who it is, lies for a minute, and is pulled."""
    start = [
        Notification(0, b"up", Channel.LINK),
        Notification(1, b"info", Channel.INFO),
        Notification(2, b"\x63", Channel.BATTERY),
    ]
    later = [Notification(30_500_000, b"\x62", Channel.BATTERY)]
    end = [Notification(60_000_000, PULL), Notification(61_000_000, b"after")]
    return sorted([*start, *frames(60), *later], key=lambda each: each.received_us) + end


def is_pull(notification: Notification) -> bool:
    return notification.payload == PULL


def test_a_session_gets_what_the_band_said_the_last_seconds_and_all_that_follows() -> None:
    async def run() -> None:
        held = HeldBand(Band(hours()))
        assert await held.wait_for(is_pull)
        got = [each async for each in held]
        said = [(e.channel, e.payload) for e in got if e.channel is not Channel.FORCE]
        assert said == [
            (Channel.LINK, b"up"),
            (Channel.INFO, b"info"),
            (Channel.BATTERY, b"\x62"),
        ]
        force = [each for each in got if each.channel is Channel.FORCE]
        assert [each.payload for each in force[-2:]] == [PULL, b"after"]
        assert 60_000_000 - force[0].received_us == LEAD_US
        assert len(force) == LEAD_US // 1_000_000 + 2
        assert [each.received_us for each in got] == sorted(each.received_us for each in got)
        assert (held.about.model, held.now_us(), held.clock_shift_us()) == ("made up", 7, 3)

    asyncio.run(run())


def test_without_waiting_a_session_gets_everything() -> None:
    async def run() -> None:
        assert [each async for each in HeldBand(Band(hours()))] == hours()

    asyncio.run(run())


@pytest.mark.parametrize("end", [[], [Notification(9, b"down: away", Channel.LINK)]])
def test_a_band_that_leaves_before_the_pull_has_no_session(end: list[Notification]) -> None:
    async def run() -> None:
        assert not await HeldBand(Band([*frames(3), *end])).wait_for(is_pull)

    asyncio.run(run())
