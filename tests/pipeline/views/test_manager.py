"""What a service's manager hears, and that nothing is told where there is none."""

from __future__ import annotations

import asyncio
import os
import socket
from pathlib import Path

import pytest

from pipeline.views.manager import stay_alive, tell_manager


def heard(ear: socket.socket) -> bytes:
    ear.settimeout(5.0)
    return ear.recv(100)


def test_the_manager_hears_us_at_a_path_and_at_an_abstract_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for bound, named in ((str(tmp_path / "s"), None), (f"\0{tmp_path}", f"@{tmp_path}")):
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
            ear.bind(bound)
            monkeypatch.setenv("NOTIFY_SOCKET", named or bound)
            tell_manager("READY=1")
            assert heard(ear) == b"READY=1"


@pytest.mark.parametrize("where", ["", "relative", "/nowhere/at/all"])
def test_without_a_manager_nothing_happens(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", where)
    tell_manager("READY=1")
    monkeypatch.delattr(socket, "AF_UNIX")
    monkeypatch.setenv("NOTIFY_SOCKET", "/run/systemd/notify")
    tell_manager("READY=1")


@pytest.mark.parametrize(
    ("asked_us", "pid", "tells"),
    [("100000", None, True), ("", None, False), ("0", None, False), ("100000", "1", False)],
)
def test_a_watchdog_is_told_of_if_it_asks_this_process(
    asked_us: str, pid: str | None, tells: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "s"))
    monkeypatch.setenv("WATCHDOG_USEC", asked_us)
    monkeypatch.setenv("WATCHDOG_PID", pid or str(os.getpid()))

    async def run(ear: socket.socket) -> None:
        alive = asyncio.create_task(stay_alive())
        if tells:
            for _ in range(3):
                assert await asyncio.to_thread(heard, ear) == b"WATCHDOG=1"
            alive.cancel()
        else:
            await asyncio.wait_for(alive, 5.0)

    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as ear:
        ear.bind(str(tmp_path / "s"))
        asyncio.run(run(ear))
