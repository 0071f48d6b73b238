"""What the sink does while its broker is away, hangs or talks nonsense."""

from __future__ import annotations

import asyncio
import gc
import logging
import random
import tracemalloc
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Literal

import pytest

from pipeline.broker import EmbeddedBroker
from pipeline.session.events import ForceSamples
from pipeline.sinks.mqtt.settings import MqttSettings
from pipeline.sinks.mqtt.sink import MqttSink
from pipeline.sinks.sink import SinkUnavailableError
from tests.example_session import FACTS, reps, session
from tests.mosquitto_server import Mosquitto, free_port
from tests.pipeline.sinks.mqtt.ear import PATIENCE_S, Ear, connected

WELCOME, WELCOME_V5 = bytes.fromhex("20020000"), bytes.fromhex("2003000000")


def longer_than(count: int, heard: Sequence[object]) -> bool:
    return len(heard) > count


def test_without_a_broker_delivery_says_so_and_showing_drops(
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = MqttSettings(port=free_port(), reconnect_max_s=60)

    async def main() -> None:
        async with MqttSink(settings, device="band-left") as sink:
            for _ in range(3):
                with pytest.raises(
                    SinkUnavailableError, match="no MQTT broker listens at"
                ) as raised:
                    await sink.deliver(FACTS, reps(3))
            assert raised.value.retry_after_s is not None
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
            await connected(sink)
            await sink.deliver(FACTS, reps(5, 5))
            await ear.until(lambda _: len(ear.events()) == 5)
            await sink.__aexit__(None, None, None)

    asyncio.run(main())


def test_what_is_shown_while_the_broker_is_away_takes_no_memory() -> None:
    settings = MqttSettings(port=free_port(), reconnect_max_s=60)
    samples = [t for t in session() if isinstance(t.event, ForceSamples)]

    async def main() -> None:
        async with MqttSink(settings, device="band-left") as sink:
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
    monkeypatch.setattr("pipeline.sinks.mqtt.feed.FORCE_EVERY_S", 0.0)

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
        async with MqttSink(MqttSettings(port=port), device="band-left") as sink:
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
        async with (
            false_broker(talk) as port,
            MqttSink(MqttSettings(port=port), device="band-left") as sink,
        ):
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
