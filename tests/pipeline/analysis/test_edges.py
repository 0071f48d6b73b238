"""Where the samples begin or end in a pull, and after a gap."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.analysis import analyse
from tests.pipeline.analysis.people import Pull, count, force_of


def test_a_recording_that_starts_and_ends_within_a_pull_counts_both() -> None:
    time_s, force_n = force_of([Pull()] * 6)
    inside = (time_s > 2.6) & (time_s < 2.0 + 5 * 3.5 + 1.2)
    reps = analyse(time_s[inside], force_n[inside]).reps
    assert len(reps) == 6
    assert reps[0].concentric_s is None
    assert "begin" in reps[0].absent["concentric_s"]
    assert reps[-1].eccentric_s is None


@pytest.mark.parametrize(("low_n", "seen"), [(36.0, True), (60.0, False)])
def test_a_first_rep_from_a_band_already_held_starts_at_its_own_valley(
    low_n: float, seen: bool
) -> None:
    """Where the rise from there is at least half of the fall; else it was a dip in a hold."""
    time_s, force_n = force_of([Pull()] * 5)
    held_n = low_n + 10 - 10 * np.exp(-(((time_s - 2.0) / 0.3) ** 2))
    early = time_s < 2.0 + Pull().up_s
    force_n[early] = np.where(
        time_s[early] < 2.0, held_n[early], np.maximum(force_n[early], held_n[early])
    )
    reps = analyse(time_s, force_n).reps
    assert len(reps) == 5
    assert (reps[0].concentric_s is not None) is seen
    assert (reps[0].start_s > 2.0) is seen
    assert reps[0].valley_before_n == pytest.approx(low_n, abs=1.5) or not seen


@pytest.mark.parametrize("rate_hz", [10.0, 80.0, 1000.0])
@pytest.mark.parametrize("held_n", [[40.0, 0.0], [40.0, 34.0, 39.0, 0.0], [30.0, 24.0, 24.0, 0.0]])
def test_a_recording_may_start_in_a_release(rate_hz: float, held_n: list[float]) -> None:
    time_s, force_n = force_of([Pull()] * 4, rate_hz=rate_hz, lead_s=5.0)
    force_n += np.interp(time_s, np.arange(len(held_n)), held_n)
    assert count(time_s, force_n) in (4, 5)


@pytest.mark.parametrize("dip_share", [0.25, 0.45])
@pytest.mark.parametrize("mirrored", [False, True])
def test_a_hold_that_the_samples_begin_or_end_in_may_dip(dip_share: float, mirrored: bool) -> None:
    time_s, force_n = force_of([Pull(hold_s=6.0), *[Pull()] * 3], rest_n=0.0)
    cut = int(np.argmax(force_n > 0.99 * force_n.max())) + 80
    time_s, force_n = time_s[cut:], force_n[cut:].copy()
    dip = slice(120, 280)
    force_n[dip] *= 1 - dip_share * np.hanning(160)
    if mirrored:
        force_n = force_n[::-1]
    assert count(time_s, force_n) == 4


@pytest.mark.parametrize(("held_n", "pause_s", "reps"), [(100.0, 6.0, 3), (20.0, 60.0, 2)])
def test_a_fall_at_the_start_is_a_reps_if_one_like_it_is_near(
    held_n: float, pause_s: float, reps: int
) -> None:
    time_s, force_n = force_of(
        [Pull(peak_n=100, hold_s=20.0, pause_s=pause_s)] * 2, lead_s=6 + pause_s
    )
    held = np.interp(time_s, [0, 5, 6], [held_n, held_n, 0])
    assert count(time_s, force_n + held) == reps


@pytest.mark.parametrize(("gap_s", "reps"), [(20.0, 7), (3600.0, 6)])
def test_a_fall_after_a_gap_is_a_reps_if_the_set_was_a_moment_ago(gap_s: float, reps: int) -> None:
    time_s, force_n = force_of([Pull(peak_n=100)] * 6)
    later_s = np.arange(0, 30, 1 / 80)
    held = np.interp(later_s, [0, 5, 6], [100, 100, 0])
    time_s = np.concatenate((time_s, time_s[-1] + gap_s + later_s))
    assert count(time_s, np.concatenate((force_n, held))) == reps


def test_a_drift_at_the_start_is_no_fall_of_a_rep() -> None:
    time_s = np.arange(0, 400, 0.0125)
    force_n = 0.6 * np.exp(-(((time_s - 50) / 40) ** 2)) - 6 * time_s / 400
    assert not analyse(time_s, force_n).reps
