from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from pipeline.__main__ import main
from pipeline.coach.exercises import Tempo
from pipeline.coach.library import LibraryError, load
from pipeline.coach.plan import Change, lacking, plan_of

ROWS = """low row, wide row, pull-apart, high row, face pull, lat pulldown, bow-and-arrow row,
single-arm pulldown, superman with pulldown, seated row, pullover, lateral raise, deadlift,
archery pull, row with pause, rear delt fly, bent-over row, single-arm row, I-Y-T,
scapular push-up, suspension low row, suspension external rotation, inverted row"""
PROGRAMMES = """first steps, pull-apart warm-up, six-minute upper back, strong back with bands,
build your own"""

OWN = """\
[exercise.biceps-curl]
title = "Biceps curl"
equipment = ["band"]
reps = [8, 12]
sets = 3
tempo = "3-0-1-0"
setup = ["Stand on the band."]
cues = ["Elbows stay at your sides."]
caution = "Wrists straight."
muscles = ["biceps"]
fit = ["banded_exercises", "curl"]

[programme.arms]
title = "Arms"
steps = [{ exercise = "biceps-curl" }]

[band.mine]
colour = "orange"
"""


def own_file(folder: Path, text: str) -> Path:
    path = folder / "own.toml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize("name", re.split(r",\s+", ROWS))
def test_every_exercise_of_the_guides_can_be_found_by_its_words(name: str) -> None:
    exercise = load().exercise(name)
    assert exercise.title.lower() == name.lower()
    assert load().programme(name).steps[0].exercise == exercise.name


@pytest.mark.parametrize("name", re.split(r",\s+", PROGRAMMES))
def test_every_programme_of_the_guides_can_be_planned(name: str) -> None:
    library = load()
    plan = plan_of(library.programme(name), library)
    assert plan.blocks
    assert plan.blocks[-1].change is Change.END
    assert all(block.least <= block.most for block in plan.blocks)


def test_six_minutes_take_six_minutes_as_prescribed() -> None:
    library = load()
    plan = plan_of(library.programme("six-minute-upper-back"), library)
    assert plan.expected_s == pytest.approx(360, rel=0.03)
    assert plan.reps == 2 * (20 + 20 + 15 + 8)
    changes = [block.change for block in plan.blocks[:8]]
    assert changes == [Change.GRIP, Change.NEXT, Change.SIDE, Change.NEXT, Change.GRIP, Change.GRIP,
                       Change.NEXT, Change.NEXT]  # fmt: skip


def test_a_beginner_starts_with_one_set_and_builds() -> None:
    library = load()
    programme = library.programme("first-steps")
    assert [block.sets for block in plan_of(programme, library).blocks] == [1, 1]
    assert [block.sets for block in plan_of(programme, library, sets=2).blocks] == [2] * 4
    assert max(block.sets for block in plan_of(programme, library, sets=9).blocks) == 3


def test_one_s_own_choice_of_exercises_begins_with_those_not_done_for_longest() -> None:
    library = load()
    programme = library.programme("build-your-own")
    since = {step.exercise: float(k) for k, step in enumerate(programme.steps)}
    plan = plan_of(programme, library, days_since=since)
    names = list(dict.fromkeys(block.exercise.name for block in plan.blocks))
    assert names == ["inverted-row", "suspension-external-rotation", "suspension-low-row"]


def test_one_s_own_file_adds_exercises_programmes_and_bands(tmp_path: Path) -> None:
    library = load(own_file(tmp_path, OWN))
    assert plan_of(library.programme("arms"), library).blocks[0].exercise.title == "Biceps curl"
    assert library.programme("first-steps")
    assert [band.name for band in library.owned] == ["mine"]
    assert library.band("mine").force_n(1.0) is None


