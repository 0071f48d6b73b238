"""The files for a service: what systemd says of the unit, and the program of its settings."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from pipeline.config import load
from tests.mosquitto_server import find_program

ROOT = Path(__file__).parents[2]
UNIT = ROOT / "deploy/forceband@.service"


def test_the_unit_is_one_that_systemd_takes(tmp_path: Path) -> None:
    verify = [find_program("systemd-analyze", "systemd"), "verify", "--man=no"]
    program = Path(sys.executable).with_name("forceband")
    mine = tmp_path / "forceband@left.service"
    mine.write_text(UNIT.read_text().replace("/opt/forceband/bin/forceband", str(program)))
    done = subprocess.run([*verify, mine], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_settings_of_unit_and_documentation_are_settings_of_the_program() -> None:
    pattern = r"\b(FORCEBAND_\w+)=([^\s\"`]*)"
    unit = dict(re.findall(pattern, UNIT.read_text()))
    assert set(unit) == {"FORCEBAND_DATA_DIR", "FORCEBAND_BAND_NAME"}
    page = (ROOT / "docs/always-on.md").read_text()
    for name, value in [*unit.items(), *re.findall(pattern, page)]:
        load(environment={name: value.replace("$(openssl", "0" * 16)})
