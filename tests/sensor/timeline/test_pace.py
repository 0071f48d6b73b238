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


def paced(pace: Pace, periods_us: list[int], n: int = 8) -> list[float | None]:
    """Frames that go on from the first one; the rate that was found after each."""
    found, device_us = [], 0
    for number, period_us in enumerate(periods_us, 1):
        device_us += n * period_us
        pace.judge(at(n * number, device_us, n))
        found.append(pace.unannounced_hz)
    return found


def test_another_rate_that_four_steps_agree_on_is_found() -> None:
    for rate_hz in (20.0, 40.0, 160.0, 320.0):
        pace = begun()
        found = paced(pace, [round(1e6 / rate_hz)] * 6)
        assert found == [None, None, None, rate_hz, rate_hz, rate_hz]
        assert pace.rate_hz == rate_hz
        assert pace.period_us == round(1e6 / rate_hz)


def test_what_is_unsteady_near_or_no_rate_of_a_band_is_no_other_rate() -> None:
    for periods_us in (
        [50_000, 50_000, 60_000, 50_000, 60_000, 50_000],  # they differ by a fifth
        [15_000] * 8,  # a slow oscillator
        [30_000, 12_500, 30_000, 12_500, 30_000, 12_500],
        [200] * 8,  # 5000 Hz
        [2_500_000] * 8,  # 0.4 Hz
    ):
        pace = begun()
        assert set(paced(pace, periods_us)) == {None}
        assert pace.rate_hz == 80.0


def test_frames_that_do_not_go_on_say_nothing_of_the_rate() -> None:
    pace = begun()
    for number in range(1, 20):
        pace.judge(at(16 * number, 16 * 50_000 * number))
    assert pace.unannounced_hz is None


def test_no_rate_that_was_set_is_forgotten_when_the_fastest_is_asked_for() -> None:
    pace = begun()
    assert pace.fastest_hz == 100.0
    pace.set_rate(320.0)
    pace.set_rate(20.0)
    assert pace.fastest_hz == 400.0


def test_a_band_that_runs_fast_at_one_rate_runs_fast_at_another() -> None:
    pace = begun()
    for number in range(1, 40):
        pace.judge(at(8 * number, 8 * 11_250 * number))
    assert pace.period_us == 11_250
    pace.set_rate(160.0)
    assert pace.period_us == 5_625
    assert pace.period_at_us(8) == 11_250
