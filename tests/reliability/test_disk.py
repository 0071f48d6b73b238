"""A full disk: the person is told at once, the page goes on, what is recorded stays good."""

from __future__ import annotations

import asyncio
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from firmware_sim.person.workout import LOW_ROW, Workout
from pipeline.app import Outcome
from pipeline.commands.summary import print_outcome
from pipeline.delivery import log_writer
from pipeline.delivery.recorder import Recorder
from pipeline.files.samples import read_session
from pipeline.session.events import ForceSamples, Marked, SessionEnded
from pipeline.session.facts import SessionFacts
from pipeline.session.session import Session
from sensor.recording.file import connect
from sensor.recording.log import Recording
from sensor.samples import Channel
from tests.pipeline.signals import notifications, pulls
from tests.reliability.conftest import Note
from tests.reliability.world import Account, Servers, World, prove

ROWS = notifications(pulls(sets=2, reps=5))
FULL_AFTER, FREE_AFTER = 300, 500


class Shown:
    """A page: what it was shown live."""

    def __init__(self) -> None:
        self.samples = 0

    def show(self, facts: SessionFacts, emitted: object) -> None:
        del facts
        assert isinstance(emitted, list)
        self.samples += sum(
            each.event.force_n.size for each in emitted if isinstance(each.event, ForceSamples)
        )


def recorder_of(
    recording: Recording, shown: Shown, told: list[tuple[str, str]], session: Session | None = None
) -> Recorder:
    return Recorder(
        recording,
        session or Session(),
        SessionFacts("full", "band"),
        live_sinks=[shown],
        deliveries=[],
        now_us=lambda: 0,
        notice=lambda level, text: told.append((level, text)),
    )


def fill(recording: Recording) -> None:
    """SQLite itself says that the disk is full: its file may grow no further."""
    pages = recording._database.execute("PRAGMA page_count").fetchone()[0]
    recording._database.execute(f"PRAGMA max_page_count={pages}")


def free(recording: Recording) -> None:
    recording._database.execute("PRAGMA max_page_count=1073741823")


def test_a_full_disk_is_told_at_once_and_costs_nothing_when_there_is_room_again(
    tmp_path: Path, note: Note
) -> None:
    shown, told = Shown(), list[tuple[str, str]]()
    with Recording.create(tmp_path / "full.forceband", {}) as recording:
        recorder = recorder_of(recording, shown, told)
        for number, notification in enumerate(ROWS):
            if number == FULL_AFTER:
                fill(recording)
            if number == FREE_AFTER:
                assert recorder.not_recorded > 0
                free(recording)
            recorder.take(notification)
        assert recorder.not_recorded == 0
    assert [level for level, _ in told] == ["error", "info"]
    assert "disk is full" in told[0][1]
    assert "nothing is missing" in told[1][1]
    with Recording.open(tmp_path / "full.forceband") as recording:
        assert [each for _, each in recording.rows()] == ROWS
        read = read_session(recording)
    assert (read.missing, read.time_s.size) == (0, shown.samples)
    found = Account(sent=shown.samples)
    found.recorded = {(0, k) for k in range(read.time_s.size)}
    note("disk full for a while", found, "no servers")


def test_a_disk_that_is_full_for_longer_than_memory_lasts_costs_what_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(log_writer, "MOST_WAITING", 50)
    shown, told = Shown(), list[tuple[str, str]]()
    with Recording.create(tmp_path / "full.forceband", {}) as recording:
        recorder = recorder_of(recording, shown, told)
        for number, notification in enumerate(ROWS):
            if number == FULL_AFTER:
                fill(recording)
            if number == FREE_AFTER:
                free(recording)
            recorder.take(notification)
        lost = recorder.not_recorded
        assert recording.last_row == recorder.row == len(ROWS) + 1 - lost
    assert 0 < lost <= FREE_AFTER - FULL_AFTER - 50
    assert f"{lost} notifications were not recorded" in told[1][1]
    frames = sum(each.channel is Channel.FORCE for each in ROWS)
    assert shown.samples == pytest.approx(frames * 8, abs=8)
    with Recording.open(tmp_path / "full.forceband") as recording:
        read = read_session(recording)
        marks = [
            emitted.event
            for row, each in recording.rows()
            for emitted in [*Session().receive(each, row)]
            if isinstance(emitted.event, Marked)
        ]
    assert [mark.kind for mark in marks] == ["not_recorded"]
    # What the file lacks is a gap of exactly so many samples.
    assert read.missing == lost * 8
    assert read.time_s.size == shown.samples - read.missing


def test_a_disk_that_stays_full_leaves_a_file_that_opens_and_analyses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session = Session()
    with Recording.create(tmp_path / "full.forceband", {}) as recording:
        recorder = recorder_of(recording, Shown(), [], session)
        for number, notification in enumerate(ROWS):
            if number == FULL_AFTER:
                fill(recording)
            last = recorder.take(notification)
    assert any(isinstance(emitted.event, SessionEnded) for emitted in last)
    assert 0 < recorder.not_recorded <= len(ROWS) - FULL_AFTER
    print_outcome(Outcome(session, recording.path, (), recorder.not_recorded))
    assert f"{recorder.not_recorded} notifications are missing" in capsys.readouterr().out
    assert session.samples > 0
    with closing(connect(recording.path, "ro")) as check:
        assert check.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    with Recording.open(recording.path) as again:
        assert again.last_row >= FULL_AFTER
        assert [each for _, each in again.rows()] == ROWS[: again.last_row]
        assert read_session(again).time_s.size > 0


def test_a_summary_claims_nothing_that_is_not_in_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    session, path = Session(), tmp_path / "a.forceband"
    with Recording.create(path, {}) as recording:
        recorder = recorder_of(recording, Shown(), [], session)
        for notification in ROWS:
            recorder.take(notification)
    print_outcome(Outcome(session, path, (), rows=recorder.row))
    assert f"recorded {session.samples} samples: {path}" in capsys.readouterr().out
    print_outcome(Outcome(session, path, (), rows=recorder.row + 1))
    assert "NOT all of it is recorded" in capsys.readouterr().out
    path.unlink()
    print_outcome(Outcome(session, path, (), rows=recorder.row))
    assert "NOT recorded" in capsys.readouterr().out
    print_outcome(Outcome(Session(), path, ()))
    assert "nothing was recorded" in capsys.readouterr().out


@pytest.mark.slow
def test_what_the_disk_could_not_take_is_told_all_the_same(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    async def fill_and_free(world: World) -> None:
        await world.samples(400)
        fill(world.recording)
        await world.samples(2000)
        free(world.recording)

    workout = Workout((replace(LOW_ROW, reps=9, rest_after_s=2.0),), lead_in_s=1.0)
    found = asyncio.run(prove(servers, tmp_path, fill_and_free, workout=workout))
    note("disk full for a while, servers at hand", found)
    found.check_complete()
