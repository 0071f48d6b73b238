"""Killed within 20 ms of its file's appearing: what is left is named, skipped, or removed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from pipeline.files.samples import read_session
from sensor.recording.log import Recording
from tests.reliability.processes import forceband

KILLS = 60
KILLER = """
import os, random, signal, sys, time
from pathlib import Path
from sensor.recording.log import Recording
from sensor.samples import Channel, Notification

folder, rng = Path(sys.argv[1]), random.Random(11)
for number in range(int(sys.argv[2])):
    path = folder / f"{number:03}.forceband"
    sign = folder / f"{path.name}{('-lock', '', '-wal')[number % 3]}"
    written, writes = os.pipe()
    child = os.fork()
    if not child:
        recording = Recording.create(path, {"session": "s"}, keep=True)
        for row in range(10**6):
            recording.append(Notification(1_700_000_000_000_000 + row, b"up", Channel.LINK))
            os.write(writes, b".")
            time.sleep(0.001)
    if number % 5 == 0:
        os.read(written, 1)
    while not sign.exists():
        time.sleep(0.0002)
    time.sleep(rng.uniform(0, 0.02))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    os.close(written)
    os.close(writes)
"""


def test_kills_as_the_file_appears_leave_nothing_that_is_in_the_way(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", KILLER, tmp_path, str(KILLS)], check=True)
    left = sorted(path.name for path in tmp_path.glob("*.forceband"))
    listed = forceband("sessions", "--json", "--data", tmp_path)
    assert listed.returncode == 0, listed.stderr
    found = {Path(each["file"]).name: each for each in map(json.loads, listed.stdout.splitlines())}
    assert {each["state"] for each in found.values()} == {"unfinished"}
    removed = set(left) - set(found)
    assert all(f"{name}: held nothing" in listed.stderr for name in removed)
    assert 0 < len(found) < KILLS, "no kill came before the first row, or all did"
    kept = {path.name.partition(".forceband")[0] for path in tmp_path.iterdir()}
    assert {f"{name}.forceband" for name in kept} == set(found)
    assert not list(tmp_path.glob(".*"))

    delivered = forceband("deliver", "--data", tmp_path)
    assert delivered.returncode == 0, delivered.stderr
    assert {path.name for path in tmp_path.iterdir()} == set(found)
    for name in found:
        with Recording.open(tmp_path / name) as recording:
            rows = list(recording.rows())
            assert recording.ended
            assert [row for row, _ in rows] == list(range(1, len(rows) + 1))
            assert len(rows) > 1
            read_session(recording)
