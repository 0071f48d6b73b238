"""The recording survives what happens to processes, disks and files."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sensor.errors import RecordingError
from sensor.recording.file import FORMAT
from sensor.recording.log import Recording
from sensor.samples import Channel, Notification


def note(i: int, channel: Channel = Channel.FORCE) -> Notification:
    return Notification(1_000_000 + i, f"payload {i}".encode(), channel)


def test_gives_back_what_was_appended(tmp_path: Path) -> None:
    with Recording.create(tmp_path / "a.forceband", {"device": "band-1"}) as recording:
        rows = [recording.append(note(i)) for i in range(5)]
        recording.extend([note(5), note(6, Channel.END)])
    assert rows == [1, 2, 3, 4, 5]
    with Recording.open(tmp_path / "a.forceband") as recording:
        assert [n for _, n in recording.rows()] == [
            *(note(i) for i in range(6)),
            note(6, Channel.END),
        ]
        assert [row for row, _ in recording.rows(after=2, limit=2)] == [3, 4]
        assert recording.facts == {"device": "band-1"}
        assert recording.last_row == 7
        assert recording.ended
        assert not recording.in_use


def test_a_closed_recording_is_one_file(tmp_path: Path) -> None:
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recording.append(note(1))
        assert recording.in_use
    assert [path.name for path in tmp_path.iterdir()] == ["a.forceband"]
    assert (tmp_path / "a.forceband").stat().st_mode & 0o077 == 0


def test_half_a_change_that_a_kill_left_is_taken_back_by_whoever_reads(tmp_path: Path) -> None:
    path, left = tmp_path / "a.forceband", tmp_path / "left.forceband"
    with Recording.create(path, {}) as recording:
        recording.extend([note(i) for i in range(5)])
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        database.execute("PRAGMA cache_size=1")  # so that it writes before it commits
        database.execute("BEGIN")
        database.execute("DELETE FROM log")
        database.executemany("INSERT INTO facts VALUES (?, ?)", ((i, "x" * 4000) for i in range(9)))
        for part in ("", "-journal"):
            shutil.copy(f"{path}{part}", f"{left}{part}")
    assert left.with_name("left.forceband-journal").stat().st_size
    with Recording.open(left) as recording:
        assert [each for _, each in recording.rows()] == [note(i) for i in range(5)]


def test_packed_rows_read_as_loose_ones(tmp_path: Path) -> None:
    rows = [note(i // 10, Channel.BATTERY if i % 50 == 3 else Channel.FORCE) for i in range(200)]
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recording.extend(rows)
        loose = list(recording.rows())
        loose_from_90 = list(recording.rows(after=90, limit=7))
    with Recording.open(tmp_path / "a.forceband") as recording:
        packs = recording._database.execute("SELECT sum(count) FROM packs").fetchone()[0]
        assert packs > 100
        assert list(recording.rows()) == loose
        assert list(recording.rows(after=90, limit=7)) == loose_from_90
        assert [row for run in recording.batches() for row in run.rows()] == loose
        assert [row for run in recording.batches(after=33) for row in run.rows()] == loose[33:]
        assert [n.channel for n in recording.others()] == [Channel.BATTERY] * 4
        assert recording.last_row == 200
    with Recording.open(tmp_path / "a.forceband", write=True) as recording:
        assert recording.append(note(0, Channel.END)) == 201
        assert recording.ended


def test_readers_follow_a_live_writer(tmp_path: Path) -> None:
    path = tmp_path / "a.forceband"
    with Recording.create(path, {}) as writer, Recording.open(path) as reader:
        for i in range(3):
            writer.append(note(i))
            assert [row for row, _ in reader.rows(after=i)] == [i + 1]
        assert reader.in_use
        assert not reader.ended


def test_a_kill_loses_nothing_that_was_appended(tmp_path: Path) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom sensor.recording.log import Recording\n"
        "from sensor.samples import Notification\n"
        "recording = Recording.create(Path(sys.argv[1]), {})\n"
        "while True:\n    print(recording.append(Notification(1, b'x' * 36)), flush=True)\n"
    )
    path = tmp_path / "killed.forceband"
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)], stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        for _ in range(500):
            said = process.stdout.readline()
        process.send_signal(signal.SIGKILL)
        for line in process.stdout:
            said = line
    with Recording.open(path, write=True) as recording:
        assert recording.last_row >= int(said)
        assert not recording.in_use
        assert not recording.ended
        recording.append(Notification(2, b"", Channel.END))
        assert recording.ended


def test_cursors_and_dead_letters(tmp_path: Path) -> None:
    with Recording.create(tmp_path / "a.forceband", {}) as recording:
        recording.set_cursor("mqtt", 5)
        recording.set_cursor("mqtt", 9)
        recording.add_dead_letter("influx", "line", "400: bad")
        recording.add_dead_letter("influx", "line", "400: bad")
        assert recording.cursors() == {"mqtt": 9}
        assert recording.dead_letters() == [("influx", "line", "400: bad")]


def test_wrong_files_get_one_sentence(tmp_path: Path) -> None:
    empty = tmp_path / "empty.forceband"
    empty.touch()
    text = tmp_path / "text.forceband"
    text.write_text("time_s,force_n\n0,1\n" * 10)
    other = tmp_path / "other.forceband"
    database = sqlite3.connect(other)
    database.execute("CREATE TABLE t (x)")
    database.close()
    newer = tmp_path / "newer.forceband"
    Recording.create(newer, {}).close()
    database = sqlite3.connect(newer)
    database.execute(f"PRAGMA user_version={FORMAT + 1}")
    database.close()
    before = newer.read_bytes()
    for path, words in [
        (empty, "is empty"),
        (text, "no forceband recording"),
        (other, "no forceband recording"),
        (newer, "newer forceband"),
        (tmp_path / "none.forceband", "no such file"),
        (tmp_path, "cannot be read"),
    ]:
        with pytest.raises(RecordingError, match=words):
            Recording.open(path)
    assert newer.read_bytes() == before


def test_an_existing_file_is_never_overwritten(tmp_path: Path) -> None:
    Recording.create(tmp_path / "a.forceband", {}).close()
    with pytest.raises(RecordingError, match="already"):
        Recording.create(tmp_path / "a.forceband", {})


def test_a_full_disk_is_said_and_what_was_recorded_stays(tmp_path: Path) -> None:
    path = tmp_path / "a.forceband"
    with Recording.create(path, {}) as recording:
        recording.append(note(0))
        recording._database.execute("PRAGMA max_page_count=8")
        with pytest.raises(RecordingError, match="disk is full"):
            for i in range(100):
                recording.append(Notification(i, b"x" * 4000))
        kept = recording.last_row
    with Recording.open(path) as recording:
        assert recording.last_row == kept
        assert next(iter(recording.rows()))[1] == note(0)


def test_a_read_only_folder_can_be_read(tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    Recording.create(folder / "a.forceband", {"x": 1}).close()
    folder.chmod(0o500)
    try:
        with Recording.open(folder / "a.forceband") as recording:
            assert recording.facts == {"x": 1}
    finally:
        folder.chmod(0o700)


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.integers(0, 40_000), junk=st.binary(min_size=1, max_size=300), data=st.data())
def test_damage_gives_rows_or_a_named_error(
    tmp_path: Path, place: int, junk: bytes, data: st.DataObject
) -> None:
    path = tmp_path / "good.forceband"
    if not path.exists():
        with Recording.create(path, {"device": "band"}) as recording:
            recording.extend([note(i) for i in range(500)])
    damaged = tmp_path / f"bad-{os.getpid()}.forceband"
    whole = bytearray(path.read_bytes())
    at = place % len(whole)
    whole[at : at + len(junk)] = junk
    damaged.write_bytes(whole[: data.draw(st.integers(0, len(whole)))])
    try:
        with Recording.open(damaged) as recording:
            for _, notification in recording.rows():
                assert isinstance(notification.payload, bytes)
            assert isinstance(recording.facts, dict)
            recording.cursors()
            recording.dead_letters()
    except RecordingError as error:
        assert str(damaged) in str(error)


@pytest.mark.parametrize(
    "damage",
    [
        "UPDATE cursors SET row = 'many'",
        "UPDATE facts SET value = printf('%.*c', 9999, '[')",
        "UPDATE packs SET count = 1e300",
        "UPDATE packs SET count = 'many'",
    ],
)
def test_values_of_another_kind_than_ours_are_left_out(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "a.forceband"
    with Recording.create(path, {"device": "band"}) as recording:
        recording.extend([note(i) for i in range(100)])
        recording.set_cursor("mqtt", 5)
    with closing(sqlite3.connect(path)) as database, database:
        database.execute(damage)
    with Recording.open(path) as recording:
        assert set(recording.cursors().values()) <= {5}
        assert set(recording.facts) <= {"device"}
        assert len(list(recording.rows())) in {0, 100}
        assert recording.last_row in {0, 100}


def test_a_text_that_is_none_is_said(tmp_path: Path) -> None:
    path = tmp_path / "a.forceband"
    Recording.create(path, {"device": "band"}).close()
    path.write_bytes(path.read_bytes().replace(b"device", b"\xff\xfevice"))
    with Recording.open(path) as recording, pytest.raises(RecordingError, match="damaged"):
        _ = recording.facts


@pytest.mark.parametrize(
    "trick",
    [
        "ALTER TABLE log RENAME TO was; CREATE VIEW log AS WITH RECURSIVE n(id) AS "
        "(SELECT 1 UNION ALL SELECT id + 1 FROM n) "
        "SELECT id, 1 AS received_us, 1 AS channel, x'00' AS payload FROM n",
        "ALTER TABLE facts ADD COLUMN busy AS (length(zeroblob(1000000000)))",
        "CREATE TRIGGER t AFTER INSERT ON cursors BEGIN DELETE FROM log; END",
    ],
)
def test_a_file_that_computes_is_not_opened(tmp_path: Path, trick: str) -> None:
    path = tmp_path / "a.forceband"
    Recording.create(path, {"device": "band"}).close()
    with closing(sqlite3.connect(path)) as database:
        database.executescript(trick)
    with pytest.raises(RecordingError, match="no plain recording"):
        Recording.open(path)


def test_a_copy_in_mid_session_is_whole_and_a_plain_one_says_that_it_is_not(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.forceband"
    with Recording.create(path, {"device": "band"}) as recording:
        recording.extend([note(i) for i in range(50)])
        recording.sync()
        for i in range(50, 80):
            recording.append(note(i))
        (tmp_path / "plain.forceband").write_bytes(path.read_bytes())
        with Recording.open(path) as reader:
            reader.copy_to(tmp_path / "whole.forceband")
    with Recording.open(tmp_path / "plain.forceband") as plain:
        assert plain.lacks_end
        assert plain.last_row < 80
    with Recording.open(tmp_path / "whole.forceband") as whole:
        assert not whole.lacks_end
        assert [each for _, each in whole.rows()] == [note(i) for i in range(80)]
    with Recording.open(path) as closed:
        assert not closed.lacks_end


@pytest.mark.parametrize("bits", [(3,), (3, 40)])
def test_a_turned_bit_of_what_the_band_says_is_mended_and_more_are_left_out(
    tmp_path: Path, bits: tuple[int, ...]
) -> None:
    path = tmp_path / "a.forceband"
    said = Notification(1, bytes(range(60)), Channel.INFO)
    with Recording.create(path, {}) as recording:
        recording.append(said)
        recording.append(note(1))
    turned = bytearray(said.payload)
    for bit in bits:
        turned[bit // 8] ^= 1 << bit % 8
    with closing(sqlite3.connect(path)) as database, database:
        database.execute("UPDATE log SET payload = ? WHERE id = 1", (bytes(turned),))
    with Recording.open(path) as recording:
        rows = [each for _, each in recording.rows()]
        assert rows == ([said, note(1)] if len(bits) == 1 else [note(1)])
        assert recording.damaged == {1: len(bits) == 1}
