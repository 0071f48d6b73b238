"""When the samples of a device without our sample index were taken, and which of them are missing.

Samples that bear the device's clock, and samples that are as old as their arrival; `even` has those
that are even. All depend on what came and on nothing else.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from statistics import median
from typing import Protocol

import numpy as np

from sensor.samples import Ints

LATE_S = 2.0
"""A stamp that is so little behind is of a sample that came late or twice; one further, of another
power-on."""
ASTRAY_US = 10_000_000
"""A stamp further than this from what the host's clock suggests is wrong, or all began again."""
MISSING_STEPS = 1.5
LEAST_STEPS, MOST_STEPS = 8, 63
"""Steps of the device's clock that tell its period."""


@dataclass(frozen=True, slots=True, eq=False)
class Run:
    """Consecutive samples, counted through as they came in, from `first` on; times (n,) in µs."""

    first: int
    times_us: Ints
    lost: int | None = 0
    """Samples missing before the first; None where there are some and nobody knows how many."""
    restarted: bool = False
    """The device's clock began again."""


class ForeignClock(Protocol):
    """Places samples of one link after the other."""

    doubted: int
    """Samples whose stamp cannot be true."""

    def place(self, count: int, stamps: Ints | None, received_us: int, /) -> list[Run]:
        """Where `count` samples that were received together belong; what is in no run is left out.

        With runs of earlier ones that were waited with.
        """

    def flush(self) -> list[Run]:
        """Place what waits, as nothing more will come."""


class ArrivalClock:
    """Each sample is as old as its arrival."""

    doubted = 0

    def __init__(self) -> None:
        self._count = 0
        self._last_us = 0

    def place(self, count: int, stamps: Ints | None, received_us: int) -> list[Run]:
        """Where samples belong."""
        del stamps
        times = np.maximum(received_us, self._last_us + 1) + np.arange(count)
        run = Run(self._count, times)
        self._count += count
        self._last_us = int(times[-1]) if count else self._last_us
        return [run] if count else []

    def flush(self) -> list[Run]:
        """Nothing waits."""
        return []


class StampedClock:
    """Each sample bears a time; `doubted` counts those whose cannot be.

    Parameters
    ----------
    tick_us, wrap
        What one of the stamp is in µs, and where it begins again.
    """

    def __init__(self, tick_us: int, wrap: int) -> None:
        self.doubted = 0
        self._tick_us, self._wrap = tick_us, wrap
        self._count = 0
        self._newest: tuple[int, int, int] | None = None
        """Stamp, unwrapped time and arrival of the sample that is furthest on, µs."""
        self._doubt: int | None = None
        self._recent: deque[int] = deque(maxlen=256)
        self._steps: deque[int] = deque(maxlen=MOST_STEPS)

    def place(self, count: int, stamps: Ints | None, received_us: int) -> list[Run]:
        """Where samples belong; those that came before, or late, are in no run."""
        assert stamps is not None
        runs: list[Run] = []
        times: list[int] = []
        head = (self._count, 0, False)
        period_us = median(self._steps) if len(self._steps) >= LEAST_STEPS else 0
        for ordinal, stamp in enumerate(stamps.tolist(), self._count):
            place = self._judged(stamp, received_us)
            lost, restarted = 0, False
            if place is not None:
                step_us, restarted = place
                if period_us and not restarted and step_us > MISSING_STEPS * period_us:
                    lost = round(step_us / period_us) - 1
            if place is None or lost or restarted or not times:
                runs += _run(times, head)
                times, head = [], (ordinal + (place is None), lost, restarted)
            if place is not None:
                assert self._newest is not None
                times.append(self._newest[1])
        self._count += count
        return runs + _run(times, head)

    def flush(self) -> list[Run]:
        """Nothing waits."""
        return []

    def _judged(self, stamp: int, received_us: int) -> tuple[int, bool] | None:
        """Step since the sample before, µs, and whether all began again; None to leave it out."""
        if self._newest is None:
            self._begin(stamp, 0, received_us)
            return 0, False
        before, time_us, arrival_us = self._newest
        step_us = self._signed(stamp - before) * self._tick_us
        astray = abs(step_us - (received_us - arrival_us)) > ASTRAY_US
        if stamp in self._recent and step_us > -ASTRAY_US:
            return None
        if -LATE_S * 1e6 < step_us <= 0:
            self.doubted += 1
            return None
        if astray or step_us <= 0:
            doubt, self._doubt = self._doubt, stamp
            if doubt is None or not 0 < self._signed(stamp - doubt) * self._tick_us < LATE_S * 1e6:
                self.doubted += 1
                return None
            self._recent.clear()
            self._begin(stamp, time_us + 1, received_us)
            return 0, True
        self._steps.append(step_us)
        self._begin(stamp, time_us + step_us, received_us)
        return step_us, False

    def _begin(self, stamp: int, time_us: int, received_us: int) -> None:
        self._newest, self._doubt = (stamp, time_us, received_us), None
        self._recent.append(stamp)

    def _signed(self, difference: int) -> int:
        half = self._wrap // 2
        return (difference + half) % self._wrap - half


def _run(times: list[int], head: tuple[int, int, bool]) -> list[Run]:
    return [Run(head[0], np.array(times, np.int64), head[1], head[2])] if times else []
