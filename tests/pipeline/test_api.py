"""The notebook's door does what docs/python.md says, typed, and for any file."""

from __future__ import annotations

import re
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline import api
from tests.data.make_golden import GOLDEN
from tests.pipeline.signals import pulls

FORCE_N = pulls(sets=2, reps=4)
TIME_S = np.arange(FORCE_N.size) / 80
DOCUMENT = Path(__file__).parents[2] / "docs" / "python.md"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    lines = "".join(f"{t:.4f},{f / 9.80665:.4f}\n" for t, f in zip(TIME_S, FORCE_N, strict=True))
    (tmp_path / "pulls.csv").write_text(f"Time (s),Applied Force (kg)\n{lines}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_the_document_runs_as_it_stands(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code = "\n".join(re.findall(r"```python\n(.*?)```", DOCUMENT.read_text("utf-8"), re.DOTALL))
    names: dict[str, object] = {}
    exec(compile(code, str(DOCUMENT), "exec"), names)
    assert "kg from 'Applied Force (kg)', 80.0 Hz" in capsys.readouterr().out
    peaks_n, samples, reps = names["peaks_n"], names["samples"], names["reps"]
    assert isinstance(peaks_n, np.ndarray)
    assert isinstance(samples, pd.DataFrame)
    assert isinstance(reps, pd.DataFrame)
    assert peaks_n.size == len(reps) == 8
    assert list(samples.columns) == ["time_s", "force_n"]
    assert reps["peak_n"].to_numpy() == pytest.approx(peaks_n)
    assert (folder / "pulls.png").read_bytes().startswith(b"\x89PNG")
    assert isinstance(names["mine"], api.Found)
    assert len(names["mine"].reps) == 8


def test_a_recording_is_read_with_its_own_answer() -> None:
    force = api.read(GOLDEN)
    assert force.started is not None
    assert force.started.year == 2026
    found = force.analyse()
    assert found.reps
    assert found.column("concentric_s").size == len(found.reps)
    with pytest.raises(KeyError):
        found.column("height")


def test_counts_are_no_newtons_anywhere(folder: Path) -> None:
    path = folder / "raw.csv"
    lines = "".join(
        f"{t:.4f},{9000 - 2000 * f:.0f}\n" for t, f in zip(TIME_S, FORCE_N, strict=True)
    )
    path.write_text(f"time_s,adc\n{lines}")
    force = api.read(path)
    assert np.isnan(force.force_n).all()
    assert force.counts is not None
    assert force.counts == pytest.approx(9000 - 2000 * FORCE_N, abs=1)
    found = force.analyse()
    assert len(found.reps) == 8
    assert np.isnan(found.column("peak_n")).all()
    assert found.column("peak_counts").min() < -150_000
    assert "counts" in force.to_pandas()
    assert found.plot().axes


def test_what_is_wrong_is_a_sentence(folder: Path) -> None:
    with pytest.raises(api.BandError, match="No such file"):
        api.read("nowhere.csv")
    with pytest.raises(api.BandError, match="no column 'x' for --force-column"):
        api.read("pulls.csv", force_column="x")
    with pytest.raises(ValueError, match="rate_hz is a number above 0, not 0"):
        api.read("pulls.csv", force_column=2, rate_hz=0)
    force = api.read("pulls.csv", time_column=1, force_column=2)
    with pytest.raises(KeyError, match="no rep has 'height': there are set, rep"):
        force.analyse().column("height")


def test_what_is_not_installed_is_a_sentence(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    force = api.read("pulls.csv")
    monkeypatch.setitem(sys.modules, "pandas", None)
    with pytest.raises(api.BandError, match="pip install pandas"):
        force.to_pandas()
    with pytest.raises(api.BandError, match="pip install pandas"):
        force.analyse().to_pandas()


def test_the_packages_say_that_they_are_typed() -> None:
    for package in ("pipeline", "sensor", "firmware_sim", "dashboards"):
        assert files(package).joinpath("py.typed").is_file()


def test_the_rate_is_that_of_the_line_though_stamps_are_rounded(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("ms,force_n\n" + "".join(f"{int(k * 12.5)},{k % 97}\n" for k in range(800)))
    assert api.read(path).rate_hz == pytest.approx(80, rel=0.001)
