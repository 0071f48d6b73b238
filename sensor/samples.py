"""The values that flow from the band to the analysis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]


class Channel(IntEnum):
    """What a `Notification` carries. The numbers stand in recordings: never reuse one."""

    FORCE = 1
    """A force frame (`sensor.wire.frames`)."""
    RESPONSE = 2
    """An indication of the control characteristic (`sensor.wire.profile`)."""
    INFO = 3
    """The value of the Info characteristic, read after each connect."""
    BATTERY = 4
    """One byte, percent."""
    LINK = 5
    """UTF-8: `up`, or `down: reason`. Written by the host."""
    COMMAND = 6
    """What the host wrote to the control characteristic."""
    MARK = 7
    """UTF-8 JSON object with a `kind`: labels, tare, what the host gave up. Written by the host."""
    END = 8
    """Empty: the session is complete. Where rows follow, as the band brought what was missing at
    the end, only the last one counts."""
    DRIVER = 9
    """JSON: a device that is not ours was connected, and by which driver its payloads are read
    (`sensor.drivers`). Without such a row they are our band's. Written by the host."""


@dataclass(frozen=True, slots=True)
class Notification:
    """One fact from the band or its host, as received: the raw material of everything.

    `received_us` is host time in µs since 1970 UTC, on a clock that never steps within a session.
    """

    received_us: int
    payload: bytes
    channel: Channel = Channel.FORCE


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive notifications of one channel and size; their payloads stand in a row."""

    first_row: int
    received_us: tuple[int, ...]
    channel: Channel
    joined: bytes

    @property
    def size(self) -> int:
        """Bytes of each payload."""
        return len(self.joined) // len(self.received_us) if self.received_us else 0

    @property
    def last_row(self) -> int:
        return self.first_row + len(self.received_us) - 1

    def part(self, start: int, stop: int | None = None) -> Batch:
        """The notifications from place `start` on, up to before `stop`, as a run of their own."""
        cut = slice(start, stop)
        times, size = self.received_us[cut], self.size
        joined = self.joined[start * size : (start + len(times)) * size]
        return Batch(self.first_row + start, times, self.channel, joined)

    def rows(self, after: int = 0) -> Iterator[tuple[int, Notification]]:
        """The notifications with a row number above `after`, one by one."""
        size, skip = self.size, max(after + 1 - self.first_row, 0)
        for number, received_us in enumerate(self.received_us[skip:], skip):
            payload = self.joined[number * size : (number + 1) * size]
            yield self.first_row + number, Notification(received_us, payload, self.channel)


@dataclass(frozen=True, slots=True, eq=False)
class ForceBlock:
    """Consecutive samples without a gap, in the order of the band's clock.

    `time_s` (n,) is seconds on the band's clock since the session's first sample, `force_n` (n,)
    calibrated force in N, `index` the unwrapped index of the first sample.
    """

    index: int
    time_s: Floats
    force_n: Floats


@dataclass(frozen=True, slots=True)
class Gap:
    """Samples that the sample index says are missing and that no resend brought.

    `missing` is None where the band cannot know how many (it was power-cycled).
    """

    start_s: float
    end_s: float
    missing: int | None
