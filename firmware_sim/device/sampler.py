"""The band's sampling: when samples are taken, the band's clock, and where they are kept."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from firmware_sim.device.gauge import Reading
from firmware_sim.device.ring import Ring, Samples
from sensor.samples import Floats
from sensor.wire.frames import Flag

RING_S = 144
"""Two minutes, with room for an ADC that runs a fifth too fast."""
RING_MARGIN_S = 4
"""Kept beyond what is promised, so that a resend which has begun is never overtaken."""


@dataclass(frozen=True, slots=True)
class ClockConfig:
    """The two oscillators of a band: its ADC's and its processor's."""

    rate_hz: float = 80.0
    rate_ratio: float = 1.0
    """True sample rate over nominal, unknown to the firmware; HX711 boards had 0.967 to 1.17."""
    ppm: float = 0.0
    """By how much the processor's clock runs fast."""
    jitter_us: float = 20.0
    """Standard deviation of the time stamps' lateness: interrupts wait."""
    start_us: int = 0
    first_sample: int = 0
    """Where clock and index stand at the first power-on; near 2³² they soon wrap."""

    def __post_init__(self) -> None:
        if not abs(self.ppm) <= 50_000:
            raise ValueError(f"ppm not in -50000..50000: {self.ppm}")
        if not (0.5 <= self.rate_ratio <= 2 and self.jitter_us >= 0):
            raise ValueError("rate_ratio in 0.5..2 and jitter_us from 0")


class Sampler:
    """Samples into a ring, the first at power-on. `adc` converts the force at times (n,), s."""

    def __init__(
        self,
        config: ClockConfig,
        adc: Callable[[Floats], Reading],
        rng: np.random.Generator,
        now_s: float,
    ) -> None:
        self.rate_hz = config.rate_hz
        self.ring = Ring(self._capacity(RING_S + RING_MARGIN_S), config.first_sample)
        self._config = config
        self._adc = adc
        self._rng = rng
        self._on_s = now_s
        self._epoch_s, self._epoch = now_s, config.first_sample
        self._segment = 0

    @property
    def promised(self) -> int:
        """Samples that can always be asked for."""
        return self._capacity(RING_S)

    def advance(self, until_s: float, calibration_id: int, flags: Flag) -> None:
        """Take every sample due by `until_s`; `flags` are raised for all of them."""
        elapsed = (until_s - self._epoch_s) * self.rate_hz * self._config.rate_ratio
        index = np.arange(self.ring.next, self._epoch + int(elapsed + 1e-9) + 1)
        if not index.size:
            return
        time_s = self._epoch_s + (index - self._epoch) / (self.rate_hz * self._config.rate_ratio)
        reading = self._adc(time_s)
        late_us = self._config.jitter_us * np.abs(self._rng.standard_normal(index.size))
        run_us = (time_s - self._on_s) * (1e6 + self._config.ppm)
        states = reading.saturated * int(Flag.SATURATED) | reading.stuck * int(Flag.ADC_FAULT)
        self.ring.append(
            Samples(
                int(index[0]),
                reading.counts,
                np.rint(self._config.start_us + run_us + late_us).astype(np.int64),
                np.full(index.size, calibration_id, np.int64),
                np.full(index.size, self._segment, np.int64),
                states.astype(np.int64) | int(flags),
            )
        )

    def time_s(self, index: int) -> float:
        """When the sample of that index (not wrapped) is or was taken, at the present rate."""
        return self._epoch_s + (index - self._epoch) / (self.rate_hz * self._config.rate_ratio)

    def new_segment(self) -> None:
        """No frame goes across from the samples so far to the next."""
        self._segment += 1

    def set_rate(self, rate_hz: float) -> None:
        """Go on at another rate from the next sample on; the memory keeps what fits."""
        last = self.ring.next - 1
        self._epoch_s, self._epoch = self.time_s(last), last
        self.rate_hz = rate_hz
        self.ring = self.ring.resized(self._capacity(RING_S + RING_MARGIN_S))
        self.new_segment()

    def _capacity(self, seconds: float) -> int:
        return int(np.ceil(seconds * self.rate_hz))
