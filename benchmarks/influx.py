"""Points per second into a real InfluxDB 1.6: the sink against the bare client.

    python -m benchmarks.influx

One hour at 80 Hz goes through `InfluxSink` (events to lines, batches, threads), and through
influxdb-client with the same lines joined beforehand: the yardstick. Both are gzipped and pass the
same double in another process, so their ratio is what counts.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import statistics
import tempfile
import time
from multiprocessing.connection import Connection
from pathlib import Path

import numpy as np
from influxdb_client.client.write_api import SYNCHRONOUS
from influxdb_client.domain.write_precision import WritePrecision

from pipeline.session.events import Emitted, ForceSamples
from pipeline.session.facts import SessionFacts
from pipeline.sinks.influx.lines import lines
from pipeline.sinks.influx.settings import InfluxSettings, connect
from pipeline.sinks.influx.sink import InfluxSink
from tests.influx_double import InfluxDouble
from tests.influx_server import running_influxd

RATE_HZ, HOURS, PER_EVENT, ROUNDS = 80, 1, 16, 5
FACTS = SessionFacts("s-1", "band-left", "left")


def hour() -> list[Emitted]:
    """Force of one-second pulls with noise, as a session tells it."""
    rng = np.random.default_rng(1)
    size = RATE_HZ * 3600 * HOURS
    time_s = np.arange(size) / RATE_HZ
    force_n = 90 - 80 * np.cos(2 * np.pi * time_s / 4) + rng.normal(0, 0.1, size)
    utc_us = 1_768_500_000_000_000 + np.round(time_s * 1e6).astype(np.int64)
    emitted = []
    for seq, first in enumerate(range(0, size, PER_EVENT)):
        part = slice(first, first + PER_EVENT)
        samples = ForceSamples(first, time_s[part], force_n[part], utc_us[part], 0, False)
        emitted.append(Emitted(seq, seq, int(utc_us[part][-1]), samples))
    return emitted


def through_sink(settings: InfluxSettings, emitted: list[Emitted]) -> float:
    """Seconds until all is acknowledged."""

    async def main() -> float:
        async with InfluxSink(settings) as sink:
            await sink.deliver(FACTS, emitted[:1])  # imports and connection
            start_s = time.perf_counter()
            await sink.deliver(FACTS, emitted)
            return time.perf_counter() - start_s

    return asyncio.run(main())


def through_client(settings: InfluxSettings, batches: list[str]) -> float:
    """Seconds until all is acknowledged."""
    client = connect(settings)
    api = client.write_api(write_options=SYNCHRONOUS)
    start_s = time.perf_counter()
    for batch in batches:
        api.write(
            settings.bucket,
            settings.org,
            batch,
            write_precision=WritePrecision.US,  # type: ignore[arg-type]  # a str at run time
        )
    passed_s = time.perf_counter() - start_s
    client.close()  # type: ignore[no-untyped-call]
    return passed_s


def serve(upstream: str, ready: Connection) -> None:
    """Run the double until the process is ended."""

    async def main() -> None:
        async with InfluxDouble(upstream) as double:
            ready.send(double.url)
            await asyncio.Event().wait()

    asyncio.run(main())


def main() -> None:
    """Print the figures."""
    emitted = hour()
    start_s = time.perf_counter()
    written = [line for one in emitted for line in lines(FACTS, one)]
    lines_s = time.perf_counter() - start_s
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder, running_influxd(Path(folder)) as server:
        server.create("bench")
        here, there = multiprocessing.Pipe()
        double = multiprocessing.Process(target=serve, args=(server.url, there), daemon=True)
        double.start()
        settings = InfluxSettings(here.recv(), "home", "bench", "secret-token")
        size = settings.batch_lines
        batches = ["\n".join(written[i : i + size]) for i in range(0, len(written), size)]
        for _ in range(ROUNDS):
            theirs.append(through_client(settings, batches))
            ours.append(through_sink(settings, emitted))
        (row,) = server.rows('SELECT count("force_n") FROM "force"', "bench")
        double.terminate()
        double.join()
    points = len(written)
    sink_s, client_s = statistics.median(ours), statistics.median(theirs)
    ratio = statistics.median(a / b for a, b in zip(ours, theirs, strict=True))
    print(f"{points} points, {sum(map(len, batches)) / 1e6:.1f} MB; stored once: {row['count']}")
    print(f"lines alone     {points / lines_s:10.0f} points/s")
    print(f"bare client     {points / client_s:10.0f} points/s")
    print(f"InfluxSink      {points / sink_s:10.0f} points/s")
    print(f"sink / client   {ratio:10.2f} times the seconds, median of {ROUNDS} rounds")


if __name__ == "__main__":
    main()
