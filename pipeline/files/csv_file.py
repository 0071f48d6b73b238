"""Force from a CSV file: a column of times and one of forces, in units that their names say."""

from __future__ import annotations

import csv
import io
import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sensor.errors import BandError
from sensor.samples import Floats

NEWTONS = {"n": 1.0, "kg": 9.80665, "kgf": 9.80665, "lb": 4.4482216152605, "lbf": 4.4482216152605}
SECONDS = {"s": 1.0, "ms": 1e-3, "us": 1e-6, "min": 60.0}
TIME_NAMES, FORCE_NAMES = ("time", "t", "timestamp"), ("force", "load", "weight")
"""Names of columns, as they are or with a unit: `time_ms`, `Force (N)`, `weight [kg]`."""
FASTEST_HZ = 3000.0
"""No gauge of a band is faster: then the times are not in the unit that they seem to be in."""
MAX_BYTES = 2**29
MAX_BACKWARD_SHARE, MAX_REPEATED_SHARE, MAX_BACKWARD_S = 0.05, 0.20, 2.0
"""Loggers stutter now and then, and the analysis copes; beyond this the file is in disorder."""
SLOW_S = 0.15
"""Times that are rough by no more than this may repeat and jitter as they like: the lines are in
order, as where a radio's packets or a coarse clock stamp several samples alike."""
SLOWEST_S, LONGEST_S = 2.0, 72 * 3600.0
MAX_FORCE_N, MOST = 1e6, 1e18
SURE_N = 10.0
"""Less than this below zero is a wrong zero, or drift."""


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
        `n`, `kg` or `lb` of a force column whose name says none; N where nothing is said.

    Raises
    ------
    CsvError
        If the file cannot be read, a column is missing, a cell is no number, or times are in
        disorder.
    """
    header, body, above = _header_and_body(path)
    delimiter = _delimiter(header)
    titles = next(csv.reader([header], delimiter=delimiter), [])
    names = [_plain(title) for title in titles]
    remarks: list[str] = []
    time = _column(names, TIME_NAMES, SECONDS, remarks)
    force = _column(names, FORCE_NAMES, NEWTONS, remarks)
    if time is None or force is None:
        lacking = (
            "time column (time_s or time in seconds, time_ms)"
            if time is None
            else "force column (force_n, force_kg, force_lb, or force with --unit)"
        )
        raise CsvError(f"{path}: there is no {lacking}; the first line has: {_shown(header)}")
    name = names[force.place]
    if not (force.unit or unit):
        remarks.append(f"the column `{name}` names no unit: taken as N (--unit kg or lb)")
    elif force.unit and unit and force.unit != unit:
        remarks.append(f"the column `{name}` names its unit: --unit {unit} is not used")
    if re.search(r"^[^\S\n]*[^#\s]", body, re.MULTILINE) is None:
        raise CsvError(f"{path}: there are no samples below the header")
    values = _numbers(path, body, delimiter, (time.place, force.place), above)
    bad = ~(np.abs(values) <= MOST).all(axis=1)
    if not bad.any():
        bad = np.abs(values[:, 1]) * NEWTONS[force.unit or unit or "n"] > MAX_FORCE_N
    if bad.any():
        line = _line(body, int(np.argmax(bad)), above)
        raise CsvError(
            f"{path}: line {line}: a value is not a finite number or no force of a person; "
            "correct or remove the line"
        )
    time_s = values[:, 0] * SECONDS[time.unit or "s"]
    force_n = values[:, 1] * NEWTONS[force.unit or unit or "n"]
    remarks += _look_at_times(path, time_s, lambda row: _line(body, row, above))
    remarks += _look_at_force(force_n)
    return CsvForce(time_s, force_n, tuple(remarks))


def _header_and_body(path: Path) -> tuple[str, str, int]:
    """The line of names, what is below it, and how many lines are above that."""
    lines = _text(path).split("\n")
    for above, line in enumerate(lines, 1):
        # Remarks of loggers, and what Excel writes to say its separator.
        if line.strip() and not line.lstrip().startswith("#") and not line.startswith("sep="):
            return line, "\n".join(lines[above:]), above
    raise CsvError(f"{path}: is empty")


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise CsvError(f"{path}: is no file; save what is to be analysed as one first")
        if path.stat().st_size > MAX_BYTES:
            raise CsvError(f"{path}: larger than {MAX_BYTES // 2**20} MiB; split it")
        text = path.read_text("utf-8-sig")
    except OSError as error:
        raise CsvError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CsvError(
            f"{path}: is neither a recording nor a text file in UTF-8: save it as CSV (UTF-8)"
        ) from error
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _shown(text: str) -> str:
    """A piece of the file that a terminal may show."""
    return "".join(sign if sign.isprintable() else "?" for sign in text[:200])


def _delimiter(header: str) -> str:
    """What stands between the names most often, quoted ones left out; a comma may be in a name."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(";\t,", key=bare.count)


