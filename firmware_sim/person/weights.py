"""Known weights in place of a person: each hung from the band in turn, swinging until it rests."""

from __future__ import annotations

import numpy as np

from firmware_sim.person.truth import RepTruth
from sensor.samples import Floats

HANG_S, CHANGE_S = 8.0, 1.5
"""Each hangs so long, and takes so long to be changed for the next."""
SWING_HZ, SWING_S, SWING = 0.9, 1.5, 0.12
"""A weight on an elastic bobs; how fast that dies down, and how far it goes at first."""
GRAVITY = 9.80665


class Weights:
    """Masses in kg, one after the other; the last one stays."""

    def __init__(self, masses_kg: tuple[float, ...]) -> None:
        self._masses_kg = np.array(masses_kg)
        self.end_s: float | None = None

    def force_n(self, time_s: Floats) -> Floats:
        """Force on the sensor at times (n,), N."""
        turn = HANG_S + CHANGE_S
        number = np.clip((time_s / turn).astype(int), 0, self._masses_kg.size - 1)
        since_s = np.maximum(time_s - number * turn, 0)
        still_n = self._masses_kg[number] * GRAVITY
        bob = SWING * np.exp(-since_s / SWING_S) * np.cos(2 * np.pi * SWING_HZ * since_s)
        before_n = self._masses_kg[np.maximum(number - 1, 0)] * GRAVITY
        lifted = np.clip(since_s / CHANGE_S, 0, 1)
        hand = before_n + (still_n - before_n) * lifted
        return np.asarray(np.where(since_s < CHANGE_S, hand, still_n * (1 + bob)))

    def truth(self, until_s: float) -> list[RepTruth]:
        """Nobody pulls."""
        del until_s
        return []
