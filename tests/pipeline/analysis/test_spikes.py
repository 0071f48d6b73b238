"""An ADC's spikes go, what a person does stays, and blocks do not show."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.analysis.spikes import Despiker
from sensor.samples import Floats


def clean(force_n: Floats, cuts: list[int] | None = None, rate_hz: float = 80.0) -> Floats:
    despiker, out = Despiker(), []
    edges = [0, *sorted(cuts or []), force_n.size]
    for low, high in pairwise(edges):
        last = high == force_n.size
        out.append(despiker.push(np.arange(low, high) / rate_hz, force_n[low:high], last=last)[1])
    return np.concatenate(out)


@pytest.mark.parametrize("where", [[0], [1], [40], [79], [40, 42], [40, 42, 44], [0, 40, 79]])
@pytest.mark.parametrize("height_n", [-190.0, 130.0])
def test_single_samples_far_off_are_replaced(where: list[int], height_n: float) -> None:
    force_n = 30 * np.sin(np.arange(80) / 80.0 * np.pi) ** 2
    spiked = force_n.copy()
    spiked[where] += height_n
    assert np.abs(clean(spiked) - force_n).max() < 2.0


@pytest.mark.parametrize("rate_hz", [10.0, 80.0, 1000.0])
def test_fast_pulls_with_noise_stay_as_they_are(rate_hz: float) -> None:
    time_s = np.arange(0, 12, 1 / rate_hz)
    force_n = 120 * np.clip(np.sin(2 * np.pi * time_s / 0.7), 0, None)
    force_n += np.random.default_rng(1).normal(0, 0.2, time_s.size)
    assert np.array_equal(clean(force_n, rate_hz=rate_hz), force_n)


@example(values=[0.0, 5.0, 30.0, 0.0], cuts=[3])
@given(
    values=st.lists(st.sampled_from([0.0, 1.0, 5.0, 30.0, -90.0, 120.0]), max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=8),
)
def test_blocks_do_not_show(values: list[float], cuts: list[int]) -> None:
    force_n = np.array(values)
    inside = [cut for cut in cuts if cut < force_n.size]
    assert np.array_equal(clean(force_n, inside), clean(force_n))
