"""A real Home Assistant in a folder of its own, asked over HTTP as its own pages do."""

from __future__ import annotations

import asyncio
import os
import subprocess
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.mosquitto_server import free_port

CONFIG = """\
homeassistant: {{time_zone: UTC, unit_system: metric}}
http: {{server_host: 127.0.0.1, server_port: {port}}}
# any folder: spares 90 MB of pages, and brings api, config and websocket_api
frontend: {{development_repo: {folder}}}
logger: {{default: warning}}
"""
PATIENCE_S = 60.0
NOTHING = ("unknown", "unavailable")
State = dict[str, Any]


def hass_program() -> str:
    """Path of `hass`, which `make test-homeassistant` installs; skips where there is none."""
    return os.environ.get("HASS") or pytest.skip("no Home Assistant: make test-homeassistant")


class Hass:
    """`changes` has every state that was taken, in order."""

    def __init__(self, folder: Path, config: str = "") -> None:
        folder.mkdir()
        self._folder = folder
        port = free_port()
        (folder / "configuration.yaml").write_text(CONFIG.format(port=port, folder=folder) + config)
        self._url = f"http://127.0.0.1:{port}"
        self._token = ""
        self.changes: list[State] = []

    async def start(self) -> None:
        """Return when it runs; the first time an owner is made, as on its first page."""
        with (self._folder / "out.txt").open("a") as out:
            command = [hass_program(), "-c", str(self._folder), "--skip-pip"]
            self._process = subprocess.Popen(command, stdout=out, stderr=out)
        self._http = aiohttp.ClientSession(self._url, raise_for_status=True)
        while not await self._ask("/manifest.json"):
            await asyncio.sleep(0.1)
        if not self._token:
            await self._make_owner()
        self._http.headers["Authorization"] = f"Bearer {self._token}"
        self._listening = asyncio.Event()
        self._listener = asyncio.create_task(self._listen())
        while (await self._ask("/api/core/state"))["state"] != "RUNNING":
            await asyncio.sleep(0.1)
        await self._listening.wait()

    async def stop(self) -> None:
        """End it as a restart of the machine would."""
        self._listener.cancel()
        with suppress(asyncio.CancelledError):
            await self._listener
        await self._http.close()
        self._process.terminate()
        await asyncio.to_thread(self._process.wait, PATIENCE_S)

    async def add_broker(self, port: int) -> None:
        """As under Settings, Devices; it is kept over restarts."""
        flows = "/api/config/config_entries/flow"
        flow = (await self._ask(flows, {"handler": "mqtt"}))["flow_id"]
        await self._ask(f"{flows}/{flow}", {"broker": "127.0.0.1", "port": port})

    async def states(self) -> dict[str, State]:
        """All states by entity."""
        return {each["entity_id"]: each for each in await self._ask("/api/states") or ()}

    async def registry(self, what: str) -> list[dict[str, Any]]:
        """The registry of `device` or `entity`."""
        async with self._http.ws_connect("/api/websocket", max_msg_size=0) as socket:
            await socket.send_json({"type": "auth", "access_token": self._token})
            await socket.send_json({"id": 1, "type": f"config/{what}_registry/list"})
            async for message in socket:
                if (body := message.json())["type"] == "result":
                    found: list[dict[str, Any]] = body["result"]
                    return found
        raise AssertionError("Home Assistant hung up")

    async def becomes(self, what: str, entity: str, true: Callable[[str], object] = bool) -> str:
        """Wait for a state; it is empty where it is unknown or unavailable or there is none."""
        end_s = time.monotonic() + PATIENCE_S
        while True:
            state = str((await self.states()).get(entity, {}).get("state", ""))
            if true("" if state in NOTHING else state):
                return state
            assert time.monotonic() < end_s, f"{what}: {entity} is {state!r}; {self.log()}"
            await asyncio.sleep(0.1)

    def log(self) -> list[str]:
        """What it has to say of MQTT and of templates."""
        lines = (self._folder / "home-assistant.log").read_text("utf-8").splitlines()
        return [line for line in lines if "mqtt" in line or "emplate" in line]

    async def _make_owner(self) -> None:
        who = {"name": "t", "username": "t", "password": "t", "client_id": self._url}
        body = who | {"language": "en"}
        code = (await self._ask("/api/onboarding/users", body))["auth_code"]
        form = {"grant_type": "authorization_code", "code": code, "client_id": self._url}
        async with self._http.post("/auth/token", data=form) as answer:
            self._token = (await answer.json())["access_token"]

    async def _ask(self, path: str, body: object = None) -> Any:
        """None while it does not listen."""
        assert self._process.poll() is None, (self._folder / "out.txt").read_text()
        with suppress(aiohttp.ClientConnectionError):
            how = "GET" if body is None else "POST"
            async with self._http.request(how, path, json=body) as answer:
                return await answer.json(content_type=None)

    async def _listen(self) -> None:
        async with self._http.ws_connect("/api/websocket", max_msg_size=0) as socket:
            await socket.send_json({"type": "auth", "access_token": self._token})
            subscription = {"type": "subscribe_events", "event_type": "state_changed"}
            await socket.send_json({"id": 1, **subscription})
            async for message in socket:
                body = message.json()
                if body["type"] == "result":
                    self._listening.set()
                elif new := body.get("event", {}).get("data", {}).get("new_state"):
                    self.changes.append(new)
