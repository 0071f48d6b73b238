"""An imported file is a recording: its times, forces, gaps and reps come out of it again."""

from __future__ import annotations

import os
import sqlite3
import struct
import time
import zipfile
from contextlib import closing
from datetime import datetime
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import main
from pipeline.analysis import analyse
from pipeline.files.importing import import_force, started_utc_us
from pipeline.files.reading import read_force
from pipeline.files.samples import SessionRead, read_session
from sensor.drivers import frez
from sensor.drivers.attached import Attached
from sensor.recording.log import Recording
from sensor.samples import Channel, Floats, Notification
from tests.pipeline.signals import pulls

FORCE_N = pulls(sets=2, reps=4)
RANDOM = np.random.default_rng(4)


def write(
    path: Path, time_s: Floats, force_n: Floats = FORCE_N, form: str = "{:.6f},{:.3f}"
) -> Path:
    lines = "".join(form.format(t, f) + "\n" for t, f in zip(time_s, force_n, strict=True))
    path.write_text(f"time_s,force_n\n{lines}")
    return path


def imported(path: Path, *options: str) -> SessionRead:
    folder = path.parent / "data"
    assert main(["import", str(path), "--data", str(folder), *options]) == 0
    (made,) = folder.glob("*.forceband")
    with Recording.open(made) as recording:
        return read_session(recording)


EVEN = np.arange(FORCE_N.size) / 80
STAMPS = {
    "even": EVEN,
    "at 1000 Hz": EVEN * 0.08,
    "at 10 Hz": EVEN * 8,
    "uneven": EVEN + RANDOM.uniform(0, 0.006, EVEN.size),
    "with holes": np.where(EVEN > 8, EVEN + 0.5, EVEN) + np.where(EVEN > 20, 400.0, 0.0),
    "over the wrap of a clock of 32 bits": EVEN + np.where(EVEN > 20, 4400.0, 0.0),
    "since 1970": EVEN + 1_767_002_400.0,
    "at a pace that changes": np.cumsum(np.where(np.arange(EVEN.size) % 1000 < 500, 0.0125, 0.025)),
}


@pytest.mark.parametrize("kind", STAMPS)
def test_times_forces_and_gaps_survive(tmp_path: Path, kind: str) -> None:
    path = write(tmp_path / "a.csv", STAMPS[kind])
    (found,) = read_force(path)
    read = imported(path)
    assert read.time_s.size == found.time_s.size
    assert np.abs(read.time_s - (found.time_s - found.time_s[0])).max() < 21e-6
    assert np.abs(read.force_n - found.force_n).max() < 0.0005
    assert not read.bad_frames
    analysis = analyse(found.time_s, found.force_n)
    assert len(read.analysis.reps) == len(analysis.reps)
    assert [each.missing for each in read.analysis.gaps] == pytest.approx(
        [each.missing for each in analysis.gaps], abs=1
    )


