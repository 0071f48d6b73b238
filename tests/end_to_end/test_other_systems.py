"""What Windows lacks, taken away: a session runs and ends, and what cannot be had is a sentence."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

from sensor.recording.log import Recording
from tests.reliability.processes import rows, wait_for

ABSENT = """\
import asyncio, signal, socket, sys

def refuse(*_args):
    raise NotImplementedError

asyncio.SelectorEventLoop.add_signal_handler = refuse
asyncio.SelectorEventLoop.remove_signal_handler = refuse
pair, family = socket.socketpair, socket.AF_UNIX
socket.socketpair = lambda *_: pair(family)  # asyncio's own, which Windows has in another way
del socket.AF_UNIX, signal.SIGHUP

import fcntl, types  # the lock of Windows, made of that of Linux

def locking(handle, mode, size):
    assert (mode, size) == (2, 1)
    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)

sys.modules["msvcrt"] = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
sys.modules["fcntl"] = None
from pipeline.__main__ import main
sys.exit(main(sys.argv[1:]))
"""


def run(*args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", ABSENT, *args],
        capture_output=True,
        text=True,
        check=False,
        timeout=90,
    )


def test_a_demo_is_recorded_and_listed(tmp_path: Path) -> None:
    where = ("--data", str(tmp_path))
    done = run("demo", "--duration", "4", "--mqtt-port", "0", "--http-port", "0", *where)
    assert done.returncode == 0, done.stderr
    assert "recorded" in done.stdout
    listed = run("sessions", *where)
    assert listed.returncode == 0, listed.stderr
    assert "closed" in listed.stdout


def test_ctrl_c_asks_a_session_to_end_and_nobody_else_writes_it(tmp_path: Path) -> None:
    where = ("--data", str(tmp_path))
    with subprocess.Popen(
        [sys.executable, "-c", ABSENT, "demo", "--no-mqtt", "--no-page", *where],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as demo:  # fmt: skip
        try:
            wait_for(lambda: rows(tmp_path) > 20)
            beside = run("deliver", *where, "--mqtt-host", "127.0.0.1")
            assert "is being recorded or delivered now" in beside.stderr
            demo.send_signal(signal.SIGINT)
            out, said = demo.communicate(timeout=45)
        finally:
            demo.kill()
    assert demo.returncode == 0, said
    assert "recorded" in out
    (path,) = tmp_path.glob("*.forceband")
    with Recording.open(path) as recording:
        assert recording.ended
    assert [each.name for each in tmp_path.iterdir()] == [path.name]


def test_a_unix_socket_that_cannot_be_had_is_one_sentence(tmp_path: Path) -> None:
    done = run("sim", "--transport", f"unix:{tmp_path / 'air'}", "--duration", "1")
    assert done.returncode == 1
    assert "use tcp:127.0.0.1:PORT" in done.stderr.splitlines()[-1]
    assert "Traceback" not in done.stderr


def test_a_simulated_band_runs_on_tcp(tmp_path: Path) -> None:
    done = run("sim", "--transport", "tcp:127.0.0.1:0", "--duration", "1")
    assert done.returncode == 0, done.stderr
