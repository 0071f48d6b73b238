"""What a counter found in sessions: JSON as `forceband analyse --json` prints it, or less of it.

One object a session, with its file's name in `file` or `name`: in one file, a line each or as an
array, or a file each in a folder. `reps` is a list of objects with `start_s` and `end_s`, or with
`peak_s` alone; or a number, where a counter tells no more.
"""

from __future__ import annotations

import json
import math
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.files.errors import FileError, shown


@dataclass(frozen=True, slots=True)
class FoundRep:
    """One rep; NaN where the counter does not tell it."""

    set: int
    start_s: float
    top_start_s: float
    top_end_s: float
    end_s: float
    peak_s: float
    peak_n: float
    tut_s: float
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Answer:
    """What was found in one session."""

    name: str | None
    """Of the session's file, without ending; None where it is not told."""
    reps: list[FoundRep]
    peaks_s: list[float] | None
    """In place of `reps`, where only the times of peaks are told."""
    count: int | None
    """In place of both, where only their number is told."""
    remarks: list[str]


def read_answers(path: Path) -> list[Answer]:
    """The answers of a file, of a folder of files, or of stdin for `-`.

    Raises
    ------
    FileError
        With a sentence, if they are none.
    """
    if str(path) == "-":
        return list(_answers(path, sys.stdin.read(), None))
    try:
        if not path.is_dir():
            return list(_answers(path, path.read_text(encoding="utf-8"), path.stem))
        found: list[Answer] = []
        for each in sorted(path.glob("*.json")):
            found += _answers(each, each.read_text(encoding="utf-8"), each.stem)
    except OSError as error:
        raise FileError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise FileError(f"{path}: is no text: {error.reason}") from error
    return found


def _answers(path: Path, text: str, stem: str | None) -> Iterator[Answer]:
    told = list(_objects(path, text))
    for number, each in enumerate(told, start=1):
        where = f"{path}" if len(told) == 1 else f"{path}: answer {number}"
        try:
            yield _answer(each, stem if len(told) == 1 else None)
        except (TypeError, ValueError, KeyError, AttributeError, OverflowError) as error:
            what = f"{error.args[0]!r} is missing" if isinstance(error, KeyError) else str(error)
            raise FileError(
                f"{where}: cannot be taken: {shown(what, 100)}; an answer is a JSON object with "
                "`reps`, each with `start_s` and `end_s` or with `peak_s`, or with their number"
            ) from error


def _objects(path: Path, text: str) -> Iterator[Any]:
    """One JSON value, an array of them, or one a line."""
    try:
        whole = json.loads(text)
    except ValueError:
        for number, line in enumerate(text.splitlines(), start=1):
            if line.strip():
                try:
                    yield json.loads(line)
                except ValueError as error:
                    raise FileError(f"{path}: line {number} is no JSON: {error}") from error
        return
    if isinstance(whole, list):
        yield from whole
    else:
        yield whole


def _answer(told: dict[str, Any], stem: str | None) -> Answer:
    of = told.get("file", told.get("name"))
    name = Path(str(of).replace("\\", "/")).name if of is not None else None
    if name is not None:
        name = name.removesuffix(".csv").removesuffix(".forceband").removesuffix(".json")
    reps, remarks = told["reps"], [str(each) for each in told.get("remarks", [])]
    name = name if name is not None else stem
    if isinstance(reps, int) and not isinstance(reps, bool):
        return Answer(name, [], None, reps, remarks)
    if not isinstance(reps, list):
        raise TypeError("`reps` is no list")
    if reps and all("start_s" not in rep and "peak_s" in rep for rep in reps):
        return Answer(name, [], [_number(rep["peak_s"]) for rep in reps], None, remarks)
    return Answer(name, [_rep(each) for each in reps], None, None, remarks)


def _rep(told: dict[str, Any]) -> FoundRep:
    start_s, end_s = _number(told["start_s"]), _number(told["end_s"])
    if end_s < start_s:
        raise ValueError(f"a rep ends at {end_s:g} s, before it starts at {start_s:g} s")

    def value(key: str, default: float = math.nan) -> float:
        return default if told.get(key) is None else _number(told[key])

    return FoundRep(
        set=int(value("set", 0.0)),
        start_s=start_s,
        top_start_s=value("top_start_s"),
        top_end_s=value("top_end_s"),
        end_s=end_s,
        peak_s=value("peak_s", (start_s + end_s) / 2),
        peak_n=value("peak_n"),
        tut_s=value("tut_s", end_s - start_s),
        confidence=value("confidence", 1.0),
    )


def _number(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError(f"{value} is no number")
    return number
