"""A long session with faults: memory stays flat, and nothing is lost.

    python -m benchmarks.endurance [--hours 8]          at full speed, without a radio
    python -m benchmarks.endurance --realtime 3600      over the virtual radio, in real time

At full speed the band's firmware and the client's repairs run as in a session, with notifications
dropped, damaged and held up and an absence of 30 s each quarter of an hour. They go through
recorder, session, the page's state, and deliveries to sinks that make MQTT's messages and
InfluxDB's lines and count them. In real time everything is what `forceband live` runs, embedded
broker and page included; InfluxDB is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from benchmarks.report import table
from firmware_sim.band import Band, BandSetup
from firmware_sim.offline import Radio, notifications
from firmware_sim.person.workout import Workout
from firmware_sim.radio.air import Air
from firmware_sim.radio.faults import Chances, Faults
from firmware_sim.source import SimulatedBand
from pipeline.analysis.types import SetClosed
from pipeline.app import run_session
from pipeline.config import load
from pipeline.delivery.delivery import Delivery
from pipeline.delivery.recorder import Recorder
from pipeline.delivery.session_log import session_recording
from pipeline.files.samples import read_session
from pipeline.session.events import Emitted, ForceSamples
from pipeline.session.facts import SessionFacts
from pipeline.session.session import Session
from pipeline.sinks.influx.lines import WRITTEN, lines
from pipeline.sinks.mqtt.messages import EVENTS, event_message
from pipeline.sinks.page.state import PageState
from pipeline.sinks.sink import Rejected
from sensor.ble.source import BleSource
from sensor.bumble_backend import BumbleCentral
from sensor.recording.log import Recording
from sensor.samples import Channel
from sensor.source import HostClock
from sensor.wire.profile import Opcode, Response

FAULTS = Chances(drop=0.02, corrupt=0.01, stall=0.002, stall_s=2.0)
AWAY_EVERY_S, AWAY_S = 900.0, 30.0
YIELD_EVERY = 50
FACTS = SessionFacts("endurance", "band")


@dataclass
class Memory:
    """Resident memory of this process, over the session."""

    samples: list[tuple[float, float]] = field(default_factory=list)

    def note(self, session_s: float) -> None:
        self.samples.append((session_s, psutil.Process().memory_info().rss / 2**20))

    def rows(self, count: int = 9) -> Iterator[list[str]]:
        step = max(len(self.samples) // (count - 1), 1)
        for at_s, mib in [*self.samples[:-1:step], self.samples[-1]]:
            yield [f"{at_s / 3600:.2f} h", f"{mib:.1f}"]

    @property
    def growth_mib_per_h(self) -> float:
        """Slope by least squares over the later three quarters."""
        later = self.samples[len(self.samples) // 4 :]
        n = len(later)
        mean_h = sum(at_s for at_s, _ in later) / 3600 / n
        mean_mib = sum(mib for _, mib in later) / n
        over = sum((at_s / 3600 - mean_h) * (mib - mean_mib) for at_s, mib in later)
        under = sum((at_s / 3600 - mean_h) ** 2 for at_s, _ in later)
        return over / under if under else 0.0


class Counting:
    """A durable sink that makes what it would send, acknowledges it, and counts."""

    unit = "messages"

    def __init__(self, name: str, durable: tuple[type, ...]) -> None:
        self.name, self.durable = name, durable
        self.sent = self.force_samples = self.final_reps = 0
        self.last_seq = -1

    async def deliver(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> Sequence[Rejected]:
        for each in emitted:
            assert each.seq > self.last_seq, "out of order or twice"
            self.last_seq = each.seq
            if self.name == "mqtt":
                self.sent += event_message("forceband", facts, each) is not None
            else:
                self.sent += len(lines(facts, each))
            if isinstance(each.event, ForceSamples):
                self.force_samples += each.event.force_n.size
            elif isinstance(each.event, SetClosed):
                self.final_reps += len(each.event.reps)
        return ()


class Page:
    """The live page's state, shown to nobody."""

    def __init__(self) -> None:
        self.state = PageState()

    def show(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> None:
        self.state.switch(facts)
        for each in emitted:
            self.state.take_in(each)
        self.state.curve.take()


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a long session came to."""

    seconds: float
    took_s: float
    sent: int
    stored: int
    missing: int
    told_samples: int
    told_reps: int
    pulled: int
    cut_off: int
    """Reps that the end of the session cut off; they count if they came far enough."""
    found_again: int
    file_mib: float
    memory: Memory

    @property
    def complete(self) -> bool:
        whole = self.sent == self.stored == self.told_samples and not self.missing
        return whole and self.told_reps == self.found_again

    def report(self) -> str:
        growth = self.memory.growth_mib_per_h
        facts = [
            ["session", f"{self.seconds / 3600:.2f} h in {self.took_s:.0f} s"],
            ["samples sent by the band", str(self.sent)],
            ["in the recording", str(self.stored)],
            ["delivered", str(self.told_samples)],
            ["named as lost", str(self.missing)],
            ["reps pulled, cut off by the end", f"{self.pulled}, {self.cut_off}"],
            ["reps told, reps computed again", f"{self.told_reps}, {self.found_again}"],
            ["recording", f"{self.file_mib:.1f} MiB"],
            ["memory grows by", f"{growth:.2f} MiB/h after the first quarter"],
        ]
        return "\n\n".join(
            (table(["", ""], facts), table(["Session", "RSS, MiB"], self.memory.rows()))
        )


async def at_full_speed(hours: float, folder: Path) -> Outcome:
    """A session without waiting: the recorder is fed as fast as it takes."""
    seconds = hours * 3600
    band = Band(BandSetup(seed=11, workout=Workout(endless=True)))
    outages = tuple(
        (k * AWAY_EVERY_S, AWAY_S) for k in range(1, int((seconds - AWAY_S) // AWAY_EVERY_S) + 1)
    )
    began_s, memory, session = time.perf_counter(), Memory(), Session()
    mqtt, influx = Counting("mqtt", EVENTS), Counting("influx", WRITTEN)
    with Recording.create(folder / "endurance.forceband", {"session": "endurance"}) as recording:
        deliveries = [Delivery(recording, sink, FACTS) for sink in (mqtt, influx)]
        recorder = Recorder(
            recording,
            session,
            FACTS,
            live_sinks=[Page()],
            deliveries=deliveries,
            now_us=lambda: 0,
            notice=lambda level, text: print(f"{level}: {text}", file=sys.stderr),
        )
        running = [asyncio.create_task(each.run()) for each in deliveries]
        first_us, next_s = 0, 0.0
        for number, each in enumerate(notifications(band, seconds, Radio(FAULTS, outages))):
            recorder.take(each)
            if number % YIELD_EVERY == 0:
                await asyncio.sleep(0)
            first_us = first_us or each.received_us
            at_s = (each.received_us - first_us) / 1e6
            if at_s >= next_s:
                memory.note(at_s)
                recording.sync()
                next_s += max(seconds / 64, 10.0)
        for delivery in deliveries:
            delivery.close()
        await asyncio.gather(*running)
        memory.note(seconds)
        took_s = time.perf_counter() - began_s
        bounds = _bounds(recording)  # it samples on while the last resends come
    return _outcome(folder, seconds, took_s, band, (bounds[0], bounds[-1]), influx, memory)


async def in_real_time(seconds: float, folder: Path) -> Outcome:
    """A session over the virtual radio with faults, its broker embedded, its lines counted."""
    memory, clock, air = Memory(), HostClock(), Air(Faults(FAULTS, seed=5))
    transport = air.transport("band")
    setup = BandSetup(seed=11, workout=Workout(endless=True), waits=True)
    config = load(flags={"data_dir": folder, "web.port": 0, "mqtt.port": 0}, environment={})
    counted = Counting("influx", WRITTEN)
    began_s = time.perf_counter()
    bounds: list[int] = []

    def emitted(events: list[Emitted]) -> None:
        for each in events:
            if isinstance(each.event, ForceSamples):
                counted.force_samples += each.event.force_n.size

    async def disturb() -> None:
        while True:
            memory.note(time.perf_counter() - began_s)
            await asyncio.sleep(max(seconds / 8, 10.0) - AWAY_S / 3)
            air.out_of_range(transport.source)
            await asyncio.sleep(AWAY_S / 3)
            air.back_in_range(transport.source)

    async with AsyncExitStack() as stack:
        band = await stack.enter_async_context(SimulatedBand(transport, setup))
        central = await stack.enter_async_context(await BumbleCentral.open(air.transport("host")))
        source = BleSource(central=central, clock=clock)
        log = stack.enter_context(session_recording(config))
        assert log.recording is not None
        disturbing = asyncio.create_task(disturb())
        outcome = await run_session(config, source, log, duration_s=seconds, on_emitted=emitted)
        disturbing.cancel()
        counted.final_reps = sum(len(each.reps) for each in outcome.session.sets)
        memory.note(time.perf_counter() - began_s)
        bounds += _bounds(log.recording)
        simulated = band.band
    took_s = time.perf_counter() - began_s
    return _outcome(folder, seconds, took_s, simulated, (bounds[0], bounds[-1]), counted, memory)


def _bounds(recording: Recording) -> list[int]:
    """Where the band says that it started and stopped."""
    answers = [
        Response.from_bytes(each.payload)
        for each in recording.others()
        if each.channel is Channel.RESPONSE
    ]
    indices = [each.next_sample() for each in answers if each.opcode in (Opcode.START, Opcode.STOP)]
    return [each for each in indices if each is not None]


def _outcome(
    folder: Path,
    seconds: float,
    took_s: float,
    band: Band,
    bounds: tuple[int, int],
    influx: Counting,
    memory: Memory,
) -> Outcome:
    (path,) = folder.glob("*.forceband")
    with Recording.open(path) as recording:
        read = read_session(recording)
    # The person goes on while the last resends come.
    stopped_s = band.firmware.sample_time_s(bounds[1])
    pulls = [each for each in band.truth() if each.counted and each.start_s < stopped_s]
    return Outcome(
        seconds,
        took_s,
        bounds[1] - bounds[0],
        int(read.time_s.size),
        read.missing,
        influx.force_samples,
        influx.final_reps,
        sum(each.end_s <= stopped_s for each in pulls),
        sum(each.end_s > stopped_s for each in pulls),
        len(read.analysis.reps),
        path.stat().st_size / 2**20,
        memory,
    )


def main() -> int:
    """Print the figures; 1 if a sample or a rep went missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=float, default=8.0)
    parser.add_argument("--realtime", type=float, metavar="S", help="in real time, for S seconds")
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if args.realtime:
            outcome = asyncio.run(in_real_time(args.realtime, folder))
        else:
            outcome = asyncio.run(at_full_speed(args.hours, folder))
    print(outcome.report())
    return 0 if outcome.complete else 1


if __name__ == "__main__":
    sys.exit(main())
