"""Samples of devices without our index: their times, and which are missing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.samples import Floats, Ints
from sensor.timeline.even import EvenClock
from sensor.timeline.foreign import ArrivalClock, ForeignClock, Run, StampedClock

NOW_US = 1_790_000_000_000_000


def placed(runs: list[Run]) -> Ints:
    """All times in order."""
    return np.concatenate([run.times_us for run in runs]) if runs else np.zeros(0, np.int64)


def stamped(stamps: list[list[int]], wrap: int = 2**32, every_us: int = 100_000) -> list[Run]:
    """Runs of bundles of stamps that arrive evenly."""
    clock = StampedClock(1, wrap)
    return [
        run
        for k, each in enumerate(stamps)
        for run in clock.place(len(each), np.array(each), NOW_US + k * every_us)
    ]


def bundles(count: int, start: int = 0, period_us: int = 12_500) -> list[list[int]]:
    return [[(start + (8 * k + j) * period_us) % 2**32 for j in range(8)] for k in range(count)]


def test_a_clock_that_wraps_goes_on() -> None:
    runs = stamped(bundles(40, start=2**32 - 100_000))
    assert np.diff(placed(runs)).tolist() == [12_500] * 319
    assert all(run.lost == 0 and not run.restarted for run in runs)


def test_a_lost_notification_is_counted_by_the_clock() -> None:
    all_of_it = bundles(40)
    runs = stamped(all_of_it[:20] + all_of_it[21:])
    assert [run.lost for run in runs if run.lost] == [8]
    times = placed(runs)
    assert times[-1] - times[0] == 319 * 12_500


def test_one_sample_missing_in_every_fifteen_is_counted() -> None:
    stamps = [k * 11_400 for k in range(600) if k % 15 != 7]
    runs = stamped([stamps[at : at + 8] for at in range(0, len(stamps), 8)])
    assert sum(run.lost or 0 for run in runs[4:]) >= 35
    assert {run.lost for run in runs} == {0, 1}


def test_what_comes_twice_is_left_out_and_what_comes_late_is_in_doubt() -> None:
    clock = StampedClock(1, 2**32)
    first, second, third = bundles(3)
    count = 0
    for each in (first, second, second, third):
        count += placed(clock.place(8, np.array(each), NOW_US)).size
    assert (count, clock.doubted) == (24, 0)
    clock.place(1, np.array([third[-1] - 6000]), NOW_US)
    assert clock.doubted == 1


def test_a_stamp_that_is_heard_again_is_no_doubt_of_the_clock() -> None:
    clock = StampedClock(1, 2**32)
    for k, each in enumerate(bundles(6)):
        clock.place(8, np.array(each), NOW_US + k * 100_000)
        assert clock.place(8, np.array(each), NOW_US + k * 100_000) == []
    assert clock.doubted == 0


@pytest.mark.parametrize("wrong", [9_000_000_00, 2**31, 2**32 - 30_000_000])
def test_one_stamp_astray_is_left_out_and_the_clock_goes_on(wrong: int) -> None:
    clock = StampedClock(1, 2**32)
    runs: list[Run] = []
    for k, each in enumerate(bundles(30)):
        told = [*each[:4], wrong, *each[5:]] if k == 15 else each
        runs += clock.place(8, np.array(told), NOW_US + k * 100_000)
    assert clock.doubted == 1
    assert sum(run.lost or 0 for run in runs) == 1
    assert not any(run.restarted for run in runs)
    times = placed(runs)
    assert times.size == 239
    assert times[-1] - times[0] == 239 * 12_500


def test_a_loss_is_counted_once_the_clocks_step_is_known_and_not_before() -> None:
    early = [[0, 12_500], [50_000, 62_500], [75_000]]
    assert sum(run.lost or 0 for run in stamped(early)) == 0
    known = [[k * 12_500 for k in range(10)], [15 * 12_500]]
    assert sum(run.lost or 0 for run in stamped(known)) == 5


def test_a_clock_that_begins_again_is_believed_when_it_says_so_twice() -> None:
    runs = stamped([*bundles(40, start=10**9), *bundles(40)])
    assert [run.restarted for run in runs].count(True) == 1
    assert placed(runs).size == 80 * 8 - 1
    assert (np.diff(placed(runs)) > 0).all()
    clock = StampedClock(1, 2**32)
    for k, each in enumerate(bundles(10)):
        clock.place(8, np.array(each), NOW_US + k * 100_000)
    wild = clock.place(1, np.array([3 * 10**9]), NOW_US + 10**6)
    assert (wild, clock.doubted) == ([], 1)


def even(
    rate_hz: float, nominal_hz: float | None, *, size: int, jitter_s: float, seed: int = 1
) -> tuple[Floats, Floats]:
    """True and found times of 60 s of even samples that arrive late by up to `jitter_s`."""
    rng = np.random.default_rng(seed)
    clock = EvenClock(nominal_hz)
    truth = np.arange(int(60 * rate_hz) // size * size) / rate_hz
    found: list[Run] = []
    newest = 0.0
    for last in truth[size - 1 :: size]:
        newest = max(newest, float(last + rng.uniform(0, jitter_s)))
        found += clock.place(size, None, NOW_US + round(newest * 1e6))
    found += clock.flush()
    return truth, (placed(found) - NOW_US) / 1e6


@pytest.mark.parametrize(
    ("rate_hz", "nominal_hz", "size"),
    [(80, 80.0, 8), (93, 80.0, 8), (77, 80.0, 8), (9.67, 10.0, 1), (11.7, 10.0, 1), (40, 80.0, 4),
     (320, None, 16), (10, None, 1), (80, None, 3)],
)  # fmt: skip
def test_times_of_even_samples_come_from_their_arrivals(
    rate_hz: float, nominal_hz: float | None, size: int
) -> None:
    truth, found = even(rate_hz, nominal_hz, size=size, jitter_s=0.03)
    assert found.size == truth.size
    assert (np.diff(found) > 0).all()
    settled = slice(int(10 * rate_hz), None)
    steps = np.diff(found[settled]) * rate_hz
    assert np.percentile(np.abs(steps - 1), 90) < 0.1
    off = found[settled] - truth[settled]
    assert np.abs(off - np.median(off)).max() < 0.05
    measured = (found[-1] - found[settled][0]) / (truth[-1] - truth[settled][0])
    assert measured == pytest.approx(1, abs=0.002)


def _with_silence(burst: bool) -> list[Run]:
    clock = EvenClock(80.0)
    runs: list[Run] = []
    for k in range(200):
        late_us = 0
        if 100 <= k < 120:
            if not burst:
                continue
            late_us = (120 - k) * 100_000
        runs += clock.place(8, None, NOW_US + k * 100_000 + late_us)
    return runs + clock.flush()


def test_a_long_silence_that_a_burst_makes_up_for_is_no_gap() -> None:
    runs = _with_silence(burst=True)
    assert all(run.lost == 0 for run in runs)
    assert np.abs(np.diff(placed(runs)) / 12_500 - 1).max() < 0.1


def test_a_long_silence_without_a_burst_is_a_gap_of_unknown_size() -> None:
    runs = _with_silence(burst=False)
    assert [run.lost for run in runs if run.lost != 0] == [None]
    steps = np.diff(placed(runs))
    assert steps.max() == pytest.approx(2_012_500, abs=10_000)
    assert np.sort(steps)[-2] < 20_000


@pytest.mark.parametrize(("rate_hz", "size"), [(10, 2), (10, 4), (4, 8), (1, 1)])
def test_of_a_slow_device_only_a_silence_longer_than_usual_is_a_gap(
    rate_hz: float, size: int
) -> None:
    clock = EvenClock(None)
    arrivals_s = [k * size / rate_hz for k in range(200) if not 100 <= k < 110]
    runs = [
        run for at_s in arrivals_s for run in clock.place(size, None, NOW_US + round(at_s * 1e6))
    ]
    runs += clock.flush()
    assert [run.lost for run in runs if run.lost != 0] == [None]
    assert placed(runs).size == 190 * size


def test_a_counter_makes_a_loss_exact_and_may_wrap() -> None:
    clock = EvenClock(None, wrap=2**16)
    runs: list[Run] = []
    for k in range(300):
        if 100 <= k < 103:
            continue
        stamps = np.array([(65_000 + 4 * k + j) % 2**16 for j in range(4)])
        runs += clock.place(4, stamps, NOW_US + k * 50_000)
        if k == 150:
            assert clock.place(4, stamps[-1:], NOW_US + k * 50_000) == []
    assert [run.lost for run in runs if run.lost] == [12]
    assert placed(runs).size == 297 * 4
    assert clock.doubted == 0
    step_us = np.diff(placed(runs))[-400:]
    assert np.median(step_us) == pytest.approx(12_500, rel=0.02)


def test_a_counter_that_begins_again_goes_on() -> None:
    clock = EvenClock(80.0, wrap=2**16)
    sizes = []
    for k in range(100):
        first = 30_000 + 4 * k if k < 50 else 4 * (k - 50)
        stamps = np.arange(first, first + 4) % 2**16
        sizes.append(placed(clock.place(4, stamps, NOW_US + k * 50_000)).size)
    assert sum(sizes) == 399
    assert clock.doubted == 1


CLOCKS = [
    ArrivalClock,
    lambda: StampedClock(1, 2**32),
    lambda: EvenClock(80.0),
    lambda: EvenClock(None),
    lambda: EvenClock(None, wrap=2**16),
]


@pytest.mark.parametrize("make", CLOCKS)
@given(
    data=st.lists(
        st.tuples(
            st.integers(0, 5_000_000),
            st.lists(st.one_of(st.integers(0, 2**16 - 1), st.integers(0, 40)), max_size=9),
        ),
        max_size=40,
    )
)
def test_times_increase_and_no_sample_is_placed_twice_whatever_comes(
    make: type[ForeignClock], data: list[tuple[int, list[int]]]
) -> None:
    clock, now_us, runs = make(), NOW_US, list[Run]()
    for pause_us, stamps in data:
        now_us += pause_us
        runs += clock.place(len(stamps), np.array(stamps, np.int64), now_us)
    runs += clock.flush()
    times = placed(runs)
    assert (np.diff(times) > 0).all()
    places = [place for run in runs for place in range(run.first, run.first + run.times_us.size)]
    assert places == sorted(set(places))
    assert not places or places[-1] < sum(len(stamps) for _, stamps in data)
    assert all(run.lost is None or run.lost >= 0 for run in runs)
