"""The command line as people meet it: what it prints, what it refuses, and with which exit code."""

from __future__ import annotations

import csv
import io
import json
import os
import pty
import re
import signal
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline.__main__ import SUMMARIES, main
from pipeline.config import load
from pipeline.delivery.session_log import session_recording
from pipeline.files.samples import read_session
from pipeline.views.tables import OF_THE_BAND
from sensor.recording.log import Recording
from sensor.samples import Channel, Notification
from tests.data.make_golden import GOLDEN
from tests.pipeline.signals import notifications, pulls

RECORDINGS = Path(__file__).parents[4] / "shared" / "recordings"
FORCE_N = pulls(sets=2, reps=4)


@pytest.fixture
def recording(tmp_path: Path) -> Path:
    path = tmp_path / "a.forceband"
    with Recording.create(path, {"session": "a", "device": "band"}) as made:
        made.extend(notifications(FORCE_N))
    return path


@pytest.fixture
def csv_file(tmp_path: Path) -> Path:
    path = tmp_path / "a.csv"
    rows = "\n".join(f"{i / 80:.4f},{force:.3f}" for i, force in enumerate(FORCE_N))
    path.write_text(f"time_s,force_n\n{rows}\n")
    return path


def test_analyse_gives_the_same_for_a_recording_and_its_csv(
    recording: Path, csv_file: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["analyse", str(recording), str(csv_file), "--json"]) == 0
    one, other = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert [rep["rep"] for rep in one["reps"]] == [1, 2, 3, 4, 1, 2, 3, 4]
    assert [each["reps"] for each in one["sets"]] == [4, 4]
    for mine, theirs in zip(one["reps"], other["reps"], strict=True):
        assert mine["start_s"] == pytest.approx(theirs["start_s"], abs=0.005)
        assert mine["peak_n"] == pytest.approx(theirs["peak_n"], rel=0.001)
    assert {"file", "rate_hz", "absent", "reps", "partials", "sets", "gaps"} <= set(one)
    assert list(one["absent"]) == list(other["absent"]) == [OF_THE_BAND]
    wanted = {"set", "rep", "start_s", "top_start_s", "top_end_s", "end_s", "peak_n", "tempo"}
    wanted |= {"valley_before_n", "valley_after_n", "concentric_s", "hold_s", "eccentric_s"}
    wanted |= {"bottom_s", "tut_s", "impulse_n_s", "rfd_n_per_s"}
    assert wanted <= set(one["reps"][0])


@pytest.mark.skipif(not RECORDINGS.is_dir(), reason="the real recordings are not here")
def test_analyse_finds_the_labelled_counts_in_real_recordings(
    capsys: pytest.CaptureFixture[str],
) -> None:
    files = sorted(RECORDINGS.glob("*.csv"))
    assert main(["analyse", *map(str, files), "--json"]) == 0
    labels = json.loads((RECORDINGS / "labels.json").read_text("utf-8"))
    for line in capsys.readouterr().out.splitlines():
        found = json.loads(line)
        name = Path(found["file"]).name
        assert len(found["reps"]) in labels[name]["accept"], name


def test_analyse_writes_picture_and_reps(csv_file: Path, tmp_path: Path) -> None:
    picture, reps = tmp_path / "out.png", tmp_path / "reps.csv"
    assert main(["analyse", str(csv_file), "--plot", str(picture), "--csv", str(reps)]) == 0
    assert picture.read_bytes().startswith(b"\x89PNG")
    with reps.open(newline="") as file:
        assert len(list(csv.DictReader(file))) == 8


@pytest.mark.parametrize(
    "command",
    [
        "analyse {rec} --csv {rec}",
        "analyse {table} --csv {table}",
        "analyse {table} --plot {picture} --csv {rec}",
        "export {rec} --to csv --out {rec}",
        "export {rec} --to parquet --reps --out {other}",
        "export {rec} --to csv --out {renamed}",
    ],
)
def test_what_was_measured_is_never_written_over(
    command: str, recording: Path, csv_file: Path, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:  # fmt: skip
    renamed = tmp_path / "renamed.csv"
    renamed.write_bytes(recording.read_bytes())
    before = {path: path.read_bytes() for path in (recording, csv_file, renamed)}
    words = command.format(
        rec=recording, table=csv_file, renamed=renamed, picture=tmp_path / "out.png",
        other=tmp_path / "new.forceband",
    )  # fmt: skip
    assert main(words.split()) == 1
    assert "not written over" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in before} == before
    assert not (tmp_path / "new.forceband").exists()


