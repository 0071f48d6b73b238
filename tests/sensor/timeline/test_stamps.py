"""Whatever stamps a file has, the samples come out in order, and none for nothing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.analysis import analyse
from sensor.timeline.stamps import repaired
from tests.pipeline.analysis.people import Pull, force_of

TIME_S = np.arange(400) / 80.0
FORCE_N = np.sin(np.arange(400) / 40.0)


def test_stale_stamps_are_spread_to_the_next_good_one() -> None:
    time_s = np.array([0.0, 0.1, 0.1, 0.1, 0.4, 0.5, 0.45, 0.7, 0.7])
    fixed, forces = repaired(time_s, np.arange(9.0))
    assert np.allclose(fixed, [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8])
    assert forces.size == 9


def test_a_quiet_band_with_a_stale_stamp_keeps_its_samples() -> None:
    fixed, forces = repaired(np.repeat(np.arange(10) * 0.1, [1, 1, 5, *[1] * 7]), np.zeros(14))
    assert forces.size == fixed.size == 14


@pytest.mark.parametrize("later", [1, 2, 30, 300])
def test_a_row_that_comes_twice_counts_once(later: int) -> None:
    time_s = np.insert(TIME_S, 50 + later, TIME_S[50])
    force_n = np.insert(FORCE_N, 50 + later, FORCE_N[50])
    fixed, forces = repaired(time_s, force_n)
    assert np.array_equal(fixed, TIME_S)
    assert np.array_equal(forces, FORCE_N)


@pytest.mark.parametrize("stamp_s", [-1e6, 0.0, 3.9, 1e9])
def test_a_stamp_far_off_takes_only_its_sample_with_it(stamp_s: float) -> None:
    time_s = TIME_S.copy()
    time_s[200] = stamp_s
    fixed, forces = repaired(time_s, FORCE_N)
    assert np.array_equal(np.delete(TIME_S, 200), fixed)
    assert np.array_equal(np.delete(FORCE_N, 200), forces)


def test_batches_under_one_stamp_keep_their_samples() -> None:
    time_s = np.repeat(np.arange(50) * 0.1, 8)
    fixed, forces = repaired(time_s, np.zeros(400))
    assert forces.size == 400
    assert np.diff(fixed) == pytest.approx(0.0125)


def test_a_spike_that_comes_twice_is_one_spike() -> None:
    time_s, force_n = force_of([Pull()] * 5)
    force_n[600] += 200.0
    time_s, force_n = np.insert(time_s, 601, time_s[600]), np.insert(force_n, 601, force_n[600])
    reps = analyse(time_s, force_n).reps
    assert len(reps) == 5
    assert max(rep.peak_n for rep in reps) < 100


@example(time_s=[1.0], ahead_s=2.0**-52)
@given(
    time_s=st.lists(st.one_of(st.floats(0, 3), st.sampled_from([0.0, 0.5, 1.0])), max_size=60),
    ahead_s=st.floats(-100, 100),
)
def test_the_times_that_come_out_increase(time_s: list[float], ahead_s: float) -> None:
    stamps = np.array([*time_s, *(np.arange(200) / 80 + ahead_s)])
    try:
        fixed, forces = repaired(stamps, np.arange(float(stamps.size)))
    except ValueError:
        return
    assert (np.diff(fixed) > 0).all()
    assert fixed.size == forces.size >= 0.97 * stamps.size
