"""A session is pure: the same notifications give the same events, however they come."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.analysis.types import LiveState, Phase, RepAnnounced, SetClosed
from pipeline.files.samples import read_session
from pipeline.session.events import (
    BatteryChanged,
    Emitted,
    ForceSamples,
    GapFound,
    LinkChanged,
    Marked,
    SessionEnded,
    Tared,
)
from pipeline.session.session import Session
from sensor.recording.log import Recording
from sensor.samples import Batch, Channel, Notification
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Calibration, Opcode, Response, Status
from tests.pipeline.analysis.test_stretched import stretched
from tests.pipeline.signals import UTC0_US, frames, info, mark, notifications, pulls

T = TypeVar("T")
FORCE_N = pulls(sets=2, reps=4)


def run(rows: list[Notification], *, live: bool = True) -> tuple[Session, list[Emitted]]:
    session, emitted = Session(live=live), list[Emitted]()
    for row, notification in enumerate(rows, 1):
        emitted += session.receive(notification, row)
    return session, emitted + session.finish()


def run_at_once(rows: list[Notification]) -> list[Emitted]:
    """As a recording is read: in runs of one channel."""
    session, emitted, at = Session(live=False), list[Emitted](), 1
    for (channel, _), group in groupby(rows, key=lambda row: (row.channel, len(row.payload))):
        received, payloads = zip(*((row.received_us, row.payload) for row in group), strict=True)
        emitted += session.receive_batch(Batch(at, received, channel, b"".join(payloads)))
        at += len(payloads)
    return emitted + session.finish()


def of_kind(emitted: list[Emitted], kind: type[T]) -> list[T]:
    return [each.event for each in emitted if isinstance(each.event, kind)]


def answers(emitted: list[Emitted]) -> list[tuple[int, int, float, float]]:
    return [
        (rep.set, rep.rep, round(rep.start_s, 3), round(rep.peak_n, 2))
        for closed in of_kind(emitted, SetClosed)
        for rep in closed.reps
    ]


def resent(frame: ForceFrame) -> ForceFrame:
    return ForceFrame(
        frame.first_sample,
        frame.device_us,
        frame.calibration_id,
        Flag.RESENT,
        frame.counts,
    )


def test_finds_the_pulls_and_ends() -> None:
    session, emitted = run(notifications(FORCE_N))
    assert [len(closed.reps) for closed in session.sets] == [4, 4]
    [ended] = of_kind(emitted, SessionEnded)
    assert (ended.reps, ended.sets, ended.missing) == (8, 2, 0)
    assert ended.samples == FORCE_N.size
    assert len(of_kind(emitted, RepAnnounced)) >= 8


def test_tells_the_same_twice() -> None:
    rows = notifications(FORCE_N)
    once, again = run(rows)[1], run(rows)[1]
    assert [(t.row, t.seq, t.utc_us, type(t.event)) for t in once] == [
        (t.row, t.seq, t.utc_us, type(t.event)) for t in again
    ]
    for a, b in zip(of_kind(once, ForceSamples), of_kind(again, ForceSamples), strict=True):
        assert np.array_equal(a.utc_us, b.utc_us)
    assert of_kind(once, SetClosed) == of_kind(again, SetClosed)


@pytest.mark.parametrize("per_frame", [1, 5, 16, 56])
def test_the_answer_does_not_depend_on_the_frames(per_frame: int) -> None:
    whole = answers(run(notifications(FORCE_N))[1])
    assert answers(run(notifications(FORCE_N, per_frame=per_frame))[1]) == whole


def test_live_replay_and_offline_agree() -> None:
    rows = notifications(FORCE_N)
    live = of_kind(run(rows)[1], SetClosed)
    assert live == of_kind(run(rows, live=False)[1], SetClosed)
    assert live == of_kind(run_at_once(rows), SetClosed)


@pytest.mark.parametrize(("word", "reps"), [("hold", 1), ("pulls", 4), ("x", 1)])
def test_what_a_mark_leads_to_expect_tips_what_follows_however_it_is_read(
    word: str, reps: int
) -> None:
    _, force_n = stretched(60.0, 4, jitter=0.3, seed=9)
    rows = notifications(np.concatenate((force_n, np.zeros(1600), force_n)))
    at = len(rows) // 2
    expected = replace(mark(kind="expect", text=word), received_us=rows[at].received_us)
    rows.insert(at, expected)
    live = of_kind(run(rows)[1], SetClosed)
    assert sum(each.summary.reps for each in live) == 1 + reps
    assert live == of_kind(run(rows, live=False)[1], SetClosed)
    assert live == of_kind(run_at_once(rows), SetClosed)


def test_a_recording_read_at_once_tells_the_same_times_however_far_off_the_bands_clock_is() -> None:
    *rows, end = notifications(pulls(sets=6, reps=8))
    rows = [replace(e, received_us=UTC0_US + (e.received_us - UTC0_US) * 996 // 1000) for e in rows]
    lost_us = rows[-1].received_us
    rows.append(Notification(lost_us, b"down: out of range", Channel.LINK))
    rows.append(replace(end, received_us=lost_us + 60_000_000))

    def times(emitted: list[Emitted]) -> list[tuple[int, int]]:
        kinds = SetClosed, GapFound, SessionEnded
        return [
            (kinds.index(type(e.event)), e.utc_us) for e in emitted if isinstance(e.event, kinds)
        ]

    at_once = run_at_once(rows)
    assert times(at_once) == times(run(rows, live=False)[1])
    (found,) = of_kind(at_once, GapFound)
    assert found.gap.end_s - found.gap.start_s == pytest.approx(60, abs=0.2)


def test_every_sample_is_told_once_with_increasing_utc() -> None:
    samples = of_kind(run(notifications(FORCE_N))[1], ForceSamples)
    index = np.concatenate([s.index + np.arange(s.force_n.size) for s in samples])
    assert index.tolist() == list(range(FORCE_N.size))
    force_n = np.concatenate([s.force_n for s in samples])
    assert np.abs(force_n - FORCE_N).max() < 1e-3
    assert (np.diff(np.concatenate([s.utc_us for s in samples])) > 0).all()


def test_a_resent_range_gives_the_answer_of_the_complete_signal() -> None:
    rows = notifications(FORCE_N)
    force = [i for i, row in enumerate(rows) if row.channel is Channel.FORCE]
    lost = force[40:70]
    late_us = rows[lost[-1] + 20].received_us
    back = [
        Notification(late_us, bytes(resent(ForceFrame.from_bytes(rows[i].payload)))) for i in lost
    ]
    kept = [row for i, row in enumerate(rows) if i not in lost]
    place = kept.index(rows[lost[-1] + 20])
    emitted = run(kept[:place] + back + kept[place:])[1]
    assert answers(emitted) == answers(run(rows)[1])
    assert of_kind(emitted, GapFound) == []
    assert any(samples.late for samples in of_kind(emitted, ForceSamples))
    assert any(state.phase is Phase.UNKNOWN for state in of_kind(emitted, LiveState))


def test_what_nobody_brings_back_is_named_to_the_sample() -> None:
    rows = notifications(FORCE_N)
    force = [i for i, row in enumerate(rows) if row.channel is Channel.FORCE]
    lost = force[100:103]
    kept = [row for i, row in enumerate(rows) if i not in lost]
    kept.insert(lost[-1] + 5, mark(kind="gave_up", first=800, count=24))
    session, emitted = run(kept)
    [gap] = [found.gap for found in of_kind(emitted, GapFound)]
    assert gap.missing == 24
    assert gap.start_s == pytest.approx(799 / 80)
    assert gap.end_s == pytest.approx(824 / 80)
    assert session.samples + session.missing == FORCE_N.size


@pytest.mark.parametrize("boot_id", [8, 7])
def test_a_power_cycled_band_goes_on_in_the_same_session(boot_id: int, tmp_path: Path) -> None:
    half = FORCE_N.size // 16 * 8
    first = notifications(FORCE_N[:half])[:-1]
    second = notifications(FORCE_N[half:])
    later_us = first[-1].received_us - UTC0_US + 5_000_000
    rows = [*first, Notification(UTC0_US + later_us, b"down: lost", Channel.LINK)]
    rows += [
        Notification(
            row.received_us + later_us,
            bytes(info(boot_id=boot_id)) if row.channel is Channel.INFO else row.payload,
            row.channel,
        )
        for row in second
    ]
    # One whose boot id is always the same says with START's answer that it began again.
    started = Response(Opcode.START, Status.OK, (0).to_bytes(4, "little"))
    rows.insert(
        -len(second) + 2, Notification(UTC0_US + later_us, bytes(started), Channel.RESPONSE)
    )
    session, emitted = run(rows)
    [gap] = [found.gap for found in of_kind(emitted, GapFound)]
    assert gap.missing is None
    assert gap.end_s - gap.start_s == pytest.approx(5, abs=0.3)
    assert session.samples == FORCE_N.size
    assert session.power_ons == 2
    with Recording.create(tmp_path / "cycled.forceband", {}) as recording:
        recording.extend(rows)
    with Recording.open(tmp_path / "cycled.forceband") as recording:
        assert read_session(recording).analysis.gaps == session.gaps
    assert sum(len(closed.reps) for closed in session.sets) >= 7
    assert [link.up for link in of_kind(emitted, LinkChanged)] == [True, False, True]


def test_damaged_and_random_frames_are_counted_and_stop_nothing() -> None:
    rng = np.random.default_rng(3)
    rows = notifications(FORCE_N)
    for place in range(50, 350, 10):
        rows.insert(
            place, Notification(rows[place].received_us, rng.bytes(int(rng.integers(0, 180))))
        )
    session, emitted = run(rows)
    assert session.bad_frames == 30
    assert answers(emitted) == answers(run(notifications(FORCE_N))[1])


def test_tare_keeps_samples_of_both_zeros() -> None:
    rows = notifications(FORCE_N)
    frame = frames(FORCE_N)[0]
    tare = Response(Opcode.TARE, Status.OK, bytes(Calibration(2, 8000, 1 / 4000)))
    rows.insert(3, Notification(UTC0_US, bytes(tare), Channel.RESPONSE))
    moved = ForceFrame(8, 100_000, 2, Flag(0), frame.counts)
    rows[4] = Notification(rows[4].received_us, bytes(moved))
    emitted = run(rows)[1]
    assert of_kind(emitted, Tared) == [Tared(2, 8000)]
    first, second = of_kind(emitted, ForceSamples)[:2]
    assert np.allclose(first.force_n - second.force_n, 2.0)


def test_battery_and_marks_are_told() -> None:
    rows = notifications(FORCE_N[:800])
    rows[5:5] = [
        Notification(UTC0_US, b"\x57", Channel.BATTERY),
        Notification(UTC0_US, b"\xff", Channel.BATTERY),
        mark(kind="label", text="left hand"),
    ]
    emitted = run(rows)[1]
    assert of_kind(emitted, BatteryChanged) == [BatteryChanged(87)]
    assert of_kind(emitted, Marked) == [Marked("label", "left hand")]


ROWS = st.lists(
    st.builds(
        Notification,
        st.integers(0, 2**53),
        st.one_of(
            st.binary(max_size=60),
            st.sampled_from([bytes(f) for f in frames(FORCE_N)[:20]]),
            st.just(bytes(info())),
            st.just(bytes(info(boot_id=9, rate_hz=1000))),
            st.builds(
                lambda kind, first, count: json.dumps(
                    {"kind": kind, "first": first, "count": count}
                ).encode(),
                st.sampled_from(["gave_up", "label"]),
                st.integers(-10, 2**33),
                st.integers(-10, 2**33),
            ),
        ),
        st.sampled_from([c for c in Channel if c is not Channel.END]),
    ),
    max_size=30,
)


@settings(suppress_health_check=[HealthCheck.too_slow])
@given(ROWS)
def test_any_rows_give_events(rows: list[Notification]) -> None:
    session, emitted = run(rows)
    assert isinstance(emitted[-1].event, SessionEnded)
    assert [each.seq for each in emitted] == list(range(len(emitted)))
    arrived = sum(s.force_n.size for s in of_kind(emitted, ForceSamples))
    assert session.samples == arrived
