"""Index against device time."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from sensor.timeline.pace import MAX_DRIFT_US, NEAR_S, WRAP, Pace
from sensor.wire.frames import Flag, ForceFrame

PERIOD_US = 12_500


def at(first: int, device_us: int, n: int = 8) -> ForceFrame:
    return ForceFrame(first % WRAP, device_us % WRAP, 0, Flag(0), np.zeros(n, np.int64))


def begun(first: int = 0, device_us: int = 0) -> Pace:
    pace = Pace(80.0)
    pace.start(first, at(first, device_us))
    return pace


@given(st.integers(1, 2**31 - 100), st.integers(0, WRAP - 1))
def test_two_frames_far_ahead_are_believed_only_within_the_drift(
    ahead: int, device_us: int
) -> None:
    pace = begun()
    pace.judge(at(ahead, device_us))
    judged = pace.judge(at(ahead + 8, device_us + 8 * PERIOD_US))
    if judged is not None and ahead > NEAR_S * 80:
        off_us = (device_us + 8 * PERIOD_US - (ahead + 8) * PERIOD_US + WRAP // 2) % WRAP
        assert abs(off_us - WRAP // 2) <= MAX_DRIFT_US + 100_000


def test_what_no_band_remembers_is_not_believed() -> None:
    pace = begun(200_000, 200_000 * PERIOD_US)
    oldest = 200_000 - int(NEAR_S * 80)
    for first in (oldest - 16, oldest - 8):
        assert pace.judge(at(first, first * PERIOD_US)) is None
    assert pace.judge(at(oldest, oldest * PERIOD_US)) is not None


def test_four_frames_that_agree_with_each_other_say_that_all_began_anew() -> None:
    pace = begun(1_000_000, 77)
    for k in range(4):
        assert not pace.restarted
        assert pace.judge(at(8 * k, 3_000_000_000 + 8 * k * PERIOD_US)) is None
    assert pace.restarted


def test_a_band_that_says_it_began_anew_is_believed_with_the_first_frame() -> None:
    pace = begun()
    for first in range(8, 800, 8):
        assert pace.judge(at(first, first * PERIOD_US)) is not None
    pace.reached(40)
    assert pace.judge(at(48, 48 * PERIOD_US)) is None
    assert pace.restarted
    assert pace.began == 40


def test_a_damaged_answer_alone_makes_nothing_begin_anew() -> None:
    pace = begun()
    for first in range(8, 800, 8):
        assert pace.judge(at(first, first * PERIOD_US)) is not None
    pace.reached(40)
    assert pace.judge(at(800, 800 * PERIOD_US)) is not None
    assert pace.judge(at(48, 48 * PERIOD_US)) is not None
    assert not pace.restarted


def test_hostile_times_do_not_turn_the_period_round() -> None:
    pace = begun(0, 200_000)
    assert pace.judge(at(1, 120_000, n=1)) is not None
    assert pace.period_us == 0.75 * PERIOD_US


def test_a_rate_said_twice_changes_once() -> None:
    pace = begun()
    for _ in range(2):
        pace.set_rate(320.0)
        assert pace.judge(at(8, 100_000, n=32)) is not None
    assert pace.judge(at(40, 200_000, n=32)) is not None
    assert pace.period_us == 3_125


def test_many_rates_keep_memory_bounded() -> None:
    pace = begun()
    for k in range(1, 10_000):
        pace.set_rate(80.0 + k % 2)
        pace.judge(at(8 * k, 8 * k * PERIOD_US))
    assert len(pace._former) <= 8
