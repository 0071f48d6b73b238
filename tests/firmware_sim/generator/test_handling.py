"""What people do around their sets is drawn as it is meant, and the truth counts none of it."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from scipy.signal import find_peaks

from firmware_sim.generator.kinds import Session, make_session
from firmware_sim.generator.shapes import GRID_HZ
from sensor.samples import Floats

SEEDS = range(4)


def pulled_n(session: Session) -> Floats:
    """The noise-free curve without the gauge's zero, which is its lowest value when slack."""
    return session.clean_n - float(np.percentile(session.clean_n, 2))


def pulls_above(session: Session, level_n: float) -> int:
    return int(np.sum(np.diff((pulled_n(session) > level_n).astype(int)) == 1))


def curve_of(session: Session, start_s: float, end_s: float) -> Floats:
    return pulled_n(session)[round(start_s * GRID_HZ) : round(end_s * GRID_HZ) + 1]


def smallest_peak(session: Session) -> float:
    return min(rep.applied_n for rep in session.truth.reps)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize(
    "kind",
    ["walking about", "waiting, band in hand", "untangling", "four pulls of a quarter",
     "held lightly", "explosive 0.35-0.5 s", "pause of 15 s in a set",
     "drop set", "gives up", "maximal pulls", "30 to 50 reps", "light after heavy"],
)  # fmt: skip
def test_the_truth_counts_each_pull_above_half_and_nothing_else(kind: str, seed: int) -> None:
    session = make_session(kind, seed)
    half = 0.5 * smallest_peak(session)
    assert pulls_above(session, half) == len(session.truth.reps)
    assert session.truth.optional == []


@pytest.mark.parametrize("seed", SEEDS)
def test_steps_swing_by_a_few_newtons_after_a_set_of_forty_and_more(seed: int) -> None:
    session = make_session("walking about", seed)
    last = session.truth.reps[-1].span_s[1] + 0.5
    steps = curve_of(session, last, session.truth.duration_s)
    tops, _ = find_peaks(steps, prominence=2.0)
    assert len(tops) >= 10
    assert 3 <= float(np.median(steps[tops])) <= 9
    assert smallest_peak(session) > 30
    assert 0.4 < float(np.median(np.diff(tops))) / GRID_HZ < 0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_two_to_five_pulls_of_a_quarter_come_before_the_set(seed: int) -> None:
    session = make_session("four pulls of a quarter", seed)
    first = session.truth.reps[0]
    before = curve_of(session, 0, first.span_s[0])
    tops, _ = find_peaks(before, prominence=0.1 * first.applied_n)
    assert 2 <= len(tops) <= 5
    assert float(before[tops].max()) < 0.45 * smallest_peak(session)


@pytest.mark.parametrize("seed", SEEDS)
def test_whole_practice_pulls_may_be_counted_or_not(seed: int) -> None:
    session = make_session("whole practice pulls", seed)
    (window,) = session.truth.optional
    pulls = curve_of(session, window.start_s, window.end_s)
    tops, _ = find_peaks(pulls, prominence=0.3 * smallest_peak(session))
    assert (window.least, window.most) == (0, len(tops))
    assert window.end_s < session.truth.reps[0].span_s[0] - 2


@pytest.mark.parametrize("seed", SEEDS)
def test_a_recording_begins_in_a_knock_and_the_first_rep_comes_later(seed: int) -> None:
    session = make_session("knock cut by the start", seed)
    curve = pulled_n(session)
    assert curve[0] > 0.05 * smallest_peak(session)
    assert curve[200:500].max() < 0.05 * smallest_peak(session)
    assert session.truth.reps[0].span_s[0] > 1


@pytest.mark.parametrize("seed", SEEDS)
def test_explosive_reps_last_a_third_to_half_a_second(seed: int) -> None:
    session = make_session("explosive 0.35-0.5 s", seed)
    for rep in session.truth.reps:
        assert rep.tut_s is not None
        # From 10 to 10 % it is a little less than from slack to slack.
        assert 0.25 < rep.tut_s < 0.5


@pytest.mark.parametrize("seed", SEEDS)
def test_light_sets_have_at_most_a_third_of_the_heavy_ones(seed: int) -> None:
    reps = make_session("light after heavy", seed).truth.reps
    heavy = [rep.applied_n for rep in reps if rep.set == 1]
    light = [rep.applied_n for rep in reps if rep.set == reps[-1].set]
    assert np.median(light) < 0.4 * np.median(heavy)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_set_goes_on_over_a_pause_of_15_s_that_is_less_than_three_periods(seed: int) -> None:
    reps = make_session("pause of 15 s in a set", seed).truth.reps
    assert {rep.set for rep in reps} == {1}
    pauses = [b.span_s[0] - a.span_s[1] for a, b in itertools.pairwise(reps)]
    periods = [b.span_s[0] - a.span_s[0] for a, b in itertools.pairwise(reps)]
    assert 1 <= sum(pause > 12.9 for pause in pauses) <= 2
    assert max(pauses) < 3 * float(np.median(periods))


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["stops in mid-hold", "pulses at the top"])
def test_each_pull_from_slack_is_one_rep_whatever_happens_at_its_top(kind: str, seed: int) -> None:
    session = make_session(kind, seed)
    assert pulls_above(session, 0.35 * smallest_peak(session)) == len(session.truth.reps)
    if kind == "pulses at the top":
        inside = [
            find_peaks(curve_of(session, *rep.span_s), prominence=0.04 * rep.applied_n)[0].size
            for rep in session.truth.reps
        ]
        assert max(inside) >= 4
    else:
        assert max(rep.span_s[1] - rep.span_s[0] for rep in session.truth.reps) > 8


@pytest.mark.parametrize("seed", SEEDS)
def test_a_stop_in_mid_rep_lies_between_slack_and_the_top_and_parts_nothing(seed: int) -> None:
    session = make_session("stops in mid-rep", seed)
    assert pulls_above(session, 0.15 * smallest_peak(session)) == len(session.truth.reps)
    longest = 0.0
    for rep in session.truth.reps:
        curve = curve_of(session, *rep.span_s) / rep.applied_n
        still = np.abs(np.gradient(curve) * GRID_HZ) < 0.1
        longest = max(longest, float(np.sum(still & (curve > 0.25) & (curve < 0.75))) / GRID_HZ)
    assert longest > 0.7


@pytest.mark.parametrize("seed", SEEDS)
def test_an_inverted_gauge_shows_each_pull_below_zero(seed: int) -> None:
    session = make_session("inverted sign", seed)
    assert session.truth.inverted
    assert session.force_n.min() < -0.8 * smallest_peak(session)
    assert session.force_n.max() < 0.2 * smallest_peak(session)
    assert pulls_above(session, 0.5 * smallest_peak(session)) == len(session.truth.reps)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_pull_in_which_the_band_slips_may_be_counted_or_not(seed: int) -> None:
    session = make_session("band slips", seed)
    (window,) = session.truth.optional
    assert (window.least, window.most) == (0, 1)
    curve = curve_of(session, window.start_s, window.end_s)
    let_go = np.flatnonzero(curve > 0.9 * curve.max())[-1]
    assert curve.max() > 0.7 * smallest_peak(session)
    assert curve[let_go + int(0.15 * GRID_HZ)] < 0.1 * curve.max()
