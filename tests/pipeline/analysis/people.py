"""Force as people make it, from reps with known corners; for tests only."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np

from pipeline.analysis import analyse
from sensor.samples import Floats, ForceBlock


@dataclass(frozen=True)
class Pull:
    """One rep: cosine rise, flat top, cosine fall, then a pause at the resting level."""

    peak_n: float = 80.0
    up_s: float = 1.0
    hold_s: float = 0.5
    down_s: float = 1.2
    pause_s: float = 0.8

    @property
    def start_s(self) -> float:
        """From the beginning of the rise to 10 % of it."""
        return self.up_s * float(np.arccos(0.8) / np.pi)

    @property
    def end_s(self) -> float:
        """From the beginning of the rise to 10 % of the fall."""
        return self.up_s + self.hold_s + self.down_s * (1 - float(np.arccos(0.8) / np.pi))


def force_of(
    pulls: list[Pull],
    *,
    rate_hz: float = 80.0,
    rest_n: float = 0.0,
    lead_s: float = 2.0,
    tail_s: float = 3.0,
    noise_n: float = 0.1,
    seed: int = 1,
) -> tuple[Floats, Floats]:
    """Samples of pulls one after the other, each from the level `rest_n` and back to it."""
    end = lead_s + sum(p.up_s + p.hold_s + p.down_s + p.pause_s for p in pulls) + tail_s
    time_s = np.arange(round(end * rate_hz)) / rate_hz
    force_n = np.full(time_s.size, rest_n)
    at = lead_s
    for pull in pulls:
        corners = np.cumsum([at, pull.up_s, pull.hold_s, pull.down_s])
        rise = 0.5 - 0.5 * np.cos(np.pi * np.clip((time_s - at) / pull.up_s, 0, 1))
        fall = 0.5 + 0.5 * np.cos(np.pi * np.clip((time_s - corners[2]) / pull.down_s, 0, 1))
        force_n += (pull.peak_n - rest_n) * rise * fall
        at = float(corners[3]) + pull.pause_s
    noise = np.random.default_rng(seed).normal(0.0, 1.0, time_s.size) * noise_n
    return time_s, force_n + noise


def blocks(time_s: Floats, force_n: Floats, cuts: list[int]) -> list[ForceBlock]:
    """The same samples in pieces."""
    edges = [0, *sorted(cuts), time_s.size]
    return [ForceBlock(low, time_s[low:high], force_n[low:high]) for low, high in pairwise(edges)]


def count(time_s: Floats, force_n: Floats) -> int:
    """How many reps are found."""
    return len(analyse(time_s, force_n).reps)
