"""Which columns of a table are read: as the person says, as an export has them, or as they look."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.files.columns import date_column, force_columns, time_column
from pipeline.files.errors import FileError, shown
from pipeline.files.exports import Layout, layout_of
from pipeline.files.looks import Look, listed, looks, named
from pipeline.files.table import Table
from pipeline.files.units import one_unit, told_unit, unit_of
from pipeline.files.words import COUNTS, FORCE_UNITS, force_unit


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may say of a file."""

    time_column: str | None = None
    force_columns: tuple[str, ...] = ()
    """Each is read apart; `left+right` adds columns up."""
    unit: str | None = None
    rate_hz: float | None = None
    sheet: str | None = None
    sensor: str | None = None
    """Whose kept calibration counts."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Columns of one signal."""

    time: Look | None
    """None where a rate makes the times."""
    days: Look | None
    forces: tuple[Look, ...]
    """Added up."""
    unit: str
    unit_said: bool
    time_unit: str | None
    layout: str
    given: str = ""
    """The unit that was given, where the file names another."""

    @property
    def title(self) -> str:
        """What the force is called."""
        return " + ".join(look.title.strip() or f"column {look.place + 1}" for look in self.forces)

    @property
    def side(self) -> str | None:
        return (self.forces[0].side or None) if len(self.forces) == 1 else None


def choose(table: Table, options: Options, path: object) -> list[tuple[Choice, ...]]:
    """The signals of a table: one, or as many as columns were named.

    A signal is a choice of columns; several where those that are added up have times of their own.

    Raises
    ------
    FileError
        If it cannot be told; the sentence lists the columns and the option to give.
    """
    found = looks(table)
    layout = layout_of(table, found)
    if options.force_columns:
        groups = [_group(found, name, path) for name in options.force_columns]
    else:
        groups = [_force(found, layout, options, path)]
    return [_choices(table, found, group, layout, options, path) for group in groups]


def _group(found: list[Look], name: str, path: object) -> tuple[Look, ...]:
    """The columns of one `--force-column`."""
    try:
        return (named(found, name, "--force-column", path),)
    except FileError:
        if "+" not in name:
            raise
    return tuple(named(found, each, "--force-column", path) for each in name.split("+"))


def _force(
    found: list[Look], layout: Layout | None, options: Options, path: object
) -> tuple[Look, ...]:
    if layout is not None and layout.forces:
        return tuple(found[place] for place in layout.forces)
    times = (
        named(found, options.time_column, "--time-column", path) if options.time_column else None
    )
    best = force_columns(found, times or time_column(found))
    if len(best) == 1:
        return (best[0],)
    if not best:
        raise FileError(
            f"{path}: there is no force column that can be told: give --force-column NAME; "
            f"{listed(found)}"
        )
    names = [shown(look.title) or str(look.place + 1) for look in best]
    raise FileError(
        f"{path}: several columns may be the force ({', '.join(repr(n) for n in names)}): give "
        f"--force-column for one, again for each apart, or '{names[0]}+{names[1]}' for their sum; "
        f"{listed(found)}"
    )


def _choices(
    table: Table, found: list[Look], forces: tuple[Look, ...], layout: Layout | None,
    options: Options, path: object,
) -> tuple[Choice, ...]:  # fmt: skip
    whole = _choice(table, found, forces, layout, options, path)
    if len(forces) == 1 or whole.time is None:
        return (whole,)
    each = tuple(_choice(table, found, (look,), layout, options, path) for look in forces)
    return each if len({one.time.place for one in each if one.time}) > 1 else (whole,)


def _choice(
    table: Table, found: list[Look], forces: tuple[Look, ...], layout: Layout | None,
    options: Options, path: object,
) -> Choice:  # fmt: skip
    for look in forces:
        if not look.numeric:
            raise FileError(f"{path}: {look} holds no numbers: give another --force-column")
    unit, said, given = _unit(table, found, forces, layout, options, path)
    name = layout.name if layout is not None else ""
    if options.rate_hz is not None:
        return Choice(None, None, forces, unit, said, None, name, given)
    time_unit = None
    if options.time_column:
        time: Look | None = named(found, options.time_column, "--time-column", path)
    elif layout is not None and layout.time is not None:
        time, time_unit = found[layout.time], layout.time_unit
    else:
        time = time_column(found, forces[0].side, forces[0].place)
    if time is None:
        raise FileError(
            f"{path}: there is no time column that can be told: give --time-column NAME, or "
            f"--rate HZ if none is there; {listed(found)}"
        )
    if not time.numeric and not time.stamps:
        raise FileError(f"{path}: {time} holds no times: give another --time-column or --rate HZ")
    return Choice(time, date_column(found, time), forces, unit, said, time_unit, name, given)


def _unit(
    table: Table, found: list[Look], forces: tuple[Look, ...], layout: Layout | None,
    options: Options, path: object,
) -> tuple[str, bool, str]:  # fmt: skip
    """The unit of the force, whether it is said anywhere, and a word where two are."""
    given = force_unit(options.unit) if options.unit else None
    if options.unit and given is None:
        raise FileError(
            f"--unit {shown(options.unit)} is no unit of force; known are {', '.join(FORCE_UNITS)}"
        )
    if given is not None:
        told = [unit_of(look) for look in forces]
        other = next((unit for unit, said in told if said and unit not in (given, COUNTS)), None)
        word = f"taken as {given} as given, though the column says {other}" if other else ""
        return given, True, word
    if layout is not None and layout.force_unit is not None:
        return layout.force_unit, True, ""
    unit, said, word = told_unit(found, forces, table.notes, path)
    if not forces[0].force_unit:
        one_unit(table, found, path)
    if unit is None and options.force_columns:
        return COUNTS, False, ""
    if unit is None:
        raise FileError(
            f"{path}: the unit of {forces[0]} cannot be told: give --unit N, kg, lb, g or counts; "
            f"{listed(found)}"
        )
    return unit, said, word
