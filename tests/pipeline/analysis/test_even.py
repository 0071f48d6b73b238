"""Samples made a value every 20 ms, whatever their rate and however they were cut."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.analysis.even import Even
from sensor.samples import Floats


def evened(time_s: Floats, force_n: Floats) -> list[float | None]:
    return Even().push(time_s.tolist(), force_n.tolist())


@pytest.mark.parametrize("rate_hz", [10.0, 80.0, 93.0, 320.0, 1000.0])
def test_a_value_comes_every_20_ms_and_follows_the_force(rate_hz: float) -> None:
    time_s = np.arange(round(4 * rate_hz)) / rate_hz
    values = [v for v in evened(time_s, 10 + 50 * time_s) if v is not None]
    assert len(values) == pytest.approx(4 * 50, abs=6)
    late_n = 10 + 50 * np.arange(len(values)) / 50 - values
    assert np.abs(late_n[5:]).max() < 50 * 0.025


@given(cuts=st.lists(st.integers(0, 300), max_size=20), seed=st.integers(0, 99))
def test_cuts_do_not_show(cuts: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    time_s = np.cumsum(rng.choice([0.0, 0.01, 0.1, 1.5], 300, p=[0.05, 0.8, 0.13, 0.02]))
    force_n = rng.normal(0, 5, 300)
    force_n[rng.random(300) < 0.05] = np.nan
    whole, pieces = evened(time_s, force_n), Even()
    times_s, forces_n = time_s.tolist(), force_n.tolist()
    edges = [0, *sorted(cuts), 300]
    parts = [pieces.push(times_s[low:high], forces_n[low:high]) for low, high in pairwise(edges)]
    assert [value for part in parts for value in part] == whole


def test_a_spike_is_left_out_and_a_step_is_not() -> None:
    time_s = np.arange(80) / 80
    spike, step = np.zeros(80), np.zeros(80)
    spike[40] = 200.0
    step[40:] = 200.0
    assert {v for v in evened(time_s, spike) if v is not None} == {0.0}
    assert evened(time_s, step)[-1] == 200.0


def test_a_hole_of_more_than_a_second_is_told() -> None:
    time_s = np.r_[np.arange(80) / 80, 3 + np.arange(80) / 80]
    assert evened(time_s, np.ones(160)).count(None) == 2
