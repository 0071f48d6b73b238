"""Whether a frame's index and its device time can both be true, over changes of the sample rate.

Both counters wrap, so that a wrong one can look right: what leads far ahead has to be said twice,
and nothing far back is believed, as no band remembers it.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import numpy as np

from sensor.samples import Floats, Ints
from sensor.wire.frames import MAX_SAMPLES, ForceFrame
from sensor.wire.profile import MAX_RATE_HZ, MIN_RATE_HZ

WRAP = 2**32
RATE_SHARE = 0.25
"""The true rate is so near the nominal one: HX711 boards were measured 0.967 to 1.17 of theirs."""
LATE_US = 100_000
"""A time stamp may be late by this much: interrupts wait."""
MAX_DRIFT_US = 300e6
"""3 % of nearly three hours; the device time wraps, so that larger errors would hide."""
NEAR_S = 180.0
"""More than any band remembers."""
RUN_OF_DOUBTED = 4
"""So many frames that contradict the past, but not each other, say that all began again."""
MAX_FORMER_RATES = 8
STEADY_SHARE = 0.1
"""Frames whose paces differ by no more than this come at one rate."""


@dataclass(frozen=True, slots=True)
class _Line:
    """Device time by index at one rate, through a sample that came."""

    index: int
    device_us: int
    period_us: float
    nominal_us: float

    def time_us(self, first: int, device_us: int, slack_us: float = 0.0) -> int | None:
        """The device time of sample `first` unwrapped; None if it cannot be true."""
        steps = first - self.index
        expected = self.device_us + round(steps * self.period_us)
        found = expected + signed(device_us - expected)
        allowed = min(RATE_SHARE * abs(steps) * self.nominal_us, MAX_DRIFT_US) + LATE_US + slack_us
        error_us = found - self.device_us - steps * self.nominal_us
        return found if abs(error_us) <= allowed else None


class Pace:
    """Index against device time since one power-on.

    Parameters
    ----------
    rate_hz
        Nominal rate; the true one is learnt from index and device time.
    """

    def __init__(self, rate_hz: float) -> None:
        self.doubted = 0
        """Frames that were not believed."""
        self.period_us = self._nominal_us = 1e6 / rate_hz
        self.rate_hz = rate_hz
        self.newest: tuple[int, int] | None = None
        """Index and device time of the frame that is furthest on; None before the first."""
        self._anchor: tuple[int, int] | None = None
        self._former: deque[tuple[int, _Line]] = deque(maxlen=MAX_FORMER_RATES)
        self._known = 0
        self._run = self._run_end = 0
        self._steps: deque[tuple[int, int]] = deque(maxlen=RUN_OF_DOUBTED + 1)
        self._steps_end = 0
        self.unannounced_hz: float | None = None
        """Another rate than was said, which frames agree on; whoever reads takes it away."""
        self.began: int | None = None
        """Where the band itself says that it began again; believed once a frame agrees."""

    @property
    def fastest_hz(self) -> float:
        """No band takes samples faster, at any of the rates it was set to."""
        nominal_us = min(self._nominal_us, *(line.nominal_us for _, line in self._former), 1e6)
        return 1e6 / nominal_us * (1 + RATE_SHARE)

    @property
    def restarted(self) -> bool:
        """Whether the band, or frames that agree with each other, say that all began again."""
        return self._run >= RUN_OF_DOUBTED

    def set_rate(self, rate_hz: float) -> None:
        """From about the next frame on samples come at another nominal rate."""
        if rate_hz == self.rate_hz:
            return
        if self.newest is not None:
            line = _Line(*self.newest, self.period_us, self._nominal_us)
            self._former.append((self.newest[0] + 1, line))
        off = self.period_us / self._nominal_us  # the same oscillator makes both rates
        self.rate_hz, self._anchor = rate_hz, None
        self._nominal_us = 1e6 / rate_hz
        self.period_us = self._nominal_us * off

    def start(self, first: int, frame: ForceFrame) -> None:
        """Begin with a frame, whatever it says; `first` is the index of its first sample."""
        self._anchor = self.newest = (first, frame.device_us)
        self._known, self._run = first, 0
        self._measure(frame)

    def reached(self, index: int) -> None:
        """The band itself says that it has taken all samples before `index`, unwrapped.

        Before what it had taken already: it was switched off and on, and its clock may show the
        same times again, so that nothing but this tells its samples from old ones.
        """
        self.began = index if index < self._known else None
        self._known = max(self._known, index)

    def unwrap(self, index: int) -> int:
        """An index (mod 2³²) as the one nearest to the newest."""
        assert self.newest is not None
        return self.newest[0] + signed(index - self.newest[0])

    def judge(self, frame: ForceFrame) -> tuple[int, int] | None:
        """Unwrapped index and device time of a frame's first sample; None if it is in doubt."""
        self._measure(frame)
        first = self.unwrap(frame.first_sample)
        device_us = self._time_us(first, frame.device_us)
        continues = self._run > 0 and frame.first_sample == self._run_end
        ahead = first - self._known
        near = NEAR_S * max(self.rate_hz, *(1e6 / line.nominal_us for _, line in self._former), 0)
        if self.began is not None and self.began <= first < min(self.began + near, self._known):
            self._run = RUN_OF_DOUBTED
            self.doubted += 1
            return None
        self.began = None
        if device_us is None or first < 0 or ahead < -near or (ahead > near and not continues):
            self.doubted += 1
            self._run = self._run + 1 if continues else 1
            self._run_end = (frame.first_sample + int(frame.counts.size)) % WRAP
            return None
        self._run = 0
        self._follow(first, device_us)
        return first, device_us

    def _measure(self, frame: ForceFrame) -> None:
        """Frames that go on by index at another rate than was said mean that it was changed."""
        assert self.newest is not None
        if frame.first_sample != self._steps_end:
            self._steps.clear()
        self._steps.append((frame.first_sample, frame.device_us))
        self._steps_end = (frame.first_sample + int(frame.counts.size)) % WRAP
        if len(self._steps) < RUN_OF_DOUBTED + 1:
            return
        one, other = list(self._steps)[:-1], list(self._steps)[1:]
        periods_us = [
            ((later[1] - sooner[1]) % WRAP) / ((later[0] - sooner[0]) % WRAP)
            for sooner, later in zip(one, other, strict=True)
        ]
        low, high = min(periods_us), max(periods_us)
        off = min(abs(low / self._nominal_us - 1), abs(high / self._nominal_us - 1))
        ahead = signed(self._steps[0][0] - self.newest[0])
        rate_hz = 1e6 / max(sum(periods_us) / len(periods_us), 1.0)
        if (
            (low < self._nominal_us) == (high < self._nominal_us)
            and off > RATE_SHARE
            and high - low <= STEADY_SHARE * high
            and abs(ahead) <= len(self._steps) * MAX_SAMPLES
            and MIN_RATE_HZ <= rate_hz <= MAX_RATE_HZ
        ):
            self.set_rate(rate_hz)
            self.period_us = self._nominal_us
            self.unannounced_hz, self._run = rate_hz, 0

    def judge_batch(self, first: Ints, device_us: Ints) -> tuple[Ints, Floats] | None:
        """The same of frames that continue the newest one: device times and periods, shape (k,).

        `first` is unwrapped. None where anything is not plain; `judge` them one by one then.
        """
        if self.newest is None or self._anchor is None or self._run:
            return None
        index, newest_us = self.newest
        steps = np.diff(first, prepend=index)
        moves = np.diff(device_us, prepend=newest_us % WRAP) & (WRAP - 1)
        usual_us = steps * self._nominal_us
        if (np.abs(moves - usual_us) > RATE_SHARE * usual_us).any():
            return None
        start_us = newest_us + np.cumsum(moves)
        periods_us = self._bounded((start_us - self._anchor[1]) / (first - self._anchor[0]))
        self.newest, self.period_us = (int(first[-1]), int(start_us[-1])), float(periods_us[-1])
        self._known = max(self._known, self.newest[0])
        self.began = None
        self._steps.clear()
        return start_us, periods_us

    def period_at_us(self, first: int) -> float:
        """Time between samples from index `first` on."""
        line = self._former_line(first)
        return self.period_us if line is None else line.period_us

    def _time_us(self, first: int, device_us: int) -> int | None:
        assert self.newest is not None
        former = self._former_line(first)
        if former is not None:
            return former.time_us(first, device_us)
        slack_us = 0.0
        if self._anchor is None and self._former:
            # how many of the samples since came at the rate before is not known yet
            slack_us = abs(self._nominal_us - self._former[-1][1].nominal_us)
            slack_us *= first - self.newest[0]
        line = _Line(*self.newest, self.period_us, self._nominal_us)
        return line.time_us(first, device_us, slack_us)

    def _former_line(self, first: int) -> _Line | None:
        return next((line for end, line in self._former if first < end), None)

    def _follow(self, first: int, device_us: int) -> None:
        """Learn the true period from the longest baseline there is."""
        assert self.newest is not None
        if self._anchor is None:
            if self._former_line(first) is not None:
                return
            self._anchor = first, device_us
            if self._former:
                self._former[-1] = self._change_at(first, device_us), self._former[-1][1]
        elif first > self._anchor[0] and first > self.newest[0]:
            measured = (device_us - self._anchor[1]) / (first - self._anchor[0])
            self.period_us = float(self._bounded(np.float64(measured)))
        if first >= self.newest[0]:
            self.newest = first, device_us
            self._known = max(self._known, first)

    def _change_at(self, first: int, device_us: int) -> int:
        """Where the former rate's line meets that of the first frame after it."""
        _, line = self._former[-1]
        at_former_us = line.device_us + (first - line.index) * line.period_us
        beyond = (at_former_us - device_us) / (line.period_us - self.period_us)
        return first - min(max(round(beyond), 0), first - line.index - 1)

    def _bounded(self, period_us: Floats | np.float64) -> Floats:
        low, high = (1 - RATE_SHARE) * self._nominal_us, (1 + RATE_SHARE) * self._nominal_us
        return np.asarray(np.clip(period_us, low, high), np.float64)


def signed(difference: int) -> int:
    """A difference of modular counters as the nearest signed one."""
    return (difference + WRAP // 2) % WRAP - WRAP // 2
