"""`forceband score`: whoever counts better comes first, and what is no answer is said."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.generator import make_session
from pipeline.__main__ import main
from pipeline.dataset.ranking import rank
from pipeline.dataset.truths import truth_object

KINDS = ("fast 0.6-1 s", "slow 5-12 s", "whole practice pulls")


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    folder = tmp_path / "truth"
    folder.mkdir()
    for number, kind in enumerate(KINDS):
        told = truth_object(f"s-{number}", make_session(kind, 2))
        (folder / f"s-{number}.json").write_text(json.dumps(told))
    (folder / "croissant.json").write_text("{}")
    return folder


def answers(truth: Path) -> list[dict[str, Any]]:
    """What a counter says that is always right."""
    told = []
    for path in sorted(truth.glob("s-*.json")):
        known = json.loads(path.read_text())
        told.append({"file": f"somewhere/{path.stem}.csv", "reps": known["reps"]})
    return told


def lines(path: Path, told: list[dict[str, Any]]) -> Path:
    path.write_text("".join(json.dumps(each) + "\n" for each in told))
    return path


def test_the_truth_itself_is_right_everywhere(truth: Path, tmp_path: Path) -> None:
    (counter,) = rank(truth, [lines(tmp_path / "a.jsonl", answers(truth))])
    told = counter.figures()
    assert told["sessions_right_percent"] == 100
    assert (told["missed"], told["extra"], told["unanswered"]) == (0, 0, 0)
    assert (told["boundary_mean_ms"], told["peak_mean_percent"]) == (0, 0)


def test_who_errs_less_comes_first(truth: Path, tmp_path: Path) -> None:
    right, late, short, none = (answers(truth) for _ in range(4))
    for each in late:
        for rep in each["reps"]:
            rep["end_s"] += 0.05
    short[0]["reps"] = short[0]["reps"][1:]
    for each in none:
        each["reps"] = []
    files = [
        lines(tmp_path / f"{name}.jsonl", told)
        for name, told in (("none", none), ("late", late), ("short", short), ("right", right))
    ]
    ranked = rank(truth, files)
    assert [Path(each.name).stem for each in ranked] == ["right", "late", "short", "none"]
    assert ranked[2].figures()["missed"] == 1


def test_peaks_or_a_number_are_answers_too(truth: Path, tmp_path: Path) -> None:
    peaks, numbers = answers(truth), answers(truth)
    for one, other in zip(peaks, numbers, strict=True):
        one["reps"] = [{"peak_s": rep["peak_s"]} for rep in one["reps"]]
        other["reps"] = len(other["reps"])
    numbers[0]["reps"] -= 1
    ranked = rank(truth, [lines(tmp_path / "n.jsonl", numbers), lines(tmp_path / "p.jsonl", peaks)])
    assert [Path(each.name).stem for each in ranked] == ["p", "n"]
    assert ranked[0].figures()["sessions_right_percent"] == 100
    assert ranked[0].figures()["boundary_mean_ms"] is None
    assert ranked[1].figures()["missed"] == 1


def test_what_a_person_might_count_is_right_with_and_without(truth: Path, tmp_path: Path) -> None:
    known = json.loads((truth / "s-2.json").read_text())
    window = next(each for each in known["open"] if each["most"] > each["least"])
    told = answers(truth)
    told[2]["reps"] = [
        *told[2]["reps"],
        {"start_s": window["start_s"] + 0.01, "end_s": window["end_s"] - 0.01},
    ]
    (counter,) = rank(truth, [lines(tmp_path / "a.jsonl", told)])
    assert counter.figures()["extra"] == 0


def test_a_session_without_an_answer_is_wrong_and_said(
    truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = [*answers(truth)[1:], {"file": "other.csv", "reps": []}]
    path = lines(tmp_path / "a.jsonl", told)
    assert main(["score", str(truth), str(path), "--json"]) == 0
    out, err = capsys.readouterr()
    figures = json.loads(out)
    assert figures["unanswered"] == 1
    assert figures["sessions_right_percent"] == pytest.approx(66.67)
    assert [each["name"] for each in figures["wrong"]] == ["s-0"]
    assert "1 sessions without an answer" in err
    assert "1 answers are about sessions that" in err


def test_a_folder_of_answers_and_stdin_are_taken(
    truth: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "found"
    folder.mkdir()
    for each in answers(truth):
        (folder / f"{Path(each['file']).stem}.json").write_text(json.dumps({"reps": each["reps"]}))
    monkeypatch.setattr("sys.stdin", io.StringIO(json.dumps(answers(truth))))
    assert main(["score", str(truth), str(folder), "-", "--json"]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["sessions_right_percent"] for row in rows] == [100, 100]


def test_of_one_truth_and_one_answer_names_do_not_matter(truth: Path, tmp_path: Path) -> None:
    path = lines(tmp_path / "a.json", [{"reps": answers(truth)[0]["reps"]}])
    (counter,) = rank(truth / "s-0.json", [path])
    assert counter.figures()["sessions_right_percent"] == 100


def test_truth_of_others_needs_no_more_than_starts_and_ends(tmp_path: Path) -> None:
    path = tmp_path / "theirs.json"
    path.write_text(json.dumps({"reps": [{"start_s": 1, "end_s": 2}, {"start_s": 3, "end_s": 4}]}))
    found = lines(tmp_path / "a.json", [{"reps": [{"start_s": 1.1, "end_s": 2.0}]}])
    (counter,) = rank(path, [found])
    assert (counter.figures()["missed"], counter.figures()["extra"]) == (1, 0)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("time_s,force_n\n", "line 1 is no JSON"),
        ("{}", "'reps' is missing"),
        ('{"reps": [{"start_s": 2, "end_s": 1}]}', "before it starts"),
        ('{"reps": [{"start_s": NaN, "end_s": 1}]}', "no number"),
        ('{"reps": "many"}', "no list"),
        ("[1]", "cannot be taken"),
        ('{"file": "x.csv", "reps": []}', "no answer is about a session"),
        ('[{"file": "s-0.csv", "reps": []}, {"file": "s-0.forceband", "reps": []}]', "twice"),
    ],
)
def test_what_is_no_answer_is_said_in_a_sentence(
    text: str, why: str, truth: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "a.json"
    path.write_text(text)
    assert main(["score", str(truth), str(path)]) == 1
    err = capsys.readouterr().err
    assert err.startswith(f"forceband: {path}")
    assert why in err


@pytest.mark.parametrize(
    "text", ["nothing", '{"reps": 3}', '{"reps": [{"start_s": 1}]}', "[]", '{"reps": [[1, 2]]}']
)
def test_what_is_no_truth_is_said_in_a_sentence(
    text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "truth.json"
    path.write_text(text)
    assert main(["score", str(path), str(path)]) == 1
    assert capsys.readouterr().err.startswith(f"forceband: {path}: is no")
