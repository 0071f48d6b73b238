"""The MQTT sink with real brokers: mosquitto and the embedded one keep the same contract."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import signal
import sys
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from pipeline.broker import EmbeddedBroker
from pipeline.events import Event, ForceSamples, Marked, RepAnnounced, SetClosed, Told
from pipeline.sinks.mqtt import link
from pipeline.sinks.mqtt.messages import Message
from pipeline.sinks.mqtt.settings import MqttSettings
from pipeline.sinks.mqtt.sink import MqttSink
from pipeline.sinks.mqtt.suspect import STRIKES, Suspect
from pipeline.sinks.sink import SinkUnavailableError
from sensor.errors import BandError
from tests.mosquitto_server import OPEN, Mosquitto, free_port
from tests.pipeline.sinks.mqtt.ear import PATIENCE_S, Ear
from tests.told_session import FACTS, rep, session

WELCOME, WELCOME_V5 = bytes.fromhex("20020000"), bytes.fromhex("2003000000")

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


def reps(count: int, first_seq: int = 0) -> list[Told]:
    """Rep events in a row."""
    return [
        Told(seq, seq, 1_768_500_000_000_000 + seq, RepAnnounced(rep(1, seq, 4.0 * seq)))
        for seq in range(first_seq, first_seq + count)
    ]


def told(event: Event, seq: int = 0) -> Told:
    return Told(seq, seq, 1_768_500_000_000_000, event)


def longer_than(count: int, heard: Sequence[object]) -> bool:
    return len(heard) > count


async def connected(sink: MqttSink) -> None:
    await asyncio.wait_for(sink.wait_connected(), PATIENCE_S)


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


def too_big(reps_before: int) -> list[Told]:
    """A set that a limit of 2000 bytes forbids, and a few events around it."""
    events = [each for each in session() if isinstance(each.event, SetClosed)][:1]
    return [*reps(reps_before), replace(events[0], seq=100), *reps(3, 101)]


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
            async with Ear(settings) as ear, MqttSink(settings, presence=False) as sink:
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


def test_a_broker_that_hangs_up_on_everything_finds_nothing_too_big() -> None:
    suspect = Suspect()
    big, small = Message("t", b"x" * 9), Message("t", b"x")
    for _ in range(5):
        for _ in range(STRIKES + 1):
            suspect.lost(big)
        assert (suspect.size_bytes, suspect.guilty(big)) == (9, False)
        suspect.lost(small)
    suspect.taken(small)
    for _ in range(STRIKES):
        suspect.lost(big)
    assert suspect.guilty(big)


def test_more_events_than_fit_at_once_arrive_in_order(open_broker: OpenBroker) -> None:
    events = reps(450)

    async def main() -> None:
        async with open_broker() as settings, Ear(settings) as ear, MqttSink(settings) as sink:
            await sink.deliver(FACTS, events)
            await ear.until(lambda _: len(ear.events()) >= len(events))
            assert [e["id"] for e in ear.events()] == [f"{FACTS.session}/{t.seq}" for t in events]

    asyncio.run(main())


def test_the_bridge_says_online_and_on_a_clean_exit_offline(open_broker: OpenBroker) -> None:
    async def main() -> None:
        async with open_broker() as settings, Ear(settings, "forceband/#") as ear:
            async with MqttSink(settings) as sink:
                sink.show(FACTS, session()[:3])
                await ear.message("forceband/bridge/status", b"online")
                sink.show(FACTS, session()[:3])
                await ear.message("forceband/band-left/status", b"online")
            await ear.message("forceband/band-left/status", b"offline")
            await ear.message("forceband/bridge/status", b"offline")
            async with Ear(settings, "forceband/bridge/status") as late:
                kept = await late.message("forceband/bridge/status")
                assert (kept.payload, kept.retain) == (b"offline", True)

    asyncio.run(main())


def test_one_who_comes_late_finds_status_and_state(open_broker: OpenBroker) -> None:
    async def main() -> None:
        async with open_broker() as settings, MqttSink(settings) as sink:
            await connected(sink)
            sink.show(FACTS, session())
            sink.show(FACTS, [told(Marked("note", "still here"))])
            await sink.deliver(FACTS, reps(1))  # what was shown before is at the broker now
            async with Ear(settings, "forceband/#") as late:
                state = await late.message("forceband/band-left/state")
                status = await late.message("forceband/band-left/status")
                await late.message("forceband/bridge/status", b"online")
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
            MqttSink(settings) as sink,
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
        "async def main():\n"
        "    async with MqttSink(MqttSettings(port=int(sys.argv[1]), protocol=sys.argv[2])):\n"
        "        await asyncio.Event().wait()\n"
        "asyncio.run(main())\n"
    )

    async def main() -> None:
        async with open_broker() as settings, Ear(settings, "forceband/#") as ear:
            process = await asyncio.create_subprocess_exec(
                sys.executable, "-c", program, str(settings.port), settings.protocol
            )
            try:
                await ear.message("forceband/bridge/status", b"online")
            finally:
                os.kill(process.pid, signal.SIGKILL)
                await process.wait()
            await ear.message("forceband/bridge/status", b"offline")

    asyncio.run(main())


def test_commands_are_carried_out_and_answered(open_broker: OpenBroker) -> None:
    async def main() -> None:
        async with (
            open_broker() as settings,
            Ear(settings, "forceband/+/event/command") as ear,
            MqttSink(settings, carried_out) as sink,
        ):
            sink.introduce("band-left")
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
            async with MqttSink(settings, note) as sink:
                sink.introduce("band-left")
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
            MqttSink(settings) as sink,
        ):
            sink.introduce("band-left")
            await ear.message(topic)
            await sink.deliver(FACTS, reps(1))
            count = len(ear.on(topic))
            ear.say("homeassistant/status", "online")
            await ear.until(lambda _: len(ear.on(topic)) > count)
            assert ear.on(topic)[-1] == ear.on(topic)[0]

    asyncio.run(main())


def test_a_sink_without_presence_delivers_and_keeps_silent(open_broker: OpenBroker) -> None:
    async def main() -> None:
        async with open_broker() as settings, Ear(settings, "forceband/#") as ear:
            async with MqttSink(settings, carried_out, presence=False) as sink:
                sink.introduce("band-left")
                sink.show(FACTS, session())
                await sink.deliver(FACTS, reps(3))
            await ear.until(lambda heard: len(heard) >= 3)
            assert {m.topic for m in ear.heard} == {"forceband/band-left/event/rep"}

    asyncio.run(main())


def test_without_a_broker_delivery_says_so_and_showing_drops(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = MqttSettings(port=free_port(), reconnect_max_s=60)

    async def main() -> None:
        async with MqttSink(settings) as sink:
            for _ in range(3):
                with pytest.raises(SinkUnavailableError, match="no MQTT broker listens at") as told:
                    await sink.deliver(FACTS, reps(3))
            assert told.value.retry_after_s is not None
            sink.show(FACTS, session())
            assert sink.dropped > 0
            assert not sink.connected

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())
    assert caplog.text.count("no MQTT broker listens") == 1


def test_nothing_is_lost_or_reordered_when_the_broker_is_killed_again_and_again(
    tmp_path: Path,
) -> None:
    events, batch = reps(1500), 30

    async def produce(sink: MqttSink, ear: Ear) -> None:
        # as delivery does: the cursor moves when the broker has acknowledged
        cursor = 0
        while cursor < len(events):
            await ear.subscribed()
            try:
                await sink.deliver(FACTS, events[cursor : cursor + batch])
            except SinkUnavailableError as error:
                await asyncio.sleep(min(error.retry_after_s or 0.05, 0.2))
            else:
                cursor += batch

    async def main() -> None:
        with Mosquitto(tmp_path) as broker:
            settings = MqttSettings(port=broker.port, reconnect_max_s=0.5)
            # at QoS 0 mosquitto has written to the listener before it acknowledges to us
            async with (
                Ear(settings, "forceband/+/event/rep", qos=0) as ear,
                MqttSink(settings) as sink,
            ):
                delivery = asyncio.create_task(produce(sink, ear))
                for least in (200, 600, 1000):
                    await ear.until(partial(longer_than, least))
                    broker.kill()
                    await ear.lost()
                    broker.start()
                    await ear.subscribed()
                await asyncio.wait_for(delivery, PATIENCE_S)
                await ear.until(lambda _: ear.events()[-1]["id"].endswith("/1499"))
                first = {event["id"]: event for event in reversed(ear.events())}
                assert all(first[event["id"]] == event for event in ear.events())
                ids = list(dict.fromkeys(event["id"] for event in ear.events()))
                assert ids == [f"{FACTS.session}/{t.seq}" for t in events]

    asyncio.run(main())


def test_the_embedded_broker_may_go_and_come_back() -> None:
    async def main() -> None:
        async with EmbeddedBroker() as broker:
            settings = MqttSettings(port=broker.port, reconnect_max_s=0.5)
            sink = MqttSink(settings)
            await sink.__aenter__()
            await sink.deliver(FACTS, reps(5))
        with pytest.raises(SinkUnavailableError):
            await sink.deliver(FACTS, reps(5, 5))
        async with EmbeddedBroker(port=settings.port), Ear(settings, "forceband/#") as ear:
            await ear.message("forceband/bridge/status", b"online")
            await sink.deliver(FACTS, reps(5, 5))
            await ear.until(lambda _: len(ear.events()) == 5)
            await sink.__aexit__(None, None, None)

    asyncio.run(main())


def test_what_is_shown_while_the_broker_is_away_takes_no_memory() -> None:
    settings = MqttSettings(port=free_port(), reconnect_max_s=60)
    samples = [t for t in session() if isinstance(t.event, ForceSamples)]

    async def main() -> None:
        async with MqttSink(settings) as sink:
            with pytest.raises(SinkUnavailableError):
                await sink.check()
            sink.show(FACTS, samples)
            rows = reps(1000)
            tracemalloc.start()
            before, _ = tracemalloc.get_traced_memory()
            for _ in range(10):
                sink.show(FACTS, samples)
                with pytest.raises(SinkUnavailableError):
                    await sink.deliver(FACTS, rows)
            gc.collect()
            after, _ = tracemalloc.get_traced_memory()
            tracemalloc.stop()
            # kept, the messages would hold more than 10 MB
            assert after - before < 100_000

    asyncio.run(main())


def test_live_messages_do_not_pile_up_behind_a_broker_that_reads_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.sinks.mqtt.live.FORCE_EVERY_S", 0.0)

    async def main() -> None:
        async def welcome(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read(2048)
            writer.write(WELCOME)
            writer.transport.pause_reading()  # type: ignore[attr-defined]
            await released.wait()
            writer.close()

        released = asyncio.Event()
        server = await asyncio.start_server(welcome, "127.0.0.1", 0, limit=2048)
        port = server.sockets[0].getsockname()[1]
        samples = [t for t in session() if isinstance(t.event, ForceSamples)]
        async with MqttSink(MqttSettings(port=port)) as sink:
            await connected(sink)
            async with asyncio.timeout(PATIENCE_S):
                while not sink.dropped:
                    sink.show(FACTS, samples)
                    await asyncio.sleep(0)
            released.set()
        server.close()
        await server.wait_closed()

    asyncio.run(main())


@asynccontextmanager
async def false_broker(
    talk: Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]],
) -> AsyncIterator[int]:
    """A listener that is no broker; tells its port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await talk(reader, writer)
        except OSError:
            pass
        finally:
            writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


