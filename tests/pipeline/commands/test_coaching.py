"""The coach of a session, as the configuration, the library and earlier sessions make it."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from pipeline.coach.begin import Begin
from pipeline.coach.library import LibraryError
from pipeline.commands.coaching import open_coaching
from pipeline.config import Config, load
from sensor.errors import BandError
from tests.pipeline.files.test_history import Log, keep, low_row

__all__ = ["low_row"]


def config_of(folder: Path) -> Config:
    return load(None, flags={"data_dir": folder})


def test_what_begins_has_the_usual_pull_of_earlier_sessions(tmp_path: Path, low_row: Log) -> None:
    keep(tmp_path, low_row, date.today(), noted=True)
    coaching = open_coaching(config_of(tmp_path))
    begin = Begin.of(coaching.ask("begin low row").removeprefix("begin "))
    assert begin.name == "low-row"
    assert 10 < begin.usual_n["low-row"] < 20
    assert coaching.plan_of(str(begin)).usual_n == begin.usual_n


def test_what_was_done_last_is_not_chosen_first(tmp_path: Path, low_row: Log) -> None:
    keep(tmp_path, low_row, date.today(), noted=True)
    before = Begin.of(open_coaching(config_of(tmp_path / "none")).ask("begin build-your-own")[6:])
    after = Begin.of(open_coaching(config_of(tmp_path)).ask("begin build-your-own")[6:])
    assert "low-row" in before.chosen
    assert "low-row" not in after.chosen


def test_a_band_that_is_lacking_is_told_however_the_programme_was_chosen(tmp_path: Path) -> None:
    own = tmp_path / "own.toml"
    own.write_text('[band.mine]\ncolour = "red"\n', "utf-8")
    coaching = open_coaching(config_of(tmp_path), own)
    told: list[str] = []
    coaching.notice = told.append
    coaching.ask("begin low-row")
    assert told == []
    coaching.ask("begin six-minute-upper-back")
    assert "a loop band for Pull-apart" in told[0]
    assert "you have mine" in told[0]


@pytest.mark.parametrize("text", ["begin nothing-like-it", "begin", 'begin low-row {"sets": 9}'])
def test_what_is_in_no_library_is_not_begun(tmp_path: Path, text: str) -> None:
    with pytest.raises(BandError, match="no programme"):
        open_coaching(config_of(tmp_path)).ask(text)


def test_a_programme_that_is_unknown_is_refused_at_once(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match="did you mean mvc"):
        open_coaching(config_of(tmp_path), None, "mvcs")
