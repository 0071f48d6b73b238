"""The benchmark's own truth: what it holds to be a rep agrees with its curve."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from firmware_sim.generator import KINDS
from firmware_sim.generator import make_session as draw
from firmware_sim.generator.drawing import Drawing, Intent, Meant, Window
from firmware_sim.generator.kinds import Session
from firmware_sim.generator.shapes import GRID_HZ
from firmware_sim.generator.truth import TrueRep, rep_truth, truth_of


@cache
def make_session(kind: str, seed: int) -> Session:
    return draw(kind, seed)


@pytest.mark.parametrize("kind", KINDS)
def test_true_reps_follow_one_another_and_their_boundaries_are_in_order(kind: str) -> None:
    session = make_session(kind, 17)
    last_s = 0.0
    for rep in session.truth.reps:
        assert last_s <= rep.span_s[0] <= rep.peak_s <= rep.span_s[1]
        last_s = rep.span_s[1]
        times = (rep.start_s, rep.top_start_s, rep.peak_s, rep.top_end_s, rep.end_s)
        known = [t for t in times if t is not None]
        assert known == sorted(known)
    assert last_s <= session.truth.duration_s


@pytest.mark.parametrize("kind", KINDS)
def test_the_clean_curve_has_its_peaks_where_the_truth_says(kind: str) -> None:
    session = make_session(kind, 17)
    for rep in session.truth.reps:
        lo, hi = (round(t * GRID_HZ) for t in rep.span_s)
        assert session.clean_n[lo : hi + 1].max() == pytest.approx(rep.peak_n)


@pytest.mark.parametrize("kind", [k for k in KINDS if k != "nothing to count"])
def test_no_rep_is_lower_than_55_percent_of_what_is_around_it(kind: str) -> None:
    session = make_session(kind, 17)
    for number in {rep.set for rep in session.truth.reps}:
        reps = [rep for rep in session.truth.reps if rep.set == number]
        for i, rep in enumerate(reps):
            around = [r.applied_n for r in reps[max(0, i - 2) : i + 3]]
            assert rep.applied_n >= 0.55 * float(np.median(around))


def test_a_session_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    one, again, other = (draw("mixed", seed) for seed in (5, 5, 6))
    assert np.array_equal(one.force_n, again.force_n)
    assert np.array_equal(one.time_s, again.time_s)
    assert one.truth == again.truth
    assert one.truth != other.truth


def test_boundaries_of_a_trapezoid_lie_at_10_and_90_percent_of_its_sides() -> None:
    # 1 s up to 100 N, 1 s hold, 2 s down to 20 N.
    force = np.interp(np.arange(6000), [1000, 2000, 3000, 5000], [0, 100, 100, 20])
    rep = _truth(force, 2500)
    assert rep.start_s == pytest.approx(1.1)
    assert rep.top_start_s == pytest.approx(1.9)
    assert rep.top_end_s == pytest.approx(3.2)
    assert rep.end_s == pytest.approx(4.8)
    assert rep.tut_s == pytest.approx(3.7)
    assert rep.decided == (True, True, True, True)


def test_a_hold_that_leaves_90_percent_for_long_is_left_when_it_leaves_for_the_last_time() -> None:
    force = np.interp(
        np.arange(8000), [1000, 2000, 3000, 4000, 5000, 6000], [0, 100, 80, 95, 95, 0]
    )
    assert _truth(force, 2000).top_end_s == pytest.approx(5.0 + 5 / 95)


def test_a_rep_joined_to_taking_up_and_putting_down_has_its_edges_at_the_stretch() -> None:
    # Up to 60 N in 2 s and at once on to 100 N in 1 s, 1 s hold, 2 s back to 60 N, 1 s to slack.
    force = np.interp(
        np.arange(10000), [1000, 3000, 4000, 5000, 7000, 8000], [0, 60, 100, 100, 60, 0]
    )
    intents = [
        Intent(Meant.STEP, 1000, 3000),
        Intent(Meant.REP, 3000, 7000, 1),
        Intent(Meant.STEP, 7000, 8000),
    ]
    (rep,) = truth_of(Drawing(force, force, intents, []), np.zeros_like(force)).reps
    assert rep.start_s == pytest.approx(3.1)
    assert rep.top_start_s == pytest.approx(3.9)
    assert rep.top_end_s == pytest.approx(5.2)
    assert rep.end_s == pytest.approx(6.8)


def test_what_is_done_beside_a_rep_does_not_move_its_edges() -> None:
    # 100 N from 1 to 3 s, 20 N of handling directly before and after, and a tare of -5 N.
    force = np.interp(
        np.arange(6000),
        [500, 750, 1000, 1500, 2500, 3000, 3250, 3500], [0, 20, 0, 100, 100, 0, 20, 0],
    )  # fmt: skip
    intents = [
        Intent(Meant.HANDLING, 500, 1000),
        Intent(Meant.REP, 1000, 3000, 1),
        Intent(Meant.HANDLING, 3000, 3500),
    ]
    zero = np.full_like(force, -5.0)
    (rep,) = truth_of(Drawing(force, force, intents, [Window(0, 1000, 0, 1)]), zero).reps
    assert [rep.start_s, rep.end_s] == pytest.approx([1.05, 2.95])
    assert [rep.peak_n, rep.applied_n] == pytest.approx([95, 100])


def test_a_boundary_on_a_plateau_at_its_level_is_undecided() -> None:
    force = np.interp(np.arange(8000), [1000, 2000, 3000, 6000, 7000], [0, 100, 90.2, 89.8, 0])
    assert _truth(force, 2000).decided == (True, True, False, True)


def _truth(force_n: np.ndarray[tuple[int], np.dtype[np.float64]], peak: int) -> TrueRep:
    return rep_truth(
        force_n,
        np.zeros_like(force_n),
        1,
        peak,
        room=(0, force_n.size),
        cut=(False, False),
    )
