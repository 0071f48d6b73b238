"""The open data set: what is in it, that it is the same everywhere, and that its card is valid."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.generator import KINDS, make_session
from pipeline.__main__ import main
from pipeline.dataset.truths import read_truth, truth_object
from pipeline.dataset.writing import name_of, sessions, write_dataset
from pipeline.files.inputs import analyse_file

SESSIONS, SEED = 3, 40


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("data") / "set"
    write_dataset(out, SESSIONS, SEED)
    return out


def content(folder: Path) -> dict[str, str]:
    return {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in folder.iterdir()}


def test_each_session_is_a_recording_a_csv_and_a_truth(dataset: Path) -> None:
    names = [name_of(session) for session in sessions(SESSIONS, SEED)]
    files = {f"{name}.{ending}" for name in names for ending in ("csv", "json", "forceband")}
    assert {path.name for path in dataset.iterdir()} == files | {"croissant.json", "README.md"}


def test_every_kind_comes_once_before_one_comes_again_and_names_are_unique() -> None:
    drawn = list(sessions(2, 7, KINDS[3]))
    assert [(each.kind, each.seed) for each in drawn] == [(KINDS[3], 7), (KINDS[3], 8)]
    from slugify import slugify

    assert len({slugify(kind) for kind in KINDS}) == len(KINDS)


def test_csv_and_recording_hold_the_same_reps_at_the_same_times(dataset: Path) -> None:
    for path in sorted(dataset.glob("*.csv")):
        assert path.read_text().startswith("time_s,force_n\n")
        (table,), (recording,) = analyse_file(path), analyse_file(path.with_suffix(".forceband"))
        ours = [rep.start_s for rep in table.analysis.reps]
        assert [rep.start_s for rep in recording.analysis.reps] == pytest.approx(ours, abs=0.02)
        known = json.loads(path.with_suffix(".json").read_text())
        assert len(ours) == pytest.approx(len(known["reps"]), abs=1)


def test_a_recording_keeps_good_times_where_the_csv_has_bad_stamps(tmp_path: Path) -> None:
    kind = "bad time stamps"
    assert kind in KINDS
    write_dataset(tmp_path / "set", 1, 3, kind)
    drawn = make_session(kind, 3)
    (found,) = analyse_file(next((tmp_path / "set").glob("*.forceband")))
    assert found.time_s.size == drawn.sampled_s.size < drawn.time_s.size
    assert np.abs(found.time_s - drawn.sampled_s).max() < 30e-6 + 1e-3 / drawn.rate_hz
    assert np.abs(found.force_n - drawn.sampled_n).max() < drawn.plan.gauge.step_n


def test_the_truth_has_the_shape_of_analyse(dataset: Path) -> None:
    (path, *_) = sorted(dataset.glob("*-*.json"))
    told = json.loads(path.read_text())
    (found,) = analyse_file(path.with_suffix(".csv"))
    ours = found.analysis.reps[0].as_dict()
    lacking = {"id", "mean_n", "metrics", "absent", "confidence"}  # ours alone
    assert set(ours) - set(told["reps"][0]) == lacking
    assert {"set", "start_s", "end_s", "reps", "tut_s", "rest_s"} <= set(told["sets"][0])
    assert sum(each["reps"] for each in told["sets"]) == len(told["reps"])


def test_truth_is_read_as_it_was_drawn(tmp_path: Path) -> None:
    session = make_session("mixed", 11)
    path = tmp_path / "a.json"
    path.write_text(json.dumps(truth_object("a", session)))
    read = read_truth(path)
    assert read.rate_hz == session.rate_hz
    for one, other in zip(read.truth.reps, session.truth.reps, strict=True):
        assert one.span_s == pytest.approx(other.span_s, abs=1e-4)
        assert (one.set, one.cut, one.decided) == (other.set, other.cut, other.decided)
        assert one.applied_n == pytest.approx(other.applied_n, abs=1e-3)


def test_the_same_seed_gives_the_same_bytes_on_another_machine(
    dataset: Path, tmp_path: Path
) -> None:
    """Another place, clock, language and order of hashes, and a processor that knows less."""
    known = np._core._multiarray_umath.__cpu_features__  # type: ignore[attr-defined]
    optional = np._core._multiarray_umath.__cpu_dispatch__  # type: ignore[attr-defined]
    lacks = " ".join(each for each in optional if known[each])
    other = {
        **os.environ, "PYTHONHASHSEED": "77", "TZ": "Pacific/Chatham", "LC_ALL": "C",
        "NPY_DISABLE_CPU_FEATURES": lacks, "HOME": str(tmp_path),
    }  # fmt: skip
    command = [sys.executable, "-m", "pipeline", "dataset", "elsewhere"]
    options = ["--sessions", str(SESSIONS), "--seed", str(SEED)]
    done = subprocess.run([*command, *options], cwd=tmp_path, env=other, check=False)
    assert done.returncode == 0
    assert content(tmp_path / "elsewhere") == content(dataset)


def test_another_seed_gives_other_bytes(dataset: Path, tmp_path: Path) -> None:
    write_dataset(tmp_path / "set", 1, SEED + 1, KINDS[0])
    assert not set(content(tmp_path / "set").values()) & {
        sha for name, sha in content(dataset).items() if name != "README.md"
    } - {hashlib.sha256((dataset / "README.md").read_bytes()).hexdigest()}


def test_the_card_is_valid_to_croissants_own_library_which_reads_every_record(
    dataset: Path,
) -> None:
    """To open it is all that `mlcroissant validate` does; it warns on stderr."""
    reader = (
        "import json, sys, mlcroissant as m; d = m.Dataset(sys.argv[1]);"
        "print(json.dumps([sum(1 for _ in d.records(name)) for name in sys.argv[2:]]))"
    )
    command = [sys.executable, "-W", "ignore", "-c", reader, str(dataset / "croissant.json")]
    read = subprocess.run(
        [*command, "sessions", "force", "reps"], capture_output=True, text=True, check=False
    )
    assert read.returncode == 0, read.stderr
    assert not read.stderr
    lines = sum(len(path.read_text().splitlines()) - 1 for path in dataset.glob("*.csv"))
    reps = sum(len(json.loads(path.read_text())["reps"]) for path in dataset.glob("*-*.json"))
    assert json.loads(read.stdout) == [SESSIONS, lines, reps]


def test_the_card_has_the_sum_of_every_file_and_gives_all_rights(dataset: Path) -> None:
    card = json.loads((dataset / "croissant.json").read_text())
    sums = {each["@id"]: each["sha256"] for each in card["distribution"] if "sha256" in each}
    files = content(dataset)
    assert sums == {
        name: files[name] for name in files if name not in ("croissant.json", "README.md")
    }
    assert "publicdomain/zero" in card["license"]


def test_nothing_is_written_into_a_folder_that_holds_something(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine").touch()
    assert main(["dataset", str(tmp_path), "--sessions", "1"]) == 1
    assert "not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_kind_that_is_none_lists_those_that_are(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dataset", str(tmp_path / "a"), "--kind", "yoga"]) == 1
    assert KINDS[-1] in capsys.readouterr().err
