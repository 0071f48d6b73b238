"""`forceband` in processes of its own: the band, sessions, and what they said."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pipeline.config import Config
from sensor.errors import RecordingError
from sensor.recording.log import Recording

FORCEBAND = [sys.executable, "-m", "pipeline"]
PATIENCE_S = 45.0


def wait_for(true: Callable[[], object], patience_s: float = PATIENCE_S) -> None:
    """Return when something is so."""
    until_s = time.monotonic() + patience_s
    while not true():
        assert time.monotonic() < until_s, "that never came"
        time.sleep(0.02)


def rows(data: Path) -> int:
    """How many rows the recording in a folder has; none while it is being made."""
    try:
        with Recording.open(min(data.glob("*.forceband"))) as recording:
            return recording.last_row
    except (RecordingError, ValueError):
        return 0


def environment(config: Config) -> dict[str, str]:
    """What tells a process of its own where the servers are."""
    return {
        **os.environ,
        "FORCEBAND_MQTT_HOST": str(config.mqtt.host),
        "FORCEBAND_MQTT_PORT": str(config.mqtt.port),
        "FORCEBAND_INFLUX_URL": str(config.influx.url),
        "FORCEBAND_INFLUX_BUCKET": config.influx.bucket,
        "FORCEBAND_INFLUX_TOKEN": str(config.influx.token),
        "FORCEBAND_WEB_ENABLED": "false",
    }


@contextmanager
def simulated_band(socket: Path) -> Iterator[subprocess.Popen[str]]:
    """`forceband sim` with a bad radio."""
    with subprocess.Popen(
        [*FORCEBAND, "sim", "--transport", f"unix:{socket}", "--endless", "--drop", "0.05"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            assert process.stderr is not None
            said = ""
            while "advertises" not in said:
                line = process.stderr.readline()
                assert line, said
                said += line
            yield process
        finally:
            process.kill()


class Session:
    """A running session; what it says is collected."""

    def __init__(self, data: Path, process: subprocess.Popen[str]) -> None:
        self.data = data
        self.process = process
        self.said: list[tuple[float, str]] = []
        """When a line came, and the line."""
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self.said.append((time.monotonic(), line))

    @property
    def text(self) -> str:
        """All that it said so far."""
        return "".join(line for _, line in self.said)

    @property
    def path(self) -> Path:
        """Its first recording."""
        return min(self.data.glob("*.forceband"))

    def has(self, count: int) -> None:
        """Return when its recording has so many rows."""

        def there() -> bool:
            assert self.process.poll() is None, self.text
            return rows(self.data) >= count

        wait_for(there)

    def says(self, pattern: str) -> float:
        """Return when it said so; when that was."""
        wait_for(lambda: re.search(pattern, self.text) or self.process.poll() is not None)
        assert re.search(pattern, self.text), self.text
        return next((at for at, line in self.said if re.search(pattern, line)), 0.0)

    def end(self, number: signal.Signals = signal.SIGINT) -> str:
        """End it, and return its summary."""
        self.process.send_signal(number)
        assert self.process.stdout is not None
        out = self.process.stdout.read()
        assert self.process.wait(PATIENCE_S) == 0, self.text
        return out


@contextmanager
def session(
    data: Path, socket: Path, *more: str, command: str = "record", env: dict[str, str] | None = None
) -> Iterator[Session]:
    """A session with the band behind a socket."""
    argv = [command, "--transport", f"unix:{socket}", "--data", str(data), *more]
    with subprocess.Popen(
        [*FORCEBAND, *argv],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**(os.environ if env is None else env), "COLUMNS": "200"},
    ) as process:
        try:
            yield Session(data, process)
        finally:
            process.kill()


def forceband(*argv: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [*FORCEBAND, *map(str, argv)], capture_output=True, text=True, env=env, check=False
    )


@contextmanager
def small_disk(folder: Path, size: str) -> Iterator[Path]:
    """A file system of so many bytes; skips where none may be mounted."""
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}", "none", str(folder)]
    if subprocess.run(mount, capture_output=True, check=False).returncode:
        pytest.skip("only root may mount a small disk")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def resize(folder: Path, options: str) -> None:
    """Mount it again with other options."""
    subprocess.run(["mount", "-o", f"remount,{options}", str(folder)], check=True)
