"""What people do with a band in the hand that is no exercise, and sensors that lie."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.analysis import analyse
from pipeline.analysis.live import LiveAnalysis
from pipeline.analysis.types import Remarked
from sensor.samples import Floats
from tests.pipeline.analysis.people import Pull, blocks, count, force_of

CASES = Path(__file__).parents[4] / "shared" / "cases" / "sessions"


def joined(*parts: tuple[Floats, Floats]) -> tuple[Floats, Floats]:
    """Samples one after the other."""
    force_n = np.concatenate([part[1] for part in parts])
    return np.arange(force_n.size) / 80.0, force_n


def a_set(peak_n: float = 90.0, reps: int = 8) -> tuple[Floats, Floats]:
    return force_of([Pull(peak_n=peak_n)] * reps)


@pytest.mark.parametrize("peak_n", [40.0, 90.0, 160.0])
@pytest.mark.parametrize("swing_n", [3.5, 6.0])
def test_steps_with_the_band_in_the_hand_are_no_set(peak_n: float, swing_n: float) -> None:
    step = Pull(peak_n=swing_n, up_s=0.28, hold_s=0.0, down_s=0.28, pause_s=0.0)
    walk = force_of([step] * 24, lead_s=3.0)
    assert count(*joined(a_set(peak_n), walk)) == 8


@pytest.mark.parametrize("seed", range(5))
def test_waiting_with_the_band_in_the_hand_is_no_rep(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n = 80 * 30
    slow = np.convolve(rng.normal(0, 1, n), np.hanning(240), "same")
    edge = np.minimum(1, np.minimum(np.arange(n), np.arange(n)[::-1]) / 60)
    held_n = edge * (3.5 + 2.5 * slow / np.abs(slow).max())
    wait = np.arange(n) / 80, held_n + rng.normal(0, 0.1, n)
    assert count(*joined(a_set(60.0), force_of([], lead_s=6.0), wait, a_set(60.0))) == 16


@pytest.mark.parametrize("valley_n", [0.0, 60.0])
def test_untangling_between_sets_is_no_set(valley_n: float) -> None:
    """Also beside a stretched set, whose swings are no greater than such tugs."""
    rng = np.random.default_rng(3)
    tugs = [
        Pull(
            peak_n=float(rng.uniform(8, 27)),
            up_s=float(rng.uniform(0.12, 0.7)),
            hold_s=0.0,
            down_s=float(rng.uniform(0.12, 0.7)),
            pause_s=float(rng.lognormal(-0.5, 0.8)),
        )
        for _ in range(8)
    ]
    time_s, force_n = force_of([Pull(peak_n=90)] * 8, rest_n=valley_n, lead_s=4.0)
    force_n *= np.clip(time_s - 1, 0, 1) * np.clip(time_s[-1] - 1 - time_s, 0, 1)
    found = analyse(*joined((time_s, force_n), force_of(tugs, lead_s=7.0), a_set()))
    assert [each.reps for each in found.sets] == [8, 8]


@pytest.mark.parametrize("length_s", [0.35, 0.42, 0.5])
def test_quick_full_reps_count(length_s: float) -> None:
    pull = Pull(up_s=length_s / 2, hold_s=0.0, down_s=length_s / 2, pause_s=0.3)
    assert count(*force_of([pull] * 15)) == 15


def test_a_knock_that_the_start_cuts_is_no_rep() -> None:
    knock = 40 * np.exp(-np.arange(20) / 2.0)
    time_s, force_n = a_set()
    force_n[:20] += knock
    assert count(time_s, force_n) == 8


def test_four_trial_pulls_of_a_quarter_before_a_set_do_not_count() -> None:
    trial = Pull(peak_n=22, up_s=0.5, hold_s=0.0, down_s=0.5, pause_s=0.8)
    found = analyse(*force_of([trial, trial, trial, trial, *[Pull(peak_n=90)] * 8]))
    assert (len(found.reps), len(found.partials)) == (8, 4)


def test_the_last_rep_does_not_end_with_putting_the_band_down() -> None:
    time_s, force_n = force_of([Pull(peak_n=90)] * 8, rest_n=12.0, lead_s=5.0, tail_s=6.0)
    force_n *= np.clip((time_s - 1) / 2, 0, 1) * np.clip((time_s[-1] - 1 - time_s) / 2, 0, 1)
    reps = analyse(time_s, force_n).reps
    assert [rep.tut_s for rep in reps] == pytest.approx([reps[3].tut_s] * 8, abs=0.1)


def test_an_inverted_sensor_is_counted_and_named() -> None:
    time_s, force_n = joined(a_set(), force_of([], lead_s=20.0), a_set(70.0, 6))
    found = analyse(time_s, -force_n)
    assert [each.reps for each in found.sets] == [8, 6]
    assert any("inverted" in remark for remark in found.remarks)
    analysis = LiveAnalysis()
    events = [
        event
        for block in blocks(time_s, -force_n, list(range(80, time_s.size, 80)))
        for event in analysis.push(block)
    ]
    assert sum(isinstance(event, Remarked) for event in events) == 1


@pytest.mark.parametrize("tare_n", [-25.0, 30.0])
def test_a_tare_error_is_no_inverted_sensor(tare_n: float) -> None:
    pulls = [Pull(peak_n=80, hold_s=1.5, pause_s=0.1)] * 8
    time_s, force_n = joined(a_set(), force_of([], lead_s=20.0), force_of(pulls))
    found = analyse(time_s, force_n + tare_n)
    assert (len(found.reps), found.remarks) == (16, [])


@pytest.mark.parametrize("rate_hz", [80.0, 1000.0])
def test_rates_of_force_development_are_those_of_the_samples_by_hand(rate_hz: float) -> None:
    """A rise with a corner, which a low-pass would round: within 1 % of what the samples say."""
    time_s = np.arange(0.0, 8.0, 1 / rate_hz)
    force_n = np.interp(time_s, [0, 2.0, 2.3, 5.0, 5.6], [0, 0, 300.0, 300.0, 0])
    [rep] = analyse(time_s, force_n).reps
    assert rep.rfd_n_per_s["20-80 %"] == pytest.approx(1000.0, rel=0.01)
    assert rep.rfd_n_per_s["0-100 ms"] == pytest.approx(1000.0, rel=0.01)


def test_a_batch_of_samples_ends_with_its_stamp() -> None:
    time_s, force_n = a_set()
    stamps_s = np.round(
        time_s[np.minimum(np.arange(time_s.size) // 15 * 15 + 14, time_s.size - 1)], 4
    )
    true, found = analyse(time_s, force_n).reps, analyse(stamps_s, force_n).reps
    assert [rep.start_s for rep in found] == pytest.approx([rep.start_s for rep in true], abs=0.02)


@pytest.mark.skipif(not CASES.is_dir(), reason="the cases are not here")
@pytest.mark.parametrize("path", sorted(CASES.glob("*.csv")), ids=lambda path: path.stem)
def test_sessions_that_once_failed_are_right(path: Path) -> None:
    time_s, force_n = np.genfromtxt(path, delimiter=",", skip_header=1, unpack=True)[:2]
    found = analyse(time_s, force_n)
    truth = json.loads((CASES / "truth.json").read_text()).get(path.stem)
    if truth is not None:
        assert len(found.reps) == truth["reps"]
        return
    truth = json.loads(path.with_suffix(".json").read_text())
    may = [sum(each[side] for each in truth.get("optional", [])) for side in ("min", "max")]
    assert len(truth["reps"]) + may[0] <= len(found.reps) <= len(truth["reps"]) + may[1]
    for true in truth["reps"]:
        near = [rep for rep in found.reps if rep.start_s < true["end_s"] - 0.02]
        both = [rep for rep in near if rep.end_s > true["start_s"] + 0.02]
        assert len(both) == 1, true
        if not found.remarks:
            assert both[0].start_s == pytest.approx(true["start_s"], abs=0.1)
            assert both[0].end_s == pytest.approx(true["end_s"], abs=0.1)
