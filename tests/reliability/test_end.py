"""A band that dies, and a session that ends without it: all are told of a gap without a count."""

from __future__ import annotations

import asyncio
import re
import time
from pathlib import Path

from pipeline.delivery.outlets import mqtt_settings
from pipeline.files.samples import read_session
from sensor.recording.log import Recording
from tests.influx_double import InfluxDouble
from tests.mosquitto_server import Mosquitto
from tests.pipeline.sinks.mqtt.ear import Ear
from tests.reliability.conftest import Note
from tests.reliability.processes import environment, session, simulated_band
from tests.reliability.world import (
    Account,
    Servers,
    count_influx,
    count_messages,
    count_recording,
    server_config,
)

WITHOUT_S = 5.0
"""How long the session goes on without its band."""


def life(folder: Path, env: dict[str, str]) -> tuple[Path, str]:
    """A session from its first sample to its end without the band; its file and its summary."""
    data, socket = folder / "data", folder / "air"
    with (
        simulated_band(socket) as band,
        session(data, socket, command="live", env=env) as running,
    ):
        running.has(60)
        band.kill()
        band.wait()
        time.sleep(WITHOUT_S)
        return running.path, running.end()


def test_an_end_without_the_band_is_told_by_summary_file_mqtt_and_influxdb(
    servers: Servers, tmp_path: Path, note: Note
) -> None:
    found = Account()
    servers.influxd.create("without")

    async def main() -> None:
        with Mosquitto(tmp_path) as broker:
            async with InfluxDouble(servers.influxd.url) as influx:
                config = server_config(broker, influx, "without")
                async with Ear(mqtt_settings(config), "forceband/+/event/#") as ear:
                    path, summary = await asyncio.to_thread(life, tmp_path, environment(config))
                    await ear.until(lambda _: any("duration_s" in e for e in ear.events()))
                    check(path, summary, ear)

    def check(path: Path, summary: str, ear: Ear) -> None:
        with Recording.open(path) as recording:
            assert recording.ended
            count_recording(recording, found)
            read = read_session(recording)
        gap = read.analysis.gaps[-1]
        assert gap.missing is None
        assert gap.start_s == float(read.time_s[-1])
        assert gap.end_s - gap.start_s > WITHOUT_S
        assert all(each.missing for each in read.analysis.gaps[:-1])

        ends = f"{gap.start_s:.2f}-{gap.end_s:.2f} s"
        assert f"gap: an unknown number of samples at {ends}" in summary, summary
        assert "wait in the recording" not in summary

        told = [each for each in ear.on("forceband/band/event/gap") if each["missing"] is None]
        assert [(each["start_s"], each["end_s"]) for each in told] == [(gap.start_s, gap.end_s)]

        query = "SELECT * FROM link WHERE event = 'gap'"
        points = servers.influxd.rows(query, "without")
        unknown = [each for each in points if each["text"] == "some samples lost"]
        assert len(unknown) == 1
        lasted_s = gap.end_s - gap.start_s
        assert abs(unknown[0]["gap_ms"] - 1000 * lasted_s) < 1
        assert len(points) == len(read.analysis.gaps)

        count_influx(servers.influxd, "without", found)
        count_messages(ear.events(), found)
        found.sent = len(found.recorded) + found.missing
        found.pulled = len(found.computed)
        found.check()
        recorded = re.search(r"recorded (\d+) samples", summary)
        assert recorded is not None
        assert int(recorded[1]) == len(found.recorded)

    asyncio.run(main())
    note(f"band killed {WITHOUT_S:g} s before the end", found, "sent and pulled: what came")
