"""What waits for a slow reader is bounded; what was dropped is named where it is missing."""

from __future__ import annotations

import asyncio
import json

import pytest

from sensor.ble.inbox import MAX_WAITING, Inbox
from sensor.errors import LinkError
from sensor.samples import Channel, Notification
from sensor.source import HostClock
from tests.leaping import leap


def inbox(max_waiting: int = 4) -> Inbox:
    ticks_us = iter(range(10_000))
    return Inbox(HostClock(0, lambda: 1000 * next(ticks_us)), max_waiting)


async def read(box: Inbox) -> list[Notification]:
    """All there is until the end."""
    found = []
    while (each := await box.get()) is not None:
        found.append(each)
    return found


def test_what_comes_is_read_in_order_with_the_time_it_came() -> None:
    box = inbox()
    box.put(Channel.FORCE, b"a")
    box.put(Channel.RESPONSE, b"b")
    box.end()
    a, b = leap(read(box))
    assert (a.channel, a.payload) == (Channel.FORCE, b"a")
    assert (b.channel, b.payload) == (Channel.RESPONSE, b"b")
    assert a.received_us < b.received_us
    assert box.dropped == 0


def test_beyond_the_bound_samples_are_dropped_and_counted_where_they_are_missing() -> None:
    box = inbox(4)
    for number in range(7):
        box.put(Channel.FORCE, bytes([number]))
    box.put(Channel.BATTERY, b"x")
    box.put(Channel.LINK, b"down")  # what the host has to say always gets in

    async def main() -> list[Notification]:
        first = [await box.get() for _ in range(3)]
        box.put(Channel.FORCE, b"later")
        box.end()
        return [each for each in first if each] + await read(box)

    found = leap(main())
    assert [each.payload for each in found[:5]] == [b"\0", b"\1", b"\2", b"\3", b"down"]
    assert found[5].channel is Channel.MARK
    assert json.loads(found[5].payload) == {"kind": "overflow", "notifications": 4}
    assert [each.payload for each in found[6:]] == [b"later"]
    assert box.dropped == 4
    assert [each.received_us for each in found] == sorted(each.received_us for each in found)


def test_what_was_dropped_last_is_named_at_the_end() -> None:
    box = inbox(1)
    for number in range(3):
        box.put(Channel.FORCE, bytes([number]))
    box.end()
    first, mark = leap(read(box))
    assert first.payload == b"\0"
    assert json.loads(mark.payload) == {"kind": "overflow", "notifications": 2}


def test_a_reader_who_waits_is_woken() -> None:
    async def main() -> None:
        box = inbox()
        reading = asyncio.create_task(read(box))
        await asyncio.sleep(1)
        box.mark(kind="label", text="x")
        await asyncio.sleep(1)
        assert not reading.done()
        box.end()
        (mark,) = await asyncio.wait_for(reading, 1)
        assert (mark.channel, json.loads(mark.payload)) == (
            Channel.MARK,
            {"kind": "label", "text": "x"},
        )

    leap(main())


def test_an_error_comes_after_what_waits_and_the_first_end_counts() -> None:
    box = inbox()
    box.put(Channel.FORCE, b"a")
    box.end(LinkError("gone"))
    box.end(LinkError("later"))
    box.end()

    async def main() -> None:
        first = await box.get()
        assert first is not None
        for _ in range(2):
            with pytest.raises(LinkError, match="gone"):
                await box.get()

    leap(main())


def test_a_reader_is_behind_from_half_the_bound_on_and_unread_is_what_it_has_not_done_with() -> (
    None
):
    box = inbox(4)
    for number, crowded in enumerate((False, False, True, True), 1):
        box.put(Channel.FORCE, b"x")
        assert (box.is_crowded, box.unread) == (crowded, number)

    async def main() -> None:
        await box.get()
        assert box.unread == 4  # it was handed one, and may not be done with it
        await box.get()
        assert (box.is_crowded, box.unread) == (False, 3)
        await box.get()
        await box.get()
        assert box.unread == 1
        box.end()
        assert await box.get() is None
        assert box.unread == 0

    leap(main())


def test_minutes_of_frames_may_wait() -> None:
    box = Inbox(HostClock())
    for _ in range(6 * 60 * 10):  # as they come at 80 Hz in frames of eight
        box.put(Channel.FORCE, b"x")
    assert box.dropped == 0
    for _ in range(2 * MAX_WAITING):
        box.put(Channel.FORCE, b"x")
    assert box.unread <= 10_000
