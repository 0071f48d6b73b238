"""Rep events through a broker at QoS 1, end to end, against plain paho; memory without a broker.

Both publish the same bytes to the same broker in the same run, and a subscriber of its own process
counts them. Plain paho publishes all at once and waits for the acknowledgements; the sink also
makes the JSON. Run with `python -m benchmarks.mqtt`; mosquitto is skipped where it is absent.
"""

from __future__ import annotations

import argparse
import asyncio
import multiprocessing
import shutil
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from multiprocessing.queues import Queue
from pathlib import Path

import paho.mqtt.client as mqtt
import psutil
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.analysis.types import RepAnnounced
from pipeline.broker import EmbeddedBroker
from pipeline.session.events import Emitted, ForceSamples
from pipeline.sinks.mqtt.messages import event_message
from pipeline.sinks.mqtt.settings import MqttSettings
from pipeline.sinks.mqtt.sink import MqttSink
from pipeline.sinks.sink import SinkUnavailableError
from tests.example_session import FACTS, START_US, rep, session
from tests.mosquitto_server import Mosquitto, free_port

DELIVERY = 500
"""Events that delivery hands to a sink at a time."""


def events(count: int) -> list[Emitted]:
    """Rep events, about 600 B each as JSON."""
    return [Emitted(n, n, START_US + n, RepAnnounced(rep(1, n, 4.0 * n))) for n in range(count)]


def count_messages(port: int, count: int, moments: Queue[float]) -> None:
    """In a process of its own: tell when we listen, and when the last message came."""
    left = count

    def take(client: mqtt.Client, _data: object, _message: mqtt.MQTTMessage) -> None:
        nonlocal left
        left -= 1
        if not left:
            moments.put(time.monotonic())
            client.disconnect()

    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda client, *_: client.subscribe("forceband/+/event/#", 1)
    client.on_subscribe = lambda *_: moments.put(time.monotonic())
    client.on_message = take
    client.connect("127.0.0.1", port)
    client.loop_forever()


async def with_sink(settings: MqttSettings, emitted: list[Emitted]) -> None:
    """Deliver as the product does."""
    async with MqttSink(settings) as sink:
        for start in range(0, len(emitted), DELIVERY):
            await sink.deliver(FACTS, emitted[start : start + DELIVERY])


async def with_paho(settings: MqttSettings, emitted: list[Emitted]) -> None:
    """Publish the same bytes with nothing around paho."""
    messages = [m for m in (event_message("forceband", FACTS, t) for t in emitted) if m is not None]

    def publish() -> None:
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.connect(settings.host, settings.port)
        client.loop_start()
        infos = [client.publish(m.topic, m.payload, 1) for m in messages]
        for info in infos:
            info.wait_for_publish()
        client.disconnect()
        client.loop_stop()

    await asyncio.to_thread(publish)


async def rate(
    publish: Callable[[MqttSettings, list[Emitted]], Awaitable[None]],
    settings: MqttSettings,
    emitted: list[Emitted],
) -> float:
    """Messages a second, from the first publish to the last arrival."""
    context = multiprocessing.get_context("spawn")
    moments: Queue[float] = context.Queue()
    listener = context.Process(target=count_messages, args=(settings.port, len(emitted), moments))
    listener.start()
    await asyncio.to_thread(moments.get, True, 30)
    began_s = time.monotonic()
    await publish(settings, emitted)
    ended_s = await asyncio.to_thread(moments.get, True, 120)
    await asyncio.to_thread(listener.join)
    return len(emitted) / (ended_s - began_s)


async def compare(name: str, settings: MqttSettings, count: int, runs: int) -> None:
    """Print both rates and the median of their ratios."""
    emitted, ours, theirs = events(count), [], []
    for _ in range(runs):
        ours.append(await rate(with_sink, settings, emitted))
        theirs.append(await rate(with_paho, settings, emitted))
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(
        f"{name}: sink {statistics.median(ours):.0f}/s, plain paho "
        f"{statistics.median(theirs):.0f}/s, ratio {ratio:.2f}"
    )


async def memory_without_broker(hours: float) -> None:
    """Show a session of that length, and try to deliver it, with nobody listening."""
    samples = [t for t in session() if isinstance(t.event, ForceSamples)]
    reps, process = events(1000), psutil.Process()
    rounds = round(hours * 3600 / 66)
    async with MqttSink(MqttSettings(port=free_port()), device="band-left") as sink:
        sizes = []
        for done in range(rounds):
            sink.show(FACTS, samples)
            try:
                await sink.deliver(FACTS, reps)
            except SinkUnavailableError:
                await asyncio.sleep(0)
            if done in (rounds // 10, rounds - 1):
                sizes.append(process.memory_info().rss / 1e6)
        print(
            f"broker away, {hours:g} h of samples shown, {rounds} deliveries tried: "
            f"{sizes[0]:.1f} MB after a tenth, {sizes[1]:.1f} MB at the end; "
            f"{sink.dropped} live messages dropped"
        )


async def run(count: int, runs: int, hours: float) -> None:
    """Everything, one after the other."""
    await memory_without_broker(hours)
    async with EmbeddedBroker() as broker:
        await compare("embedded", MqttSettings(port=broker.port), count, runs)
    if shutil.which("mosquitto", path="/usr/sbin:/usr/bin:/usr/local/sbin") is None:
        print("mosquitto: not installed")
        return
    with tempfile.TemporaryDirectory() as folder, Mosquitto(Path(folder)) as server:
        await compare("mosquitto", MqttSettings(port=server.port), count, runs)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=10_000)
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--hours", type=float, default=8.0)
    args = parser.parse_args()
    asyncio.run(run(args.messages, args.runs, args.hours))


if __name__ == "__main__":
    main()
