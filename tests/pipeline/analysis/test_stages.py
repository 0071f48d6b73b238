"""The parts below: filters, turns, stamps, settings, pictures."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.signal import find_peaks

from pipeline.analysis import analyse
from pipeline.analysis.confidence import set_confidence
from pipeline.analysis.settings import Settings
from pipeline.analysis.smooth import Smoother, flat_gaussian
from pipeline.analysis.swings import Swings, Turn, _bends
from pipeline.views.plot import plot
from tests.pipeline.analysis.people import Pull, force_of


@pytest.mark.parametrize(("cutoff_hz", "rate_hz"), [(8.0, 100.0), (4.0, 25.0)])
def test_the_filter_is_three_decibels_down_at_its_cutoff_and_flat_below(
    cutoff_hz: float, rate_hz: float
) -> None:
    kernel = flat_gaussian(cutoff_hz, rate_hz)
    lag = np.arange(kernel.size) - kernel.size // 2

    def gain(frequency_hz: float) -> float:
        return float(kernel @ np.cos(2 * np.pi * frequency_hz / rate_hz * lag))

    assert gain(0) == pytest.approx(1)
    assert gain(cutoff_hz) == pytest.approx(np.sqrt(0.5), abs=0.03)
    assert gain(cutoff_hz / 4) == pytest.approx(1, abs=0.01)
    assert abs(gain(min(3 * cutoff_hz, rate_hz / 2))) < 0.05


@given(
    values=st.lists(st.floats(-100, 100), min_size=1, max_size=120),
    cuts=st.lists(st.integers(0, 120), max_size=8),
    first=st.integers(0, 3),
    step=st.sampled_from([1, 2]),
)
def test_filters_and_turns_do_not_show_cuts(
    values: list[float], cuts: list[int], first: int, step: int
) -> None:
    def chain(edges: list[int]) -> tuple[list[float], list[Turn]]:
        smoother = Smoother(flat_gaussian(8, 100), first, step)
        swings = Swings(10.0)
        out: list[float] = []
        turns: list[Turn] = []
        for number, (low, high) in enumerate(zip(edges, [*edges[1:], None], strict=True)):
            last = number == len(edges) - 1
            smooth = smoother.push(np.array(values[low:high]), last=last)
            turns += swings.push(len(out), 1, smooth)
            out += smooth.tolist()
        end = swings.end()
        return out, turns if end is None else [*turns, end]

    assert chain([0, *sorted(min(cut, len(values)) for cut in cuts)]) == chain([0])


def plain_turns(values: list[float], threshold: float) -> list[tuple[int, bool, int]]:
    found = []
    direction, high, low = 0, 0, 0
    for i, value in enumerate(values):
        if direction >= 0 and value > values[high]:
            high = i
        if direction <= 0 and value < values[low]:
            low = i
        if direction >= 0 and values[high] - value >= threshold:
            found.append((high, True, i))
            direction, low = -1, i
        elif direction <= 0 and value - values[low] >= threshold:
            found.append((low, False, i))
            direction, high = 1, i
    return found


@given(
    steps=st.lists(st.integers(-30, 30), min_size=1, max_size=300),
    seed=st.integers(0, 2**16),
    threshold=st.sampled_from([5.0, 25.0, 60.0]),
    cuts=st.lists(st.integers(0, 2100), max_size=6),
)
def test_turns_are_those_of_the_plain_rule(
    steps: list[int], seed: int, threshold: float, cuts: list[int]
) -> None:
    rng = np.random.default_rng(seed)
    noisy = np.repeat(np.cumsum(steps), 7) + rng.integers(-4, 5, 7 * len(steps))
    walk = np.cumsum(rng.normal(0, 4, 2 * len(steps))) + rng.normal(0, 4, 2 * len(steps))
    for values in (np.cumsum(steps).astype(float), noisy.astype(float), walk):
        swings = Swings(threshold)
        turns: list[Turn] = []
        edges = [0, *sorted(cut for cut in cuts if cut < values.size), values.size]
        for low, high in pairwise(edges):
            turns += swings.push(low, 1, values[low:high])
        expected = plain_turns(values.tolist(), threshold)
        assert [(turn.at, turn.high, turn.seen) for turn in turns] == expected


def test_a_ripple_left_out_does_not_move_where_a_turn_was_seen() -> None:
    for seed in range(300):
        rng = np.random.default_rng(seed)
        values = np.cumsum(rng.normal(0, 1, 60)) + rng.normal(0, 2, 60)
        turns = Swings(12.0).push(0, 1, values)
        assert [(turn.at, turn.high, turn.seen) for turn in turns] == plain_turns(
            values.tolist(), 12.0
        )


@given(st.lists(st.integers(-3, 3), max_size=60))
def test_bends_are_the_peaks_that_scipy_finds_above_and_below(steps: list[int]) -> None:
    values = np.cumsum(steps, dtype=float)
    edges = [find_peaks(way, plateau_size=1)[1]["left_edges"] for way in (values, -values)]
    moves = np.diff(values)
    assert _bends(moves, np.flatnonzero(moves)).tolist() == sorted(np.concatenate(edges).tolist())


def test_settings_refuse_what_makes_no_sense() -> None:
    with pytest.raises(ValueError, match="floor_n"):
        Settings(floor_n=0)
    with pytest.raises(ValueError, match="rep_share"):
        Settings(rep_share=1.5)


def test_a_higher_floor_leaves_small_pulls_out() -> None:
    time_s, force_n = force_of([Pull(peak_n=7)] * 5)
    assert len(analyse(time_s, force_n).reps) == 5
    assert not analyse(time_s, force_n, settings=Settings(floor_n=10)).reps


def test_a_clear_rep_is_surer_than_a_doubtful_one() -> None:
    pulls = [Pull(), Pull(), Pull(peak_n=44), Pull(), Pull()]
    confidences = [rep.confidence for rep in analyse(*force_of(pulls)).reps]
    assert len(confidences) == 5
    assert min(confidences) == confidences[2] < 0.95
    assert set_confidence(confidences) <= confidences[2]


@pytest.mark.parametrize("ending", ["png", "svg"])
def test_the_picture_is_written(tmp_path: Path, ending: str) -> None:
    time_s, force_n = force_of([Pull(peak_n=20), *[Pull()] * 4], rate_hz=1000)
    keep = (time_s < 5) | (time_s > 5.3)
    path = tmp_path / f"out.{ending}"
    plot(analyse(time_s, force_n), time_s[keep], force_n[keep], path, "a set")
    assert path.stat().st_size > 5000


def test_a_picture_of_nothing_is_refused(tmp_path: Path) -> None:
    empty = np.empty(0)
    with pytest.raises(ValueError, match="no samples"):
        plot(analyse(empty, empty), empty, empty, tmp_path / "out.png")
