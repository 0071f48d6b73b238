"""A real InfluxDB 1.x on free loopback ports, for tests."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

import pytest

CONFIG = """\
reporting-disabled = true
bind-address = "127.0.0.1:{rpc_port}"
[meta]
  dir = "{folder}/meta"
  logging-enabled = false
[data]
  dir = "{folder}/data"
  wal-dir = "{folder}/wal"
  query-log-enabled = false
[coordinator]
[retention]
  enabled = false
[monitor]
  store-enabled = false
[http]
  bind-address = "127.0.0.1:{http_port}"
  log-enabled = false
  auth-enabled = false
[continuous_queries]
  enabled = false
"""


@dataclass(frozen=True, slots=True)
class InfluxServer:
    """The running server; each test makes a database of its own."""

    url: str

    def ask(self, query: str, database: str = "") -> list[dict[str, Any]]:
        """Series of the answer to InfluxQL, times in µs; an error in it fails the test."""
        body = urlencode({"q": query, "db": database, "epoch": "u"}).encode()
        with urlopen(Request(f"{self.url}/query", body), timeout=60) as response:
            (result,) = json.load(response)["results"]
        assert "error" not in result, f"{query}: {result['error']}"
        series: list[dict[str, Any]] = result.get("series", [])
        return series

    def rows(self, query: str, database: str) -> list[dict[str, Any]]:
        """Rows of all series of the answer, by column."""
        return [
            dict(zip(series["columns"], values, strict=True))
            for series in self.ask(query, database)
            for values in series["values"]
        ]

    def write(self, line: str, database: str) -> None:
        """Put a line there past everything else, its time in µs."""
        query = urlencode({"db": database, "precision": "u"})
        with urlopen(Request(f"{self.url}/write?{query}", line.encode()), timeout=60):
            pass

    def create(self, database: str) -> None:
        """Make an empty database of this name."""
        self.ask(f'DROP DATABASE "{database}"')
        self.ask(f'CREATE DATABASE "{database}"')


@contextmanager
def running_influxd(folder: Path) -> Iterator[InfluxServer]:
    """Run influxd in `folder`; skip the test where it is not installed, except under CI."""
    influxd = shutil.which("influxd")
    if influxd is None:
        absent = "influxd is not installed: apt install influxdb"
        if os.environ.get("CI"):
            pytest.fail(absent)
        pytest.skip(absent)
    for _ in range(3):  # another process may take a port between its choice and its use
        http_port, rpc_port = _free_ports(2)
        config = folder / "influxdb.conf"
        config.write_text(CONFIG.format(folder=folder, http_port=http_port, rpc_port=rpc_port))
        with (folder / "influxd.log").open("w") as log:
            process = subprocess.Popen(
                [influxd, "run", "-config", str(config)],
                stdout=log,
                stderr=log,
                env={"HOME": str(folder), "PATH": os.environ.get("PATH", "")},
            )
        try:
            url = f"http://127.0.0.1:{http_port}"
            if _answers(url, process):
                yield InfluxServer(url)
                return
        finally:
            process.kill()
            process.wait()
    pytest.fail(f"influxd does not start: {(folder / 'influxd.log').read_text()[-2000:]}")


def _answers(url: str, process: subprocess.Popen[bytes]) -> bool:
    deadline_s = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline_s:
        try:
            with urlopen(f"{url}/ping", timeout=5):
                return True
        except (URLError, OSError):
            time.sleep(0.05)
    return False


def _free_ports(count: int) -> list[int]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]
    finally:
        for one in sockets:
            one.close()
