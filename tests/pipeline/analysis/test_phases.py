"""Boundaries, tempo and metrics against pulls whose corners are known."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.analysis import analyse
from pipeline.analysis.parameters import elongation_m, elongation_sd_m, force_at, stored_j
from pipeline.analysis.sets import force_loss_percent
from sensor.wire.profile import BandCurve
from tests.pipeline.analysis.people import Pull, force_of

RED = BandCurve(3.86, 2.14, 0.6, 0.08)


@pytest.mark.parametrize("rate_hz", [80.0, 320.0, 1000.0])
@pytest.mark.parametrize("pull", [Pull(), Pull(up_s=0.3, hold_s=0.2, down_s=0.3), Pull(up_s=3.0)])
def test_boundaries_lie_where_ten_and_ninety_percent_are(rate_hz: float, pull: Pull) -> None:
    reps = analyse(*force_of([pull] * 5, rate_hz=rate_hz, noise_n=0.05)).reps
    period = pull.up_s + pull.hold_s + pull.down_s + pull.pause_s
    for i, rep in enumerate(reps):
        rise = 2.0 + i * period
        low, high = float(np.arccos(0.8) / np.pi), float(np.arccos(-0.8) / np.pi)
        fall = rise + pull.up_s + pull.hold_s
        assert rep.start_s == pytest.approx(rise + low * pull.up_s, abs=0.015)
        assert rep.top_start_s == pytest.approx(rise + high * pull.up_s, abs=0.03)
        assert rep.top_end_s == pytest.approx(fall + low * pull.down_s, abs=0.03)
        assert rep.end_s == pytest.approx(fall + high * pull.down_s, abs=0.015)
        assert rep.peak_n == pytest.approx(80, rel=0.01)


def test_tempo_and_tension_follow_from_the_boundaries() -> None:
    found = analyse(*force_of([Pull(hold_s=0.55, pause_s=0.75)] * 4))
    first, last = found.reps[0], found.reps[-1]
    assert first.tempo == "0.7-1.2-0.6-1.0"
    assert last.tempo == "0.7-?-0.6-1.0"
    assert first.bottom_s == pytest.approx(found.reps[1].start_s - first.end_s)
    assert first.tut_s == pytest.approx(first.end_s - first.start_s)
    assert found.sets[0].tut_s == pytest.approx(sum(rep.tut_s for rep in found.reps))


def test_impulse_and_mean_are_those_of_the_curve() -> None:
    pull = Pull(up_s=1.0, hold_s=1.0, down_s=1.0)
    rep = analyse(*force_of([pull] * 3, noise_n=0.0)).reps[1]
    # Between 10 % points, a cosine flank of 1 s has 0.7 + sin(π low) / π ... integrated by hand.
    low = float(np.arccos(0.8) / np.pi)
    flank = (1 - low) / 2 + np.sin(np.pi * low) / (2 * np.pi)
    assert rep.impulse_n_s == pytest.approx(80 * (1 + 2 * flank), rel=0.005)
    assert rep.mean_n == pytest.approx(80 * (1 + 2 * flank) / rep.tut_s, rel=0.005)


def test_rate_of_force_development_is_the_slope_of_the_rise() -> None:
    rep = analyse(*force_of([Pull()] * 3, noise_n=0.0)).reps[1]
    flank = 0.5 - 0.5 * np.cos(np.pi * (np.arange(3) * 0.1 + np.arccos(0.8) / np.pi))
    assert rep.rfd_n_per_s["0-100 ms"] == pytest.approx(800 * (flank[1] - flank[0]), rel=0.03)
    assert rep.rfd_n_per_s["0-200 ms"] == pytest.approx(400 * (flank[2] - flank[0]), rel=0.03)
    wide = (np.arccos(-0.6) - np.arccos(0.6)) / np.pi
    assert rep.rfd_n_per_s["20-80 %"] == pytest.approx(80 * 0.6 / wide, rel=0.02)


def test_rate_of_force_development_is_refused_at_a_slow_rate() -> None:
    rep = analyse(*force_of([Pull()] * 3, rate_hz=11.0)).reps[1]
    assert rep.rfd_n_per_s == {}
    assert "11 Hz is too slow" in rep.absent["rfd_n_per_s"]


@pytest.mark.parametrize("lead_s", [0.1, 0.4, 1.0, 1.6])
def test_the_rate_is_known_soon_after_a_long_hole(lead_s: float) -> None:
    time_s, force_n = force_of([Pull()] * 3, lead_s=lead_s)
    before_s, before_n = force_of([Pull()] * 3)
    reps = analyse(
        np.concatenate((before_s, 7200.7 + time_s)), np.concatenate((before_n, force_n))
    ).reps
    assert len(reps) == 6
    assert "rfd_n_per_s" not in reps[3].absent
    slow = force_of([Pull()] * 3, lead_s=lead_s, rate_hz=20.0)
    assert "20 Hz" in analyse(7200.7 + slow[0], slow[1]).reps[0].absent["rfd_n_per_s"]


def test_a_hole_takes_out_what_it_hides_and_nothing_else() -> None:
    time_s, force_n = force_of([Pull()] * 3)
    keep = (time_s < 6.1) | (time_s > 6.3)
    hit, clean = (analyse(time_s[keep], force_n[keep]).reps[i] for i in (1, 2))
    assert hit.impulse_n_s is None
    assert "0.2" in hit.absent["impulse_n_s"]
    assert hit.tut_s == pytest.approx(hit.end_s - hit.start_s - 0.2, abs=0.03)
    assert hit.eccentric_s is not None
    assert clean.impulse_n_s is not None
    assert "impulse_n_s" not in clean.absent


def test_a_jerky_release_is_less_smooth() -> None:
    time_s, force_n = force_of([Pull(down_s=2.0)] * 3, noise_n=0.0)
    smooth = analyse(time_s, force_n).reps[1].metrics["release_smoothness"]
    jerky = force_n * (1 + 0.1 * np.sin(2 * np.pi * 3 * time_s))
    shaky = analyse(time_s, jerky).reps[1].metrics["release_smoothness"]
    assert smooth == pytest.approx(1.0, abs=0.01)
    assert shaky < 0.9


def test_force_loss_compares_the_ends_of_a_set() -> None:
    assert force_loss_percent([100, 90, 80, 70, 60, 60]) == pytest.approx(40)
    assert force_loss_percent([50, 50, 50]) == 0


def test_force_and_elongation_undo_each_other() -> None:
    stretch = np.linspace(1.0, 4.0, 50)
    for curve in (RED, BandCurve(3.72, 0.01, 1.0, 0.1), BandCurve(0.5, 40.0, 1.0, 0.1)):
        elongation = elongation_m(curve, force_at(curve, stretch))
        assert elongation == pytest.approx((stretch - 1) * curve.rest_length_m, abs=1e-6)


def test_stored_work_is_the_integral_of_the_force() -> None:
    elongation = np.linspace(0, 1.2, 20001)
    force_n = force_at(RED, 1 + elongation / RED.rest_length_m)
    assert stored_j(RED, np.array(1.2)) == pytest.approx(
        np.trapezoid(force_n, elongation), rel=1e-6
    )


def test_uncertainty_of_elongation_is_what_another_curve_would_say() -> None:
    stiff = BandCurve(RED.a_n * 1.08, RED.b_n * 1.08, RED.rest_length_m, 0.0)
    force_n = np.array([10.0, 20.0, 30.0])
    apart = elongation_m(RED, force_n) - elongation_m(stiff, force_n)
    assert elongation_sd_m(RED, force_n) == pytest.approx(apart, rel=0.2)


def test_a_calibrated_band_gives_motion_work_and_power() -> None:
    pull = Pull(peak_n=25.0, up_s=1.0)
    rep = analyse(*force_of([pull] * 3, noise_n=0.0), curve=RED).reps[1]
    reach = float(elongation_m(RED, np.array([25.0]))[0])
    assert rep.metrics["range_of_motion_m"] == pytest.approx(reach, rel=0.02)
    assert rep.metrics["work_j"] == pytest.approx(float(stored_j(RED, np.array(reach))), rel=0.02)
    assert rep.metrics["mean_velocity_m_per_s"] == pytest.approx(0.8 * reach / 0.6, rel=0.15)
    assert 0 < rep.metrics["range_of_motion_sd_m"] < reach / 4
    assert rep.metrics["peak_power_w"] > rep.metrics["mean_power_w"] > 0
    assert "work_j" not in analyse(*force_of([pull] * 3)).reps[1].metrics


def test_what_rings_after_a_release_is_not_the_valley_of_the_next_rep() -> None:
    pulls = [Pull(peak_n=30, up_s=0.6, down_s=0.25, pause_s=2.0)] * 4
    time_s, force_n = force_of(pulls)
    released_s = 2.0 + np.arange(4) * 3.35 + 1.35
    for at in released_s:
        after = np.maximum(time_s - at, 0)
        force_n -= 8 * np.sin(2 * np.pi * 4 * after) * np.exp(-after / 0.15)
    found = analyse(time_s, force_n).reps
    expected = [2.0 + i * 3.35 + pulls[0].start_s for i in range(4)]
    assert [rep.start_s for rep in found] == pytest.approx(expected, abs=0.03)


def test_a_band_held_at_an_eighth_before_the_first_pull_is_not_part_of_it() -> None:
    time_s, force_n = force_of([Pull(peak_n=80)], lead_s=20.0, tail_s=30.0)
    held = np.clip((time_s - 3) / 2, 0, 1) * np.clip((time_s[-1] - 3 - time_s) / 2, 0, 1)
    force_n = np.maximum(force_n, 10 * held + 0.4 * np.sin(time_s))
    [rep] = analyse(time_s, force_n).reps
    assert rep.start_s == pytest.approx(20.2, abs=0.15)
    assert rep.end_s == pytest.approx(22.4, abs=0.15)
