"""`forceband deliver`: what a kill, an outage or a rejection left behind comes to its place."""

from __future__ import annotations

import asyncio
import gzip
import json
import math
import os
import socket
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.app import Outcome, run_session
from pipeline.commands.summary import print_outcome
from pipeline.config import Config, load
from pipeline.delivery.session_log import session_recording
from pipeline.session.events import Emitted
from pipeline.session.session import Session
from pipeline.sinks.mqtt import connection
from pipeline.sources.playback import Playback
from sensor.recording.log import Recording
from sensor.samples import Channel, Notification
from tests.mosquitto_server import free_port
from tests.pipeline.signals import notifications, pulls


class Server(HTTPServer):
    """Takes every write; refuses those that hold `refused`."""

    writes = 0
    refused = b"nobody's"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.writes += 1
        if self.server.refused in gzip.decompress(body):
            self.send_response(400)
            self.end_headers()
            self.wfile.write(b'{"code": "invalid", "message": "conflict"}')
            return
        self.send_response(204)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


@contextmanager
def running(server: Server) -> Iterator[Server]:
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def killed(tmp_path: Path) -> Path:
    """A recording whose log has no end."""
    path = tmp_path / "killed.forceband"
    with Recording.create(path, {"session": "killed", "device": "band"}) as made:
        made.extend(notifications(pulls(sets=1, reps=4))[:-1])
    return path


