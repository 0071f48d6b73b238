"""What the live page costs: CPU of its server, and how late a page hears of an event.

python -m benchmarks.page [--seconds N]

The yardstick is `json.dumps` of the same samples, as lists, in the same run: whoever sends samples
to a browser pays at least that, once for each viewer if he does not share the text.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass

import aiohttp
import numpy as np

from pipeline.analysis.types import LiveState, Phase
from pipeline.session.events import Emitted, ForceSamples
from pipeline.session.facts import SessionFacts
from pipeline.sinks.page.web import WebSink

FACTS = SessionFacts("bench", "bench")
EVENTS_PER_S = 20
RATES_HZ = (80, 1000)
VIEWERS = (0, 1, 20)


@dataclass(frozen=True, slots=True)
class Cost:
    """CPU as share of one core; delay from the event to a page in another process, in ms."""

    rate_hz: int
    viewers: int
    cpu_pct: float
    yardstick_pct: float
    p50_ms: float
    p99_ms: float


def samples(rate_hz: int, turn: int) -> ForceSamples:
    """A twentieth of a second."""
    count = rate_hz // EVENTS_PER_S
    index = np.arange(turn * count, (turn + 1) * count)
    time_s = index / rate_hz
    force_n = 60 + 50 * np.sin(1.5 * time_s) + 0.3 * np.sin(71 * time_s)
    return ForceSamples(int(index[0]), time_s, force_n, (time_s * 1e6).astype(int), 0, False)


def state_now(turn: int) -> LiveState:
    """The live state, with the sender's clock as its time."""
    return LiveState(time.monotonic(), 60.0, Phase.HOLD, 1, turn // 60, None)


async def look_on(url: str, viewers: int) -> None:
    """Be `viewers` pages; print the delays in ms of one of them when the server ends."""
    delays: list[float] = []

    async def one(session: aiohttp.ClientSession, first: bool) -> None:
        async with session.ws_connect(url + "socket", origin=url.rstrip("/")) as channel:
            async for frame in channel:
                if first:
                    now_s = time.monotonic()
                    for message in json.loads(frame.data):
                        if message["type"] == "state":
                            delays.append((now_s - message["time_s"]) * 1000)

    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector) as session, asyncio.TaskGroup() as group:
        for number in range(viewers):
            group.create_task(one(session, number == 0))
    sys.stdout.write(json.dumps(delays))


async def measure(rate_hz: int, viewers: int, seconds: float) -> Cost:
    """Run the page's server in real time with its viewers in a process of their own."""
    async with WebSink() as sink:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "benchmarks.page", "--look-on", sink.url, str(viewers),
            stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        while sink.viewers < viewers:  # noqa: ASYNC110 (measured only after all are there)
            await asyncio.sleep(0.05)
        turns = round(seconds * EVENTS_PER_S)
        blocks = [samples(rate_hz, turn) for turn in range(turns)]
        begin_s, cpu_s = time.monotonic(), time.process_time()
        for turn, block in enumerate(blocks):
            emitted = [Emitted(0, 0, 0, block), Emitted(0, 0, 0, state_now(turn))]
            sink.show(FACTS, emitted)
            await asyncio.sleep(max(0.0, begin_s + (turn + 1) / EVENTS_PER_S - time.monotonic()))
        wall_s, cpu_s = time.monotonic() - begin_s, time.process_time() - cpu_s
    out, _ = await process.communicate()
    delays_ms = json.loads(out) or [float("nan")]
    return Cost(
        rate_hz,
        viewers,
        100 * cpu_s / wall_s,
        100 * yardstick_s(blocks) / wall_s,
        float(np.percentile(delays_ms, 50)),
        float(np.percentile(delays_ms, 99)),
    )


def yardstick_s(blocks: Sequence[ForceSamples]) -> float:
    """CPU seconds of `json.dumps` of all the samples, as they came."""
    begin_s = time.process_time()
    for block in blocks:
        json.dumps({"t": block.time_s.tolist(), "n": block.force_n.tolist()})
    return time.process_time() - begin_s


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=10.0)
    parser.add_argument("--look-on", nargs=2, metavar=("URL", "VIEWERS"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.look_on:
        asyncio.run(look_on(options.look_on[0], int(options.look_on[1])))
        return
    print("| Hz | viewers | CPU % | json.dumps % | ratio | delay p50 / p99 ms |")
    print("|---|---|---|---|---|---|")
    for rate_hz in RATES_HZ:
        for viewers in VIEWERS:
            cost = asyncio.run(measure(rate_hz, viewers, options.seconds))
            ratio = cost.cpu_pct / cost.yardstick_pct
            print(
                f"| {rate_hz} | {viewers} | {cost.cpu_pct:.1f} | {cost.yardstick_pct:.2f} "
                f"| {ratio:.0f} | {cost.p50_ms:.0f} / {cost.p99_ms:.0f} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
