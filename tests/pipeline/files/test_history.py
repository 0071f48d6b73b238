"""Earlier sessions are read from recordings alone, as noted or coached again, and shown."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from firmware_sim.band import Band, BandSetup
from firmware_sim.offline import STARTED_US, notifications
from firmware_sim.person.workout import SetPlan, Workout
from pipeline.__main__ import main
from pipeline.coach.coach import Coach
from pipeline.coach.diary import COACHED, Diary
from pipeline.coach.plan import Plan
from pipeline.commands.following import workout_of
from pipeline.files.history import days_since, read_history, usual_n
from sensor.recording.log import SUFFIX, Recording
from sensor.samples import Notification
from tests.pipeline.coach.coached import LIBRARY, READY, a_plan, listen, with_asks

DAY_US = 86_400_000_000
Log = list[Notification]


def trained(plan: Plan, workout: Workout) -> Log:
    """The rows of a session with the coach."""
    log: Log = []
    band = Band(BandSetup(workout=workout))
    listen(
        Coach(lambda _: plan),
        with_asks(notifications(band), [(0.0, f"begin {plan.name}"), *READY]),
        log,
    )
    return log


@pytest.fixture(scope="module")
def low_row() -> Log:
    """One set of twelve low rows, as `first-steps` is led with its first exercise alone."""
    plan = a_plan("low-row")
    one = replace(plan, blocks=plan.blocks[:1])
    return trained(plan, workout_of(one))


@pytest.fixture(scope="module")
def mvc() -> Log:
    """One maximal pull on the right side."""
    pull = SetPlan("mvc", 1, 60.0, 0.5, 4.0, 0.5, 0.3, 12.0, bottom=0.03)
    return trained(a_plan("mvc"), Workout((pull, pull), lead_in_s=5.0))


def keep(folder: Path, log: Log, day: date, *, noted: bool = False, **facts: Any) -> Path:
    """A recording of that day at noon, local time."""
    noon_us = round(datetime(day.year, day.month, day.day, 12).timestamp() * 1e6)
    moved = [replace(each, received_us=each.received_us - STARTED_US + noon_us) for each in log]
    path = folder / f"{day:%Y%m%d}-{facts.pop('name', 'a')}{SUFFIX}"
    known = {"device": "band", "athlete": "me", "band_model": "forceband red", **facts}
    with Recording.create(path, known) as recording:
        recording.extend(moved)
        if noted:
            diary = Diary()
            diary.take(listen(Coach(lambda _: a_plan("low-row")), log, live=False))
            recording.set_facts({COACHED: [each.as_object() for each in diary.workouts]})
    return path


def shown(capsys: pytest.CaptureFixture[str], folder: Path, *args: str) -> dict[str, Any]:
    capsys.readouterr()
    assert main(["progress", "--json", "--data", str(folder), *args]) == 0
    found: dict[str, Any] = json.loads(capsys.readouterr().out)
    return found


def test_a_recording_without_notes_is_coached_again_with_the_same_answer(
    tmp_path: Path, low_row: Log
) -> None:
    today = date.today()
    keep(tmp_path, low_row, today - timedelta(days=2), noted=True)
    keep(tmp_path, low_row, today)
    noted, again = read_history(tmp_path, LIBRARY)
    assert noted.workouts == again.workouts
    assert [each.reps for each in noted.entries()] == [12]
    assert (again.day, again.colour, again.athlete) == (today, "red", "me")
    assert [each.workouts for each in read_history(tmp_path, LIBRARY, again=False)][1] == ()


def test_the_usual_pull_is_that_of_the_last_session_of_this_person_on_this_band(
    tmp_path: Path, low_row: Log
) -> None:
    today = date.today()
    keep(tmp_path, low_row, today - timedelta(days=3))
    history = read_history(tmp_path, LIBRARY)
    usual = usual_n(history, athlete="me", device="band")
    assert usual["low-row"] == pytest.approx(15.0, rel=0.2)
    assert usual_n(history, athlete="me", device="other") == {}
    assert usual_n(history, athlete="ann", device="band") == {}
    assert days_since(history, today, athlete="me") == {"low-row": 3.0}


def test_progress_shows_the_week_the_bests_and_what_is_next(
    tmp_path: Path, low_row: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    today = date.today()
    for days in (0, 2):
        keep(tmp_path, low_row, today - timedelta(days=days), noted=days == 2)
    found = shown(capsys, tmp_path)
    assert sum(len(week["days"]) for week in found["weeks"]) == 2
    assert found["weeks"][0]["days"][-1] == today.isoformat()
    # one set of three was done
    assert found["weeks"][0]["kept"]["reps"] == pytest.approx(1 / 3)
    best = {each["what"]: each["value"] for each in found["bests"]}
    assert best["reps"] == 12
    assert found["advice"][0]["step"] == "reps" or found["advice"][0]["step"] == "sets"
    assert main(["progress", "--data", str(tmp_path)]) == 0
    text = capsys.readouterr().out
    assert "Low row" in text
    assert "What is next" in text


def test_days_are_those_of_this_place(
    tmp_path: Path, low_row: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = keep(tmp_path, low_row, date(2026, 3, 2), noted=True)
    days = []
    for zone in ("UTC-13", "UTC+12"):
        monkeypatch.setenv("TZ", zone)
        time.tzset()
        [past] = read_history(path.parent, LIBRARY)
        days.append(past.day)
    monkeypatch.undo()
    time.tzset()
    assert days[0] - days[1] == timedelta(days=1)


def test_a_strength_test_is_compared_with_the_one_before(
    tmp_path: Path, mvc: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    today = date.today()
    for days in (0, 7):
        keep(tmp_path, mvc, today - timedelta(days=days))
    found = shown(capsys, tmp_path)
    [right] = [each for each in found["tests"] if each["side"] == "right"]
    assert right["name"] == "mvc_n"
    assert right["value"] == right["before"] == pytest.approx(60, rel=0.1)
    assert right["detectable"] == pytest.approx(0.155 * right["value"], rel=0.01)
    assert main(["progress", "--data", str(tmp_path)]) == 0
    assert "may be chance" in capsys.readouterr().out


def test_without_a_session_it_says_how_to_begin(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["progress", "--data", str(tmp_path / "none")]) == 0
    said = capsys.readouterr()
    assert said.out == ""
    assert "forceband live --program first-steps" in said.err
    assert shown(capsys, tmp_path)["weeks"] == []


def test_another_person_s_sessions_are_named(
    tmp_path: Path, low_row: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, low_row, date.today(), noted=True, athlete="Ann")
    assert main(["progress", "--data", str(tmp_path)]) == 0
    assert "Ann: --athlete NAME" in capsys.readouterr().err
    assert shown(capsys, tmp_path, "--athlete", "Ann")["bests"]


def test_the_demo_s_person_is_nobody_s_progress(
    tmp_path: Path, low_row: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(tmp_path, low_row, date.today(), noted=True, demo=True)
    assert shown(capsys, tmp_path)["bests"] == []
    assert shown(capsys, tmp_path, "--demo")["bests"]


@pytest.mark.parametrize("noted", [3, [{"entries": [{"reps": 1}]}], [[]]])
def test_notes_that_nobody_understands_are_made_again(
    tmp_path: Path, low_row: Log, noted: object
) -> None:
    path = keep(tmp_path, low_row, date.today())
    with Recording.open(path, write=True) as recording:
        recording.set_facts({COACHED: noted})
    [past] = read_history(tmp_path, LIBRARY)
    assert [each.reps for each in past.entries()] == [12]


def test_a_damaged_file_and_a_programme_that_is_gone_are_named(
    tmp_path: Path, low_row: Log, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / f"broken{SUFFIX}").write_bytes(b"no recording at all")
    keep(tmp_path, low_row, date.today(), noted=True)
    gone = [
        replace(each, payload=each.payload.replace(b"begin low-row", b"begin my-rows"))
        for each in low_row
    ]
    keep(tmp_path, gone, date.today(), name="gone")
    assert main(["progress", "--data", str(tmp_path)]) == 0
    said = capsys.readouterr()
    assert f"broken{SUFFIX}" in said.err
    assert "my-rows" in said.err
    assert "Low row" in said.out