def test_the_finest_forces_keep_24_bits(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", EVEN, form="{:.6f},{:.9f}")
    read = imported(path)
    assert np.abs(read.force_n - FORCE_N).max() < FORCE_N.max() / 2**23


def test_a_file_with_a_clock_tells_when_it_began(tmp_path: Path) -> None:
    read = imported(write(tmp_path / "a.csv", EVEN + 1_767_002_400.25))
    assert read.started_utc_us == 1_767_002_400_250_000


def test_a_file_in_utc_began_in_utc_wherever_it_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stamps = [f"2025-12-29T10:00:{k / 80:09.6f}" for k in range(400)]
    began_us = []
    monkeypatch.setenv("TZ", "America/New_York")
    time.tzset()
    for zone in ("Z", "+00:00", ""):
        text = "".join(f"{each}{zone},{k % 90}\n" for k, each in enumerate(stamps))
        (tmp_path / "a.csv").write_text("time,force_n\n" + text)
        began_us.append(started_utc_us(read_force(tmp_path / "a.csv")[0]))
    for tz in ("UTC", None):
        moments = pa.array(
            [datetime.fromisoformat(each) for each in stamps], pa.timestamp("us", tz)
        )
        forces = pa.array([float(k % 90) for k in range(400)])
        pq.write_table(pa.table({"time": moments, "force_n": forces}), tmp_path / "a.parquet")
        began_us.append(started_utc_us(read_force(tmp_path / "a.parquet")[0]))
    monkeypatch.undo()
    time.tzset()
    utc, local = 1_767_002_400_000_000, 1_767_020_400_000_000
    assert began_us == [utc, utc, local, utc, local]


def test_an_import_is_named_by_the_day_where_the_person_is_and_known_in_another_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "a.csv", EVEN + 1_767_002_400)  # 2025-12-29 10:00 UTC
    made = []
    for zone in ("Pacific/Kiritimati", "America/New_York"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        made.append(import_force(read_force(path)[0], tmp_path / "data", {}))
    monkeypatch.undo()
    time.tzset()
    assert made[0] is not None
    assert made[0].name.startswith("20251230-000000-")
    assert made[1] is None


def test_a_file_without_a_clock_began_before_it_was_written(tmp_path: Path) -> None:
    path = write(tmp_path / "a.csv", EVEN)
    os.utime(path, (1_767_002_500, 1_767_002_500))
    assert imported(path).started_utc_us == pytest.approx(1e6 * (1_767_002_500 - EVEN[-1]), abs=2)


def test_import_knows_what_it_imported_and_takes_folders(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder, data = tmp_path / "files", tmp_path / "data"
    folder.mkdir()
    write(folder / "a.csv", EVEN)
    write(folder / "b.csv", EVEN, FORCE_N * 2)
    (folder / "notes.md").write_text("not a table")
    command = ["import", str(folder), "--data", str(data), "--name", "left", "--side", "left"]
    command += ["--athlete", "李小龍", "--exercise", "Klimmzüge 💪"]
    assert main(command) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert main(command) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("imported before") == 2
    with Recording.open(next(data.glob("*.forceband"))) as recording:
        facts = recording.facts
    assert (facts["device"], facts["side"], facts["reps"]) == ("left", "left", 8)
    assert (facts["athlete"], facts["exercise"]) == ("李小龍", "Klimmzüge 💪")
    assert facts["source"] in ("a.csv", "b.csv")


def test_the_same_file_fetched_again_is_known_though_it_is_newer(tmp_path: Path) -> None:
    text = "time_s,force_n\n" + "".join(f"{k / 80},{k % 90}\n" for k in range(400))
    path = tmp_path / "a.csv"
    path.write_text(text)
    os.utime(path, (1_700_000_000, 1_700_000_000))
    (tmp_path / "data").mkdir()
    assert import_force(read_force(path)[0], tmp_path / "data", {}) is not None
    os.utime(path, (1_710_000_000, 1_710_000_000))
    assert import_force(read_force(path)[0], tmp_path / "data", {}) is None


def test_what_cannot_be_imported_is_said_and_the_rest_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "good.csv", EVEN)
    (tmp_path / "bad.csv").write_text("time_s,speed\n0,1\n1,2\n")
    write(tmp_path / "raw.csv", EVEN, np.round(FORCE_N * 4000))
    assert main(["import", str(tmp_path), "--data", str(tmp_path / "data")]) == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 1
    assert "no force column" in said.err
    assert "forceband calibrate raw.csv" in said.err
    assert "2 of 3 files were not imported" in said.err


def test_a_part_that_cannot_be_imported_hides_no_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write(tmp_path / "a.csv", EVEN)
    write(tmp_path / "c.csv", EVEN, FORCE_N * 2)
    (tmp_path / "b.csv").write_text("time_s,force_n\n0,1\n1,1\n2,1\n")
    with zipfile.ZipFile(tmp_path / "all.zip", "w") as archive:
        for name in "abc":
            archive.write(tmp_path / f"{name}.csv", f"{name}.csv")
    assert main(["import", str(tmp_path / "all.zip"), "--data", str(tmp_path / "data")]) == 1
    said = capsys.readouterr()
    assert len(said.out.splitlines()) == 2
    assert "(b.csv): every force in 'force_n' is 1" in said.err


def test_a_table_is_replayed_as_a_recording_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = write(tmp_path / "a.csv", EVEN)
    assert main(["replay", str(path), "--speed", "max", "--no-page"]) == 0
    said = capsys.readouterr()
    assert "N from 'force_n'" in said.err
    assert said.out.count("\n   ") >= 3
    assert list(tmp_path.iterdir()) == [path]


def test_counts_become_newtons_by_weights_that_hung(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    data = ["--data", str(tmp_path / "data")]
    monkey = 8_400.0 + 2_150.0 * FORCE_N
    (tmp_path / "raw.csv").write_text(
        "time_s,adc\n" + "".join(f"{t:.4f},{f:.0f}\n" for t, f in zip(EVEN, monkey, strict=True))
    )
    hung_n = 9.80665 * np.repeat([0.0, 5.0, 0.0, 12.0], 400)
    counts = 8_400.0 + 2_150.0 * hung_n + RANDOM.normal(0, 300, hung_n.size)
    hung = tmp_path / "hung.csv"
    hung.write_text(
        "time_s,adc\n" + "".join(f"{k / 80:.4f},{c:.0f}\n" for k, c in enumerate(counts))
    )
    assert main(["import", str(tmp_path / "raw.csv"), *data]) == 1
    capsys.readouterr()
    assert main(["calibrate", str(hung), "--known-kg", "0", "5", "0", "12", *data]) == 0
    assert "2150" in capsys.readouterr().out.replace("2149.", "2150.")
    assert main(["import", str(tmp_path / "raw.csv"), *data]) == 0
    said = capsys.readouterr()
    assert "calibrated as 'adc'" in said.err
    with Recording.open(Path(said.out.strip())) as recording:
        read = read_session(recording)
    assert np.abs(read.force_n - FORCE_N).max() < 1.0


def test_a_recording_of_counts_and_known_weights_tell_the_scale_of_a_gauge(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = [(Channel.LINK, b"up"), (Channel.DRIVER, bytes(Attached(frez.DRIVER, 1.0)))]
    for first_ms in range(0, 18_000, 36):
        pairs = [(500 * (ms // 6000) - 1000, ms) for ms in range(first_ms, first_ms + 36, 4)]
        payload = b"".join(struct.pack("<iI", *pair) for pair in pairs)
        rows.append((Channel.FORCE, frez.HEADER + payload))
    path, table = tmp_path / "hung.forceband", tmp_path / "hung.csv"
    with Recording.create(path, {}) as recording:
        for k, (channel, payload) in enumerate(rows):
            recording.extend([Notification(1_790_000_000_000_000 + 36_000 * k, payload, channel)])
    assert main(["export", str(path), "--out", str(table)]) == 0
    weights = ["--known-kg", "0", "5", "10", "--sensor", "frez"]
    assert main(["calibrate", str(table), "--data", str(tmp_path), *weights]) == 0
    assert "'frez': 0.0980665 newtons a count" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (["5"], "two weights"),
        (["0", "5", "10", "15", "20"], "weights hang still"),
        (["5", "5"], "two different weights"),
    ],
)
def test_a_calibration_that_cannot_be_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], weights: list[str], words: str
) -> None:
    path = tmp_path / "hung.csv"
    counts = np.repeat([0.0, 50_000.0], 400)
    path.write_text("time_s,adc\n" + "".join(f"{k / 80},{c}\n" for k, c in enumerate(counts)))
    flags = ["--data", str(tmp_path / "data"), "--known-kg", *weights]
    assert main(["calibrate", str(path), *flags]) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


@pytest.mark.parametrize(
    ("hung", "weights", "words"),
    [
        ((0, 5, 10), "0 5", "more than 2 weights hang still"),
        ((10, 0, 5), "0 5 10", "in the order that was named"),
        ((0, 5, 12), "0 5 30", "on no line"),
    ],
)
def test_weights_other_than_those_that_are_said_make_no_calibration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], hung: tuple[int, ...], weights: str,
    words: str,
) -> None:  # fmt: skip
    path = tmp_path / "hung.csv"
    counts = 84_000 + 20_000 * np.repeat(hung, 250) + RANDOM.normal(0, 30, 250 * len(hung))
    path.write_text("time_s,adc\n" + "".join(f"{k / 80},{c}\n" for k, c in enumerate(counts)))
    flags = ["--data", str(tmp_path / "data"), "--known-kg", *weights.split()]
    assert main(["calibrate", str(path), *flags]) == 1
    assert words in capsys.readouterr().err
    assert not (tmp_path / "data").exists()


def test_a_session_of_pulls_is_no_calibration(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "raw.csv"
    counts = 84_000 + 2_150 * FORCE_N
    path.write_text(
        "time_s,adc\n" + "".join(f"{t},{c}\n" for t, c in zip(EVEN, counts, strict=True))
    )
    assert main(["calibrate", str(path), "--data", str(tmp_path), "--known-kg", "0", "20"]) == 1
    assert "hang still" in capsys.readouterr().err


def test_a_database_of_others_is_not_called_a_recording(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "log.db"
    with closing(sqlite3.connect(path)) as database:
        database.execute("CREATE TABLE force (time_s, force_n)")
    assert main(["import", str(path), "--data", str(tmp_path)]) == 1
    assert "no forceband recording: export its table as CSV" in capsys.readouterr().err
