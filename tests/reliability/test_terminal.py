"""Whatever becomes of the terminal, the session goes on, or ends as cleanly as by Ctrl-C."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import select
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest

from pipeline.files.samples import read_session
from sensor.recording.log import Recording
from tests.reliability.processes import FORCEBAND, rows, simulated_band, wait_for

PATIENCE_S = 90.0
until = partial(wait_for, patience_s=PATIENCE_S)


@pytest.fixture(scope="module")
def band(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    socket = tmp_path_factory.mktemp("air") / "air"
    with simulated_band(socket):
        yield f"unix:{socket}"


@contextmanager
def live(
    band: str, data: Path, shell: str = "", **options: object
) -> Iterator[subprocess.Popen[bytes]]:
    """`forceband live`, with `shell` behind it."""
    words = [*FORCEBAND, "live", "--transport", band, "--data", str(data), "--no-page", "--no-mqtt"]
    command = f"exec {' '.join(words)} {shell}"
    with subprocess.Popen(["bash", "-c", command], **options) as process:  # type: ignore[call-overload]
        try:
            yield process
        finally:
            process.kill()


def check_ended_cleanly(data: Path) -> None:
    """The recording is one file, whole and ended."""
    (path,) = data.iterdir()
    with Recording.open(path) as recording:
        assert recording.ended
        assert read_session(recording).missing == 0


@pytest.mark.parametrize(
    "shell",
    [
        pytest.param("2>&-", id="stderr closed", marks=pytest.mark.slow),
        pytest.param(">&- 2>&- <&-", id="all closed"),
        pytest.param("2>/dev/full", id="stderr's disk full", marks=pytest.mark.slow),
        pytest.param(">/dev/full 2>/dev/full", id="both disks full"),
    ],
)
def test_a_session_needs_nobody_to_talk_to(band: str, tmp_path: Path, shell: str) -> None:
    data = tmp_path / "data"
    with live(
        band, data, f"--duration 3 {shell}", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        out, _ = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == (1 if shell.startswith(">/dev/full") else 0)
    assert b"recorded" in out or shell.startswith(">")
    check_ended_cleanly(data)


@pytest.mark.slow
def test_a_reader_of_stderr_that_dies_ends_nothing(band: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with live(band, data, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        process.stderr.readline()
        process.stderr.close()
        until(lambda: rows(data) > 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    check_ended_cleanly(data)


def test_a_closed_terminal_ends_it_as_cleanly_as_ctrl_c(band: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    person, terminal = pty.openpty()

    def own_terminal() -> None:
        os.setsid()
        fcntl.ioctl(0, termios.TIOCSCTTY, 0)

    with live(
        band, data, stdin=terminal, stdout=terminal, stderr=terminal, preexec_fn=own_terminal
    ) as process:
        os.close(terminal)
        said = b""
        while rows(data) <= 20:
            if select.select([person], [], [], 0.1)[0]:
                said += os.read(person, 65536)
        os.close(person)  # the system sends SIGHUP, and nothing can be written any more
        assert process.wait(PATIENCE_S) == 1, said  # the summary could not be shown
    check_ended_cleanly(data)


@pytest.mark.slow
def test_a_terminal_that_stands_still_holds_up_nothing(band: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    person, terminal = pty.openpty()
    with live(band, data, stdout=subprocess.PIPE, stderr=terminal) as process:
        os.close(terminal)
        until(lambda: rows(data) > 100)
        os.write(person, b"\x13")  # Ctrl-S
        before, began_s = rows(data), time.monotonic()
        until(lambda: rows(data) > before + 100)
        assert time.monotonic() - began_s < 40
        process.send_signal(signal.SIGTERM)
        out, _ = process.communicate(timeout=PATIENCE_S)
        assert process.returncode == 0
        assert re.search(rb"recorded \d+ samples", out)
    os.close(person)
    check_ended_cleanly(data)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["SIGHUP", "SIGTERM", "SIGINT"])
def test_each_signal_ends_a_session_cleanly_however_often_it_comes(
    band: str, tmp_path: Path, name: str
) -> None:
    data, number = tmp_path / "data", getattr(signal, name)
    with live(band, data, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        until(lambda: rows(data) > 20)
        process.send_signal(number)
        while name != "SIGINT" and process.poll() is None:
            process.send_signal(number)
            time.sleep(0.01)
        out, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    assert b"recorded" in out
    check_ended_cleanly(data)


@pytest.mark.slow
def test_nohup_survives_the_terminals_end(band: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with live(
        band, data, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN),
    ) as process:  # fmt: skip
        until(lambda: rows(data) > 20)
        process.send_signal(signal.SIGHUP)
        before = rows(data)
        until(lambda: rows(data) > before + 20)
        process.send_signal(signal.SIGTERM)
        assert process.wait(PATIENCE_S) == 0
    check_ended_cleanly(data)


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has PID namespaces")
def test_a_containers_first_process_ends_at_sigterm(band: str, tmp_path: Path) -> None:
    data = tmp_path / "data"
    inside = ["unshare", "--fork", "--pid", "--mount-proc"]
    if subprocess.run([*inside, "true"], check=False, capture_output=True).returncode:
        pytest.skip("this system lets nobody make a PID namespace")
    words = ["live", "--transport", band, "--data", str(data), "--no-page", "--no-mqtt"]
    with subprocess.Popen(
        [*inside, "--kill-child=SIGKILL", *FORCEBAND, *words],
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    ) as process:  # fmt: skip
        until(lambda: rows(data) > 20)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()
        os.kill(int(children.split()[0]), signal.SIGTERM)
        out, said = process.communicate(timeout=PATIENCE_S)
    assert process.returncode == 0, said
    assert b"recorded" in out
    check_ended_cleanly(data)
