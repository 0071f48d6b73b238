"""What a live session costs: CPU and memory of `forceband live`, beside `forceband record`.

The band runs in a process of its own on a virtual radio over a unix socket. The yardstick of the
same run is `forceband record`: Bluetooth's host stack and the recording alone. A page is looked at
and the embedded broker serves. Run with `python -m benchmarks.cpu`.
"""

from __future__ import annotations

import argparse
import re
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
from aiohttp import ClientSession

SETTLE_S = 10.0


@contextmanager
def running(*words: str, until: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A forceband command, once it has said `until`."""
    with subprocess.Popen(
        [sys.executable, "-m", "pipeline", *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        said = ""
        while until not in said:
            line = process.stderr.readline()
            if not line:
                raise RuntimeError(f"forceband {words[0]} ended: {said}")
            said += line
        drain = threading.Thread(target=process.stderr.read, daemon=True)
        drain.start()
        try:
            yield process, said
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
            drain.join()


async def look_on(url: str, seconds: float) -> None:
    """Be a page for a while."""
    import asyncio

    async with (
        ClientSession() as session,
        session.ws_connect(url + "socket", origin=url.rstrip("/")) as socket,
    ):
        try:
            async with asyncio.timeout(seconds):
                async for _ in socket:
                    pass
        except TimeoutError:
            return


def cost(process: subprocess.Popen[str], seconds: float) -> tuple[float, float]:
    """CPU in ms for each second, and resident MB at the end."""
    watched = psutil.Process(process.pid)
    time.sleep(SETTLE_S)
    before, start_s = watched.cpu_times(), time.monotonic()
    time.sleep(seconds)
    after, passed_s = watched.cpu_times(), time.monotonic() - start_s
    used_s = after.user + after.system - before.user - before.system
    return used_s / passed_s * 1000, watched.memory_info().rss / 2**20


def main() -> None:
    """Print the cost at 80 and 1000 Hz."""
    import asyncio

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    args = parser.parse_args()
    for rate_hz in ("80", "1000"):
        found = {}
        for command in ("record", "live"):
            with tempfile.TemporaryDirectory() as folder:
                air = f"unix:{folder}/air"
                flags = ["--transport", air, "--data", folder]
                if command == "live":
                    flags += ["--http-port", "0", "--mqtt-port", "0"]
                with (
                    running(
                        "sim",
                        "--transport",
                        air,
                        "--rate",
                        rate_hz,
                        "--endless",
                        until="advertises",
                    ),
                    running(command, *flags, until="looking for the band") as (process, said),
                ):
                    url = re.search(r"live page +(\S+)", said)
                    if url is not None:
                        watching = threading.Thread(
                            target=lambda u: asyncio.run(look_on(u, SETTLE_S + args.seconds)),
                            args=(url[1],),
                        )
                        watching.start()
                    found[command] = cost(process, args.seconds)
                    if url is not None:
                        watching.join()
                assert list(Path(folder).glob("*.forceband"))
        (record_ms, record_mb), (live_ms, live_mb) = found["record"], found["live"]
        print(
            f"{rate_hz} Hz: live {live_ms:.1f} ms of CPU a second, {live_mb:.0f} MB; "
            f"record {record_ms:.1f} ms, {record_mb:.0f} MB; ratio {live_ms / record_ms:.1f}"
        )


if __name__ == "__main__":
    main()
