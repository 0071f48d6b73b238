"""Logs that keep a value only when it changed."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.files.changes import held
from sensor.samples import Floats


def logged(dead_band: float) -> tuple[Floats, Floats]:
    """Five pulls and rests on a scale of 0.1 kg, ten times a second; what changed so much."""
    time_s = np.arange(0, 40, 0.1)
    kg = np.round(12 * np.clip(np.sin(2 * np.pi * time_s / 8), 0, 0.9) ** 2, 1)
    kept = [0]
    for k in range(1, kg.size):
        if abs(kg[k] - kg[kept[-1]]) > dead_band - 0.01:
            kept.append(k)
    return time_s[kept], kg[kept]


@pytest.mark.parametrize("dead_band", [0.1, 0.2, 0.3])
def test_a_value_is_held_until_the_next_whatever_the_least_change(dead_band: float) -> None:
    time_s, kg = logged(dead_band)
    filled = held(time_s, kg, np.diff(time_s))
    assert filled is not None
    at, value = filled
    assert np.diff(at).max() < 0.15
    assert set(value) == set(kg)


def test_samples_with_a_few_gaps_are_no_such_log() -> None:
    time_s = np.delete(np.arange(0, 40, 0.1), np.r_[50:60, 150:160, 250:260])
    kg = np.round(6 + 5 * np.sin(time_s), 1)
    assert held(time_s, kg, np.diff(time_s)) is None
