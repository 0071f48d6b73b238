"""`forceband demo` as its user starts it: a process of its own, real Bluetooth, MQTT and page."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import aiohttp
import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.coach.coach import Coach
from pipeline.coach.cues import Cue
from pipeline.coach.library import load
from pipeline.coach.plan import plan_of
from pipeline.files.samples import read_session
from pipeline.session.session import Session
from sensor.recording.log import Recording

FORCEBAND = [sys.executable, "-m", "pipeline"]


class Demo:
    """A running demo and what it said of itself."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stderr is not None
        self.process = process
        self.said = ""
        while "Ctrl-C" not in self.said:
            line = process.stderr.readline()
            assert line, f"the demo ended: {self.said}"
            self.said += line
        self.recording = Path(self.found(r"recording +(\S+)"))

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.said)
        assert match is not None, self.said
        return match[1]


@contextmanager
def demo_of(data: Path, *flags: str, environment: dict[str, str] | None = None) -> Iterator[Demo]:
    """A demo on free ports; killed if the test leaves it running."""
    ports = ("--http-port", "0", "--mqtt-port", "0")
    with subprocess.Popen(
        [*FORCEBAND, "demo", "--data", str(data), *ports, *flags],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **(environment or {})},
    ) as process:
        try:
            yield Demo(process)
        finally:
            process.kill()


def test_a_demo_shows_tells_and_records_the_same_reps(tmp_path: Path) -> None:
    with demo_of(tmp_path, "--duration", "14") as demo:
        emitted, page, out = _follow(demo)
    with Recording.open(demo.recording) as recording:
        assert recording.ended
        assert recording.cursors()["mqtt"] == recording.last_row
        reps = read_session(recording).analysis.reps
        facts = recording.facts
    assert len(reps) >= 2
    assert facts["reps"] == len(reps)
    closed = [each for each in emitted if str(each["topic"]).endswith("/event/set")]
    assert sum(int(str(each["reps"])) for each in closed) == len(reps)
    assert page["curve"] > 10
    assert page["set"] == len(closed)
    assert str(demo.recording) in out


def _follow(demo: Demo) -> tuple[list[dict[str, Any]], Counter[str], str]:
    """Listen over MQTT and look at the page until the demo ends."""
    emitted: list[dict[str, Any]] = []
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda client, *_: client.subscribe("forceband/+/event/#", qos=1)
    client.on_message = lambda *args: emitted.append(
        {**json.loads(args[2].payload), "topic": args[2].topic}
    )
    client.connect("127.0.0.1", int(demo.found(r"mosquitto_sub -h \S+ -p (\d+)")))
    client.loop_start()
    page = asyncio.run(_watch(demo.found(r"live page +(\S+)")))
    out, rest = demo.process.communicate(timeout=120)
    client.loop_stop()
    assert demo.process.returncode == 0, demo.said + rest
    return emitted, page, out


async def _watch(url: str) -> Counter[str]:
    """Look on until the demo ends; how many messages of each type the page got."""
    types: Counter[str] = Counter()
    async with aiohttp.ClientSession() as session:
        async with session.get(url) as page:
            assert page.status == 200
            assert "forceband" in (await page.text()).lower()
        async with session.ws_connect(url + "socket", origin=url.rstrip("/")) as socket:
            async for message in socket:
                data = json.loads(message.data)
                types.update(each["type"] for each in data)
    return types


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_ends_it_cleanly_with_a_summary(tmp_path: Path, number: int) -> None:
    with demo_of(tmp_path, "--no-page") as demo:
        demo.process.send_signal(number)
        out, rest = demo.process.communicate(timeout=120)
    assert demo.process.returncode == 0, rest
    assert "Traceback" not in rest
    assert "recorded" in out or "no reps" in out


def test_a_token_is_never_written_to_what_may_be_a_log(tmp_path: Path) -> None:
    token = "a-secret-of-this-page-and-nobody"
    with demo_of(
        tmp_path,
        "--duration",
        "2",
        "--http-host",
        "0.0.0.0",
        environment={"FORCEBAND_WEB_TOKEN": token},
    ) as demo:
        out, rest = demo.process.communicate(timeout=120)
    assert "?token=, then the token\n" in demo.said  # who named one is not told to name one
    assert token not in demo.said + rest + out


async def _choose(url: str, name: str) -> None:
    """Choose a programme on the page, and say that nothing hurts; once the coach offers it."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url + "socket", origin=url.rstrip("/")) as socket,
    ):
        asks = [f"begin {name}", "pain 0"]
        async for _ in socket:
            if not asks:
                return
            await socket.send_str(json.dumps({"command": "coach", "ask": asks.pop(0)}))


def test_a_demo_s_person_follows_what_is_chosen_on_the_page_and_the_recording_coaches_the_same(
    tmp_path: Path,
) -> None:
    with demo_of(tmp_path, "--duration", "32") as demo:
        asyncio.run(_choose(demo.found(r"live page +(\S+)"), "six-minute-upper-back"))
        _, errors = demo.process.communicate(timeout=120)
    said = [line.removeprefix("coach: ") for line in errors.splitlines() if "coach: " in line]
    assert said[0] == "Pull to start."
    assert "Last one." in said
    assert "Palms up." in said
    library = load()
    plan = plan_of(library.programme("six-minute-upper-back"), library)
    coach, session = Coach(lambda _: plan), Session()
    with Recording.open(demo.recording) as recording:
        rows = list(recording.rows())
    again = [each for row, what in rows for each in coach.receive(session.receive(what, row))]
    cues = [each for each in again if isinstance(each, Cue)]
    assert [cue.say or cue.text for cue in cues if cue.say or cue.text] == said


def test_an_unknown_programme_is_answered_with_the_nearest(tmp_path: Path) -> None:
    command = [*FORCEBAND, "live", "--program", "six-minutes", "--data", str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert "did you mean six-minute-upper-back" in done.stderr
    assert "Traceback" not in done.stderr
