"""One time axis and one index over all the times that the band was switched on."""

from __future__ import annotations

from bisect import bisect_right
from typing import Any

from sensor.timeline.clock import DeviceClock
from sensor.timeline.ledger import Ledger
from sensor.wire.profile import Info

RATE_HZ, RING_SAMPLES = 80.0, 9600
"""Of a band that has not reported its own."""


class PowerOn:
    """What belongs to one run of the band since it was switched on."""

    def __init__(self, info: Info | None) -> None:
        self.info = info
        rate_hz, ring = (info.rate_hz, info.ring_samples) if info else (RATE_HZ, RING_SAMPLES)
        self.ledger = Ledger(rate_hz, ring)
        self.clock = DeviceClock()
        self.index0 = 0
        """Added to the band's index, so that the session's indices go on."""
        self.device_us0: int | None = None
        """The band's clock at `time0_s`; None until its first sample."""
        self.time0_s = 0.0

    def time_s(self, device_us: Any) -> Any:
        """Session time of the band's time: a number, or an array of them."""
        return self.time0_s + (device_us - (self.device_us0 or 0)) / 1e6

    def utc_us_at(self, time_s: float) -> int:
        """UTC of a session time, once the clock is known."""
        return self.clock.utc_us_at((time_s - self.time0_s) * 1e6 + (self.device_us0 or 0))


class TimeAxis:
    """Seconds since the session's first sample, whatever the band's clock did in between."""

    def __init__(self) -> None:
        self._powers: list[PowerOn] = []

    def __len__(self) -> int:
        """How often the band was switched on, as its samples show."""
        return len(self._powers)

    def add(
        self, power: PowerOn, first: int, device_us: int, end_s: float, next_index: int
    ) -> None:
        """Place a power-on by its first sample that came.

        Parameters
        ----------
        first, device_us
            The sample's index since power-on, and the band's clock at it.
        end_s, next_index
            Where the session stands: the samples of this power-on come after.
        """
        # frames before this one may have been lost: the session starts where the band says
        lacking = first - power.ledger.start
        device_us -= round(lacking * power.ledger.pace.period_us)
        power.device_us0 = device_us
        power.index0 = next_index - power.ledger.start
        if self._powers:
            before = self.utc_us_at(end_s)
            passed_s = 0.0 if before is None else (power.clock.utc_us_at(device_us) - before) / 1e6
            power.time0_s = end_s + max(passed_s, 1e-3)
            power.index0 += 1
        self._powers.append(power)

    def utc_us_at(self, time_s: float) -> int | None:
        """UTC of a session time; None where no clock is known."""
        place = bisect_right(self._powers, time_s, key=lambda power: power.time0_s) - 1
        if place < 0 or not self._powers[place].clock.known:
            return None
        return self._powers[place].utc_us_at(time_s)
