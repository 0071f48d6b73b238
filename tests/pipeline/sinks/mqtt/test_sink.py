"""The MQTT sink with real brokers: mosquitto and the embedded one keep the same contract."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Literal

import pytest

from firmware_sim.person.workout import Workout
from pipeline.analysis.types import SetClosed
from pipeline.broker import EmbeddedBroker
from pipeline.coach.view import View
from pipeline.session.events import Emitted, Event, ForceSamples, Marked
from pipeline.sinks.mqtt import link
from pipeline.sinks.mqtt.settings import MqttSettings
from pipeline.sinks.mqtt.sink import MqttSink
from pipeline.sinks.mqtt.suspect import STRIKES
from pipeline.sinks.sink import SinkUnavailableError
from sensor.errors import BandError
from tests.example_session import FACTS, reps, session
from tests.mosquitto_server import OPEN, Mosquitto
from tests.pipeline.coach.coached import a_plan, coached
from tests.pipeline.sinks.mqtt.ear import PATIENCE_S, Ear, connected

OpenBroker = Callable[[], AbstractAsyncContextManager[MqttSettings]]


@pytest.fixture(params=["mosquitto", "mosquitto-v5", "embedded"])
def open_broker(request: pytest.FixtureRequest, tmp_path: Path) -> OpenBroker:
    """Opens a broker, and tells the settings to reach it."""

    @asynccontextmanager
    async def mosquitto() -> AsyncIterator[MqttSettings]:
        with Mosquitto(tmp_path) as broker:
            yield MqttSettings(
                port=broker.port,
                protocol="5" if request.param.endswith("v5") else "3.1.1",
                home_assistant=True,
            )

    @asynccontextmanager
    async def embedded() -> AsyncIterator[MqttSettings]:
        async with EmbeddedBroker() as broker:
            yield MqttSettings(port=broker.port, home_assistant=True)

    return embedded if request.param == "embedded" else mosquitto


def emitted(event: Event, seq: int = 0) -> Emitted:
    return Emitted(seq, seq, 1_768_500_000_000_000, event)


async def carried_out(name: str) -> str:
    if name == "stop":
        raise BandError("the band is not connected")
    return f"{name} done"


def test_every_durable_event_arrives_once_in_order_and_by_its_id(open_broker: OpenBroker) -> None:
    events = session()

    async def main() -> None:
        async with open_broker() as settings, Ear(settings) as ear, MqttSink(settings) as sink:
            await sink.deliver(FACTS, events)
            durable = [t for t in events if isinstance(t.event, sink.durable)]
            await ear.until(lambda _: len(ear.events()) >= len(durable))
            assert [e["id"] for e in ear.events()] == [f"{FACTS.session}/{t.seq}" for t in durable]

    asyncio.run(main())


def too_big(reps_before: int) -> list[Emitted]:
    """A set that a limit of 2000 bytes forbids, and a few events around it."""
    events = [each for each in session() if isinstance(each.event, SetClosed)][:1]
    return [*reps(reps_before), replace(events[0], seq=100), *reps(3, 101)]


def test_what_the_coach_leads_is_kept_and_outlives_the_broker(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(link, "FIRST_DELAY_S", 0.01)
    plan = a_plan("low-row")
    led = coached(plan, Workout((), lead_in_s=5.0), duration_s=3.0).events
    ready = [k for k, each in enumerate(led) if isinstance(each, View)][1] + 1

    async def kept(settings: MqttSettings) -> dict[str, object]:
        topic = f"forceband/{FACTS.device}/coach"
        async with Ear(settings, topic) as late:
            await late.until(lambda heard: heard and b'"ready"' in heard[-1].payload)
            return late.on(topic)[-1]

    async def main() -> None:
        with Mosquitto(tmp_path) as broker:
            settings = MqttSettings(port=broker.port)
            async with MqttSink(settings, device=FACTS.device) as sink:
                await connected(sink)
                sink.coach(FACTS, led[:ready])
                shown = await kept(settings)
                assert (shown["screen"], shown["exercise"]) == ("ready", "low-row")
                assert (shown["set"], shown["least"], shown["cue"]) == (1, 8, "Pull to start.")
                broker.kill()
                broker.start()
                assert await kept(settings) == shown

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


@pytest.mark.parametrize("reps_before", [0, 4])
@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_a_message_that_the_broker_finds_too_big_is_named_and_holds_up_nothing(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    reps_before: int,
    protocol: Literal["3.1.1", "5"],
) -> None:
    monkeypatch.setattr(link, "FIRST_DELAY_S", 0.01)
    events = too_big(reps_before)

    async def main() -> None:
        with Mosquitto(tmp_path, more=f"{OPEN}\nmax_packet_size 2000") as broker:
            settings = MqttSettings(port=broker.port, protocol=protocol)
            async with Ear(settings) as ear, MqttSink(settings) as sink:
                refusals = 0
                while True:
                    try:
                        (rejected,) = await sink.deliver(FACTS, events)
                    except SinkUnavailableError as error:
                        refusals += 1
                        await asyncio.sleep(error.retry_after_s or 0.01)
                    else:
                        break
                assert refusals >= STRIKES
                assert "event/set {" in rejected.body
                size = len(rejected.body.split(" ", 1)[1].encode())
                assert f"hangs up on a message of {size} bytes" in rejected.words
                wanted = {f"{FACTS.session}/{each.seq}" for each in events if each.seq != 100}
                await ear.until(lambda _: {each["id"] for each in ear.events()} == wanted)

    asyncio.run(asyncio.wait_for(main(), PATIENCE_S))


def test_more_events_than_fit_at_once_arrive_in_order(open_broker: OpenBroker) -> None:
    events = reps(450)

    async def main() -> None:
        async with open_broker() as settings, Ear(settings) as ear, MqttSink(settings) as sink:
            await sink.deliver(FACTS, events)
            await ear.until(lambda _: len(ear.events()) >= len(events))
            assert [e["id"] for e in ear.events()] == [f"{FACTS.session}/{t.seq}" for t in events]

    asyncio.run(main())


STATUS = "forceband/band-left/status"


def test_a_band_is_online_while_it_is_connected_and_on_a_clean_exit_offline(
    open_broker: OpenBroker,
) -> None:
    async def main() -> None:
        async with open_broker() as settings, Ear(settings, "forceband/#") as ear:
            async with MqttSink(settings, device="band-left") as sink:
                await ear.message(STATUS, b"offline")
                sink.show(FACTS, session()[:3])
                await ear.message(STATUS, b"online")
            await ear.until(lambda heard: [m.topic for m in heard].count(STATUS) == 3)
            async with Ear(settings, STATUS) as late:
                kept = await late.message(STATUS)
                assert (kept.payload, kept.retain) == (b"offline", True)

    asyncio.run(main())


def test_one_who_comes_late_finds_status_and_state(open_broker: OpenBroker) -> None:
    async def main() -> None:
        async with open_broker() as settings, MqttSink(settings, device="band-left") as sink:
            await connected(sink)
            sink.show(FACTS, session())
            sink.show(FACTS, [emitted(Marked("note", "still here"))])
            await sink.deliver(FACTS, reps(1))  # what was shown before is at the broker now
            async with Ear(settings, "forceband/#") as late:
                state = await late.message("forceband/band-left/state")
                status = await late.message("forceband/band-left/status")
                last_set = await late.message("forceband/band-left/last-set")
                assert json.loads(last_set.payload)["reps"] == 5
                assert state.retain
                assert status.retain
                assert all(m.retain for m in late.heard)
                assert not [m.topic for m in late.heard if "/event/" in m.topic]
                assert late.on("forceband/band-left/state")[-1]["reps"] == 5

    asyncio.run(main())


def test_force_is_shown_in_batches(open_broker: OpenBroker) -> None:
    samples = [t for t in session() if isinstance(t.event, ForceSamples)][:10]

    async def main() -> None:
        async with (
            open_broker() as settings,
            Ear(settings, "forceband/+/force") as ear,
            MqttSink(settings, device="band-left") as sink,
        ):
            await connected(sink)
            for each in samples:
                sink.show(FACTS, [each])
            topic = "forceband/band-left/force"
            await ear.until(lambda _: sum(len(b["n"]) for b in ear.on(topic)) == 200)
            batches = ear.on(topic)
            assert len(batches) < len(samples)
            assert batches[0]["index"] == 0
            assert all(b["dt_us"] == 12500.0 for b in batches)

    asyncio.run(main())


def test_a_killed_program_is_reported_offline_by_the_broker(open_broker: OpenBroker) -> None:
    program = (
        "import asyncio, sys\n"
        "from pipeline.sinks.mqtt.sink import MqttSink\n"
        "from pipeline.sinks.mqtt.settings import MqttSettings\n"
        "from tests.example_session import FACTS, session\n"
        "async def main():\n"
        "    settings = MqttSettings(port=int(sys.argv[1]), protocol=sys.argv[2])\n"
        "    async with MqttSink(settings, device='band-left') as sink:\n"
        "        await sink.wait_connected()\n"
        "        sink.show(FACTS, session()[:3])\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )

    async def main() -> None:
        async with open_broker() as settings, Ear(settings, "forceband/#") as ear:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", program, str(settings.port), settings.protocol
            )
            try:
                await ear.message(STATUS, b"online")
            finally:
                os.kill(process.pid, signal.SIGKILL)
                await process.wait()
            await ear.until(
                lambda heard: (
                    [m.payload for m in heard if m.topic == STATUS][-2:] == [b"online", b"offline"]
                )
            )

    asyncio.run(main())


def test_commands_are_carried_out_and_answered(open_broker: OpenBroker) -> None:
    async def main() -> None:
        async with (
            open_broker() as settings,
            Ear(settings, "forceband/+/event/command") as ear,
            MqttSink(settings, carried_out, device="band-left") as sink,
        ):
            await connected(sink)
            await sink.deliver(FACTS, reps(1))  # the broker has seen our subscription before
            ear.say("forceband/band-left/cmd/tare", "PRESS")
            ear.say("forceband/band-left/cmd/stop", '{"request": "7"}')
            ear.say("forceband/band-left/cmd/tare", b"\xff\xfe")
            topic = "forceband/band-left/event/command"
            await ear.until(lambda _: len(ear.on(topic)) == 3)
            answers = {(a["command"], a["request"]): a for a in ear.on(topic) if a["request"]}
            assert answers["stop", "7"]["error"] == "the band is not connected"
            assert not answers["stop", "7"]["ok"]
            assert "tare done" in [a["result"] for a in ear.on(topic)]
            refusal = "the payload is neither PRESS nor a JSON object"
            assert refusal in [a["error"] for a in ear.on(topic)]

    asyncio.run(main())


def test_a_retained_command_is_not_obeyed(open_broker: OpenBroker) -> None:
    obeyed = []

    async def note(name: str) -> str:
        obeyed.append(name)
        return name

    async def main() -> None:
        async with open_broker() as settings, Ear(settings, "forceband/#") as ear:
            ear.say("forceband/band-left/cmd/tare", "PRESS", retain=True)
            await ear.message("forceband/band-left/cmd/tare")
            async with MqttSink(settings, note, device="band-left") as sink:
                await connected(sink)
                await sink.deliver(FACTS, reps(1))
                ear.say("forceband/band-left/cmd/identify", "PRESS")
                await ear.message("forceband/band-left/event/command")
        assert obeyed == ["identify"]

    asyncio.run(main())


def test_home_assistant_is_told_again_when_it_starts(open_broker: OpenBroker) -> None:
    topic = "homeassistant/device/forceband-band-left/config"

    async def main() -> None:
        async with (
            open_broker() as settings,
            Ear(settings, "homeassistant/device/#") as ear,
            MqttSink(settings, device="band-left") as sink,
        ):
            await ear.message(topic)
            await sink.deliver(FACTS, reps(1))
            count = len(ear.on(topic))
            ear.say("homeassistant/status", "online")
            await ear.until(lambda _: len(ear.on(topic)) > count)
            assert ear.on(topic)[-1] == ear.on(topic)[0]

    asyncio.run(main())


@pytest.mark.parametrize("other", ["band-left", "band-right"])
def test_another_program_of_the_same_name_is_noticed(open_broker: OpenBroker, other: str) -> None:
    told: list[str] = []

    async def main() -> None:
        async with (
            open_broker() as settings,
            Ear(settings, "forceband/+/state") as ear,
            MqttSink(settings, device="band-left", warn=told.append) as one,
            MqttSink(settings, device=other) as two,
        ):
            await connected(one)
            await one.deliver(FACTS, reps(1))  # the broker has seen our subscription before
            await connected(two)
            two.show(replace(FACTS, device=other), session()[:3])
            await ear.message(f"forceband/{other}/state")
            one.show(FACTS, session()[:3])
            await ear.message("forceband/band-left/state")
            await one.deliver(FACTS, reps(1))  # and has told us before, if anything

    asyncio.run(main())
    assert len(told) == (other == "band-left")
    assert all("another program tells of a band named band-left" in text for text in told)


def test_the_end_of_one_band_leaves_the_other_online(open_broker: OpenBroker) -> None:
    async def main() -> None:
        async with (
            open_broker() as settings,
            MqttSink(settings, device="band-left") as left,
        ):
            await connected(left)
            left.show(FACTS, session()[:3])
            async with MqttSink(settings, device="band-right") as right:
                await connected(right)
                right.show(replace(FACTS, device="band-right"), session()[:3])
            await left.deliver(FACTS, reps(1))
            async with Ear(settings, "forceband/+/status") as late:
                await late.message("forceband/band-right/status", b"offline")
                await late.message(STATUS, b"online")

    asyncio.run(main())


def test_a_sink_without_a_device_delivers_and_keeps_silent(open_broker: OpenBroker) -> None:
    async def main() -> None:
        async with open_broker() as settings, Ear(settings, "forceband/#") as ear:
            async with MqttSink(settings, carried_out) as sink:
                sink.show(FACTS, session())
                await sink.deliver(FACTS, reps(3))
            await ear.until(lambda heard: len(heard) >= 3)
            assert {m.topic for m in ear.heard} == {"forceband/band-left/event/rep"}

    asyncio.run(main())