def _line(body: str, row: int, above: int) -> int:
    """Line of the file, from 1, of a row of numbers."""
    lines = (n for n, line in enumerate(body.split("\n"), above + 1) if line.split("#")[0].strip())
    return next(islice(lines, row, None))


class _Column(NamedTuple):
    place: int
    unit: str
    """Empty where the name says none."""


def _plain(name: str) -> str:
    """`Force (N)` and `"force_N"` are `force_n`."""
    name = name.lower().replace("\N{MICRO SIGN}", "u").replace("\N{GREEK SMALL LETTER MU}", "u")
    return re.sub(r"[^a-z0-9]+", "_", name).strip("_")


def _column(
    names: list[str], quantities: tuple[str, ...], units: dict[str, float], remarks: list[str]
) -> _Column | None:
    """The first column of such a name, those that say their unit before those that do not."""
    known = {f"{quantity}_{unit}": unit for quantity in quantities for unit in units}
    found = [_Column(place, known[name]) for place, name in enumerate(names) if name in known]
    found += [_Column(place, "") for place, name in enumerate(names) if name in quantities]
    if len(found) > 1:
        several = ", ".join(f"`{names[column.place]}`" for column in found)
        remarks.append(f"of the columns {several} the first is taken; remove it for another")
    return found[0] if found else None


def _numbers(path: Path, body: str, delimiter: str, columns: tuple[int, int], above: int) -> Floats:
    quoted = r'"(-?\d+),(\d+)"'
    comma = re.search(quoted if delimiter == "," else r"\d,\d", body)
    if comma and re.search(r"\d\.\d|\d,\d{3},\d{3}", body):
        line = above + 1 + body.count("\n", 0, comma.start())
        raise CsvError(
            f"{path}: line {line}: numbers hold commas, and points or more commas elsewhere: "
            "save them without thousands separators"
        )
    if comma:
        body = re.sub(quoted, r"\1.\2", body) if delimiter == "," else body.replace(",", ".")
    try:
        return np.loadtxt(
            io.StringIO(body), delimiter=delimiter, usecols=columns, ndmin=2, comments="#",
            quotechar='"',
        )  # fmt: skip
    except ValueError as error:
        words = str(error)
        place = re.search(r"(?:at row|line) (\d+)", words)
        first = 1 if "column" in words and "string" not in words else 0  # NumPy counts both ways
        where = f"line {_line(body, int(place.group(1)) - first, above)}: " if place else ""
        found = re.search(r"string (.+) to ", words)
        what = f"{found.group(1)[:60]} is not a number" if found else "a column is missing"
        raise CsvError(f"{path}: {where}{what}; correct or remove the line") from error


def _look_at_times(path: Path, time_s: Floats, line_of: Callable[[int], int]) -> list[str]:
    step = np.diff(time_s)
    usual_s, span_s = (float(np.median(step)), float(np.ptp(time_s))) if step.size else (0.0, 0.0)
    if usual_s > SLOWEST_S or span_s > LONGEST_S:
        raise CsvError(
            f"{path}: the times span {span_s:.3g} s, usually {usual_s:.3g} s apart: are they in "
            "seconds? If not, name the column `time_ms` or `time_us`. "
            f"A sample every {SLOWEST_S:g} s and {LONGEST_S / 3600:g} h are the most"
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
            line = line_of(int(np.argmax(where)) + 1)
            raise CsvError(
                f"{path}: line {line}: the time {what} ({np.count_nonzero(where)} of "
                f"{time_s.size} lines do); sort the file by time and keep one line for each time"
            )
    remarks = []
    if 0 < rough_s < 1 / FASTEST_HZ:
        remarks.append(
            f"a sample every {rough_s:.2g} s is faster than any gauge of a band: are the times in "
            "seconds? A column `time_min`, `time_ms` or `time_us` says otherwise"
        )
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


def _look_at_force(force_n: Floats) -> list[str]:
    low, high = np.percentile(force_n, (0.5, 99.5))
    if low > -SURE_N or high > -0.1 * low:
        return []
    return [
        f"the force is hardly ever above zero (from {low:.0f} to {high:.0f} N): if it falls as one "
        "pulls, swap the sensor's signal wires and multiply this column by -1"
    ]