def test_a_broker_that_acknowledges_nothing_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.sinks.mqtt.link.ACKNOWLEDGE_WITHIN_S", 0.1)
    welcomes = 0

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal welcomes
        welcomes += 1
        writer.write(WELCOME)
        while await reader.read(65536):
            pass

    async def main() -> None:
        async with (
            false_broker(talk) as port,
            MqttSink(MqttSettings(port=port, reconnect_max_s=0.1)) as sink,
        ):
            async with asyncio.timeout(PATIENCE_S):
                while welcomes < 2:
                    await connected(sink)
                    with pytest.raises(SinkUnavailableError, match="did not acknowledge"):
                        await sink.deliver(FACTS, reps(200))

    asyncio.run(main())


def test_one_who_takes_the_connection_and_keeps_silent_is_left(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("pipeline.sinks.mqtt.connection.CONNECT_WITHIN_S", 0.1)
    monkeypatch.setattr("pipeline.sinks.mqtt.connection.WELCOME_WITHIN_S", 0.1)

    async def talk(reader: asyncio.StreamReader, _writer: asyncio.StreamWriter) -> None:
        await reader.read()

    async def main() -> None:
        async with false_broker(talk) as port, MqttSink(MqttSettings(port=port)) as sink:
            with pytest.raises(SinkUnavailableError, match=r"did not answer .* wants TLS"):
                await sink.check()

    asyncio.run(main())


@pytest.mark.parametrize("protocol", ["3.1.1", "5"])
def test_nonsense_from_a_broker_is_survived(protocol: Literal["3.1.1", "5"]) -> None:
    chance = random.Random(7)
    visits, enough = 0, asyncio.Event()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal visits
        visits += 1
        await reader.read(100)
        welcome = WELCOME if protocol == "3.1.1" else WELCOME_V5
        nonsense = chance.randbytes(chance.randrange(60))
        writer.write(welcome + nonsense if visits % 2 else nonsense)
        if visits == 20:
            enough.set()

    async def main() -> None:
        async with false_broker(talk) as port:
            sink = MqttSink(MqttSettings(port=port, protocol=protocol, reconnect_max_s=0.01))
            await sink.__aenter__()
            await asyncio.wait_for(enough.wait(), PATIENCE_S)
        if protocol == "3.1.1":
            async with EmbeddedBroker(port=port):
                await connected(sink)
                await sink.deliver(FACTS, reps(1))
        await sink.__aexit__(None, None, None)

    asyncio.run(main())
