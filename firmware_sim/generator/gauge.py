"""The gauge and its link: samples a curve with the faults that real ones have."""

from __future__ import annotations

import numpy as np

from firmware_sim.generator.plan import GaugePlan
from firmware_sim.generator.shapes import GRID_HZ, smooth_noise
from sensor.samples import Floats

Generator = np.random.Generator
Samples = tuple[Floats, Floats]


def zero_error(rng: Generator, plan: GaugePlan, n: int) -> Floats:
    """Tare error and drift of the gauge on the grid, N, shape (n,)."""
    t = np.linspace(0, 1, n)
    bend = rng.uniform(0.5, 2.0)
    return np.asarray(plan.tare_n + plan.drift_n * t**bend, dtype=float)


def tremor(rng: Generator, pulled_n: Floats, share: float) -> Floats:
    """Trembling at 8 to 12 Hz, with a standard deviation of `share` of the force, shape (n,)."""
    t = np.arange(pulled_n.size) / GRID_HZ
    phase = 2 * np.pi * rng.uniform(8, 12) * t + 1.2 * smooth_noise(rng, t.size, 1.0)
    swell = np.clip(1 + 0.5 * smooth_noise(rng, t.size, 0.5), 0, 2)
    return np.asarray(np.sqrt(2) * share * np.maximum(pulled_n, 0) * swell * np.sin(phase))


def instants(rng: Generator, plan: GaugePlan, duration_s: float) -> Floats:
    """Times at which the gauge samples, s, shape (m,)."""
    if not plan.irregular:
        return np.arange(0, duration_s, 1 / plan.rate_hz)
    # As a phone's app stored them: mostly 80 to 100 ms, some close together, some late.
    count = int(duration_s * plan.rate_hz * 1.3) + 8
    steps = rng.normal(1 / plan.rate_hz, 0.012, count)
    close, late = rng.random(count) < 0.05, rng.random(count) < 0.01
    steps = np.where(close, rng.uniform(0.02, 0.05, count), steps)
    steps = np.where(late, rng.uniform(0.13, 0.2, count), steps)
    t = np.cumsum(np.maximum(steps, 0.015)) - steps[0]
    return np.asarray(t[t < duration_s], dtype=float)


def sample(rng: Generator, plan: GaugePlan, force_n: Floats) -> tuple[Samples, Samples, Floats]:
    """Sample a curve on the grid of 1 kHz (zero error and tremor already in it).

    Returns
    -------
    (time_s, force_n), (sampled_s, sampled_n), gaps_s
        Samples as the analysis gets them, shape (m,), the same as the gauge took them, with its own
        good clock, shape (n,), and the stretches of time without samples, shape (k, 2).
    """
    grid_s = np.arange(force_n.size) / GRID_HZ
    t = instants(rng, plan, float(grid_s[-1]))
    if plan.rate_hz < 20:  # slow converters average over their period, which also stops hum
        width = round(GRID_HZ / plan.rate_hz)
        total = np.cumsum(np.r_[np.full(width, force_n[0]), force_n, np.full(width, force_n[-1])])
        force_n = (total[width:] - total[:-width])[width // 2 : width // 2 + grid_s.size] / width
    y = np.interp(t, grid_s, force_n)
    y += plan.hum_n * np.sin(2 * np.pi * plan.hum_hz * t + rng.uniform(0, 6.3))
    y += plan.noise_n * rng.standard_normal(t.size)
    spikes = rng.random(t.size) < plan.spikes_per_s / plan.rate_hz
    spikes[:2] = spikes[-2:] = False
    spikes[1:] &= ~spikes[:-1]
    y[spikes] += rng.choice([-1, 1], spikes.sum()) * rng.uniform(20, 400, spikes.sum())
    y = np.round(y / plan.step_n) * plan.step_n * (-1 if plan.inverted else 1)

    keep = np.ones(t.size, dtype=bool)
    gaps_s = np.zeros((0, 2))
    if plan.gaps and plan.gap_s:
        length = rng.uniform(*plan.gap_s, plan.gaps)
        slot = max(1.0, (t[-1] - 2) / plan.gaps)
        begin = 0.5 + slot * (np.arange(plan.gaps) + rng.uniform(0, 0.6, plan.gaps))
        gaps_s = np.c_[begin, begin + length]
        for lo, hi in gaps_s:
            keep &= (t <= lo) | (t >= hi)
    t, y = t[keep], y[keep]
    return _stamps(rng, plan, t, y), (t, y), gaps_s


def _stamps(rng: Generator, plan: GaugePlan, t: Floats, y: Floats) -> Samples:
    """The time stamps as the host noted them."""
    t = t + plan.jitter / plan.rate_hz * rng.standard_normal(t.size)
    if plan.stuck:
        for i in np.flatnonzero(rng.random(t.size) < plan.stuck):
            t[i : i + int(rng.integers(2, 5))] = t[i]
    source = np.arange(t.size)
    twice = source[rng.random(t.size) < plan.duplicates]
    late = source[rng.random(t.size) < plan.late]
    longest = max(3, min(12, round(0.5 * plan.rate_hz)))
    place = np.r_[source, twice + 0.5, late + rng.integers(2, longest, late.size) + 0.25]
    row = np.r_[source, twice, late][np.argsort(place, kind="stable")]
    return t[row], y[row]