def test_export_comes_back_through_analyse(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "samples.csv"
    assert main(["export", str(recording), "--out", str(out)]) == 0
    assert main(["analyse", str(out), "--json"]) == 0
    assert len(json.loads(capsys.readouterr().out.splitlines()[-1])["reps"]) == 8


@pytest.mark.parametrize("reps", [False, True])
def test_export_writes_parquet(recording: Path, tmp_path: Path, reps: bool) -> None:
    out = tmp_path / "out.parquet"
    assert main(["export", str(recording), "--out", str(out), *(["--reps"] if reps else [])]) == 0
    table = pq.read_table(out)
    assert table.num_rows == (8 if reps else FORCE_N.size)
    if not reps:
        assert np.abs(table["force_n"].to_numpy() - FORCE_N).max() < 1e-3


def test_replay_at_full_speed_tells_the_sets_of_the_file(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["replay", str(GOLDEN), "--speed", "max", "--http-port", "0"]) == 0
    with Recording.open(GOLDEN) as opened:
        sets = read_session(opened).analysis.sets
    out = capsys.readouterr().out
    for each in sets:
        assert f"{each.peak_n:.1f}" in out


def test_a_replay_in_a_terminal_keeps_its_page_until_it_is_interrupted() -> None:
    person, terminal = pty.openpty()
    command = ["replay", str(GOLDEN), "--speed", "max", "--http-port", "0"]
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", *command],
        stdin=terminal,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as replay:
        assert replay.stderr is not None
        emitted = ""
        for line in replay.stderr:
            emitted += line
            if "the page stays" in line:
                break
        address = re.search(r"http://127\.0\.0\.1:\d+", emitted)
        assert address is not None, emitted
        with urlopen(address[0], timeout=60) as page:
            assert b"forceband" in page.read()
        replay.send_signal(signal.SIGINT)
        out, _ = replay.communicate(timeout=120)
    os.close(person)
    os.close(terminal)
    assert replay.returncode == 0
    with Recording.open(GOLDEN) as opened:
        sets = read_session(opened).analysis.sets
    assert all(f"{each.peak_n:.1f}" in out for each in sets)


def test_deliver_takes_the_broker_from_its_flags(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # bound and not listening: nobody answers there
        broker = f"--mqtt-host 127.0.0.1 --mqtt-port {taken.getsockname()[1]}"
        assert main(["deliver", str(recording), *broker.split(), "--wait", "0.5"]) == 1
    assert "wait for mqtt" in capsys.readouterr().err


def test_a_session_without_a_sample_leaves_no_file(tmp_path: Path) -> None:
    config = load(flags={"data_dir": tmp_path}, environment={})
    with session_recording(config) as log:
        assert log.recording is not None
        log.recording.append(Notification(1, b"up", Channel.LINK))
        log.recording.append(Notification(2, b"42", Channel.BATTERY))
    assert list(tmp_path.iterdir()) == []


def test_sessions_lists_state_and_what_waits(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Recording.open(recording, write=True) as opened:
        opened.set_facts({"sinks": ["mqtt"], "reps": 8})
        opened.set_cursor("mqtt", 10)
        last = opened.last_row
    assert main(["sessions", "--data", str(recording.parent), "--json"]) == 0
    row = json.loads(capsys.readouterr().out)
    assert row["state"] == "closed"
    assert row["undelivered"] == {"mqtt": last - 10}
    assert row["reps"] == 8


def test_doctor_names_what_is_wrong_and_what_to_do(
    recording: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    flags = ["doctor", "--no-band", "--no-mqtt", "--data", str(recording.parent), "--json"]
    assert main(flags) == 0
    capsys.readouterr()
    with Recording.open(recording, write=True) as opened:
        opened.set_facts({"sinks": ["influx"]})
        opened.add_dead_letter("influx", "force,device=band x=1", "400: field type conflict")
    (recording.parent / "bad.forceband").write_bytes(b"not a recording")
    assert main(flags) == 1
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    problems = [each for each in found if not each["ok"]]
    assert all(each["remedy"] for each in problems)
    emitted = " ".join(each["what"] for each in problems)
    assert "1 with undelivered rows" in emitted
    assert "influx rejected a line" in emitted
    assert "no forceband recording" in emitted


@contextmanager
def simulated(air: str, *more: str) -> Iterator[None]:
    """`forceband sim` in a process of its own, until it has advertised."""
    command = [sys.executable, "-m", "pipeline", "sim", "--transport", air, *more]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as sim:
        try:
            assert sim.stderr is not None
            while "advertises" not in (line := sim.stderr.readline()):
                assert line
            yield
        finally:
            sim.terminate()
            sim.wait(30)


@pytest.mark.slow
def test_doctor_measures_a_band_over_the_air(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    air = f"unix:{tmp_path}/air"
    with simulated(air, "--ppm", "2000"):
        assert main(["doctor", "--transport", air, "--data", str(tmp_path), "--json"]) == 0
    found = " ".join(json.loads(line)["what"] for line in capsys.readouterr().out.splitlines())
    assert "MTU of 517" in found
    rate = re.search(r"streams ([0-9.]+)", found)
    assert rate is not None, found
    assert float(rate[1]) == pytest.approx(80, rel=0.3)  # by a busy computer's clock
    assert "ppm off this computer's" in found


def _empty(path: Path) -> None:
    path.touch()


def _newer(path: Path) -> None:
    Recording.create(path, {}).close()
    database = sqlite3.connect(path)
    database.execute("PRAGMA user_version=99")
    database.close()


def _text(text: str) -> Callable[[Path], object]:
    return lambda path: path.write_text(text)


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (_empty, "is empty"),
        (_newer, "newer forceband"),
        (lambda path: path.write_bytes(b"\x00\xff\xfe" * 50), "neither a recording nor"),
        (_text("time_s,speed\n0,1\n"), "no force column"),
        (_text("time_s,force_n\n0,1\n1,many\n2,3\n"), "line 3: 'many' is not a number"),
        (_text("time_s,force_n\n0,1\n3,2\n1,1\n"), "line 4: the time goes back"),
        (_text("time_s,force_n\n0,1\n1,1\n2,1\n"), "nothing was pulled"),
        (_text("time_s,left_n,right_n\n0,1,2\n1,2,1\n"), "'left_n+right_n'"),
        (lambda path: None, "No such file"),
        (lambda path: path.mkdir(), "is a folder"),
        (os.mkfifo, "is a pipe or a device"),
    ],
)
def test_bad_files_get_one_sentence_and_exit_1(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    make: Callable[[Path], object],
    words: str,
) -> None:
    path = tmp_path / "file"
    make(path)
    before = path.read_bytes() if path.is_file() else None
    assert main(["analyse", str(path)]) == 1
    said = capsys.readouterr()
    assert words in said.err
    assert said.err.count("\n") == 1
    assert said.out == ""
    assert before is None or path.read_bytes() == before


@pytest.mark.parametrize("command", ["analyse", "import", "replay"])
def test_a_hyphen_is_what_is_sent_to_standard_input(
    csv_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], command: str,
) -> None:  # fmt: skip
    more = {"import": ["--data", str(tmp_path)], "replay": ["--speed", "max", "--no-page"]}
    with csv_file.open() as sent:
        monkeypatch.setattr(sys, "stdin", sent)
        assert main([command, "-", *more.get(command, [])]) == 0
    said = capsys.readouterr()
    assert "-: N from 'force_n', 80.0 Hz" in said.err
    if command != "import":
        assert [
            line.split()[1] for line in said.out.splitlines() if line[:4].strip().isdigit()
        ] == [
            "4",
            "4",
        ]
        return
    with Recording.open(Path(said.out.strip())) as recording:
        assert recording.facts["reps"] == 8


def test_what_a_shell_sends_is_read_as_a_file_is(csv_file: Path) -> None:
    read, write = os.pipe()

    def send() -> None:
        with os.fdopen(write, "wb") as pipe:
            pipe.write(csv_file.read_bytes())

    sender = Thread(target=send)
    sender.start()
    assert main(["analyse", f"/dev/fd/{read}"]) == 0
    sender.join()
    os.close(read)


@pytest.mark.parametrize("sent", [b"", b"SQLite format 3\0 and so on", None])
def test_nothing_or_a_recording_sent_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], sent: bytes | None
) -> None:
    stdin = None if sent is None else io.TextIOWrapper(io.BytesIO(sent))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["analyse", "-"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_a_port_in_use_is_one_sentence(recording: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        assert main(["replay", str(recording), "--http-port", port]) == 1
    assert "another program uses it" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    flags = ["--data", str(tmp_path / "file" / "data"), "--http-port", "0", "--mqtt-port", "0"]
    assert main(["demo", *flags, "--duration", "1"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert said[-1].startswith("forceband: ")
    assert "cannot be made" in said[-1]


@pytest.mark.parametrize("command", ["sessions", "deliver", "progress", "serve"])
def test_a_folder_that_cannot_be_looked_into_is_one_sentence(
    capsys: pytest.CaptureFixture[str], command: str
) -> None:
    name = "a" * 300
    assert main([command, "--data", name]) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"forceband: {name}")
    assert "check the path and its permissions" in said
    assert said.count("\n") == 1


def test_live_without_bluetooth_says_so_and_leaves_no_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={tmp_path}/no-bus")
    data = tmp_path / "data"
    flags = ["--data", str(data), "--http-port", "0", "--no-mqtt", "--find-timeout", "2"]
    assert main(["live", *flags]) == 1
    assert "no Bluetooth on this computer" in capsys.readouterr().err
    assert list(data.iterdir()) == []


@pytest.mark.parametrize(
    ("transport", "words"),
    [
        ("unix:/nowhere/air", "nobody answers at unix:/nowhere/air: start `forceband sim"),
        ("tcp:127.0.0.1:1", "nobody answers"),
        ("smoke", "there is no transport 'smoke'"),
    ],
)
def test_a_radio_that_cannot_be_had_is_one_helpful_sentence(
    transport: str, words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["record", "--transport", transport, "--data", str(tmp_path)]) == 1
    assert words in capsys.readouterr().err


@pytest.mark.parametrize(
    "argv",
    [
        [],
        ["bogus"],
        ["analyse"],
        ["replay", "x", "--speed", "-1"],
        ["replay", "x", "--speed", "fast"],
        ["sim", "--duration", "nan"],
        ["demo", "--seed", "-1"],
        ["scan", "--seconds", "-1"],
    ],
)
def test_wrong_usage_exits_2(argv: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    try:
        code = main(argv)
    except SystemExit as stop:
        code = int(str(stop.code))
    assert code == 2
    assert "usage" in capsys.readouterr().err


@pytest.mark.parametrize("name", sorted(SUMMARIES))
def test_every_command_explains_itself(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main([name, "--help"])
    assert stop.value.code == 0
    assert "usage: forceband" in capsys.readouterr().out


def test_help_loads_neither_numpy_nor_scipy() -> None:
    program = (
        "import sys\nfrom pipeline.__main__ import main\nmain(['--help'])\n"
        "assert not {'numpy', 'scipy', 'bleak', 'aiohttp'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL)


def test_a_simulated_progressor_is_found_and_recorded(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    air, data = f"unix:{tmp_path}/air", tmp_path / "data"
    with simulated(air, "--as", "progressor"):
        assert main(["scan", "--transport", air, "--seconds", "1", "--json"]) == 0
        (device,) = map(json.loads, capsys.readouterr().out.splitlines())
        assert (device["driver"], device["timing"]) == ("progressor", "stamped")
        record = ["record", "--transport", air, "--data", str(data), "--duration", "8"]
        assert main(record) == 0
    capsys.readouterr()
    (path,) = data.glob("*.forceband")
    with Recording.open(path) as recording:
        (row,) = [each for each in recording.others() if each.channel is Channel.DRIVER]
        assert json.loads(row.payload)["driver"] == "progressor"
    assert main(["analyse", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["rate_hz"] == pytest.approx(80, rel=0.02)


def test_what_only_our_band_can_is_not_asked_of_a_device_of_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["sim", "--as", "sig", "--rate", "10"]) == 1
    assert "of our own band" in capsys.readouterr().err


def test_doctor_measures_a_device_of_others_by_what_it_can_do(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.checkup.MEASURE_S", 4.0)
    monkeypatch.setattr("pipeline.checkup.LISTEN_S", 1.0)
    air = f"unix:{tmp_path}/air"
    with simulated(air, "--as", "force-board"):
        assert main(["doctor", "--transport", air, "--data", str(tmp_path), "--json"]) == 0
    found = " ".join(json.loads(line)["what"] for line in capsys.readouterr().out.splitlines())
    assert "Force Board: about 80 Hz, no clock" in found
    assert re.search(r"streams [0-9.]+ Hz", found)
