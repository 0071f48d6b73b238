from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sinks.page.curve import CurveWindow, Patch, bucket_samples, decimate
from sensor.samples import Floats, Ints

NOISE_N = np.random.default_rng(7).normal(0, 1, 200_000)
RATES_HZ = (10.0, 80.0, 200.0, 320.0, 1000.0)


class Drawn:
    """What a page shows after the patches it got."""

    def __init__(self) -> None:
        self.time_s: Floats = np.empty(0)
        self.force_n: Floats = np.empty(0)

    def draw(self, patch: Patch) -> None:
        after_s = -np.inf if patch.after_s is None else patch.after_s
        before_s = np.inf if patch.before_s is None else patch.before_s
        left, right = self.time_s <= after_s, self.time_s >= before_s
        self.time_s = np.concatenate((self.time_s[left], patch.time_s, self.time_s[right]))
        self.force_n = np.concatenate((self.force_n[left], patch.force_n, self.force_n[right]))


def wave(index: Ints, rate_hz: float) -> tuple[Floats, Floats]:
    return index / rate_hz, 50 + 30 * np.sin(index / rate_hz) + NOISE_N[index % NOISE_N.size]


@given(
    rate_hz=st.sampled_from(RATES_HZ),
    first=st.integers(0, 100_000),
    cuts=st.lists(st.integers(1, 1500), max_size=12),
    lost=st.sets(st.integers(0, 11)),
    late=st.permutations(range(12)),
    looks=st.sets(st.integers(0, 23)),
)
def test_however_samples_arrive_the_page_draws_what_is_there(
    *,
    rate_hz: float,
    first: int,
    cuts: list[int],
    lost: set[int],
    late: list[int],
    looks: set[int],
) -> None:
    edges = [0, *[cut for cut in sorted(set(cuts)) if cut / rate_hz < 50]]
    parts = [np.arange(first + low, first + high) for low, high in pairwise(edges)]
    window, drawn = CurveWindow(), Drawn()
    order = [i for i in range(len(parts)) if i not in lost]
    order += [i for i in late if i in lost and i < len(parts)][:-1]  # one never comes
    for turn, i in enumerate(order):
        window.push(int(parts[i][0]), *wave(parts[i], rate_hz))
        if turn in looks:
            for patch in window.take():
                drawn.draw(patch)
    for patch in window.take():
        drawn.draw(patch)
    whole = window.whole()
    np.testing.assert_array_equal(drawn.time_s, whole.time_s)
    np.testing.assert_array_equal(drawn.force_n, whole.force_n)
    if order:
        index = np.sort(np.concatenate([parts[i] for i in order]))
        expected_s, expected_n = decimate(index, *wave(index, rate_hz), window.step)
        shown = ~np.isnan(whole.force_n)
        np.testing.assert_array_equal(whole.time_s[shown], expected_s)
        np.testing.assert_array_equal(whole.force_n[shown], expected_n)
        assert np.count_nonzero(~shown) == np.count_nonzero(np.diff(index) > 1)


@given(st.integers(0, 10_000), st.integers(1, 3000), st.sampled_from([4, 8, 16]))
def test_the_highest_and_lowest_sample_of_each_bucket_are_drawn(
    first: int, count: int, step: int
) -> None:
    index = np.arange(first, first + count)
    time_s, force_n = wave(index, 1000.0)
    drawn_s, drawn_n = decimate(index, time_s, force_n, step)
    assert np.all(np.diff(drawn_s) > 0)
    assert np.all(np.isin(drawn_s, time_s))
    buckets = np.unique(index // step)
    assert drawn_s.size <= 2 * buckets.size
    for bucket in buckets[:: max(1, buckets.size // 20)]:
        inside = force_n[index // step == bucket]
        assert inside.max() in drawn_n
        assert inside.min() in drawn_n


def test_points_once_drawn_stay_where_they_are_while_the_curve_moves_on() -> None:
    window = CurveWindow(span_s=2.0)
    before = None
    for first in range(0, 6000, 37):
        window.push(first, *wave(np.arange(first, first + 37), 1000.0))
        points = window.whole()
        inner = points.time_s[(points.time_s > first / 1000 - 1.9) & (points.time_s < first / 1000)]
        if before is not None:
            overlap = before[before > inner.min()] if inner.size else inner
            # The newest bucket may still grow.
            assert np.all(np.isin(overlap[overlap < first / 1000 - 0.016], points.time_s))
        before = points.time_s


def test_only_the_last_minute_is_kept() -> None:
    window = CurveWindow()
    for second in range(0, 600, 5):
        index = np.arange(second * 80, (second + 5) * 80)
        window.push(int(index[0]), *wave(index, 80.0))
    assert len(window) <= 60 * 80 + 1
    assert window.newest_s == pytest.approx(600 - 1 / 80)


@pytest.mark.parametrize(
    ("rate_hz", "step"), [(10, 1), (80, 1), (199.9, 4), (200, 4), (320, 8), (1000, 16)]
)
def test_a_fast_band_is_drawn_with_about_a_hundred_points_a_second(
    rate_hz: float, step: int
) -> None:
    assert bucket_samples(rate_hz) == step
    assert 2 * rate_hz / step <= 160


def test_what_cannot_be_drawn_is_left_out() -> None:
    window = CurveWindow()
    window.push(0, np.array([0.0, 0.1, np.nan, 0.3]), np.array([1.0, np.inf, 1.0, 2.0]))
    window.push(9, np.array([0.9, 0.8]), np.array([1.0, 1.0]))
    window.push(20, np.empty(0), np.empty(0))
    assert window.whole().time_s[~np.isnan(window.whole().force_n)].tolist() == [0.0, 0.3]


def test_a_late_block_that_contradicts_its_neighbours_in_time_is_left_out() -> None:
    window = CurveWindow()
    window.push(0, np.arange(10) / 80, np.ones(10))
    window.push(20, np.arange(20, 30) / 80, np.ones(10))
    window.push(10, np.arange(40, 50) / 80, np.ones(10))
    assert len(window) == 20


def test_a_clock_that_starts_anew_begins_a_new_curve() -> None:
    window, drawn = CurveWindow(), Drawn()
    window.push(0, 100 + np.arange(10) / 80, np.ones(10))
    for patch in window.take():
        drawn.draw(patch)
    window.push(10, np.arange(10) / 80, np.ones(10))
    for patch in window.take():
        drawn.draw(patch)
    np.testing.assert_array_equal(drawn.time_s, np.arange(10) / 80)
