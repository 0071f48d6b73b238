"""A computer's clock that was wrong and is set: the session's UTC is mended from its start."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from pipeline.files.samples import read_session
from pipeline.session.events import ForceSamples, Marked
from pipeline.session.session import Session
from sensor.recording.log import Recording
from sensor.samples import Notification
from sensor.source import HostClock
from tests.pipeline.signals import UTC0_US, mark, notifications, pulls

HOUR_US = 3_600_000_000
ROWS = notifications(pulls(sets=1, reps=3))


def points(rows: list[Notification], mended_us: int | None = None) -> np.ndarray:
    session = Session()
    session.mend_utc(mended_us)
    emitted = [each for row, one in enumerate(rows, 1) for each in session.receive(one, row)]
    return np.concatenate(
        [each.event.utc_us for each in emitted if isinstance(each.event, ForceSamples)]
    )


@pytest.mark.parametrize("shift_us", [HOUR_US, -24 * HOUR_US])
def test_samples_after_the_mark_are_moved_and_a_mended_session_is_from_its_start(
    shift_us: int,
) -> None:
    plain = points(ROWS)
    rows = [*ROWS[:50], mark(kind="clock", shift_us=shift_us, text="set"), *ROWS[50:]]
    moved = points(rows) - plain
    assert set(moved.tolist()) == {0, shift_us}
    assert (np.diff(np.sign(moved)) != 0).sum() == 1
    assert (points(rows, shift_us) - plain == shift_us).all()


def test_of_two_steps_the_last_one_counts() -> None:
    marks = [mark(kind="clock", shift_us=us, text="set") for us in (HOUR_US, 5_000_000)]
    rows = [*ROWS[:50], marks[0], *ROWS[50:100], marks[1], *ROWS[100:]]
    assert (points(rows, 5_000_000) - points(ROWS) == 5_000_000).all()


def test_a_file_tells_the_mended_time(tmp_path: Path) -> None:
    with Recording.create(tmp_path / "a.forceband", {"utc_shift_us": HOUR_US}) as recording:
        recording.extend(ROWS)
        started_us = read_session(recording).started_utc_us
    assert started_us is not None
    assert abs(started_us - UTC0_US - HOUR_US) < 1_000_000


@pytest.mark.parametrize("wrong", ["x", 1e300, None, True, 2**60])
def test_a_shift_that_is_none_changes_nothing(tmp_path: Path, wrong: object) -> None:
    with Recording.create(tmp_path / "a.forceband", {"utc_shift_us": wrong}) as recording:
        assert recording.utc_shift_us in (None, 1)


def test_a_hostile_mark_is_counted_and_harmless() -> None:
    session = Session()
    for row, bad in enumerate((mark(kind="clock"), mark(kind="clock", shift_us="x")), 1):
        session.receive(bad, row)
    assert session.bad_frames == 2
    told = session.receive(mark(kind="clock", shift_us=10**30, text="set"), 3)
    assert isinstance(told[0].event, Marked)
    assert abs(session.utc_shift_us) <= 2**53


def test_the_host_clock_never_steps_and_says_how_far_the_systems_did() -> None:
    at = [0, 1_000_000_000]
    clock = HostClock(1_000_000_000, lambda: at[0], lambda: at[1])
    at[0], at[1] = 5_000_000_000, 6_000_000_000
    assert (clock.now_us(), clock.shift_us()) == (6_000_000, 0)
    at[1] += 3_600_000_000_000
    assert (clock.now_us(), clock.shift_us()) == (6_000_000, HOUR_US)
    at[1] -= 7_200_000_000_000
    assert clock.shift_us() == -HOUR_US
