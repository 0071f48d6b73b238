"""Commands over MQTT: whatever arrives gives a command, a sentence why not, or nothing."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.sinks.mqtt.commands import (
    BURST,
    COACH,
    COMMANDS,
    MOST_BYTES,
    Command,
    CommandDesk,
    RateLimit,
    parse_command,
)
from pipeline.sinks.mqtt.messages import Message
from sensor.errors import BandError

TARE = "forceband/band-left/cmd/tare"


@given(st.binary(max_size=3000))
@example(b"[" * 1000)
@example(b'{"request": "\\ud800"}')
@example(b"9" * 1000)
@example(b"\xff\xfePRESS")
def test_any_payload_gives_a_command_or_a_sentence(payload: bytes) -> None:
    command = parse_command("forceband", TARE, payload)
    assert command is not None
    assert command.device == "band-left"
    assert command.name == "tare"
    assert command.refusal is None or command.refusal
    assert command.request is None or len(command.request) <= 64


@given(st.text(max_size=200), st.sampled_from(["", "forceband/", "forceband/band-left/cmd/"]))
@example("a/b", "forceband/")
@example("/cmd/tare", "forceband/")
@example("x" * 100 + "/cmd/tare", "forceband/")
def test_any_topic_gives_a_command_for_a_plain_device_or_nothing(rest: str, start: str) -> None:
    command = parse_command("forceband", start + rest, b"PRESS")
    if command is not None:
        assert start + rest == f"forceband/{command.device}/cmd/{command.name}"
        assert command.refusal or command.name in COMMANDS


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=80),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner),
    max_leaves=5,
)


@given(json_values, st.none() | st.text(max_size=100) | st.integers())
def test_any_json_gives_a_command_only_for_an_object_with_a_short_request(
    value: object, request_text: object
) -> None:
    body = {**value, "request": request_text} if isinstance(value, dict) else value
    command = parse_command("forceband", TARE, json.dumps(body).encode())
    assert command is not None
    if command.refusal is None:
        assert isinstance(body, dict)
        assert command.request == body.get("request")


@pytest.mark.parametrize("payload", [b"PRESS", b"press", b" PRESS\n", b"{}", b'{"other": 1}'])
def test_press_and_objects_are_commands(payload: bytes) -> None:
    assert parse_command("forceband", TARE, payload) == Command("band-left", "tare")


@pytest.mark.parametrize(
    ("topic", "payload", "refusal"),
    [
        (TARE, b"", "neither PRESS"),
        (TARE, b"1", "neither PRESS"),
        (TARE, b"{" + b" " * MOST_BYTES, "longer than"),
        (TARE, json.dumps({"request": "x" * 65}).encode(), "at most 64"),
        ("forceband/band-left/cmd/explode", b"PRESS", "unknown command: use tare"),
    ],
)
def test_what_is_refused_is_told_why(topic: str, payload: bytes, refusal: str) -> None:
    command = parse_command("forceband", topic, payload)
    assert command is not None
    assert refusal in (command.refusal or "")


@given(st.lists(st.floats(0, 30), max_size=80))
def test_the_limit_lets_a_burst_pass_and_then_the_rate(moments: list[float]) -> None:
    limit = RateLimit(burst=5, per_s=1)
    admitted = [t for t in sorted(moments) if limit.admits(t)]
    for start in admitted:
        assert len([t for t in admitted if start <= t <= start + 10]) <= 5 + 10 + 1


def answers(
    act: Callable[[CommandDesk], None],
    carry_out: Callable[[str], Any],
    count: int,
) -> list[dict[str, Any]]:
    """The answers of a desk that knows the device band-left."""

    async def main() -> list[dict[str, Any]]:
        said: asyncio.Queue[Message] = asyncio.Queue()
        desk = CommandDesk("forceband", carry_out, {"band-left"}.__contains__, said.put_nowait)
        worker = asyncio.create_task(desk.work())
        act(desk)
        bodies = []
        for _ in range(count):
            message = await asyncio.wait_for(said.get(), 60)
            assert message.topic == "forceband/band-left/event/command"
            bodies.append(json.loads(message.payload))
        worker.cancel()
        assert said.empty()
        return bodies

    return asyncio.run(main())


async def succeed(name: str) -> str:
    return f"{name} done"


def test_commands_for_strangers_are_not_answered() -> None:
    def act(desk: CommandDesk) -> None:
        desk.hear("forceband/other/cmd/tare", b"PRESS")
        desk.hear("elsewhere", b"PRESS")
        desk.hear(TARE, b'{"request": "a"}')

    (only,) = answers(act, succeed, 1)
    assert (only["request"], only["ok"], only["result"]) == ("a", True, "tare done")


def test_a_flood_is_cut_to_the_burst() -> None:
    def act(desk: CommandDesk) -> None:
        for _ in range(1000):
            desk.hear(TARE, b"PRESS")

    assert len(answers(act, succeed, int(BURST))) == BURST


def test_a_band_error_is_answered_with_its_sentence() -> None:
    async def fail(_name: str) -> str:
        raise BandError("the band is not connected")

    (answer,) = answers(lambda desk: desk.hear(TARE, b"PRESS"), fail, 1)
    assert (answer["ok"], answer["error"]) == (False, "the band is not connected")


def test_a_band_that_does_not_answer_is_not_waited_for_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.sinks.mqtt.commands.ANSWER_WITHIN_S", 0.01)

    async def hang(_name: str) -> str:
        await asyncio.Event().wait()
        return "never"

    (answer,) = answers(lambda desk: desk.hear(TARE, b"PRESS"), hang, 1)
    assert answer["error"] == "no answer within 0.01 s"


def test_an_unforeseen_failure_is_logged_and_the_next_command_works(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def stumble(name: str) -> str:
        if name == "tare":
            raise ZeroDivisionError
        return name

    def act(desk: CommandDesk) -> None:
        desk.hear(TARE, b"PRESS")
        desk.hear("forceband/band-left/cmd/start", b"PRESS")

    with caplog.at_level(logging.ERROR):
        first, second = answers(act, stumble, 2)
    assert not first["ok"]
    assert second["result"] == "start"
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize("name", COACH)
def test_what_is_asked_of_the_coach_is_a_command_too(name: str) -> None:
    command = parse_command("forceband", f"forceband/band/cmd/{name}", b"PRESS")
    assert command is not None
    assert (command.name, command.refusal) == (name, None)
