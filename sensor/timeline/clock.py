"""The band's clock against UTC: a robust line, followed without steps.

A notification is received some time after its samples were taken: the delay is never negative,
mostly small, and now and then seconds (a poor link sends in bursts). So the line is fitted to the
earliest arrival in each window of time, and what is late is left out. UTC for samples follows the
line by slewing, as NTP does, so that it never steps back and a sample's UTC, once given, stays.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass

import numpy as np

from sensor.samples import Floats, Ints

MAX_SKEW = 5000e-6
"""Ceramic resonators were measured 3100 ppm off; crystals are 50 ppm off."""
MAX_SLEW = 0.01
_FIRST_WINDOW_US = 1_000_000
_MAX_WINDOWES = 64
_SLEW_US = 10_000_000


@dataclass(frozen=True, slots=True)
class ClockFit:
    """UTC in µs is `utc_us + (1 + skew_ppm / 1e6) * (device_us - device_us_ref)`."""

    device_us: int
    utc_us: float
    skew_ppm: float
    residual_ms: float
    """Root mean square of the earliest arrivals about the line."""


class DeviceClock:
    """Learns the line from arrivals and gives the UTC of device times.

    The answers depend only on the arrivals fed before, so a replay gives them again.
    """

    def __init__(self) -> None:
        self._window_us = _FIRST_WINDOW_US
        self._earliest: list[tuple[int, int]] = []
        self._open: tuple[int, int] | None = None
        self._open_end = 0
        self._starts: list[int] = []
        self._segments: list[tuple[int, float, float]] = []
        self.fit: ClockFit | None = None

    @property
    def known(self) -> bool:
        """Whether anything has arrived, so that UTC is known."""
        return bool(self._segments)

    def arrived(self, device_us: int, received_us: int) -> None:
        """Learn that what the band sampled at `device_us` (unwrapped) was received."""
        if not self._segments:
            self._add_segment(device_us, float(received_us), 1.0)
            self._open, self._open_end = (device_us, received_us), device_us + self._window_us
            return
        if self._open is None or device_us >= self._open_end:
            if self._open is not None:
                self._earliest.append(self._open)
                self._refit(device_us)
            self._open, self._open_end = (device_us, received_us), device_us + self._window_us
            return
        slope = 1.0 if self.fit is None else 1 + self.fit.skew_ppm * 1e-6
        lead = (received_us - self._open[1]) - slope * (device_us - self._open[0])
        if lead < 0:
            self._open = (device_us, received_us)

    def utc_us(self, device_us: Ints) -> Ints:
        """UTC in µs of device times of shape (n,); strictly increasing with them.

        Raises
        ------
        ValueError
            If nothing has arrived yet.
        """
        if not self._segments:
            raise ValueError("no arrival yet: the clock knows no UTC")
        last = self._segments[-1]
        if len(self._segments) == 1 or (device_us.size and device_us.min() >= last[0]):
            return _on_line(device_us, *last)
        place = np.maximum(np.searchsorted(self._starts, device_us, side="right") - 1, 0)
        start, utc, slope = (
            np.array(column)[place] for column in zip(*self._segments, strict=True)
        )
        return _on_line(device_us, start, utc, slope)

    def utc_us_at(self, device_us: float) -> int:
        """UTC in µs of one device time."""
        start, utc, slope = self._segments[max(bisect_right(self._starts, device_us) - 1, 0)]
        return round(utc + slope * (device_us - start))

    def _add_segment(self, start: int, utc: float, slope: float) -> None:
        self._starts.append(start)
        self._segments.append((start, utc, slope))

    def _refit(self, now_us: int) -> None:
        if len(self._earliest) >= _MAX_WINDOWES:
            self._halve()
        self.fit = fit = _fit(self._earliest)
        if fit is None or now_us <= self._starts[-1]:
            return
        here = float(self.utc_us_at(now_us))
        ahead = max(_SLEW_US, 2 * self._window_us)
        slope_to_line = 1 + fit.skew_ppm * 1e-6
        target = fit.utc_us + slope_to_line * (now_us + ahead - fit.device_us)
        slope = (target - here) / ahead
        slope = min(max(slope, slope_to_line - MAX_SLEW), slope_to_line + MAX_SLEW)
        self._add_segment(now_us, here, slope)

    def _halve(self) -> None:
        """Keep the earlier arrival of each two windows, so that memory stays bounded."""
        slope = 1.0 if self.fit is None else 1 + self.fit.skew_ppm * 1e-6
        pairs = zip(self._earliest[::2], self._earliest[1::2], strict=False)
        self._earliest = [
            min(pair, key=lambda point: point[1] - slope * point[0]) for pair in pairs
        ]
        self._window_us *= 2


def _on_line(
    device_us: Ints, start: Ints | int, utc: Floats | float, slope: Floats | float
) -> Ints:
    return np.rint(utc + slope * (device_us - start)).astype(np.int64)


def _fit(points: list[tuple[int, int]]) -> ClockFit | None:
    """The line through the earliest arrivals, late ones left out."""
    device0, utc0 = points[0]
    device = np.array([d - device0 for d, _ in points], float)
    delay = np.array([(r - utc0) - (d - device0) for d, r in points], float)
    keep = np.ones(device.size, bool)
    slope = offset = 0.0
    for _ in range(5):
        slope, offset = _line(device[keep], delay[keep])
        residual = delay - (offset + slope * device)
        spread = 1.4826 * float(np.median(np.abs(residual[keep] - np.median(residual[keep]))))
        late = residual > float(np.median(residual[keep])) + max(3 * spread, 2000.0)
        if (~late == keep).all() or (~late).sum() < 3:
            break
        keep = ~late
    slope = min(max(slope, -2 * MAX_SKEW), 2 * MAX_SKEW)
    offset = float(np.median(delay[keep] - slope * device[keep]))
    residual = delay[keep] - (offset + slope * device[keep])
    last = points[-1][0]
    return ClockFit(
        last,
        utc0 + offset + (1 + slope) * (last - device0),
        slope * 1e6,
        float(np.sqrt(np.mean(residual**2))) / 1000,
    )


def _line(x: Floats, y: Floats) -> tuple[float, float]:
    """Slope and offset by least squares; a slope only from 20 s of arrivals on.

    Over a shorter time the jitter of the delays would look like skew.
    """
    if x.size < 3 or x[-1] - x[0] < 20e6:
        return 0.0, float(np.median(y))
    dx = x - x.mean()
    slope = float((dx * (y - y.mean())).sum() / (dx * dx).sum())
    return slope, float(y.mean() - slope * x.mean())
