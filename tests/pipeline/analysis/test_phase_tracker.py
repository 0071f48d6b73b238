"""The phase of now: rises that slow down, holds that wander, releases."""

from __future__ import annotations

import numpy as np

from pipeline.analysis.phase_tracker import PhaseTracker
from pipeline.analysis.types import Phase, Settings
from sensor.samples import Floats

RATE_HZ = 80.0


def phases_of(corners: list[tuple[float, float]]) -> tuple[Floats, list[Phase]]:
    """Time and phase at each sample of a force drawn through (time in s, force in N)."""
    times, forces = zip(*corners, strict=True)
    time_s = np.arange(round(times[-1] * RATE_HZ)) / RATE_HZ
    force_n = np.interp(time_s, times, forces)
    force_n += 0.1 * np.random.default_rng(3).standard_normal(time_s.size)
    tracker, told = PhaseTracker(Settings()), []
    for at in range(time_s.size):
        tracker.push([float(time_s[at])], [float(force_n[at])])
        told.append(tracker.phase)
    return time_s, told


def during(time_s: Floats, told: list[Phase], since_s: float, until_s: float) -> set[Phase]:
    return {phase for t, phase in zip(time_s, told, strict=True) if since_s <= t < until_s}


def rep(at_s: float, peak_n: float = 80.0) -> list[tuple[float, float]]:
    return [(at_s, 0), (at_s + 1, peak_n), (at_s + 2, peak_n), (at_s + 3, 0)]


def test_a_hold_that_wanders_by_a_third_is_a_hold_until_it_is_let_go() -> None:
    wander = [(3 + 4 * i, 90 if i % 2 else 62) for i in range(1, 8)]
    corners: list[tuple[float, float]] = [(0, 0), (2, 0), (3, 90), (9, 90)]
    corners += [(at + 6, n) for at, n in wander]
    end_s = corners[-1][0]
    time_s, told = phases_of([*corners, (end_s + 1, 0), (end_s + 3, 0)])
    assert during(time_s, told, 3.2, end_s) == {Phase.HOLD}
    assert during(time_s, told, end_s + 0.4, end_s + 0.8) == {Phase.ECCENTRIC}
    assert during(time_s, told, end_s + 1.2, end_s + 3) == {Phase.REST}


def test_a_rise_that_hesitates_far_below_the_reps_before_is_no_hold() -> None:
    slow: list[tuple[float, float]] = [(12, 0), (13, 35), (14, 40), (15, 80), (16, 80), (17, 0)]
    time_s, told = phases_of([(0, 0), *rep(2), *rep(7), *slow, (19, 0)])
    assert during(time_s, told, 12.5, 14.9) == {Phase.CONCENTRIC}
    assert during(time_s, told, 15.2, 16.0) == {Phase.HOLD}


def test_a_rise_that_goes_on_after_it_seemed_to_end_is_a_rise_again() -> None:
    time_s, told = phases_of([(0, 0), (2, 0), (3, 40), (4, 40), (6, 80), (7, 80), (8, 0), (9, 0)])
    assert during(time_s, told, 3.3, 4.0) == {Phase.HOLD}
    assert during(time_s, told, 4.5, 5.7) == {Phase.CONCENTRIC}
    assert during(time_s, told, 6.2, 7.0) == {Phase.HOLD}


def test_a_dip_within_a_hold_is_soon_a_hold_again() -> None:
    dip: list[tuple[float, float]] = [
        (3, 80),
        (4, 80),
        (4.2, 60),
        (4.4, 80),
        (6, 80),
        (7, 0),
        (8, 0),
    ]
    time_s, told = phases_of([(0, 0), (2, 0), *dip])
    assert during(time_s, told, 4.35, 6.0) == {Phase.HOLD}


def test_a_spike_of_the_gauge_changes_nothing() -> None:
    time_s = np.arange(400) / RATE_HZ
    force_n = np.zeros(400)
    force_n[200] = 300.0
    tracker = PhaseTracker(Settings())
    for at in range(400):
        tracker.push([float(time_s[at])], [float(force_n[at])])
        assert tracker.phase is Phase.REST
        assert tracker.force_n == 0
