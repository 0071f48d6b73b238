"""Sessions on a stretched band and of holds: their truth is what the noise-free curve shows."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from firmware_sim.generator.kinds import Session, make_session
from firmware_sim.generator.shapes import GRID_HZ
from firmware_sim.generator.truth import TrueRep

SEEDS = range(4)
SETS = [
    "stretched", "stretched, dips", "stretched, humps", "stretched, hand gives way",
    "stretched, taken up in one go", "stretched, incomplete reps", "stretched when tared",
    "stretched, quick",    "stretched, effort changes", "stretched, few reps",
]  # fmt: skip


def pairs(session: Session) -> list[tuple[TrueRep, TrueRep]]:
    return [(a, b) for a, b in itertools.pairwise(session.truth.reps) if a.set == b.set]


def lowest_between(session: Session, a: TrueRep, b: TrueRep) -> float:
    lo, hi = round(a.peak_s * GRID_HZ), round(b.peak_s * GRID_HZ)
    return float(session.clean_n[lo:hi].min())


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_valleys_of_a_stretched_set_are_far_above_slack(kind: str, seed: int) -> None:
    session = make_session(kind, seed)
    zero = float(np.median(session.clean_n[:500]))
    valleys = [lowest_between(session, a, b) - zero for a, b in pairs(session)]
    peaks = [rep.peak_n - zero for rep in session.truth.reps]
    share = np.median(valleys) / np.median(peaks)
    assert 0.25 < share < 0.88
    # Alike: what every swing has in common is more than what parts them.
    swing = np.median(peaks) - np.median(valleys)
    assert np.ptp(valleys) < 0.6 * swing


@pytest.mark.parametrize("kind", SETS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_first_rep_begins_at_the_stretch_and_the_last_ends_there(kind: str, seed: int) -> None:
    session = make_session(kind, seed)
    zero = float(np.median(session.clean_n[:500]))
    reps = [rep for rep in session.truth.reps if rep.set == 1]
    valley = np.median([lowest_between(session, a, b) for a, b in pairs(session) if a.set == 1])
    for time_s, rep in ((reps[0].start_s, reps[0]), (reps[-1].end_s, reps[-1])):
        assert time_s is not None
        level = float(np.interp(time_s * GRID_HZ, np.arange(session.clean_n.size), session.clean_n))
        # 10 % of its swing above the valley, give or take how uneven valleys are; never at slack.
        assert abs(level - valley) < 0.5 * (rep.peak_n - valley)
        assert level - zero > 0.5 * (valley - zero)


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("kind", ["hold wanders", "holds wander", "overshoot and hold"])
def test_each_hold_is_one_rep_from_slack_to_slack(kind: str, seed: int) -> None:
    session = make_session(kind, seed)
    zero = float(np.median(session.clean_n[:500]))
    up = session.clean_n - zero > 0.4 * max(rep.applied_n for rep in session.truth.reps)
    assert int(np.sum(np.diff(up.astype(int)) == 1)) == len(session.truth.reps)


@pytest.mark.parametrize("seed", SEEDS)
def test_a_recording_trimmed_to_a_hold_has_at_most_one_rep_and_never_slack(seed: int) -> None:
    session = make_session("trimmed to a hold", seed)
    assert session.truth.reps == []
    (window,) = session.truth.optional
    assert (window.least, window.most) == (0, 1)
    assert session.clean_n.min() > 0.5 * session.clean_n.max()


@pytest.mark.parametrize("seed", SEEDS)
def test_a_band_tared_while_stretched_shows_less_than_zero_when_slack(seed: int) -> None:
    session = make_session("stretched when tared", seed)
    valleys = [lowest_between(session, a, b) for a, b in pairs(session)]
    assert np.median(valleys) == pytest.approx(0, abs=0.25 * max(session.clean_n))
    assert session.clean_n[0] < -1


@pytest.mark.parametrize("seed", SEEDS)
def test_a_band_that_is_never_let_go_is_stretched_from_first_to_last_sample(seed: int) -> None:
    session = make_session("stretched from the start", seed)
    assert session.clean_n.min() > 0.2 * session.clean_n.max()
    assert not any(rep.cut for rep in session.truth.reps)


@pytest.mark.parametrize("seed", SEEDS)
def test_each_hold_on_a_stretched_band_is_one_rep_from_the_stretch_back_to_it(seed: int) -> None:
    session = make_session("stretched holds", seed)
    valley = np.median([lowest_between(session, a, b) for a, b in pairs(session)])
    peak = np.median([rep.peak_n for rep in session.truth.reps])
    up = session.clean_n > 0.5 * (valley + peak)
    assert int(np.sum(np.diff(up.astype(int)) == 1)) == len(session.truth.reps) >= 3
    assert all(rep.tut_s is not None and rep.tut_s > 9 for rep in session.truth.reps)
