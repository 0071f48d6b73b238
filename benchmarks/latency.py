"""From the band's radio to the eye: how late reps and force are shown.

One process runs everything that `forceband demo` runs: simulated band, virtual radio, recording,
session, embedded broker and page. Measured is from the moment the band hands a notification to its
radio to the moment an MQTT client has the rep message that it caused, and a page has its samples.
Run with `python -m benchmarks.latency`.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import tempfile
import threading
import time
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp
import numpy as np
import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from firmware_sim.band import BandSetup
from firmware_sim.device.sampler import ClockConfig
from firmware_sim.person.workout import SetPlan, Workout
from firmware_sim.radio.air import Air, att_opcode
from firmware_sim.source import SimulatedBand
from pipeline.analysis.types import RepAnnounced
from pipeline.app import run_session
from pipeline.config import load
from pipeline.delivery.session_log import session_recording
from pipeline.session.events import Emitted, ForceSamples
from sensor.ble.source import BleSource
from sensor.bumble_backend import BumbleCentral
from sensor.samples import Channel, Notification
from sensor.source import About, HostClock
from sensor.timeline.ledger import Ledger

NOTIFICATION = 0x1B
QUICK = SetPlan(reps=60, concentric_s=0.5, hold_s=0.2, eccentric_s=0.6, bottom_s=0.3)


class Stopwatch:
    """Knows when each notification was sent, and what it caused."""

    def __init__(self) -> None:
        self.sent: dict[bytes, float] = {}
        self.current_s: float | None = None
        self.rep_cause: dict[int, float] = {}
        self.sample_cause: list[tuple[float, float]] = []
        self.mqtt_ms: list[float] = []
        self.page_ms: list[float] = []
        self.lock = threading.Lock()

    def fault(self, source: Any, destination: Any, pdu: bytes) -> bytes:
        """The air's hook: note when a notification leaves the band."""
        if att_opcode(pdu) == NOTIFICATION:
            self.sent[pdu[7:]] = time.perf_counter()
        return pdu

    def emitted(self, emitted: list[Emitted]) -> None:
        """Note what the current notification caused."""
        if self.current_s is None:
            return
        for each in emitted:
            if isinstance(each.event, RepAnnounced):
                with self.lock:
                    self.rep_cause[each.seq] = self.current_s
            elif isinstance(each.event, ForceSamples):
                self.sample_cause.append((float(each.event.time_s[-1]), self.current_s))

    def heard(self, payload: bytes) -> None:
        """A rep message has arrived."""
        now_s = time.perf_counter()
        message = json.loads(payload)
        sequence = int(str(message["id"]).rpartition("/")[2])
        with self.lock:
            cause_s = self.rep_cause.get(sequence)
        if cause_s is not None:
            self.mqtt_ms.append((now_s - cause_s) * 1000)

    def seen(self, end_s: float) -> None:
        """The page has the curve up to `end_s`."""
        now_s = time.perf_counter()
        while self.sample_cause and self.sample_cause[0][0] <= end_s + 1e-4:
            self.page_ms.append((now_s - self.sample_cause.pop(0)[1]) * 1000)


class Noting:
    """A source that tells the stopwatch which notification is being taken."""

    def __init__(self, source: BleSource, watch: Stopwatch) -> None:
        self._source, self._watch = source, watch

    async def __aenter__(self) -> Self:
        await self._source.__aenter__()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
        /,
    ) -> None:
        await self._source.__aexit__(kind, exc, traceback)

    @property
    def about(self) -> About:
        return self._source.about

    async def stop(self) -> None:
        await self._source.stop()

    def now_us(self) -> int:
        return self._source.now_us()

    def clock_shift_us(self) -> int:
        return self._source.clock_shift_us()

    def follow(self, ledger: Callable[[], Ledger]) -> None:
        self._source.follow(ledger)

    async def __aiter__(self) -> AsyncIterator[Notification]:
        async for notification in self._source:
            force = notification.channel is Channel.FORCE
            self._watch.current_s = (
                self._watch.sent.pop(notification.payload, None) if force else None
            )
            yield notification


async def look_on(url: str, watch: Stopwatch) -> None:
    """Be a page."""
    async with (
        aiohttp.ClientSession() as session,
        session.ws_connect(url + "socket", origin=url.rstrip("/")) as socket,
    ):
        async for message in socket:
            for each in json.loads(message.data):
                if each["type"] == "curve" and each["t"]:
                    watch.seen(each["t"][-1])


async def measure(rate_hz: float, seconds: float, data: Path) -> Stopwatch:
    """One session."""
    watch, clock = Stopwatch(), HostClock()
    air = Air(fault=watch.fault)
    workout = Workout(sets=(QUICK,), lead_in_s=1.0, endless=True)
    setup = BandSetup(workout=workout, clock=ClockConfig(rate_hz=rate_hz), waits=True)
    config = load(flags={"data_dir": data, "web.port": 0, "mqtt.port": 0}, environment={})
    client = mqtt.Client(CallbackAPIVersion.VERSION2)
    client.on_connect = lambda client, *_: client.subscribe("forceband/+/event/rep", qos=1)
    client.on_message = lambda *args: watch.heard(args[2].payload)
    looking: list[asyncio.Task[None]] = []

    def announced(lines: list[str]) -> None:
        url = next(line.split()[-1] for line in lines if line.startswith("live page"))
        address = next(line.split()[-1] for line in lines if line.startswith("MQTT"))
        client.connect_async("127.0.0.1", int(address.rpartition(":")[2]))
        client.loop_start()
        looking.append(asyncio.create_task(look_on(url, watch)))

    async with (
        SimulatedBand(air.transport("band"), setup) as band,
        await BumbleCentral.open(air.transport("central")) as central,
    ):
        source = Noting(BleSource(band.address, central=central, clock=clock), watch)
        with session_recording(config) as log:
            await run_session(
                config,
                source,
                log,
                duration_s=seconds,
                announce=announced,
                on_emitted=watch.emitted,
            )
    await asyncio.gather(*looking)
    client.loop_stop()
    return watch


def main() -> None:
    """Print p50 and p99 for 80 and 1000 Hz."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    args = parser.parse_args()
    for rate_hz in (80.0, 1000.0):
        with tempfile.TemporaryDirectory() as data:
            watch = asyncio.run(measure(rate_hz, args.seconds, Path(data)))
        for name, values in (
            ("rep over MQTT", watch.mqtt_ms),
            ("force in the page", watch.page_ms),
        ):
            p50, p99 = np.percentile(values, (50, 99))
            print(f"{rate_hz:g} Hz, {name}: p50 {p50:.1f} ms, p99 {p99:.1f} ms of {len(values)}")


if __name__ == "__main__":
    main()
