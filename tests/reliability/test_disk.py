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


def test_a_full_disk_is_told_at_once_and_costs_what_is_named(tmp_path: Path, note: Note) -> None:
    shown, emitted = Shown(), list[tuple[str, str]]()
    with Recording.create(tmp_path / "full.forceband", {}) as recording:
        recorder = Recorder(
            recording,
            Session(),
            SessionFacts("full", "band"),
            live_sinks=[shown],
            deliveries=[],
            now_us=lambda: 0,
            notice=lambda level, text: emitted.append((level, text)),
        )
        # SQLite itself says that the disk is full: its file may grow no further.
        database = recording._database
        for number, notification in enumerate(ROWS):
            if number == FULL_AFTER:
                pages = database.execute("PRAGMA page_count").fetchone()[0]
                database.execute(f"PRAGMA max_page_count={pages}")
            if number == FREE_AFTER:
                database.execute("PRAGMA max_page_count=1073741823")
            recorder.take(notification)
        lost = len(ROWS) - (recording.last_row - 1)
    assert emitted[0][0] == "error"
    assert "disk is full" in emitted[0][1]
    assert emitted[1][0] == "warning"
    assert f"{lost} notifications were not recorded" in emitted[1][1]
    assert 0 < lost <= FREE_AFTER - FULL_AFTER
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
    found = Account(sent=shown.samples, missing=read.missing)
    found.recorded = {(0, k) for k in range(read.time_s.size)}
    note("disk full for a while", found, "no servers")


def test_a_disk_that_stays_full_leaves_a_file_that_opens_and_analyses(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Recording.create(tmp_path / "full.forceband", {}) as recording:
        recorder = Recorder(
            recording,
            session := Session(),
            SessionFacts("full", "band"),
            live_sinks=[],
            deliveries=[],
            now_us=lambda: 0,
            notice=lambda level, text: None,
        )
        for number, notification in enumerate(ROWS):
            if number == FULL_AFTER:
                database = recording._database
                pages = database.execute("PRAGMA page_count").fetchone()[0]
                database.execute(f"PRAGMA max_page_count={pages}")
            last = recorder.take(notification)
        asyncio.run(_sync_once(recorder))
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


@pytest.mark.slow
def test_what_the_disk_could_not_take_is_told_all_the_same(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    async def fill(world: World) -> None:
        await world.samples(400)
        database = world.recording._database
        pages = database.execute("PRAGMA page_count").fetchone()[0]
        database.execute(f"PRAGMA max_page_count={pages}")
        await world.samples(2000)
        database.execute("PRAGMA max_page_count=1073741823")

    workout = Workout((replace(LOW_ROW, reps=9, rest_after_s=2.0),), lead_in_s=1.0)
    found = asyncio.run(prove(servers, tmp_path, fill, workout=workout))
    note("disk full for a while, servers at hand", found)
    assert found.missing > 0
    assert len(found.recorded) == found.sent - found.missing
    assert len(found.stored) == len(set(found.stored)) == found.sent
    assert len(found.emitted) == found.pulled
    assert found.contradictions == found.dead_letters == 0


async def _sync_once(recorder: Recorder) -> None:
    keeping = asyncio.create_task(recorder.keep_synced())
    await asyncio.sleep(0)
    keeping.cancel()