def listed(folder: Path, capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    capsys.readouterr()
    assert main(["sessions", "--data", str(folder), "--json"]) == 0
    row: dict[str, object] = json.loads(capsys.readouterr().out)
    return row


def test_a_killed_session_that_nobody_waits_for_is_closed_and_counted(
    killed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Recording.open(killed, write=True) as opened:
        opened.set_facts({"sinks": []})
        opened.set_cursor("mqtt", 1)  # the embedded broker, which went with its session
    assert listed(tmp_path, capsys)["state"] == "unfinished"
    assert main(["sessions", "--data", str(tmp_path)]) == 0
    assert "closes what is unfinished" in capsys.readouterr().out
    assert main(["deliver", "--data", str(tmp_path)]) == 0
    assert "killed.forceband: closed" in capsys.readouterr().out
    row = listed(tmp_path, capsys)
    assert row["state"] == "closed"
    assert (row["sets"], row["reps"], row["undelivered"]) == (1, 4, {})
    assert main(["doctor", "--no-band", "--no-mqtt", "--data", str(tmp_path)]) == 0


def test_a_copy_that_lacks_the_newest_rows_says_so(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, copy = tmp_path / "a.forceband", tmp_path / "copy.forceband"
    with Recording.create(path, {"session": "a", "sinks": []}) as recorded:
        recorded.extend(notifications(pulls(sets=1, reps=4))[:-1])
        assert main(["export", str(path), "--copy", "--out", str(copy)]) == 0
        plain = tmp_path / "plain.forceband"
        recorded.sync()
        recorded.append(Notification(1, b"up", Channel.LINK))
        plain.write_bytes(path.read_bytes())
    for lacking in (copy, plain):
        assert main(["deliver", str(lacking), "--data", str(tmp_path)]) == 0
        assert "lacks its session's newest rows; if it is a copy" in capsys.readouterr().err
    assert main(["deliver", str(path), "--data", str(tmp_path)]) == 0
    assert "this copy" not in capsys.readouterr().err


def test_waiting_is_for_the_sink_and_not_for_computing(
    killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    receive, computed_s = Session.receive, 0.0

    def slowly(self: Session, notification: Notification, row: int) -> list[Emitted]:
        nonlocal computed_s
        computed_s += 1.0
        return receive(self, notification, row)

    monkeypatch.setattr(Session, "receive", slowly)
    monkeypatch.setattr(
        asyncio.base_events.BaseEventLoop, "time", lambda self: time.monotonic() + computed_s
    )
    with running(Server(("127.0.0.1", 0), _Handler)) as server:
        monkeypatch.setenv("FORCEBAND_INFLUX_URL", f"http://127.0.0.1:{server.server_port}")
        assert main(["deliver", str(killed), "--to", "influx", "--wait", "60"]) == 0
    assert computed_s > 300


def test_giving_up_names_the_wait(
    killed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCEBAND_INFLUX_URL", f"http://127.0.0.1:{free_port()}")
    assert main(["deliver", str(killed), "--to", "influx", "--wait", "0.5"]) == 1
    said = capsys.readouterr().err
    assert "does not answer" in said
    assert "Given up after 0.5 s without progress (--wait)" in said


def test_what_waits_with_nowhere_to_go_says_what_to_set(
    killed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Recording.open(killed, write=True) as opened:
        opened.set_facts({"sinks": ["mqtt"]})
    assert main(["deliver", "--data", str(tmp_path)]) == 1
    assert "FORCEBAND_MQTT_HOST" in capsys.readouterr().err


def test_a_rejected_line_is_forgotten_when_it_is_taken_at_last(
    killed: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running(Server(("127.0.0.1", 0), _Handler)) as server:
        monkeypatch.setenv("FORCEBAND_INFLUX_URL", f"http://127.0.0.1:{server.server_port}")
        again = ["deliver", "--data", str(tmp_path), "--again", "--to", "influx"]
        with Recording.open(killed, write=True) as opened:
            opened.add_dead_letter("influx", "old line", "why")
            opened.add_dead_letter("other", "line", "why")
        assert main(again) == 0
        assert listed(tmp_path, capsys)["dead_letters"] == 1
        assert server.writes > 0


def test_rejected_points_are_counted_and_fail_the_delivery(
    killed: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with running(Server(("127.0.0.1", 0), _Handler)) as server:
        server.refused = b"rep,"
        monkeypatch.setenv("FORCEBAND_INFLUX_URL", f"http://127.0.0.1:{server.server_port}")
        assert main(["deliver", str(killed), "--to", "influx"]) == 1
        assert "influx: points rejected for good: 4 (400 conflict)" in capsys.readouterr().err
        assert listed(tmp_path, capsys)["dead_letters"] == 4
        assert main(["deliver", str(killed), "--to", "influx"]) == 0


def test_a_session_says_that_points_are_rejected_and_why(
    killed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    async def session(config: Config) -> Outcome:
        with (
            Recording.open(killed) as played,
            session_recording(config) as log,
        ):
            return await run_session(config, Playback(played, math.inf), log)

    with running(Server(("127.0.0.1", 0), _Handler)) as server:
        server.refused = b"rep,"
        url = f"http://127.0.0.1:{server.server_port}"
        flags = {"data_dir": tmp_path / "new", "web.port": 0, "influx.url": url}
        config = load(None, flags={**flags, "mqtt.enabled": False})
        print_outcome(asyncio.run(session(config)))
    said = capsys.readouterr()
    assert "influx: points rejected for good: " in said.err
    assert "(400 conflict); `forceband doctor` shows them" in said.err
    assert "influx: points rejected for good: 4 (400 conflict)" in said.out


def _no_database(path: Path) -> None:
    path.write_bytes(b"SQLite format 3\0" + bytes(4000))


def _text(path: Path) -> None:
    path.write_text("hello")


def _cut(path: Path) -> None:
    with Recording.create(path, {"session": "cut"}) as made:
        made.extend(notifications(pulls(sets=1, reps=9)))
    with path.open("r+b") as file:
        file.truncate(20_000)


@pytest.mark.parametrize("make", [_no_database, _text, _cut, Path.mkdir])
def test_one_bad_file_hides_no_good_one(
    killed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None]
) -> None:
    bad = tmp_path / "bad.forceband"
    make(bad)
    assert main(["sessions", "--data", str(tmp_path), "--json"]) == 0
    said = capsys.readouterr()
    rows = {Path(row["file"]).name: row for row in map(json.loads, said.out.splitlines())}
    assert rows["bad.forceband"]["state"] == "damaged"
    assert rows["bad.forceband"]["problem"]
    assert rows["killed.forceband"]["state"] == "unfinished"
    assert "bad.forceband" in said.err
    assert main(["deliver", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert "killed.forceband: closed" in said.out
    assert "bad.forceband" in said.err
    assert bad.exists()
    assert main(["deliver", str(bad)]) == 1


def _nothing(path: Path) -> None:
    path.touch()


def _no_rows(path: Path) -> None:
    Recording.create(path, {"session": "none"}).close()


def _only_a_head(path: Path) -> None:
    with closing(sqlite3.connect(path)) as database:
        database.execute("PRAGMA journal_mode=WAL")


@pytest.mark.parametrize("make", [_nothing, _no_rows, _only_a_head])
def test_what_is_left_of_a_session_that_never_began_is_named_and_removed(
    killed: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], make: Callable[[Path], None]
) -> None:
    make(tmp_path / "corpse.forceband")
    (tmp_path / ".unborn.forceband.new").touch()
    (tmp_path / "gone.forceband-lock").touch()
    assert main(["sessions", "--data", str(tmp_path)]) == 0
    assert "corpse.forceband: held nothing" in capsys.readouterr().err
    assert sorted(path.name for path in tmp_path.iterdir()) == [killed.name]


def test_a_recording_that_has_just_begun_is_left_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with Recording.create(tmp_path / "new.forceband", {}):
        assert main(["sessions", "--data", str(tmp_path)]) == 0
        assert main(["deliver", "--data", str(tmp_path)]) == 0
        assert (tmp_path / "new.forceband").exists()
    assert "recorded or delivered now" in capsys.readouterr().err


def test_a_folder_that_cannot_be_written_is_said_to_be(
    killed: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # root may write everywhere: what the system says is put on
    monkeypatch.setattr(os, "access", lambda path, mode: path != killed.parent)
    assert main(["deliver", str(killed)]) == 1
    assert "its folder cannot be written" in capsys.readouterr().err


def test_doctor_goes_on_after_an_url_that_makes_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCEBAND_INFLUX_URL", "http://127.0.0.1:80a86")
    assert main(["doctor", "--no-band", "--no-mqtt", "--data", str(tmp_path)]) == 1
    assert "PROBLEM  InfluxDB settings make sense" in capsys.readouterr().out


def test_doctor_names_the_remedy_for_a_broker_that_says_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection, "WELCOME_WITHIN_S", 0.2)
    monkeypatch.setattr(connection, "CONNECT_WITHIN_S", 1.0)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        argv = ["--mqtt-host", "127.0.0.1", "--mqtt-port", str(silent.getsockname()[1])]
        assert main(["doctor", "--no-band", "--data", str(tmp_path), *argv]) == 1
    assert "check whether an MQTT broker listens there" in capsys.readouterr().out


@pytest.mark.parametrize("facts", [{"sinks": 5}, {"sinks": [[1], None]}, {"sinks": {"mqtt": 1}}])
def test_strange_facts_of_a_recording_stop_nothing(
    killed: Path, tmp_path: Path, facts: dict[str, object], capsys: pytest.CaptureFixture[str]
) -> None:
    with Recording.open(killed, write=True) as opened:
        opened.set_facts(facts)
    assert listed(tmp_path, capsys)["undelivered"] == {}
    assert main(["doctor", "--no-band", "--no-mqtt", "--data", str(tmp_path)]) == 1
    assert "not closed" in capsys.readouterr().out
