"""The strain gauge and its ADC: newtons in, raw counts out, with all that goes wrong on the way.

Defaults follow recordings of real load cells: noise of 0.10-0.12 N (sd), drift of tenths of a
newton in minutes.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensor.samples import Floats, Ints
from sensor.wire.profile import Calibration

FULL_SCALE_COUNTS = 2**23 - 1


@dataclass(frozen=True, slots=True)
class GaugeConfig:
    """One gauge. Forces in N; every fault is 0 unless named."""

    newtons_per_count: float = 1e-4
    zero_counts: int = 84_000
    """Counts at no load when the gauge was calibrated."""
    tare_error_n: float = 0.0
    """What the gauge shows at no load, in excess of its calibration."""
    noise_sd_n: float = 0.11
    drift_n: float = 0.15
    """Drift while warming up, half of it within `drift_s`."""
    drift_s: float = 180.0
    wander_n: float = 0.05
    """Amplitude of a drift that comes and goes within minutes."""
    hum_n: float = 0.0
    hum_hz: float = 50.0
    spike_chance: float = 0.0
    """Part of the conversions that are off by up to `spike_n`."""
    spike_n: float = 60.0
    stuck_chance: float = 0.0
    """Part of the conversions that fail: the ADC repeats its last value and reports a fault."""
    range_n: float = 500.0
    """Load at which the amplifier saturates; the ADC's own 24 bits come on top."""
    settling_samples: int = 1
    """Conversions over which the ADC's filter averages; an HX711 settles in 4."""

    def __post_init__(self) -> None:
        if not (self.newtons_per_count > 0 and self.range_n > 0 and self.noise_sd_n >= 0):
            raise ValueError("newtons_per_count and range_n above 0, noise_sd_n from 0")
        if not 1 <= self.settling_samples <= 64:
            raise ValueError(f"settling_samples not in 1..64: {self.settling_samples}")

    @property
    def calibration(self) -> Calibration:
        """The factory's calibration, number 0."""
        return Calibration(0, self.zero_counts, self.newtons_per_count)


@dataclass(frozen=True, slots=True, eq=False)
class Reading:
    """Conversions of the ADC: raw `counts` (n,), and which are `saturated` or `stuck` (n,)."""

    counts: Ints
    saturated: NDArray[np.bool_]
    stuck: NDArray[np.bool_]


class Gauge:
    """A gauge as it is read: noise and filter go on from call to call, however cut."""

    def __init__(self, config: GaugeConfig, seed: int) -> None:
        self.config = config
        noise, spikes, stuck, slow = np.random.SeedSequence((seed, 0x6A6)).spawn(4)
        # One generator and one kind of draw each, so that the draws do not depend on the cuts.
        self._noise = np.random.default_rng(noise)
        self._spikes = np.random.default_rng(spikes)
        self._stuck = np.random.default_rng(stuck)
        draw = np.random.default_rng(slow)
        self._slow_hz = draw.uniform(1 / 600, 1 / 60, 3)
        self._slow_phase = draw.uniform(0, 2 * np.pi, 3)
        self._hum_phase = float(draw.uniform(0, 2 * np.pi))
        self._sign = float(draw.choice([-1.0, 1.0]))
        self._recent_n: Floats = np.empty(0)
        self._last = config.zero_counts

    def read(self, time_s: Floats, force_n: Floats) -> Reading:
        """Convert the force at `time_s` (n,), seconds since the gauge was powered."""
        config = self.config
        n = time_s.size
        if not n:
            none = np.zeros(0, bool)
            return Reading(np.empty(0, np.int64), none, none)
        felt_n = np.asarray(force_n + self.offset_n(time_s))
        if config.hum_n:
            turns = config.hum_hz * time_s
            felt_n = felt_n + config.hum_n * np.sin(2 * np.pi * turns + self._hum_phase)
        over = np.abs(felt_n) > config.range_n
        felt_n = np.clip(self._settle(felt_n), -config.range_n, config.range_n)
        felt_n = felt_n + config.noise_sd_n * self._noise.standard_normal(n)
        if config.spike_chance:
            draw, size = self._spikes.random((n, 2)).T
            felt_n = felt_n + (draw < config.spike_chance) * config.spike_n * (2 * size - 1)
        wide = np.rint(felt_n / config.newtons_per_count) + config.zero_counts
        counts = np.clip(wide, -FULL_SCALE_COUNTS - 1, FULL_SCALE_COUNTS).astype(np.int64)
        saturated = over | (counts != wide)
        stuck = np.zeros(n, bool)
        if config.stuck_chance:
            stuck = self._stuck.random(n) < config.stuck_chance
            source = np.maximum.accumulate(np.where(stuck, -1, np.arange(n)))
            counts = np.where(source < 0, self._last, counts[source])
        self._last = int(counts[-1])
        return Reading(counts, saturated, stuck)

    def offset_n(self, time_s: Floats) -> Floats:
        """Tare error and drift at `time_s`."""
        config = self.config
        warm = self._sign * config.drift_n * -np.expm1(-time_s * np.log(2) / config.drift_s)
        slow = np.sin(2 * np.pi * np.outer(time_s, self._slow_hz) + self._slow_phase).mean(axis=1)
        return np.asarray(config.tare_error_n + warm + config.wander_n * slow)

    def _settle(self, felt_n: Floats) -> Floats:
        k = self.config.settling_samples
        if k == 1:
            return felt_n
        if not self._recent_n.size:
            self._recent_n = np.full(k - 1, felt_n[0])
        joined = np.concatenate([self._recent_n, felt_n])
        self._recent_n = joined[-(k - 1) :]
        return np.convolve(joined, np.full(k, 1 / k), "valid")
