"""What the truth tells beside boundaries, on curves that can be reckoned by hand."""

from __future__ import annotations

import numpy as np
import pytest

from firmware_sim.generator.drawing import Drawing, Intent, Meant, Window
from firmware_sim.generator.measures import TruePartial
from firmware_sim.generator.truth import TrueRep, truth_of


def trapezoid() -> TrueRep:
    """1 s up to 100 N, 1 s hold, 2 s down to 20 N."""
    force = np.interp(np.arange(6000), [1000, 2000, 3000, 5000], [0, 100, 100, 20])
    drawing = Drawing(force, force, [Intent(Meant.REP, 1000, 5000, 1)], [])
    (rep,) = truth_of(drawing, np.zeros_like(force)).reps
    return rep


def test_impulse_is_the_area_from_start_to_end() -> None:
    # 10 to 100 N in 0.9 s, 100 N for 1 s, 100 to 28 N in 1.8 s
    assert trapezoid().impulse_n_s == pytest.approx(49.5 + 100 + 64 * 1.8, abs=0.01)


def test_of_an_even_rise_every_rate_is_its_slope() -> None:
    rates = trapezoid().rfd_n_per_s
    assert set(rates) == {"0-50 ms", "0-100 ms", "0-200 ms", "20-80 %"}
    assert list(rates.values()) == pytest.approx([100.0] * 4)


def test_a_window_in_which_the_peak_lies_is_left_out() -> None:
    force = np.interp(np.arange(4000), [1000, 1150, 2000, 2500], [0, 100, 100, 0])
    drawing = Drawing(force, force, [Intent(Meant.REP, 1000, 2500, 1)], [])
    (rep,) = truth_of(drawing, np.zeros_like(force)).reps
    assert set(rep.rfd_n_per_s) == {"0-50 ms", "0-100 ms", "20-80 %"}


def test_valleys_are_the_lowest_beside_the_peak() -> None:
    rep = trapezoid()
    assert (rep.valley_before_n, rep.valley_after_n) == pytest.approx((0.0, 20.0))


def test_of_a_rep_that_begins_before_the_recording_nothing_is_told_that_lies_outside() -> None:
    force = np.interp(np.arange(4000), [0, 500, 2000, 3000], [60, 100, 100, 0])
    drawing = Drawing(force, force, [Intent(Meant.REP, -800, 3000, 1)], [])
    (rep,) = truth_of(drawing, np.zeros_like(force)).reps
    assert rep.cut
    assert (rep.start_s, rep.valley_before_n, rep.impulse_n_s) == (None, None, None)
    assert rep.rfd_n_per_s == {}
    assert rep.valley_after_n == 0.0


def bump(height_n: float, *, width: int, meant: Meant = Meant.BUMP) -> list[TruePartial]:
    """The partials of a triangle of `width` samples at its foot."""
    at = [1000, 1000 + width // 2, 1000 + width]
    force = np.interp(np.arange(4000), at, [0, height_n, 0])
    drawing = Drawing(force, force, [Intent(meant, 1000, 1000 + width)], [])
    return truth_of(drawing, np.zeros_like(force)).partials


def test_a_small_pull_that_was_meant_is_a_partial() -> None:
    (found,) = bump(20.0, width=1000)
    assert (found.peak_s, found.peak_n, found.amplitude_n) == pytest.approx((1.5, 20.0, 20.0))
    assert (found.start_s, found.end_s) == pytest.approx((1.05, 1.95))


@pytest.mark.parametrize(
    ("height_n", "width", "meant"),
    [(20.0, 300, Meant.BUMP), (2.5, 1000, Meant.BUMP), (20.0, 1000, Meant.HANDLING)],
)
def test_knocks_what_is_below_the_floor_and_handling_are_no_partials(
    height_n: float, width: int, meant: Meant
) -> None:
    assert not bump(height_n, width=width, meant=meant)


def test_what_a_person_might_count_is_no_partial() -> None:
    force = np.interp(np.arange(4000), [1000, 1500, 2000], [0, 50, 0])
    window = Window(900, 2100, 0, 1)
    drawing = Drawing(force, force, [Intent(Meant.BUMP, 1000, 2000)], [window])
    assert not truth_of(drawing, np.zeros_like(force)).partials
