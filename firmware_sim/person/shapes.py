"""How people move: minimum jerk with its unevenness, unrest of all speeds, bumps, rebounds."""

from __future__ import annotations

import numpy as np

from firmware_sim.person.truth import GRID_HZ
from sensor.samples import Floats

EDGE = 0.08
"""Part of an even movement in which it gains speed, and in which it loses it."""


def points(duration_s: float) -> int:
    """Grid points of a duration."""
    return max(round(duration_s * GRID_HZ), 0)


def move(
    start: float,
    end: float,
    duration_s: float,
    rng: np.random.Generator,
    *,
    skew: float = 1.0,
    roughness: float = 0.0,
    steady: float = 0.0,
) -> Floats:
    """Elongation on the way from `start` to `end`; never turns back.

    `steady` is how far from minimum jerk (0) towards even speed (1) the movement is: slow ones, led
    by a count, are even.
    """
    n = points(duration_s)
    if n < 1:
        return np.full(1, end) if start != end else np.empty(0)
    u = np.linspace(0, 1, n + 1)
    unrest = _cosines(u, rng, 1.0, 4.0) if roughness else np.zeros(n + 1)
    speed = 30 * u**2 * (1 - u) ** 2
    if steady:
        speed = (1 - steady) * speed + steady * np.minimum(1, np.minimum(u, 1 - u) / EDGE)
    speed = speed * np.exp(roughness * unrest)
    done = np.concatenate([[0.0], np.cumsum((speed[1:] + speed[:-1]) / 2)])
    warped = np.interp(u**skew, u, done / done[-1]) if skew != 1 else done / done[-1]
    return np.asarray(start + (end - start) * warped[1:])


def slow(n: int, rng: np.random.Generator) -> Floats:
    """Unrest of 0.15-0.9 Hz with a variance of about 1, shape (n,)."""
    return unrest(n, 50, rng, 0.15, 0.9)


def unrest(n: int, coarse_hz: int, rng: np.random.Generator, low: float, high: float) -> Floats:
    """Unrest between two frequencies on n grid points, drawn on a coarser grid for speed."""
    every = GRID_HZ // coarse_hz
    coarse = _cosines(np.arange(n // every + 2) / coarse_hz, rng, low, high)
    return np.interp(np.arange(n) / every, np.arange(coarse.size), coarse)


def _cosines(
    time: Floats, rng: np.random.Generator, low: float, high: float, count: int = 5
) -> Floats:
    """A sum of cosines of random frequency and phase with a variance of 1."""
    total = np.zeros(time.size)
    for frequency, phase in zip(
        rng.uniform(low, high, count), rng.uniform(0, 2 * np.pi, count), strict=True
    ):
        total += np.cos(2 * np.pi * frequency * time + phase)
    return np.asarray(total * np.sqrt(2 / count))


def bump(n: int) -> Floats:
    """A raised cosine from 0 to 1 and back."""
    return np.asarray(np.sin(np.pi * (np.arange(n) + 0.5) / max(n, 1)) ** 2)


def ringing() -> Floats:
    """What a band does after a fast release: 7 Hz, dying within a third of a second."""
    time_s = np.arange(int(0.4 * GRID_HZ)) / GRID_HZ
    return np.asarray(np.sin(2 * np.pi * 7 * time_s) * np.exp(-time_s / 0.09))
