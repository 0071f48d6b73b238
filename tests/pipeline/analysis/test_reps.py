"""Reps are counted right, whatever people do and whatever the gauge adds."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.analysis import analyse
from pipeline.analysis.types import Analysis
from sensor.samples import Floats
from tests.pipeline.analysis.people import Pull, count, force_of

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"


@pytest.mark.parametrize(
    "name",
    [
        "rubber_band_4",
        "handgrip_8",
        "handgrip_metronome_fatigue",
        "grip_3_on_offset",
        "rest_offset_no_reps",
    ],
)
def test_real_recordings_are_counted_as_by_their_labels(name: str) -> None:
    if not RECORDINGS.is_dir():
        pytest.skip(f"the recordings are not at {RECORDINGS}")
    accept = json.loads((RECORDINGS / "labels.json").read_text())[f"{name}.csv"]["accept"]
    rows = np.genfromtxt(RECORDINGS / f"{name}.csv", delimiter=",", skip_header=1)
    assert count(rows[:, 0], rows[:, 1]) in accept


def test_reps_of_the_rubber_band_are_where_people_see_them() -> None:
    if not RECORDINGS.is_dir():
        pytest.skip(f"the recordings are not at {RECORDINGS}")
    labels = json.loads((RECORDINGS / "labels.json").read_text())["rubber_band_4.csv"]
    rows = np.genfromtxt(RECORDINGS / "rubber_band_4.csv", delimiter=",", skip_header=1)
    reps = analyse(rows[:, 0], rows[:, 1]).reps
    for rep, (rise_s, peak_s, fall_s) in zip(reps, labels["half_rise_peak_half_fall"], strict=True):
        assert abs(rep.peak_s - peak_s) < 0.06
        assert rise_s - 0.5 < rep.start_s < rise_s < rep.top_start_s
        assert rep.top_end_s < fall_s < rep.end_s


@pytest.mark.parametrize("rate_hz", [10.0, 11.0, 80.0, 88.2, 320.0, 1000.0])
@pytest.mark.parametrize(
    "pull",
    [
        Pull(up_s=0.25, hold_s=0.1, down_s=0.25, pause_s=0.4),
        Pull(pause_s=0.0),
        Pull(up_s=4.0, hold_s=3.0, down_s=5.0, pause_s=1.0),
        Pull(peak_n=7.0),
        Pull(peak_n=190.0),
    ],
)
def test_ten_even_reps_are_ten_at_every_rate(rate_hz: float, pull: Pull) -> None:
    assert count(*force_of([pull] * 10, rate_hz=rate_hz)) == 10


def test_a_band_that_never_goes_slack_is_counted() -> None:
    assert count(*force_of([Pull()] * 10, rest_n=32.0)) == 10


def test_fading_growing_and_alternating_effort_is_counted() -> None:
    fading = [Pull(peak_n=80 * (1 - 0.4 * i / 9)) for i in range(10)]
    growing = [Pull(peak_n=80 * (1 + 2 * i / 9) / 3) for i in range(10)]
    sides = [Pull(peak_n=80 if i % 2 else 56) for i in range(10)]
    for pulls in (fading, growing, sides):
        assert count(*force_of(pulls)) == 10


@pytest.mark.parametrize("first", [0.7, 0.85, 1.0])
def test_a_trial_before_a_set_that_starts_lower_is_no_part_of_a_trend(first: float) -> None:
    peaks_n = [80 * share for share in (0.38, first, 1.0, 1.0, 0.95, 1.0, 1.0)]
    assert count(*force_of([Pull(peak_n=peak_n) for peak_n in peaks_n])) == 6


def test_a_dip_in_the_hold_does_not_split_a_rep() -> None:
    time_s, force_n = force_of([Pull(hold_s=3.0)] * 6)
    for i in range(6):
        middle = 2.0 + i * 6.0 + 1.0 + 1.5
        force_n = force_n * (1 - 0.25 * np.exp(-0.5 * ((time_s - middle) / 0.25) ** 2))
    assert count(time_s, force_n) == 6


def test_a_long_hold_whose_force_wanders_is_one_rep() -> None:
    time_s, force_n = force_of([Pull(hold_s=30.0, peak_n=120, pause_s=15.0)] * 3)
    wander = np.sin(time_s * 2 * np.pi / 7.3) + np.sin(time_s * 2 * np.pi / 4.1 + 1)
    wander = 1 - 0.08 * (2 + wander)
    assert count(time_s, force_n * wander) == 3


def test_knocks_are_neither_reps_nor_partials() -> None:
    time_s, force_n = force_of([Pull()] * 8, tail_s=6.0)
    end_s = time_s[-1] - 3.0
    for i in range(3):
        force_n = force_n + 40 * np.exp(-0.5 * ((time_s - end_s - 0.4 * i) / 0.05) ** 2)
    found = analyse(time_s, force_n)
    assert (len(found.reps), len(found.partials)) == (8, 0)


def test_a_load_that_lies_on_the_band_for_minutes_is_no_rep() -> None:
    time_s = np.arange(0, 300, 0.1)
    force_n = np.where((time_s > 10) & (time_s < 250), 20.0, 0.0)
    assert count(time_s, force_n) == 0


def test_pulls_on_top_of_a_load_are_counted() -> None:
    time_s, force_n = force_of([Pull(peak_n=40, pause_s=1.0)] * 4, rest_n=12.0, lead_s=10)
    time_s, force_n = np.append(time_s, time_s[-1] + 0.0125), np.append(force_n, 0.0)
    force_n[time_s < 3] = 0.0
    found = analyse(time_s, force_n)
    assert len(found.reps) == 4
    assert found.reps[0].start_s > 9


@pytest.mark.parametrize(("first_n", "dip_n", "then_n"), [(70.0, 40.0, 100.0), (100.0, 40.0, 70.0)])
def test_a_hold_with_one_loosened_grip_is_told_whole(
    first_n: float, dip_n: float, then_n: float
) -> None:
    time_s = np.arange(0, 30, 0.0125)
    corners_s = [3.0, 4.0, 14.0, 14.3, 14.8, 24.8, 25.8]
    force_n = np.interp(time_s, corners_s, [0, first_n, first_n, dip_n, then_n, then_n, 0])
    [rep] = analyse(time_s, force_n).reps
    assert rep.start_s == pytest.approx(3.1, abs=0.1)
    assert rep.end_s == pytest.approx(25.7, abs=0.1)
    assert rep.tut_s == pytest.approx(22.6, abs=0.2)


@pytest.mark.parametrize("wait_s", [60.0, 147.0, 149.5, 151.0, 300.0])
@pytest.mark.parametrize("hold_s", [0.5, 40.0])
def test_reps_after_a_long_wait_on_a_lightly_held_band_all_count(
    wait_s: float, hold_s: float
) -> None:
    """What is up for longer than a rep may last is a load; pulls may stand on it."""
    pulls = [Pull(peak_n=70.0, hold_s=hold_s)] * 3
    time_s, force_n = force_of(pulls, rest_n=6.0, lead_s=wait_s, tail_s=30.0)
    force_n = np.concatenate((np.zeros(800), force_n))
    time_s = np.arange(force_n.size) / 80
    reps = analyse(time_s, force_n).reps
    assert [rep.tut_s for rep in reps] == pytest.approx([1.55 + hold_s] * 3, abs=0.3)


def with_defects(time_s: Floats, force_n: Floats, defect: str) -> tuple[Floats, Floats]:
    rng = np.random.default_rng(5)
    match defect:
        case "spikes":
            force_n[rng.integers(0, time_s.size, 40)] += rng.choice([-300.0, 300.0], 40)
        case "hum":
            force_n += 1.5 * np.sin(2 * np.pi * 50 * time_s) + np.sin(2 * np.pi * 60 * time_s)
        case "noise":
            force_n += rng.normal(0, 0.8, time_s.size)
        case "drift":
            force_n += np.linspace(-4, 4, time_s.size) + 6
        case "holes":
            keep = np.ones(time_s.size, dtype=bool)
            for at in rng.integers(0, time_s.size, 12):
                keep[at : at + rng.integers(7, 33)] = False
            return time_s[keep], force_n[keep]
        case "jitter":
            time_s = np.sort(time_s + rng.normal(0, 0.004, time_s.size))
        case "duplicates":
            at = np.sort(rng.integers(0, time_s.size, 200))
            return np.insert(time_s, at, time_s[at]), np.insert(force_n, at, force_n[at])
        case "stale":
            for at in rng.integers(1, time_s.size - 20, 30):
                time_s[at : at + 12] = time_s[at]
    return time_s, force_n


DEFECTS = ["spikes", "hum", "noise", "drift", "holes", "jitter", "duplicates", "stale"]


@pytest.mark.parametrize("defect", DEFECTS)
def test_defects_of_gauge_clock_and_radio_change_no_count(defect: str) -> None:
    time_s, force_n = force_of([Pull(peak_n=40)] * 12)
    assert count(*with_defects(time_s, force_n, defect)) == 12


def test_holes_are_named_with_their_missing_samples() -> None:
    time_s, force_n = force_of([Pull()] * 5)
    keep = (time_s < 4.0) | (time_s >= 4.2)
    [gap] = analyse(time_s[keep], force_n[keep]).gaps
    assert gap.missing == 16
    assert gap.start_s == pytest.approx(4.0 - 0.0125)
    assert gap.end_s == pytest.approx(4.2)


def test_a_sample_missing_here_and_there_takes_nothing_from_a_rep() -> None:
    time_s, force_n = force_of([Pull()] * 5)
    keep = np.arange(time_s.size) % 15 != 7
    whole, holed = analyse(time_s, force_n), analyse(time_s[keep], force_n[keep])
    assert len(holed.gaps) == np.count_nonzero(~keep)
    for one, other in zip(whole.reps, holed.reps, strict=True):
        assert other.tut_s == pytest.approx(one.tut_s, abs=0.02)
        assert other.absent == one.absent
        assert other.impulse_n_s == pytest.approx(one.impulse_n_s, rel=0.01)


def test_of_a_longer_hole_the_missing_samples_are_taken_out() -> None:
    time_s, force_n = force_of([Pull(up_s=1.0, hold_s=3.0)], rate_hz=80.0)
    [rep] = analyse(time_s, force_n).reps
    middle_s = (rep.top_start_s + rep.top_end_s) / 2
    keep = (time_s < middle_s) | (time_s >= middle_s + 0.5)
    [holed] = analyse(time_s[keep], force_n[keep]).reps
    assert holed.tut_s == pytest.approx(rep.tut_s - 0.5, abs=0.03)
    assert "missing" in holed.absent["tut_s"]


def test_samples_out_of_order_beyond_repair_are_refused() -> None:
    time_s, force_n = force_of([Pull()])
    with pytest.raises(ValueError, match="not in the order of time"):
        analyse(time_s[::-1], force_n)
    with pytest.raises(ValueError, match="not two rows"):
        analyse(time_s[:-1], force_n)
    with pytest.raises(ValueError, match="is not a number"):
        analyse(np.full(3, np.nan), np.zeros(3))


@pytest.mark.parametrize("size", [0, 1, 2, 5])
def test_hardly_any_samples_give_an_empty_answer(size: int) -> None:
    found = analyse(np.arange(size) / 80, np.zeros(size))
    assert found == Analysis(found.rate_hz, [], [], [], [])


def test_unknown_forces_are_left_out() -> None:
    time_s, force_n = force_of([Pull()] * 5)
    force_n[::50] = np.nan
    assert count(time_s, force_n) == 5


def test_more_long_pulls_than_are_asked_at_once_each_end_at_their_rest() -> None:
    """A band that is put down 3 s after each hold, long after the force had rested."""
    time_s, force_n = force_of([Pull(hold_s=4.0, pause_s=6.0)] * 150, rest_n=8.0)
    found = analyse(time_s, force_n)
    lengths_s = np.array([rep.end_s - rep.start_s for rep in found.reps])
    assert lengths_s.size == 150
    assert np.ptp(lengths_s) < 0.1


@pytest.mark.parametrize("seed", range(4))
def test_a_set_of_many_minutes_is_not_cut_within_a_hold(seed: int) -> None:
    rng = np.random.default_rng(seed)
    holds = [Pull(peak_n=90, hold_s=30.0, pause_s=float(rng.uniform(12, 20)))] * 10
    time_s, force_n = force_of(holds, lead_s=float(rng.uniform(2, 40)), seed=seed)
    wander = np.sin(2 * np.pi * 0.23 * time_s) + np.sin(2 * np.pi * 0.31 * time_s + seed)
    assert count(time_s, force_n * (1 - 0.08 * (2 + wander))) == 10


def test_a_load_hung_up_that_swings_is_no_rep() -> None:
    time_s = np.arange(0, 300, 0.0125)
    swing = 6 * np.exp(-(time_s - 10) / 8) * np.cos(2 * np.pi * (time_s - 10) / 1.3)
    force_n = np.where(time_s < 9.5, 0.0, 80.0 + np.where(time_s < 10, 6.0, swing))
    assert not analyse(time_s, force_n).reps


@pytest.mark.parametrize("rate_hz", [10.0, 11.0])
def test_noise_of_a_slow_gauge_is_no_rep(rate_hz: float) -> None:
    time_s = np.arange(0, 120, 1 / rate_hz)
    for seed in range(5):
        force_n = np.random.default_rng(seed).normal(0, 0.8, time_s.size)
        assert not analyse(time_s, force_n).reps
