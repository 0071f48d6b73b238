"""Sets on a band that is already stretched when the rep begins, and holds that wander."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from pipeline.analysis import analyse
from pipeline.analysis.live import LiveAnalysis
from pipeline.analysis.types import AnalysisEvent, Expect, RepAnnounced, RepWithdrawn, SetClosed
from sensor.samples import Floats
from tests.pipeline.analysis.people import Pull, blocks, count, force_of


def stretched(
    valley_n: float,
    reps: int,
    *,
    peak_n: float = 100.0,
    jitter: float = 0.06,
    pause_s: float = 1.0,
    put_down: bool = True,
    seed: int = 1,
) -> tuple[Floats, Floats]:
    """A set between a valley and a peak, taken up from slack before and put down after."""
    rng = np.random.default_rng(seed)
    pulls = [
        Pull(
            peak_n=valley_n + (peak_n - valley_n) * (1 + rng.uniform(-jitter, jitter)),
            up_s=1.0 * rng.uniform(0.9, 1.1),
            down_s=1.3 * rng.uniform(0.9, 1.1),
            pause_s=pause_s * rng.uniform(0.8, 1.2),
        )
        for _ in range(reps)
    ]
    time_s, force_n = force_of(pulls, rest_n=valley_n, lead_s=6.0, tail_s=4.0, seed=seed)
    end_s = time_s[-1] - 2.0 if put_down else np.inf
    held = np.clip((time_s - 2.0) / 1.5, 0, 1) * np.clip((end_s + 0.8 - time_s) / 0.8, 0, 1)
    return time_s, force_n * held


def wandering_hold(length_s: float = 28.0, seed: int = 0) -> tuple[Floats, Floats]:
    """A hold of 90 N that wanders by up to a quarter, at odd times and by odd depths."""
    rng = np.random.default_rng(seed)
    time_s, force_n = force_of([Pull(peak_n=90, hold_s=length_s)], seed=seed)
    at = 3.0 + np.cumsum(rng.lognormal(0.9, 0.6, 12))
    for centre_s in at[at < length_s]:
        depth, half_s = rng.uniform(0.04, 0.25), rng.uniform(0.3, 1.0)
        force_n *= 1 - depth * np.exp(-(((time_s - centre_s) / half_s) ** 2))
    return time_s, force_n


@pytest.mark.parametrize("valley_n", [30.0, 45.0, 60.0, 75.0, 85.0])
@pytest.mark.parametrize("reps", [3, 5, 10, 20])
def test_each_swing_of_a_stretched_band_is_a_rep(valley_n: float, reps: int) -> None:
    assert count(*stretched(valley_n, reps)) == reps


@pytest.mark.parametrize("rate_hz", [10.0, 320.0])
def test_so_it_is_at_every_rate(rate_hz: float) -> None:
    time_s, force_n = stretched(60.0, 8)
    even_s = np.arange(0.0, time_s[-1], 1 / rate_hz)
    assert count(even_s, np.interp(even_s, time_s, force_n)) == 8


def test_dips_and_humps_in_the_holds_are_no_reps() -> None:
    time_s, force_n = stretched(50.0, 6)
    for rep in analyse(time_s, force_n).reps:
        middle_s = (rep.top_start_s + rep.top_end_s) / 2
        force_n -= 9.0 * np.exp(-(((time_s - middle_s) / 0.12) ** 2))
    assert count(time_s, force_n) == 6


def test_a_band_that_goes_slack_between_sets_gives_two_sets() -> None:
    one, other = stretched(55.0, 7, seed=1), stretched(70.0, 5, peak_n=110.0, seed=2)
    start_s = one[0][-1] + 25.0
    rest_s = np.arange(one[0][-1] + 0.0125, start_s, 0.0125)
    time_s = np.concatenate((one[0], rest_s, other[0] + start_s))
    force_n = np.concatenate((one[1], np.zeros(rest_s.size), other[1]))
    assert [each.reps for each in analyse(time_s, force_n).sets] == [7, 5]


@pytest.mark.parametrize("seed", range(6))
def test_a_hold_that_wanders_is_one_rep(seed: int) -> None:
    assert count(*wandering_hold(seed=seed)) == 1


def test_a_brief_overshoot_does_not_make_the_hold_a_rest() -> None:
    time_s, force_n = force_of([Pull(peak_n=84, hold_s=60.0)], rest_n=19.0, rate_hz=16.0)
    force_n += np.where(time_s > 4.0, 240.0 * np.exp(-(time_s - 4.0) / 0.4), 0.0)
    [rep] = analyse(time_s, force_n).reps
    assert rep.tut_s == pytest.approx(61.0, abs=1.0)


def test_the_first_rep_begins_and_the_last_ends_on_the_stretched_band() -> None:
    time_s, force_n = stretched(60.0, 8, jitter=0.0)
    reps = analyse(time_s, force_n).reps
    inner_s = [rep.tut_s for rep in reps[1:-1]]
    assert reps[0].start_s > 6.0
    assert min(reps[0].valley_before_n, reps[-1].valley_after_n) == pytest.approx(60.0, abs=2.0)
    assert max(reps[0].tut_s, reps[-1].tut_s) < 1.15 * max(inner_s)


UNEVEN = {"reps": 4, "jitter": 0.3, "seed": 9}
"""Swings that may be a set or a hold that trembles."""


def test_what_the_exercise_is_tips_uneven_swings() -> None:
    uneven = stretched(60.0, **UNEVEN)  # type: ignore[arg-type]
    assert len(analyse(*uneven, expect=Expect(hold=True)).reps) == 1
    assert len(analyse(*uneven, expect=Expect(hold=False)).reps) == 4
    even = stretched(60.0, 8)
    assert len(analyse(*even, expect=Expect(hold=True)).reps) == 8, "a prior, no command"


def test_each_pull_is_judged_by_what_was_expected_when_it_was_done() -> None:
    first, rest_s = stretched(60.0, **UNEVEN), 20.0  # type: ignore[arg-type]
    begin_s = first[0][-1] + rest_s
    still_s = np.arange(first[0][-1] + 0.0125, begin_s, 0.0125)
    time_s = np.concatenate((first[0], still_s, first[0] + begin_s))
    force_n = np.concatenate((first[1], np.zeros(still_s.size), first[1]))

    def reps(size: int, *, live: bool) -> list[int]:
        analysis = LiveAnalysis(live=live)
        analysis.expect(0.0, Expect(hold=True))
        events: list[AnalysisEvent] = []
        told = False
        for block in blocks(time_s, force_n, list(range(size, time_s.size, size))):
            if not told and block.time_s[0] >= begin_s - rest_s / 2:
                told = True
                analysis.expect(float(block.time_s[0]), Expect(hold=False))
            events += analysis.push(block)
        events += analysis.flush()
        return [each.summary.reps for each in events if isinstance(each, SetClosed)]

    assert reps(40, live=True) == reps(1000, live=False) == [1, 4]


@pytest.mark.parametrize("valley_n", [40.0, 60.0])
def test_a_rep_of_a_stretched_set_keeps_its_id_while_it_is_live(valley_n: float) -> None:
    time_s, force_n = stretched(valley_n, 8)
    analysis = LiveAnalysis()
    told: list[int] = []
    for block in blocks(time_s, force_n, list(range(4, time_s.size, 4))):
        for event in analysis.push(block):
            assert not isinstance(event, RepWithdrawn)
            if isinstance(event, RepAnnounced):
                told.append(event.rep.id)
    assert told == [rep.id for rep in analyse(time_s, force_n).reps]
    assert all(one < other for one, other in pairwise(told))
