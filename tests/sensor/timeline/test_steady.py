"""Rough stamps are made even, samples that are missing stay missing."""

from __future__ import annotations

import numpy as np
import pytest

from pipeline.analysis import analyse
from sensor.timeline.stamps import repaired
from sensor.timeline.steady import steadied
from tests.pipeline.analysis.people import Pull, force_of

RATE_HZ = 60.0
TIME_S = np.arange(3000) / RATE_HZ


def stamps(
    *, jitter: float = 0.0, place_s: float = 0.0, batch: int = 1, seed: int = 1
) -> np.ndarray:
    """Stamps of even samples: jitter in steps, rounded, one for a batch."""
    time_s = TIME_S + np.random.default_rng(seed).uniform(-jitter, jitter, TIME_S.size) / RATE_HZ
    time_s = time_s[np.arange(time_s.size) // batch * batch]
    return np.round(time_s / place_s) * place_s if place_s else time_s


@pytest.mark.parametrize(
    "rough",
    [
        {"jitter": 0.5, "place_s": 0.01},
        {"place_s": 0.01},
        {"place_s": 0.1},
        {"jitter": 1.2},
        {"batch": 15},
        {"batch": 7, "place_s": 0.001},
    ],
    ids=str,
)
def test_rough_stamps_make_no_gap_and_no_rep(rough: dict[str, float]) -> None:
    time_s, force_n = force_of([Pull()] * 5, rate_hz=RATE_HZ)
    true, stamped = time_s.copy(), stamps(**rough)[: time_s.size]  # type: ignore[arg-type]
    found, sound = analyse(stamped, force_n[: stamped.size]), analyse(true, force_n)
    assert not found.gaps
    assert len(found.reps) == len(sound.reps) == 5
    times, _ = repaired(stamped, force_n[: stamped.size])
    steps = np.diff(times)
    assert steps.min() > 0.5 / RATE_HZ
    assert steps.max() < 1.6 / RATE_HZ


@pytest.mark.parametrize(
    "rough", [{"jitter": 0.5}, {"jitter": 0.5, "place_s": 0.01}, {"batch": 15}]
)
@pytest.mark.parametrize("missing", [20, 300])
def test_samples_that_are_missing_stay_so(rough: dict[str, float], missing: int) -> None:
    stamped = stamps(**rough)  # type: ignore[arg-type]
    kept = np.delete(stamped, np.s_[1500 : 1500 + missing])
    steps = np.diff(steadied(kept))
    assert np.argmax(steps) == pytest.approx(1499, abs=15)
    assert steps.max() * RATE_HZ == pytest.approx(missing + 1, abs=0.1 * missing + 9)
    assert np.sort(steps)[-2] < 2 / RATE_HZ


def test_even_stamps_come_back_as_they_are() -> None:
    assert steadied(TIME_S) is TIME_S
    in_ms = np.round(TIME_S, 3)
    assert steadied(in_ms) is in_ms
    with_a_hole = np.delete(in_ms, np.s_[100:140])
    assert np.array_equal(steadied(with_a_hole), with_a_hole)


def test_many_holes_of_a_sample_are_holes() -> None:
    kept = TIME_S[np.arange(TIME_S.size) % 15 != 7]
    assert np.array_equal(steadied(kept), kept)


def test_one_late_stamp_moves_alone() -> None:
    late = TIME_S.copy()
    late[700] += 0.9 / RATE_HZ
    assert np.abs(steadied(late) - TIME_S).max() < 0.05 / RATE_HZ


def test_a_clock_that_stood_still_at_the_start_is_counted_back() -> None:
    for stood_at_s in (0.0, -1e6):
        stale = TIME_S + 100.0
        stale[:40] = 100.0 + stood_at_s
        assert np.abs(steadied(stale) - TIME_S - 100.0).max() < 0.1 / RATE_HZ
