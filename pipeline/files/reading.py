"""Samples of a file in seconds and newtons, with what was understood in one line."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from pipeline.files.axis import made_sound, rate_hz_of
from pipeline.files.calibrations import kept
from pipeline.files.choosing import Choice, Options, choose
from pipeline.files.errors import FileError, shown
from pipeline.files.forces import Forces, in_newtons, wired_backwards
from pipeline.files.opening import tables_of
from pipeline.files.parts import chosen
from pipeline.files.table import Loaded, Progress, Table
from pipeline.files.times import Times, of_numbers, of_stamps
from pipeline.files.words import COUNTS, FORCE_UNITS, TIME_UNITS
from sensor.samples import Floats

LEAST_ROWS, MOST = 2, 1e18


@dataclass(frozen=True, slots=True, eq=False)
class ForceFile:
    """One signal of a file: samples of shape (n,), and what the person should know."""

    path: Path
    part: str
    column: str
    side: str | None
    time_s: Floats
    force_n: Floats
    unit: str
    understood: str
    remarks: tuple[str, ...]
    utc_s: float | None
    """UTC of second 0, if the file tells it."""
    local: bool
    """That is a clock on a wall: its zone is not in the file."""
    counts: Forces | None
    """Set where nobody knows how many newtons these are: force_n only tells pulls."""
    resolution_n: float
    """The least step in which the file writes its force."""
    layout: str = ""

    @property
    def rate_hz(self) -> float:
        """Samples in a second as they usually come."""
        return rate_hz_of(self.time_s)


def read_force(
    path: Path,
    options: Options | None = None,
    progress: Progress | None = None,
    calibrations: Path | None = None,
) -> list[ForceFile]:
    """Read a file's force: one signal, or as many as `options` name.

    Parameters
    ----------
    calibrations
        The file in which calibrations of sensors are kept.

    Raises
    ------
    FileError
        With a sentence, if it cannot be read or it cannot be told what is in it.
    """
    options = options or Options()
    table = chosen(path, tables_of(path), options)
    return read_table(path, table, options, progress, calibrations)


def read_table(
    path: Path,
    table: Table,
    options: Options,
    progress: Progress | None = None,
    calibrations: Path | None = None,
) -> list[ForceFile]:
    """The same of one of a file's tables."""
    return [
        _added_up([_signal(path, table, each, options, progress, calibrations) for each in choices])
        for choices in choose(table, options, path)
    ]


def _added_up(parts: list[ForceFile]) -> ForceFile:
    """One signal; parts with times of their own are added up where all of them have samples."""
    first = parts[0]
    if len(parts) == 1:
        return first
    for each in parts:
        if each.counts is not None:
            raise FileError(f"{each.path}: counts of '{shown(each.column)}' cannot be added up")
    begin = max(float(each.time_s[0]) for each in parts)
    end = min(float(each.time_s[-1]) for each in parts)
    time_s = first.time_s[(first.time_s >= begin) & (first.time_s <= end)]
    if time_s.size < LEAST_ROWS:
        raise FileError(f"{first.path}: the columns that are to be added up share no time")
    force_n = sum(np.interp(time_s, each.time_s, each.force_n) for each in parts)
    column = " + ".join(each.column for each in parts)
    words = first.understood.replace(f"'{shown(first.column, 60)}'", f"'{shown(column, 60)}'")
    remarks = tuple(dict.fromkeys(remark for each in parts for remark in each.remarks))
    return replace(
        first, column=column, side=None, time_s=time_s, force_n=np.asarray(force_n),
        understood=words, remarks=remarks,
    )  # fmt: skip


def read_counts(path: Path, options: Options | None = None) -> tuple[str, Floats, Floats]:
    """A sensor's column as it stands in the file: its name, times in s, counts, shape (n,) each."""
    options = replace(options or Options(), unit=COUNTS)
    table = chosen(path, tables_of(path), options)
    choice = choose(table, options, path)[0][0]
    found = _signal(path, table, choice, options, None, None)
    assert found.counts is not None
    return found.column, found.time_s, found.counts.readings(found.force_n)


