"""Shapes of one repetition: how people move, how a band answers, on a grid of 1 kHz."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter1d
from scipy.special import betainc
from scipy.stats import lognorm

from sensor.samples import Floats

GRID_HZ = 1000

Generator = np.random.Generator


def smooth_noise(rng: Generator, n: int, band_hz: float) -> Floats:
    """Gaussian noise of unit variance below about `band_hz`, shape (n,)."""
    if n == 0:
        return np.zeros(0)
    coarse_hz = 8 * band_hz
    coarse = rng.standard_normal(int(n / GRID_HZ * coarse_hz) + 24)
    coarse = gaussian_filter1d(coarse, coarse_hz / (2 * np.pi * band_hz), mode="wrap")
    coarse /= max(float(np.std(coarse)), 1e-9)
    at = np.arange(n) / GRID_HZ * coarse_hz
    return np.interp(at, np.arange(coarse.size), coarse)


def _beta(rng: Generator, s: Floats) -> Floats:
    a, b = rng.uniform(1.4, 4.0, 2)
    return np.asarray(betainc(a, b, s), dtype=float)


def _ramp(rng: Generator, s: Floats) -> Floats:
    return s * 1.0


def _early(rng: Generator, s: Floats) -> Floats:
    return np.asarray(1 - (1 - s) ** rng.uniform(1.3, 2.2), dtype=float)


def _late(rng: Generator, s: Floats) -> Floats:
    return np.asarray(s ** rng.uniform(1.2, 2.0), dtype=float)


def _gompertz(rng: Generator, s: Floats) -> Floats:
    y = np.exp(-rng.uniform(3.5, 5.0) * np.exp(-rng.uniform(5.0, 8.0) * s))
    return np.asarray((y - y[0]) / (y[-1] - y[0]), dtype=float)


def _spring(rng: Generator, s: Floats) -> Floats:
    """Answer of a spring and damper to a step: the hand follows a wish."""
    zeta, wn = rng.uniform(0.62, 1.3), rng.uniform(6.0, 9.0)
    root = np.sqrt(complex(zeta**2 - 1))
    p, q = -wn * (zeta - root), -wn * (zeta + root)
    if abs(p - q) < 1e-6:
        q = q * (1 + 1e-4)
    y = np.real(1 + (q * np.exp(p * s) - p * np.exp(q * s)) / (p - q))
    return np.asarray(y / y[-1], dtype=float)


def _submovements(rng: Generator, s: Floats) -> Floats:
    """Two to four overlapping strokes with lognormal speed: start, then corrections."""
    count = int(rng.integers(2, 5))
    weight = np.sort(rng.uniform(0.5, 1.5, count))[::-1]
    start = np.cumsum(np.r_[0.0, rng.uniform(0.12, 0.25, count - 1)])
    y = np.zeros_like(s)
    for w, t0 in zip(weight, start, strict=True):
        median, sigma = rng.uniform(0.13, 0.26), rng.uniform(0.25, 0.5)
        y += w * lognorm.cdf(np.maximum(s * (start[-1] + 0.6) - t0, 0), sigma, scale=median)
    return np.asarray(y / y[-1], dtype=float)


def _hesitating(rng: Generator, s: Floats) -> Floats:
    """A stop on the way, sometimes giving back up to a third of what was won."""
    level, at, length = rng.uniform(0.3, 0.7), rng.uniform(0.25, 0.45), rng.uniform(0.1, 0.3)
    back = rng.uniform(0.0, 0.12 if rng.random() < 0.7 else 0.35) * level
    knots = [0.0, at, at + length, 1.0]
    y = np.interp(s, knots, [0.0, level, level - back, 1.0])
    return np.asarray(gaussian_filter1d(y, max(1.0, 0.04 * s.size), mode="nearest"), dtype=float)


FAMILIES: dict[str, Callable[[Generator, Floats], Floats]] = {
    "beta": _beta,
    "ramp": _ramp,
    "early": _early,
    "late": _late,
    "gompertz": _gompertz,
    "spring": _spring,
    "submovements": _submovements,
    "hesitating": _hesitating,
}


def path(rng: Generator, family: str, seconds: float) -> Floats:
    """A way from 0 to 1 in `seconds`; it may overshoot (`spring`) or fall back (`hesitating`)."""
    s = np.linspace(0, 1, max(2, round(seconds * GRID_HZ)))
    y = FAMILIES[family](rng, s)
    return np.asarray((y - y[0]) / (y[-1] - y[0]), dtype=float)


def stretch(rng: Generator, u: Floats) -> Floats:
    """Force of a band at the shares `u` (n,) of its travel, 0 at 0 and 1 at 1.

    Mooney-Rivlin with the ratio of its two constants, pre-stretch and travel drawn at random.
    """
    b = rng.uniform(0.0, 0.6)
    first = rng.uniform(1.0, 1.35)
    last = first + rng.uniform(0.7, 2.0)

    def force(x: Floats) -> Floats:
        return np.asarray((x - x**-2) * (1 + b / x), dtype=float)

    f0, f1 = force(np.array([first, last]))
    lam = first + np.clip(u, -0.05, 1.5) * (last - first)
    return np.asarray((force(np.maximum(lam, 0.9)) - f0) / (f1 - f0), dtype=float)


def hold(rng: Generator, seconds: float, sag: float) -> Floats:
    """Force of a hold: near 1, sagging by up to `sag` and wandering."""
    n = round(seconds * GRID_HZ)
    noise = smooth_noise(rng, n, 0.25 if seconds > 6 else 0.8)
    tilt = np.linspace(0, rng.uniform(-0.6, 0.2), n)
    y = noise * 0.35 + tilt
    if n:
        y = (y - y.max()) / max(float(np.ptp(y)), 1.0)
    return np.asarray(1 + sag * y, dtype=float)


def dip(rng: Generator, y: Floats, depth: float) -> Floats:
    """`y` with one dip by `depth` in its middle half."""
    n = y.size
    width = min(n * 0.6, rng.uniform(250, 600))
    centre = n * rng.uniform(0.4, 0.6)
    phase = np.clip((np.arange(n) - centre) / (width / 2), -1, 1)
    return np.asarray(y - depth * 0.5 * (1 + np.cos(np.pi * phase)), dtype=float)


def humps(rng: Generator, seconds: float) -> Floats:
    """A plateau with two humps; neither is near 90 % of the other, where its share is a toss."""
    n = max(2, round(seconds * GRID_HZ))
    other = rng.uniform(0.76, 0.84) if rng.random() < 0.4 else rng.uniform(0.95, 1.0)
    first, second = (1.0, other) if rng.random() < 0.5 else (other, 1.0)
    middle = min(first, second) - rng.uniform(0.04, 0.2)
    knots = [0.0, rng.uniform(0.2, 0.3), rng.uniform(0.4, 0.6), rng.uniform(0.7, 0.8), 1.0]
    values = [first - 0.04, first, middle, second, second - 0.04]
    y = np.interp(np.linspace(0, 1, n), knots, values)
    y = gaussian_filter1d(y, n * 0.05, mode="nearest")
    return np.asarray(y / y.max(), dtype=float)


def bump(rng: Generator, rise_s: float, fall_s: float) -> Floats:
    """A small pull of height 1 from 0 to 0."""
    up = path(rng, "beta", rise_s)
    down = path(rng, "beta", fall_s)[::-1]
    return np.asarray(np.r_[up, down], dtype=float)
