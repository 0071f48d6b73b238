"""An independent judge: the parsers of npm's `@hangtime/grip-connect` read what the twins send.

It agrees on every sample of Progressor, Force Board, CTS500 and Motherboard. Of the last only index
and raw counts are compared: below the zero of its table that library mirrors a reading about raw 0
instead of about the calibrated zero, so that its force jumps there; ours is continuous.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.others.device import Sent, Trouble
from firmware_sim.others.kinds import KINDS
from sensor.drivers.driver import KGF_N, LBF_N
from sensor.drivers.registry import driver_named

PACKAGE = "@hangtime/grip-connect@0.13.0"
SECONDS = 20


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("node and npm are needed")
    folder = tmp_path_factory.mktemp("judge")
    command = ["npm", "install", "--no-save", "--silent", "--prefix", str(folder), PACKAGE]
    done = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    if done.returncode:
        pytest.skip(f"npm cannot install {PACKAGE}: {done.stderr[:200]}")
    return folder


def sent(kind: str) -> list[Sent]:
    """What a twin sends in some seconds of pulling."""
    twin = KINDS[kind].twin(lambda time_s: 60 - 60 * np.cos(time_s), Trouble(chunk=13, pad=4))
    twin.write("", b"C", 0.0)
    out = twin.pump(0.0)
    twin.start(0.0)
    return out + twin.pump(SECONDS)


@pytest.mark.slow
def test_a_library_of_others_reads_in_the_twins_what_our_drivers_read(judge: Path) -> None:
    payloads = {
        kind: [value for _, value in sent(kind)]
        for kind in ("progressor", "force-board", "cts500", "motherboard")
    }
    asked = json.dumps({kind: [each.hex() for each in values] for kind, values in payloads.items()})
    script = Path(__file__).with_name("judge.mjs")
    done = subprocess.run(
        ["node", str(script), str(judge)], input=asked, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    read = json.loads(done.stdout.splitlines()[-1])  # it prints, too
    newtons = {"progressor": KGF_N, "force-board": LBF_N, "cts500": KGF_N / 100}
    for kind, values in payloads.items():
        driver = driver_named(kind)
        assert driver is not None
        decoder = driver.decoder(1.0)
        ours = [decoder.receive(value) for value in values]
        force_n = [each for got in ours for each in got.force_n]
        stamps = [each for got in ours for each in got.stamps]
        assert len(read[kind]) == len(force_n) > 15 * KINDS[kind].twin.rate_hz
        if kind in newtons:
            theirs = [each["samples"][0] * newtons[kind] for each in read[kind]]
            assert theirs == pytest.approx(force_n, abs=1e-6)
        if stamps:
            assert [each["index"] for each in read[kind]] == stamps
    total_kg = [10_000 - each["samples"][1] for each in read["motherboard"]]
    decoded = [each * 5000 / KGF_N for each in _forces("motherboard", payloads["motherboard"])]
    assert total_kg == pytest.approx(decoded, abs=1e-3)


def _forces(kind: str, values: list[bytes]) -> list[float]:
    driver = driver_named(kind)
    assert driver is not None
    decoder = driver.decoder(1.0)
    return [each for value in values for each in decoder.receive(value).force_n]
