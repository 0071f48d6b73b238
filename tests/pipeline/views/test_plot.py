"""What a picture shows: nothing is hidden, and nothing is printed over something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.analysis import analyse
from pipeline.views.plot import POINTS_A_ROW, _thinned, _ticks, _with_room, plot
from pipeline.views.tables import clock
from tests.pipeline.analysis.people import Pull, force_of


@pytest.mark.parametrize("size", [100, POINTS_A_ROW, 11_999, 400_001])
@pytest.mark.parametrize("at", [0, -2, -1])
def test_the_greatest_and_the_least_force_are_drawn_wherever_they_are(size: int, at: int) -> None:
    time_s, force_n = np.arange(size) / 80, np.zeros(size)
    force_n[at], force_n[size // 2] = 99.0, -5.0
    drawn_s, drawn_n = _thinned(time_s, force_n)
    assert (drawn_n.max(), drawn_n.min()) == (99.0, -5.0)
    assert drawn_s.size == drawn_n.size <= 1.5 * POINTS_A_ROW
    assert (np.diff(drawn_s) >= 0).all()


def test_numbers_that_would_touch_are_left_out() -> None:
    reps = analyse(*force_of([Pull()] * 6)).reps
    assert len(_with_room(reps, 1.0)) == 6
    assert _with_room(reps, 5.0) == {reps[0].id, reps[2].id, reps[4].id}
    assert _with_room([], 1.0) == set()


def test_ticks_are_round_and_within_the_row() -> None:
    assert _ticks(-3.0, 57.0, 60.0).tolist() == list(range(0, 60, 5))
    assert _ticks(600.0, 840.0, 240.0).tolist() == list(range(600, 841, 30))


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0.0, "0:00.0"), (65.04, "1:05.0"), (59.96, "1:00.0"), (3725.5, "1:02:05.5"),
     (-2.9, "-0:02.9"), (-0.01, "0:00.0"), (-3725.5, "-1:02:05.5")],
)  # fmt: skip
def test_times_are_shown_as_on_a_clock(seconds: float, text: str) -> None:
    assert clock(seconds) == text


@pytest.mark.parametrize("ending", ["png", "svg", "pdf"])
def test_whatever_the_file_is_called_it_is_drawn(tmp_path: Path, ending: str) -> None:
    time_s, force_n = force_of([Pull()] * 3)
    path = tmp_path / f"a.{ending}"
    plot(analyse(time_s, force_n), time_s, force_n, path, "cost $a_{b$ [x]")
    assert path.stat().st_size > 5000
