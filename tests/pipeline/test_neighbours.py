"""Another distribution with a package of one of our names is noticed at start-up."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pipeline
from pipeline.neighbours import OURS, clash

ROOT = Path(pipeline.__file__).parents[1]


def test_nobody_else_is_here() -> None:
    assert clash() is None


def test_a_distribution_that_brings_a_package_of_ours_is_named(tmp_path: Path) -> None:
    for name in OURS:
        (tmp_path / name).symlink_to(ROOT / name)
    for name, listed in {
        "forceband-0.1.0": "sensor/__init__.py,,\n",
        "harmless-1.0": "harmless/sensor/__init__.py,,\n",
        "weather_station-2.1": "weather.py,,\nsensor/__init__.py,,\n",
    }.items():
        (tmp_path / f"{name}.dist-info").mkdir()
        (tmp_path / f"{name}.dist-info/RECORD").write_text(listed)
    program = "from pipeline.neighbours import clash; print(clash())"
    done = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=True,
        cwd=tmp_path,
        env={"PYTHONPATH": str(tmp_path)},
    )
    assert "weather_station 2.1 brings a package named sensor too" in done.stdout


def test_a_package_that_shadows_ours_is_named(tmp_path: Path) -> None:
    (tmp_path / "sensor").mkdir()
    (tmp_path / "sensor/__init__.py").touch()
    program = "import sys; from pipeline.__main__ import main; sys.path.insert(0, sys.argv[1])\n"
    program += "main(['sessions', '--data', sys.argv[1]])"
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        cwd=ROOT,
    )
    assert f"`import sensor` finds {tmp_path / 'sensor'} instead of forceband's" in done.stderr
