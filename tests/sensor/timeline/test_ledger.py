"""Frames in any order to samples in their place."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sensor.timeline.ledger import Ledger, Missing, Piece
from sensor.wire.frames import Flag, ForceFrame, decode_equal_frames

PERIOD_US = 12_500


def frame(
    first: int, n: int = 8, *, us0: int = 0, index0: int = 0, resent: bool = False
) -> ForceFrame:
    """Samples first..first+n whose counts are their indices."""
    return ForceFrame(
        (index0 + first) % 2**32,
        (us0 + first * PERIOD_US) % 2**32,
        0,
        Flag.RESENT if resent else Flag(0),
        np.arange(first, first + n) % 2**23,
    )


def counts(out: list[Piece | Missing]) -> list[int]:
    return [int(c) for piece in out if isinstance(piece, Piece) for c in piece.counts]


def lost(out: list[Piece | Missing]) -> list[tuple[int, int]]:
    return [(h.first, h.end) for h in out if isinstance(h, Missing)]


def test_in_order_frames_settle_at_once() -> None:
    ledger = Ledger(80, 9600)
    for i in range(20):
        ledger.place(frame(8 * i))
        assert counts(ledger.settled()) == list(range(8 * i, 8 * i + 8))


def test_a_resent_frame_lands_in_its_place() -> None:
    ledger = Ledger(80, 9600)
    ledger.place(frame(0))
    ledger.place(frame(16))
    assert counts(ledger.settled()) == list(range(8))
    [new] = ledger.place(frame(8, resent=True))
    assert new.late
    assert counts(ledger.settled()) == list(range(8, 24))


def test_a_given_up_range_becomes_a_hole_to_the_sample() -> None:
    ledger = Ledger(80, 9600)
    ledger.place(frame(0))
    ledger.place(frame(32))
    assert lost(ledger.settled()) == []
    ledger.give_up(8, 10)
    assert lost(ledger.settled()) == [(8, 18)]
    ledger.place(frame(18, 14, resent=True))
    assert counts(ledger.settled()) == list(range(18, 40))


def test_a_hole_older_than_the_bands_memory_is_final() -> None:
    ledger = Ledger(80, 800)
    ledger.place(frame(0))
    out: list[Piece | Missing] = ledger.settled()
    for i in range(2, 200):
        ledger.place(frame(8 * i))
        out += ledger.settled()
    assert lost(out) == [(8, 16)]
    assert counts(out) == [*range(8), *range(16, 1600)]


def test_index_and_clock_wrap() -> None:
    start = 2**32 - 20
    ledger = Ledger(80, 9600)
    out: list[Piece | Missing] = []
    for i in range(10):
        ledger.place(frame(8 * i, index0=start, us0=2**32 - 100_000))
        out += ledger.settled()
    pieces = [piece for piece in out if isinstance(piece, Piece)]
    assert np.concatenate([p.device_us for p in pieces]).tolist() == [
        2**32 - 100_000 + i * PERIOD_US for i in range(80)
    ]
    assert [p.first for p in pieces] == [start + 8 * i for i in range(10)]


def test_a_gap_longer_than_the_clocks_wrap_keeps_its_length() -> None:
    ledger = Ledger(80, 9600)
    ledger.place(frame(0))
    ledger.place(frame(8))
    later = 400_000  # 83 minutes
    assert ledger.place(frame(later)) == []
    [piece] = ledger.place(frame(later + 8))
    assert int(piece.device_us[0]) == (later + 8) * PERIOD_US


def test_a_lone_frame_from_far_ahead_does_no_harm() -> None:
    for far in (100_000, 2**20, 2**29, 2**31 - 100, -(2**20)):
        ledger = Ledger(80, 9600)
        ledger.place(frame(0))
        assert ledger.place(frame(far)) == []
        assert ledger.pace.doubted == 1
        ledger.place(frame(8))
        assert counts(ledger.settled(end=True)) == list(range(16))


def test_a_far_jump_that_the_clock_denies_is_never_believed() -> None:
    ledger = Ledger(80, 9600)
    ledger.place(frame(0))
    ten_minutes_us = 600_000_000
    for k in range(3):
        assert ledger.place(frame(2**27 + 8 * k, us0=ten_minutes_us)) == []
    assert not ledger.pace.restarted
    ledger.place(frame(2**27 + 24, us0=ten_minutes_us))
    assert ledger.pace.restarted


def test_after_a_long_absence_the_band_says_how_far_it_is() -> None:
    ledger = Ledger(80, 9600)
    ledger.place(frame(0))
    ledger.reached(400_000)
    [piece] = ledger.place(frame(400_000))
    assert piece.first == 400_000


def fast(first: int, changed: int, n: int = 32, period_us: int = 3_125) -> ForceFrame:
    """A frame after the rate went from 80 to 320 Hz with sample `changed`."""
    device_us = changed * PERIOD_US + (first - changed) * period_us
    return ForceFrame(first, device_us, 0, Flag(0), np.arange(first, first + n))


def test_resent_samples_from_before_another_rate_land_in_their_place() -> None:
    ledger = Ledger(80, 9600)
    for i in (0, 1, 2, 5):
        ledger.place(frame(8 * i))
    ledger.set_rate(320.0)
    for first in range(80, 400, 32):
        assert ledger.place(fast(first, changed=80))
    late = [frame(24, 16, resent=True), frame(48, 32, resent=True)]
    assert [len(ledger.place(each)) for each in late] == [1, 1]
    out = ledger.settled()
    assert counts(out) == list(range(400))
    times = np.concatenate([piece.device_us for piece in out if isinstance(piece, Piece)])
    true = [k * PERIOD_US if k < 80 else 1_000_000 + (k - 80) * 3_125 for k in range(400)]
    assert np.abs(times - true).max() < 2_000


def test_what_came_after_another_rate_is_timed_by_it_however_late() -> None:
    ledger = Ledger(80, 9600)
    ledger.place(frame(0))
    ledger.set_rate(320.0)
    changed = 16
    for first in (200, 8, 16, 112):
        of_this_rate = first >= changed
        sent = fast(first, changed, n=48) if of_this_rate else frame(first)
        [piece] = ledger.place(sent)
        steps = set(np.diff(piece.device_us).tolist())
        assert steps == {3_125 if of_this_rate else PERIOD_US}


@pytest.mark.parametrize("rate_hz", [20.0, 40.0, 160.0, 320.0])
@pytest.mark.parametrize("told_after", [0, 1, 2])
def test_around_another_rate_every_sample_has_a_time_of_its_own(
    rate_hz: float, told_after: int
) -> None:
    rng = random.Random(f"{rate_hz} {told_after}")
    for changed in range(24, 56):
        us = [
            min(k, changed) * PERIOD_US + round(max(k - changed, 0) * 1e6 / rate_hz)
            for k in range(160)
        ]
        ledger, pieces, late = Ledger(80, 9600), list[Piece](), list[ForceFrame]()
        for number, first in enumerate(range(0, 160, 8)):
            if number == changed // 8 + told_after:
                ledger.set_rate(rate_hz)
            each = ForceFrame(first, us[first], 0, Flag(0), np.arange(first, first + 8))
            if number and rng.random() < 0.2:
                late.append(each)
                continue
            pieces += ledger.place(each)
            if late and rng.random() < 0.3:
                pieces += ledger.place(late.pop(0))
            if changed % 2:
                ledger.settled()
        for each in late:
            pieces += ledger.place(each)
        pieces.sort(key=lambda piece: piece.first)
        times = np.concatenate([piece.device_us for piece in pieces])
        assert np.diff(times).min() >= 2  # as much as UTC needs that is slewed
        assert times.size == 160 - 8 * ledger.pace.doubted


def test_at_a_faster_rate_the_band_remembers_more_samples() -> None:
    ledger = Ledger(80, 9600)
    ledger.place(frame(0))
    ledger.set_rate(1000.0, 120_000)
    assert ledger.place(fast(56, changed=8, n=56, period_us=1_000))
    for first in range(30_000, 30_280, 56):
        assert ledger.place(fast(first, changed=8, n=56, period_us=1_000))
    assert counts(ledger.settled()) == list(range(8))
    [late] = ledger.place(fast(8, changed=8, n=48, period_us=1_000))
    assert late.late
    out = ledger.settled()
    assert counts(out) == list(range(8, 112))
    assert lost(out) == []


def test_another_rate_in_a_long_gap_is_no_restart() -> None:
    ledger = Ledger(80, 9600)
    ledger.place(frame(0))
    ledger.set_rate(320.0)
    assert ledger.place(fast(4_000, changed=800))
    assert ledger.pace.doubted == 0


def test_impossible_frames_are_counted_and_left_out_until_they_agree() -> None:
    ledger = Ledger(80, 9600)
    ledger.place(frame(800))
    assert ledger.place(ForceFrame(801, 4_000_000_000, 0, Flag(0), np.zeros(4, int))) == []
    assert ledger.pace.doubted == 1
    assert not ledger.pace.restarted
    for i in range(4):
        ledger.place(frame(8 * i, us0=3_000_000_000))
    assert ledger.pace.restarted


def test_true_period_is_learnt() -> None:
    ledger = Ledger(80, 9600)
    for i in range(100):
        first = 8 * i
        ledger.place(ForceFrame(first, round(first * 1e6 / 88.2), 0, Flag(0), np.zeros(8, int)))
    assert abs(ledger.pace.period_us - 1e6 / 88.2) < 0.5


@given(data=st.data())
def test_any_order_with_doubles_gives_every_sample_once(data: st.DataObject) -> None:
    sizes = data.draw(st.lists(st.integers(1, 12), min_size=1, max_size=12))
    starts = np.concatenate(([0], np.cumsum(sizes)))
    frames = [frame(int(a), n) for a, n in zip(starts, sizes, strict=False)]
    rest = data.draw(st.permutations(frames[1:]))
    extra = data.draw(st.lists(st.sampled_from(frames), max_size=5))
    ledger = Ledger(80, 9600)
    arrived: list[int] = []
    settled: list[Piece | Missing] = []
    for each in [frames[0], *rest, *extra]:
        arrived += [int(c) for piece in ledger.place(each) for c in piece.counts]
        settled += ledger.settled()
    settled += ledger.settled(end=True)
    assert sorted(arrived) == list(range(int(starts[-1])))
    assert counts(settled) == list(range(int(starts[-1])))
    assert lost(settled) == []


@given(st.lists(st.integers(0, 15), min_size=1, max_size=15, unique=True))
def test_what_is_missing_is_named_exactly(kept: list[int]) -> None:
    ledger = Ledger(80, 9600)
    for i in kept:
        ledger.place(frame(8 * i))
    out = ledger.settled(end=True)
    present = set(counts(out))
    missing = {i for first, end in lost(out) for i in range(first, end)}
    low, high = min(present), max(present)
    assert present | missing == set(range(low, high + 1))
    assert not present & missing


@pytest.mark.parametrize("jitter_us", [0, 17_000])
def test_a_batch_gives_what_single_frames_give(jitter_us: int) -> None:
    rng = np.random.default_rng(5)
    late_us = rng.integers(0, jitter_us + 1, 200)
    frames = [
        ForceFrame(
            8 * i,
            round(8 * i * 12_337.9) + int(late_us[i]),
            0,
            Flag(0),
            rng.integers(-9999, 9999, 8),
        )
        for i in range(200)
    ]
    single, batched = Ledger(80, 9600), Ledger(80, 9600)
    pieces = [piece for each in frames for piece in single.place(each)]
    for each in frames[:2]:
        batched.place(each)
    batched.settled()
    batch = decode_equal_frames(b"".join(map(bytes, frames[2:])), len(bytes(frames[0])))
    assert batch is not None
    whole = batched.place_batch(batch)
    assert whole is not None
    assert np.array_equal(whole.device_us, np.concatenate([p.device_us for p in pieces[2:]]))
    assert np.array_equal(whole.counts, np.concatenate([p.counts for p in pieces[2:]]))
    assert batched.pace.period_us == single.pace.period_us
    assert np.diff(whole.device_us).min() >= 2