FAULTS = [
    ("reps = [8, 12]", "reps = [12, 8]", 4, "the smaller first"),
    ("reps = [8, 12]", 'reps = "8-12"', 4, "is a list"),
    ("sets = 3", "sets = 0", 5, "sets is 1 to 20"),
    ("sets = 3", "sets = 2.5", 5, "whole number"),
    ('tempo = "3-0-1-0"', 'tempo = "slow"', 6, "3-0-1-1"),
    ("caution", "cauton", 9, "did you mean caution"),
    ('title = "Biceps curl"\n', "", 1, "lacks title"),
    ('{ exercise = "biceps-curl" }', '{ exercise = "biceps-crul" }', 15, "did you mean biceps"),
    ('{ exercise = "biceps-curl" }', '{ exercise = "biceps-curl", reps = 3 }', 15, "is a list"),
    ("[band.mine]", "[band.Mine]", 17, "lower-case"),
    ("[band.mine]", "[bands.mine]", 17, "no 'bands'"),
    ("sets = 3", "sets = 3\nsets = 4", 6, "not valid TOML"),
]


@pytest.mark.parametrize(("old", "new", "line", "words"), FAULTS)
def test_a_wrong_file_is_refused_with_its_line_and_the_reason(
    tmp_path: Path, old: str, new: str, line: int, words: str
) -> None:
    assert old in OWN
    path = own_file(tmp_path, OWN.replace(old, new, 1))
    with pytest.raises(LibraryError) as caught:
        load(path)
    assert str(path) in str(caught.value)
    assert f"line {line}" in str(caught.value)
    assert words in str(caught.value)


def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["programs", "show", "sixminute-uper-back", "--data", str(tmp_path)]) == 1
    assert "did you mean six-minute-upper-back" in capsys.readouterr().err
    assert main(["exercises", "lowrow", "--data", str(tmp_path)]) == 1
    assert "low-row" in capsys.readouterr().err


def test_a_programme_is_printed_whole_for_programs(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    command = ["programs", "show", "six-minute-upper-back", "--json", "--data", str(tmp_path)]
    assert main(command) == 0
    shown = json.loads(capsys.readouterr().out)
    assert len(shown["sets"]) == 16
    assert shown["sets"][2]["side"] == "right"
    assert shown["sets"][2]["reps"] == [10, 10]
    assert main(["exercises", "--json", "--data", str(tmp_path)]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert sum(not each["test"] for each in lines) == 23
    assert all(line["caution"] and len(line["fit"]) == 2 for line in lines)


def test_a_programme_shows_cautions_before_the_sets(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(["programs", "show", "first", "steps", "--data", str(tmp_path)]) == 0
    out = capsys.readouterr().out
    assert out.index("not with a sore neck") < out.index("In order:")
    assert "Not a medical device" in out


def test_bands_that_do_not_suffice_are_named_with_a_way_on(tmp_path: Path) -> None:
    library = load(own_file(tmp_path, '[band.mine]\ncolour = "red"\n'))
    plan = plan_of(library.programme("six-minute-upper-back"), library)
    sentence = lacking(plan.blocks, library.owned)
    assert "a loop band for Pull-apart, Single-arm pulldown" in sentence
    assert "skip those" in sentence
    assert lacking(plan.blocks, ()) == ""


def test_a_band_of_unknown_stiffness_says_what_is_left_out_and_what_to_do(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    (tmp_path / "library").mkdir()
    own_file(tmp_path / "library", OWN)
    assert main(["programs", "--bands", "--data", str(tmp_path)]) == 0
    line = next(x for x in capsys.readouterr().out.splitlines() if x.startswith("mine"))
    assert "stiffness unknown" in line
    assert "n_at_100" in line


def test_the_bands_have_the_forces_of_the_chart() -> None:
    library = load()
    chart_lb = {"yellow": 2.9, "red": 3.9, "green": 5.0, "blue": 7.1, "black": 9.7, "gold": 21.6}
    for colour, force_lb in chart_lb.items():
        force_n = library.band(colour).force_n(1.0)
        assert force_n == pytest.approx(force_lb * 4.448, rel=0.04)
    assert library.band("light-loop").force_n(2.0) == pytest.approx(20 * 4.448, rel=0.01)


@pytest.mark.parametrize("text", ["3-0-1", "3-0-1-1-1", "a-b-c-d", "0-0-1-1", "-1-0-1-1", ""])
def test_what_is_no_tempo_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="tempo"):
        Tempo.parse(text)


def test_a_tempo_is_written_as_it_was_read() -> None:
    assert str(Tempo.parse("3-0-1-1")) == "3-0-1-1"
    assert str(Tempo.parse("1.2-0-0.8-2")) == "1.2-0-0.8-2"
