"""Force from a CSV file: a time column in seconds, a force column in a unit that is said."""

from __future__ import annotations

import io
import math
import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from sensor.errors import BandError
from sensor.samples import Floats

NEWTONS = {"n": 1.0, "kg": 9.80665, "lb": 4.4482216152605}
TIME_COLUMNS = ("time_s", "time")
FORCE_COLUMNS = {"force_n": "n", "force_kg": "kg", "force_lb": "lb"}
MAX_BYTES = 2**31
MAX_BACKWARD_SHARE, MAX_REPEATED_SHARE, MAX_BACKWARD_S = 0.05, 0.20, 2.0
"""Loggers stutter now and then, and the analysis copes; beyond this the file is in disorder."""
SLOW_S = 0.15
"""Times that are rough by no more than this may repeat and jitter as they like: the lines are in
order, as where a radio's packets or a coarse clock stamp several samples alike."""
SLOWEST_S, LONGEST_S = 2.0, 72 * 3600.0
MAX_FORCE_N = 1e6


class CsvError(BandError, ValueError):
    """A CSV file that cannot be taken; the text names the file, the line and what is wrong."""


@dataclass(frozen=True, slots=True, eq=False)
class CsvForce:
    """Samples of a file, shape (n,) each, in the file's order, and what the person should know."""

    time_s: Floats
    force_n: Floats
    remarks: tuple[str, ...]


def read_csv(path: Path, unit: str | None = None) -> CsvForce:
    """Read a file with a header; further columns are ignored.

    Parameters
    ----------
    unit
        `n`, `kg` or `lb` of a column that is named just `force`; N where nothing is said.

    Raises
    ------
    CsvError
        If the file cannot be read, a column is missing, a cell is no number, or times are in
        disorder.
    """
    text = _text(path)
    header, _, body = text.partition("\n")
    delimiter = max(",;\t", key=header.count)
    names = [name.strip().strip('"').lower() for name in header.split(delimiter)]
    time_column = next((names.index(name) for name in TIME_COLUMNS if name in names), None)
    force_column, force_unit, remarks = _force_column(names, unit)
    if time_column is None or force_column is None:
        lacking = (
            "time column (time_s or time, in seconds)"
            if time_column is None
            else "force column (force_n, force_kg, force_lb, or force with --unit)"
        )
        found = ", ".join(names)[:200]
        raise CsvError(f"{path}: there is no {lacking}; the first line has: {found}")
    if re.search(r"^[^\S\n]*[^#\s]", body, re.MULTILINE) is None:
        raise CsvError(f"{path}: there are no samples below the header")
    values = _numbers(path, body, delimiter, (time_column, force_column))
    time_s, force_n = values[:, 0], values[:, 1] * NEWTONS[force_unit]
    bad = ~np.isfinite(values).all(axis=1) | (np.abs(force_n) > MAX_FORCE_N)
    if bad.any():
        line = int(np.argmax(bad)) + 2
        raise CsvError(
            f"{path}: line {line}: a value is not a finite number or no force of a person; "
            "correct or remove the line"
        )
    remarks += _look_at_times(path, time_s)
    return CsvForce(time_s, force_n, tuple(remarks))


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MAX_BYTES:
            raise CsvError(f"{path}: larger than {MAX_BYTES // 2**30} GiB; split it")
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise CsvError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CsvError(f"{path}: is neither a recording nor a text file in UTF-8") from error
    if not text.strip():
        raise CsvError(f"{path}: is empty")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _force_column(names: list[str], unit: str | None) -> tuple[int | None, str, list[str]]:
    for name, its_unit in FORCE_COLUMNS.items():
        if name in names:
            return names.index(name), its_unit, []
    if "force" not in names:
        return None, "n", []
    remarks = [] if unit else ["the column `force` names no unit: taken as N (--unit kg or lb)"]
    return names.index("force"), unit or "n", remarks


def _numbers(path: Path, body: str, delimiter: str, columns: tuple[int, int]) -> Floats:
    if delimiter == ";" and re.search(r"\d,\d", body[:2000]):
        body = body.replace(",", ".")
    try:
        return np.loadtxt(
            io.StringIO(body), delimiter=delimiter, usecols=columns, ndmin=2, comments="#",
            quotechar='"',
        )  # fmt: skip
    except ValueError as error:
        words = str(error)
        place = re.search(r"(?:at row|line) (\d+)", words)
        above = 1 if "column" in words and "string" not in words else 2  # NumPy counts both ways
        line = f"line {int(place.group(1)) + above}: " if place else ""
        found = re.search(r"string '(.*?)'", words)
        what = f"{found.group(1)[:40]!r} is not a number" if found else "a column is missing"
        raise CsvError(f"{path}: {line}{what}; correct or remove the line") from error


def _look_at_times(path: Path, time_s: Floats) -> list[str]:
    step = np.diff(time_s)
    usual_s, span_s = (float(np.median(step)), float(np.ptp(time_s))) if step.size else (0.0, 0.0)
    if usual_s > SLOWEST_S or span_s > LONGEST_S:
        raise CsvError(
            f"{path}: the times span {span_s:.3g} s, usually {usual_s:.3g} s apart: are they in "
            f"seconds? A sample every {SLOWEST_S:g} s and {LONGEST_S / 3600:g} h are the most"
        )
    backward, repeated = step < 0, step == 0
    worst = float(-step.min()) if step.size else 0.0
    onward = step[step > 0]
    rough_s = float(np.median(onward)) if onward.size else math.inf
    for what, where, share, off_s in (
        ("goes back", backward, MAX_BACKWARD_SHARE, worst),
        ("repeats", repeated, MAX_REPEATED_SHARE, rough_s),
    ):
        often = where.any() and where.mean() > share and off_s > SLOW_S
        if often or (where.any() and worst > MAX_BACKWARD_S):
            line = int(np.argmax(where)) + 3
            raise CsvError(
                f"{path}: line {line}: the time {what} ({np.count_nonzero(where)} of "
                f"{time_s.size} lines do); sort the file by time and keep one line for each time"
            )
    remarks = []
    disorder = int(np.count_nonzero(backward | repeated))
    if disorder:
        remarks.append(
            f"{disorder} of {time_s.size} times repeat or go back: put right by interpolation"
        )
    if usual_s > SLOW_S:
        remarks.append(
            f"a sample every {usual_s:.2g} s is slow: reps shorter than {6 * usual_s:.2g} s may be "
            "missed, and times are rough"
        )
    return remarks
