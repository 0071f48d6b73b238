"""Samples in each second: whatever the cuts, holes and what was forgotten."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from pipeline.analysis.counts import Counts


@given(
    steps=st.lists(st.floats(0.0, 500.0), min_size=1, max_size=60),
    cuts=st.lists(st.integers(0, 60), max_size=6),
)
def test_the_counts_do_not_depend_on_the_cuts(steps: list[float], cuts: list[int]) -> None:
    ticks = np.cumsum(steps)
    counts = Counts(100.0)
    for part in np.split(ticks, sorted(cuts)):
        if part.size:
            counts.add(part)
    seconds = np.arange(int(ticks[-1] // 100) + 3)
    expected = np.bincount((ticks // 100).astype(int), minlength=seconds.size)
    assert counts.at(seconds).tolist() == expected.tolist()
    assert counts.most(0, seconds.size) == expected.max()


def test_a_hole_of_years_takes_no_memory() -> None:
    counts = Counts(100.0)
    counts.add(np.array([5.0, 95.0]))
    counts.add(np.array([1e13, 1e13 + 1]))
    assert counts.at(np.array([0, 1, 10**11])).tolist() == [2.0, 0.0, 2.0]
    assert counts.most(1, 10**11) == 0.0


def test_what_is_forgotten_counts_no_more() -> None:
    counts = Counts(100.0)
    counts.add(np.arange(1000.0))
    counts.forget_before(4)
    assert counts.at(np.array([3, 4, 9, 10])).tolist() == [0.0, 100.0, 100.0, 0.0]
    assert Counts(100.0).at(np.array([0])).tolist() == [0.0]
