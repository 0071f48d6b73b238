"""A stranger's file, imported: history, export, replay and both servers say what the file says.

Import, replay and delivery are processes of their own, mosquitto and InfluxDB are real, the latter
behind a double that adds the write path of InfluxDB 2.
"""

from __future__ import annotations

import asyncio
import csv
import json
import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.__main__ import main
from pipeline.sinks.mqtt.settings import MqttSettings
from tests.influx_double import InfluxDouble
from tests.influx_server import running_influxd
from tests.mosquitto_server import Mosquitto
from tests.pipeline.signals import pulls
from tests.pipeline.sinks.mqtt.ear import Ear

BEGAN = datetime(2026, 3, 14, 17, 5, 9, 250000, UTC)
FORCE_N = pulls(sets=2, reps=4)
WRITTEN_KG = np.round(FORCE_N / 9.80665, 3)
WHEN = [BEGAN + timedelta(seconds=k / 80) for k in range(FORCE_N.size)]
GAP = range(2000, 2160)
"""Samples that the file lacks, in the rest between the sets."""
KEPT = [k for k in range(FORCE_N.size) if k not in GAP]


def ran(*args: object, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, "-m", "pipeline", *map(str, args)],
        capture_output=True, text=True, check=False, timeout=90, env={**os.environ, **(env or {})},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The recording of a spreadsheet's export with decimal commas."""
    folder = tmp_path_factory.mktemp("imported")
    kg = [f"{WRITTEN_KG[k]:.3f}".replace(".", ",") for k in KEPT]
    lines = [f"{WHEN[k]:%Y-%m-%dT%H:%M:%S.%f}Z;{kg[at]}" for at, k in enumerate(KEPT)]
    text = "Gerät: Waage\n\nZeitpunkt;Zugkraft (kg)\n" + "\n".join(lines)
    (folder / "pulls.csv").write_text(text, "cp1252")
    done = ran("import", folder / "pulls.csv", "--data", folder, "--name", "scale")
    assert "kg from 'Zugkraft (kg)', 80.0 Hz" in done.stderr
    return Path(done.stdout.strip())


def test_history_export_and_replay_are_those_of_the_file(
    imported: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sessions", "--data", str(imported.parent), "--json"]) == 0
    listed = json.loads(capsys.readouterr().out)
    assert (listed["sets"], listed["reps"]) == (2, 8)
    assert main(["export", str(imported), "--out", str(tmp_path / "out.csv")]) == 0
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    time_s = np.array([float(row["time_s"]) for row in rows])
    force_n = np.array([float(row["force_n"]) for row in rows])
    assert np.abs(time_s - np.array(KEPT) / 80).max() < 1e-5
    assert np.abs(force_n - WRITTEN_KG[KEPT] * 9.80665).max() < 0.005
    told = ran("replay", imported, "--speed", "max", "--no-page").stdout
    sets = [line.split()[:2] for line in told.splitlines() if line[:4].strip().isdigit()]
    assert sets == [["1", "4"], ["2", "4"]]


def test_both_servers_hold_what_the_file_says(imported: Path, tmp_path: Path) -> None:
    with Mosquitto(tmp_path) as broker, running_influxd(tmp_path) as influxd:
        influxd.create("forceband")

        async def delivered() -> Ear:
            async with (
                Ear(MqttSettings(host=broker.host, port=broker.port)) as ear,
                InfluxDouble(influxd.url) as double,
            ):
                env = {
                    "FORCEBAND_MQTT_HOST": broker.host,
                    "FORCEBAND_MQTT_PORT": str(broker.port),
                    "FORCEBAND_INFLUX_URL": double.url,
                    "FORCEBAND_INFLUX_TOKEN": double.token,
                }
                await asyncio.to_thread(ran, "deliver", "--data", imported.parent, env=env)
                await ear.until(lambda _: ear.on("forceband/scale/event/session"))
            return ear

        ear = asyncio.run(delivered())
        points = influxd.rows('SELECT force_n FROM "force"', "forceband")
        reps = influxd.rows('SELECT "set", peak_n FROM "rep"', "forceband")
        gaps = influxd.rows("SELECT missing FROM \"link\" WHERE event = 'gap'", "forceband")
    assert len(points) == len(KEPT)
    taken_us = np.array([point["time"] for point in points]) - BEGAN.timestamp() * 1e6
    assert np.abs(taken_us - np.array(KEPT) * 12_500).max() <= 10
    forces = np.array([point["force_n"] for point in points])
    assert np.abs(forces - WRITTEN_KG[KEPT] * 9.80665).max() < 0.005
    assert [rep["set"] for rep in reps] == [1] * 4 + [2] * 4
    assert [gap["missing"] for gap in gaps] == [len(GAP)]
    told = ear.on("forceband/scale/event/set")
    assert [each["reps"] for each in told] == [4, 4]
    final = [rep["peak_n"] for each in told for rep in each["final_reps"]]
    assert final == pytest.approx([rep["peak_n"] for rep in reps])
    assert {each["session"] for each in told} == {imported.name.removesuffix(".forceband")}
