"""A recording changes its file, is closed as one whole file, and belongs to one writer."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from sensor.errors import RecordingError
from sensor.recording import kept
from sensor.recording.lock import Lock, lock_path
from sensor.recording.log import InUseError, Recording
from sensor.recording.rows import MAX_PAYLOAD_BYTES
from sensor.samples import Channel, Notification
from tests.sensor.recording.test_log import note

ROWS = [note(0, Channel.INFO), *(note(i) for i in range(1, 40))]


def written(path: Path, *, keep: bool = True) -> Recording:
    recording = Recording.create(path, {"device": "band"}, keep=keep)
    for each in ROWS[:20]:
        recording.append(each)
    recording.extend(ROWS[20:30])
    recording.set_cursor("mqtt", 12)
    recording.add_dead_letter("influx", "line", "400: bad")
    return recording


def check_whole(path: Path, rows: list[Notification]) -> None:
    with Recording.open(path) as again:
        assert [each for _, each in again.rows()] == rows
        assert again.facts == {"device": "band"}
        assert again.cursors() == {"mqtt": 12}
        assert again.dead_letters() == [("influx", "line", "400: bad")]


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("keep", [True, False])
def test_a_good_file_that_goes_elsewhere_leaves_nothing_behind(tmp_path: Path, keep: bool) -> None:
    with written(tmp_path / "a.forceband", keep=keep) as recording:
        recording.move_to(tmp_path / "b.forceband")
        assert recording.path == tmp_path / "b.forceband"
        assert recording.append(ROWS[30]) == recording.written == recording.last_row == 31
        assert (recording.in_use, recording.on_disk, recording.problem) == (True, True, None)
        assert "a.forceband" not in names(tmp_path)
        assert not lock_path(tmp_path / "a.forceband").exists()
        recording.move_to(tmp_path / "c.forceband")
    assert names(tmp_path) == ["c.forceband"]
    check_whole(tmp_path / "c.forceband", ROWS[:31])


def test_what_was_deleted_is_made_again_from_memory(tmp_path: Path) -> None:
    with written(tmp_path / "a.forceband") as recording:
        problems = [recording.problem]
        recording.path.unlink()
        problems.append(recording.problem)
        recording.move_to(tmp_path / "b.forceband")
        problems.append(recording.problem)
    assert problems == [None, "the file was deleted or moved away", None]
    check_whole(tmp_path / "b.forceband", ROWS[:30])
    assert not lock_path(tmp_path / "a.forceband").exists()


def test_a_file_of_somebody_else_in_its_place_stays(tmp_path: Path) -> None:
    with written(tmp_path / "a.forceband") as recording:
        (tmp_path / "theirs").write_text("theirs")
        (tmp_path / "theirs").replace(recording.path)
        recording.move_to(tmp_path / "b.forceband")
    assert (tmp_path / "a.forceband").read_text() == "theirs"
    check_whole(tmp_path / "b.forceband", ROWS[:30])


def test_without_a_file_it_goes_on_in_memory_until_there_is_one(tmp_path: Path) -> None:
    with written(tmp_path / "a.forceband") as recording:
        recording.path.unlink()
        recording.move_to(None)
        assert (recording.in_use, recording.on_disk, recording.problem) == (False, False, None)
        assert recording.append(ROWS[30]) == 31
        recording.sync()
        recording.move_to(tmp_path / "b.forceband")
        assert recording.append(ROWS[31]) == 32
    check_whole(tmp_path / "b.forceband", ROWS[:32])


def test_more_than_memory_keeps_is_had_from_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "MOST_BYTES", 100)
    with written(tmp_path / "a.forceband") as recording:
        recording.move_to(tmp_path / "b.forceband")
    check_whole(tmp_path / "b.forceband", ROWS[:30])


@pytest.mark.parametrize("fails", ["extend", "set_cursor", "add_dead_letter"])
def test_where_the_new_file_cannot_be_written_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails: str
) -> None:
    def full(self: Recording, *args: object) -> None:
        raise RecordingError("the disk is full", self.path)

    with written(tmp_path / "a.forceband") as recording:
        before = names(tmp_path)
        with monkeypatch.context() as patch:
            patch.setattr(Recording, fails, full)
            with pytest.raises(RecordingError, match=r"b\.forceband: the disk is full"):
                recording.move_to(tmp_path / "b.forceband")
        assert names(tmp_path) == before
        assert recording.append(ROWS[30]) == 31
    assert names(tmp_path) == ["a.forceband"]
    check_whole(tmp_path / "a.forceband", ROWS[:31])


def test_a_closed_file_is_plain_packed_and_holds_no_empty_pages(tmp_path: Path) -> None:
    path = tmp_path / "a.forceband"
    with Recording.create(path, {}) as recording:
        recording.extend([Notification(i, bytes(60)) for i in range(3000)])
        open_bytes = 90 * 3000
    assert path.read_bytes()[18:20] == b"\1\1"  # no WAL: a copy of it is whole
    assert path.stat().st_size < open_bytes
    with closing(sqlite3.connect(path)) as database:
        assert database.execute("SELECT count(*) FROM log").fetchone() == (0,)
        assert database.execute("SELECT sum(count) FROM packs").fetchone() == (3000,)
        assert database.execute("PRAGMA freelist_count").fetchone() == (0,)


def test_a_recording_has_one_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.forceband"
    with written(path):
        with pytest.raises(InUseError, match="recorded or delivered now"):
            Recording.open(path, write=True)
        with Recording.open(path) as reader:
            assert reader.in_use
            assert not reader.on_disk
    with Recording.open(path, write=True) as later:
        assert later.on_disk
        assert not later.in_use  # it is delivered, and not recorded


def test_a_name_that_is_being_used_for_another_is_not_taken(tmp_path: Path) -> None:
    path = tmp_path / "a.forceband"
    lock = Lock.take(path)
    assert lock is not None
    with pytest.raises(InUseError, match="is being made by another process"):
        Recording.create(path, {})
    assert not path.exists()
    lock.release()
    Recording.create(path, {}).close()


def test_what_cannot_be_made_or_opened_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Recording, facts: object) -> None:
        raise RecordingError("the disk is full", self.path)

    with monkeypatch.context() as patch:
        patch.setattr(Recording, "set_facts", full)
        with pytest.raises(RecordingError, match="disk is full"):
            Recording.create(tmp_path / "a.forceband", {})
    assert names(tmp_path) == []
    with closing(sqlite3.connect(tmp_path / "b.forceband")) as database:
        database.execute("CREATE TABLE t (x)")
    with pytest.raises(RecordingError, match="no forceband recording"):
        Recording.open(tmp_path / "b.forceband", write=True)
    assert names(tmp_path) == ["b.forceband"]


def test_a_payload_that_no_radio_carries_is_refused(tmp_path: Path) -> None:
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        assert recording.append(Notification(1, bytes(MAX_PAYLOAD_BYTES))) == 1
        with pytest.raises(RecordingError, match="payload of 65537 bytes"):
            recording.append(Notification(1, bytes(MAX_PAYLOAD_BYTES + 1)))
        assert recording.append(note(2)) == 2
        assert [each.payload for _, each in recording.rows(after=1)] == [note(2).payload]


def test_a_file_that_was_deleted_is_not_synced_or_closed_into_another(tmp_path: Path) -> None:
    path = tmp_path / "a.forceband"
    with written(path) as recording:
        path.unlink()
        recording.sync()
        assert not path.exists()
    assert "a.forceband" not in names(tmp_path)


def test_a_lock_leaves_no_file_where_none_is_taken_away_that_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "a.forceband"
    unlink, close, held = Path.unlink, os.close, set[int]()

    def closed(handle: int) -> None:
        close(handle)
        held.discard(handle)

    def as_on_windows(self: Path, missing_ok: bool = False) -> None:
        if held:
            raise PermissionError(13, "used by another process", str(self))
        unlink(self, missing_ok)

    lock = Lock.take(path)
    assert lock is not None
    assert Lock.take(path) is None
    held.add(lock._handle)
    monkeypatch.setattr(Path, "unlink", as_on_windows)
    monkeypatch.setattr(os, "close", closed)
    lock.release()
    assert not held
    assert names(tmp_path) == []