def _signal(
    path: Path, table: Table, choice: Choice, options: Options, progress: Progress | None,
    calibrations: Path | None,
) -> ForceFile:  # fmt: skip
    where = f"{path}" + (f" ({shown(table.part, 60)})" if table.part else "")
    times_at = [look.place for look in (choice.time, choice.days) if look is not None]
    places = list(dict.fromkeys([*times_at, *(look.place for look in choice.forces)]))
    loaded = table.load(places, progress)
    values = _forces(loaded, places, choice, where)
    if values.size < LEAST_ROWS:
        many = f"only {values.size} sample" if values.size else "there are no samples"
        lost = ", ".join(_counted(what, n) for what, n in loaded.passed.items() if n)
        lost = f", {lost} passed over" if lost else ""
        raise FileError(f"{where}: {many} below the titles{lost}")
    low, high = float(values.min()), float(values.max())
    if not -MOST < low <= high < MOST:
        wild = int(np.argmax(~(np.abs(values) < MOST)))
        raise FileError(
            f"{where}: {loaded.place_of(wild)}: {values[wild]:g} is no force; correct or remove "
            "the line"
        )
    if low == high:
        raise FileError(
            f"{where}: every force in '{shown(choice.title)}' is {values[0]:g}: nothing was "
            "pulled, or another column holds it (--force-column)"
        )
    times = _times(loaded, places, choice, options, where)
    remarks = [each for each in (choice.given, times.said, *loaded.words) if each]
    forces = in_newtons(values, choice.unit, said=choice.unit_said)
    column, calibrated = choice.title, False
    if forces.counts_per_n is not None:
        known = kept(calibrations, options.sensor or column) if calibrations else None
        calibrated = known is not None
        if known is not None:
            forces = Forces(known.force_n(values))
            remarks.append(f"calibrated as '{known.sensor}' on {known.made} (--sensor for another)")
        else:
            remarks.append(_no_newtons(forces, column, path))
    elif not choice.unit_said:
        remarks.append(
            f"the column '{shown(column)}' names no unit: taken as {choice.unit} (--unit)"
        )
    time_s, force_n = times.time_s, forces.force_n
    place_of = loaded.place_of
    if time_s.size > 2 and time_s[-1] < time_s[0] and (np.diff(time_s) < 0).mean() > 0.5:
        last = time_s.size - 1
        time_s, force_n = time_s[::-1], force_n[::-1]
        remarks.append("the last comes first in it: turned round")

        def place_of(row: int) -> str:
            return loaded.place_of(last - row)

    time_s, force_n, words = made_sound(time_s, force_n, place_of, where)
    remarks += words
    if forces.counts_per_n is None:
        backwards = wired_backwards(force_n)
        remarks += [backwards] if backwards else []
    rate_hz = rate_hz_of(time_s)
    unit = choice.unit if forces.counts_per_n is None else COUNTS
    unit = "N" if calibrated else unit
    loaded.passed["line"] += len(table.notes) + any(table.units)
    passed = [f"{_counted(what, n)} passed over" for what, n in loaded.passed.items() if n]
    shown_unit = unit if forces.counts_per_n is None else "counts, no newtons,"
    understood = ", ".join(
        [
            *([f"export of {choice.layout}"] if choice.layout else []),
            f"{shown_unit} from '{shown(column, 60)}'",
            f"{rate_hz:.1f} Hz" + (" as given" if options.rate_hz else ""),
            *passed,
        ]
    )
    return ForceFile(
        path, table.part, column, choice.side, time_s, force_n, unit, understood, tuple(remarks),
        times.utc_s, times.local, forces if forces.counts_per_n is not None else None,
        _resolution(table, choice), choice.layout,
    )  # fmt: skip


def _counted(what: str, n: int) -> str:
    """`1 line without a force`, `2 lines without a force`."""
    noun, _, rest = what.partition(" ")
    return f"{n} {noun}{'s' if n > 1 else ''} {rest}".strip()


def _forces(loaded: Loaded, places: list[int], choice: Choice, where: str) -> Floats:
    total: Floats | None = None
    for look in choice.forces:
        cells = loaded.columns[places.index(look.place)]
        if not isinstance(cells, np.ndarray):
            raise FileError(f"{where}: {look} holds more than numbers: give another --force-column")
        total = cells if total is None else total + cells
    assert total is not None
    return total


def _times(
    loaded: Loaded, places: list[int], choice: Choice, options: Options, where: str
) -> Times:
    if choice.time is None:
        assert options.rate_hz is not None
        return Times(np.arange(len(loaded.columns[0])) / options.rate_hz)
    at = places.index(choice.time.place)
    cells = loaded.columns[at]
    if choice.time.stamps or not isinstance(cells, np.ndarray):
        days = places.index(choice.days.place) if choice.days is not None else None
        return of_stamps(loaded, at, where, days)
    if choice.time_unit is not None:
        factor = TIME_UNITS[choice.time_unit]
        epoch = cells[0] * factor > 1e9
        return Times(cells * factor, 0.0 if epoch else None)
    times = of_numbers(cells, choice.time, where)
    return replace(times, local=times.utc_s is not None and loaded.wall is True)


def _no_newtons(forces: Forces, column: str, path: Path) -> str:
    why = f" ({forces.doubt})" if forces.doubt else ""
    return (
        f"'{shown(column)}' holds counts of a sensor{why}: pulls are counted, newtons are not "
        f"told; `forceband calibrate {path.name} --known-kg 0 10` makes newtons of them, by the "
        "weights that hung there, or --unit says what they are"
    )


def _resolution(table: Table, choice: Choice) -> float:
    """The least step of the force as it is written, N."""
    look = choice.forces[0]
    cells = [cell for cell in table.head[look.place] if cell][:100]
    behind = [len(cell.split(table.decimal)[1]) if table.decimal in cell else 0 for cell in cells]
    digits = max((d for d in behind), default=3)
    return FORCE_UNITS[choice.unit] * 10.0 ** -min(digits, 9)
