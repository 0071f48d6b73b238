"""A real mosquitto on a free loopback port, for tests; it can be killed and started again."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from dataclasses import dataclass, field
from getpass import getuser
from pathlib import Path
from types import TracebackType
from typing import Self

import pytest

# no bound on what waits for a subscriber: nothing is left unsent when the broker is killed
CONFIG = """\
user {user}
listener {port} 127.0.0.1
persistence false
max_inflight_messages 0
max_queued_messages 0
connection_messages false
log_dest stderr
{more}
"""
OPEN = "allow_anonymous true"


def find_program(name: str, package: str) -> str:
    """Path of a server's program; skips the test where it is absent, except under CI."""
    path = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/usr/sbin:/usr/local/sbin")
    if path is None:
        absent = f"{name} is not installed: apt install {package}"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)
    return path


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port


@dataclass
class Mosquitto:
    """The broker as a context manager.

    Parameters
    ----------
    folder : Path
        For its configuration.
    more : str
        Lines of configuration about who may connect.
    """

    folder: Path
    more: str = OPEN
    host: str = "127.0.0.1"
    port: int = field(default_factory=free_port)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.kill()

    def start(self) -> None:
        """Start it, and return when it listens."""
        program = find_program("mosquitto", "mosquitto")
        config = self.folder / "mosquitto.conf"
        config.write_text(CONFIG.format(user=getuser(), port=self.port, more=self.more))
        self._process = subprocess.Popen(
            [program, "-c", str(config)], stderr=subprocess.PIPE, text=True
        )
        assert self._process.stderr is not None
        said = []
        for line in self._process.stderr:
            said.append(line)
            if line.rstrip().endswith("running"):
                return
        self.kill()
        pytest.fail(f"mosquitto does not start: {''.join(said)}")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._process.kill()
        self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()
