"""Faults and rates of the gauge, as changes of a plan."""

from __future__ import annotations

import numpy as np

from firmware_sim.generator.plan import Plan

Generator = np.random.Generator


def at_least(plan: Plan, rate_hz: float) -> None:
    if plan.gauge.rate_hz < rate_hz * 0.95:
        plan.gauge.rate_hz, plan.gauge.irregular, plan.gauge.step_n = rate_hz, False, 0.005


def _at_least_n(plan: Plan, peak_n: float) -> None:
    peak_n = max(plan.sets[0].peak_n, peak_n)
    for each in plan.sets:
        each.peak_n = peak_n


def drifting(rng: Generator, plan: Plan) -> None:
    """A tare error and a drift of several newtons."""
    _at_least_n(plan, 30.0)
    plan.gauge.tare_n = rng.uniform(-6, 6)
    plan.gauge.drift_n = rng.choice([-1, 1]) * rng.uniform(2, 6)


def humming(rng: Generator, plan: Plan) -> None:
    """Hum of 50 or 60 Hz, aliased at 80 and 88 Hz."""
    at_least(plan, 80)
    plan.gauge.hum_hz = float(rng.choice([50, 60]))
    plan.gauge.hum_n = rng.uniform(0.3, 1.5)


def noisy(rng: Generator, plan: Plan) -> None:
    """Noise with a standard deviation of 0.8 N."""
    _at_least_n(plan, 25.0)
    plan.gauge.noise_n = 0.8


def spiky(rng: Generator, plan: Plan) -> None:
    """Single samples that are off by 20 to 400 N."""
    plan.gauge.spikes_per_s = rng.uniform(0.02, 0.3)


def with_gaps(rng: Generator, plan: Plan) -> None:
    """Stretches of 80 to 400 ms without samples, shorter than half a rep is high."""
    shortest = min(each.rise_s[0] + each.fall_s[0] for each in plan.sets)
    longest = min(0.4, (0.4 if plan.gauge.rate_hz > 20 else 0.25) * shortest)
    plan.gauge.gap_s, plan.gauge.gaps = (0.08, max(0.1, longest)), int(rng.integers(2, 8))


def bad_stamps(rng: Generator, plan: Plan) -> None:
    """Time stamps that are jittered, come twice, stand still or come late."""
    gauge = plan.gauge
    gauge.jitter = rng.uniform(0.05, 0.3)
    which = rng.random(3) < 0.5
    which[rng.integers(3)] = True
    gauge.duplicates = rng.uniform(0.005, 0.03) if which[0] else 0.0
    gauge.stuck = rng.uniform(0.002, 0.01) if which[1] else 0.0
    gauge.late = rng.uniform(0.002, 0.01) if which[2] else 0.0


def slow_gauge(rng: Generator, plan: Plan) -> None:
    """10 Hz, or 11 Hz irregular."""
    irregular = rng.random() < 0.5
    plan.gauge.rate_hz = 11.0 if irregular else 10.0
    plan.gauge.irregular, plan.gauge.step_n = irregular, 0.1


def fast_gauge(rng: Generator, plan: Plan) -> None:
    """320 or 1000 Hz."""
    at_least(plan, float(rng.choice([320, 1000])))


GAUGES = (drifting, humming, noisy, spiky, with_gaps, bad_stamps)
"""What may come together, in planned sessions and in scenes."""
