"""When a weight hangs still, and what it weighs."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.person.weights import Weights
from pipeline.calibration.still import Hanging, Level
from sensor.samples import Floats


def fed(values: Floats, rate_hz: float, bundle: int = 8) -> list[Level]:
    """Levels of values that come in bundles."""
    hanging, found = Hanging(), []
    for first in range(0, values.size, bundle):
        part = values[first : first + bundle]
        level = hanging.receive((first + part.size) / rate_hz, part)
        if level is not None:
            found.append(level)
    return found


def hung(masses_kg: tuple[float, ...], rate_hz: float, noise_n: float, step_n: float) -> Floats:
    rng = np.random.default_rng(4)
    time_s = np.arange(0, len(masses_kg) * 9.5, 1 / rate_hz)
    force_n = Weights(masses_kg).force_n(time_s) + rng.normal(0, noise_n, time_s.size)
    return np.round(force_n / step_n) * step_n


@pytest.mark.parametrize(
    ("rate_hz", "bundle", "noise_n", "step_n"),
    [
        (80, 8, 0.1, 0.001),
        (80, 8, 0.5, 0.001),
        (10, 1, 0.02, 0.1),
        (8, 1, 0.0, 0.1),
        (250, 9, 1, 1),
    ],
)
@pytest.mark.parametrize("masses_kg", [(0, 5, 10), (0, 2, 4, 6, 8), (20, 0), (1, 3, 2)])
def test_each_weight_is_told_once_with_its_level(
    masses_kg: tuple[float, ...], rate_hz: float, bundle: int, noise_n: float, step_n: float
) -> None:
    levels = fed(hung(masses_kg, rate_hz, noise_n, step_n), rate_hz, bundle)
    found_n = [level.value for level in levels]
    heaviest_n = max(masses_kg) * 9.80665
    assert found_n == pytest.approx([kg * 9.80665 for kg in masses_kg], abs=0.01 * heaviest_n)


def test_a_swinging_weight_is_waited_for() -> None:
    time_s = np.arange(0, 10, 1 / 80)
    swinging = 50 + 5 * np.sin(2 * np.pi * 0.3 * time_s)
    assert fed(swinging, 80) == []


def test_the_same_weight_lifted_and_hung_again_is_no_other() -> None:
    calm = np.full(400, 50.0)
    lifted = np.r_[calm, np.linspace(50, 20, 40), np.linspace(20, 50, 40), calm]
    assert len(fed(lifted, 80)) == 1


def test_what_is_not_known_is_left_out() -> None:
    values = np.full(400, 50.0)
    values[::7] = np.nan
    assert [level.value for level in fed(values, 80)] == [50.0]
