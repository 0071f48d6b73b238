"""The recording's file deleted, moved, replaced or without room: told at once, and nothing lost."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import pytest

from pipeline.files.samples import read_session
from sensor.recording.log import Recording
from tests.reliability.conftest import Note
from tests.reliability.processes import (
    forceband,
    resize,
    session,
    simulated_band,
    small_disk,
    wait_for,
)
from tests.reliability.world import Account, count_recording

TOLD_WITHIN_S = 5.0


@pytest.fixture(scope="module")
def socket(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The air that a simulated band is on."""
    path = tmp_path_factory.mktemp("air") / "socket"
    with simulated_band(path):
        yield path


def _deleted(path: Path) -> None:
    path.unlink()


def _moved(path: Path) -> None:
    path.rename(path.parent / "elsewhere.db")


def _without_wal(path: Path) -> None:
    path.with_name(path.name + "-wal").unlink()


def _replaced(path: Path) -> None:
    path.with_name("new").write_text("somebody else's")
    path.with_name("new").replace(path)


def _replaced_by_a_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def _cut_short(path: Path) -> None:
    with path.open("r+b") as file:
        file.truncate(0)


def _whole_folder_deleted(path: Path) -> None:
    shutil.rmtree(path.parent)


def summary_of(said: str) -> tuple[int, Path]:
    """How many samples a summary says are recorded, and where."""
    found = re.search(r"recorded (\d+) samples: (\S+)", said)
    assert found is not None, said
    return int(found[1]), Path(found[2])


def check_recorded(path: Path, samples: int) -> Account:
    """The file holds so many samples, from the first to the last."""
    found = Account(sent=samples)
    with Recording.open(path) as recording:
        assert recording.ended
        assert not recording.lacks_end
        count_recording(recording, found)
        read = read_session(recording)
    assert (read.time_s.size, read.missing, found.missing) == (samples, 0, 0)
    assert len(found.recorded) == samples
    return found


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("deleted", _deleted),
        ("moved away", _moved),
        ("its -wal deleted", _without_wal),
        ("replaced by another", _replaced),
        ("replaced by a folder", _replaced_by_a_folder),
        ("cut to no length", _cut_short),
        ("its folder deleted", _whole_folder_deleted),
    ],
)
def test_a_recording_whose_file_is_taken_away_goes_on_whole_in_another(
    tmp_path: Path, socket: Path, note: Note, name: str, harm: Callable[[Path], None]
) -> None:
    with session(tmp_path / "data", socket) as running:
        running.has(40)
        path = running.path
        harm(path)
        harmed_s = time.monotonic()
        told_s = running.says("all of the session is recorded in")
        assert told_s - harmed_s < TOLD_WITHIN_S
        time.sleep(0.5)
        samples, recorded_in = summary_of(running.end())
    assert str(path) in running.text
    found = check_recorded(recorded_in, samples)
    note(f"recording {name} in mid-session", found, f"told after {told_s - harmed_s:.1f} s")


def _synced(path: Path, copy: Path) -> int:
    """How many rows are in the first file alone."""
    copy.write_bytes(path.read_bytes())
    with Recording.open(copy) as recording:
        return recording.last_row


@pytest.mark.slow
def test_a_killed_recording_whose_wal_was_removed_says_for_ever_that_its_end_is_lacking(
    tmp_path: Path, socket: Path
) -> None:
    data = tmp_path / "data"
    with session(data, socket) as running:
        running.has(40)
        path = running.path
        wait_for(lambda: _synced(path, tmp_path / "copy"))
        _without_wal(path)
        running.process.kill()
        running.process.wait()
    for closed in (False, True):
        if closed:
            delivered = forceband("deliver", path)
            assert delivered.returncode == 0, delivered.stderr
        analysed, listed = forceband("analyse", path), forceband("sessions", "--data", data)
        assert "lacks its newest rows" in analysed.stderr
        assert "lacks its newest rows" in listed.stdout
    assert list(data.iterdir()) == [path]


@pytest.mark.parametrize("free", ["4k", "16k", "40k", "64k", "100k"])
def test_a_disk_that_is_full_at_the_start_shows_the_page_and_loses_nothing_once_there_is_room(
    tmp_path: Path, socket: Path, note: Note, free: str
) -> None:
    with small_disk(tmp_path / "disk", free) as data:
        argv = ("--http-port", "0", "--no-mqtt")
        with session(data, socket, *argv, command="live") as running:
            running.says("(disk is full|recording )")
            page = re.search(r"http://\S+", running.text)
            assert page is not None
            with urlopen(page[0]) as answer:
                assert answer.status == 200
            assert not list(data.glob(".*"))
            time.sleep(1.0)
            resize(data, "size=8m")
            if "disk is full" in running.text:
                wait_for(
                    lambda: (
                        "the session is recorded in" in running.text
                        or "recording again" in running.text
                    )
                )
            time.sleep(0.5)
            said = running.end()
        samples, path = summary_of(said)
        found = check_recorded(path, samples)
        assert list(data.iterdir()) == [path]
    note(f"disk with {free}iB free at the start, room after a while", found)


@pytest.mark.parametrize("begins", ["full", "with room"])
def test_what_the_disk_never_takes_is_brought_home_at_the_end(
    tmp_path: Path, socket: Path, note: Note, begins: str
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    env = {**os.environ, "HOME": str(home)}
    with small_disk(tmp_path / "disk", "8k" if begins == "full" else "8m") as data:
        with session(data, socket, env=env) as running:
            if begins != "full":
                running.has(20)
                _fill(data)
            running.says("(disk is full|not recording)")
            time.sleep(1.0)
            samples, path = summary_of(running.end())
        found = check_recorded(path, samples)
        assert path.parent == home
        assert not list(data.glob("*forceband*"))
        listed = forceband("sessions", "--data", data)
        assert listed.returncode == 0
    note(f"disk {begins} and without room to the end", found, "brought to the home folder")


def _fill(folder: Path) -> None:
    """Write until nothing more goes."""
    with (folder / "filling").open("wb", buffering=0) as file, suppress(OSError):
        while True:
            file.write(bytes(4096))
