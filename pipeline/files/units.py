"""The unit of force: in a column's name, in a column of its own, or in the lines above."""

from __future__ import annotations

from collections.abc import Sequence

from pipeline.files.errors import FileError, shown
from pipeline.files.looks import Look, listed
from pipeline.files.table import Table
from pipeline.files.words import (
    COUNTS,
    FORCE_UNITS,
    OTHER_WORDS,
    UNIT_WORDS,
    force_noun,
    force_unit,
    plain,
    tokens,
)

PEOPLE = frozenset(
    ("body", "bodyweight", "bodymass", "athlete", "user", "subject", "person", "patient", "profile")
)
"""Their weight has a unit of its own."""


def unit_of(look: Look) -> tuple[str | None, bool]:
    """The unit that a column's name says or means, and whether it says it."""
    if look.force_unit is not None:
        return look.force_unit, True
    if look.unknown_unit or look.said_other:
        return None, False
    nouns = [noun for word in look.words if (noun := force_noun(word))]
    for noun in nouns:
        if noun in ("N", "kg"):
            return noun, False
    return ("N", False) if "load" in nouns else (None, False)


def told_unit(
    found: Sequence[Look], forces: Sequence[Look], notes: Sequence[str], path: object
) -> tuple[str | None, bool, str]:
    """The unit of columns that are added up, and whether the file says it, and a word on where.

    Raises
    ------
    FileError
        If they have several, or one that is not known.
    """
    told = [unit_of(look) for look in forces]
    units = {unit for unit, _ in told}
    if len(units) > 1:
        raise FileError(f"{path}: columns in {', '.join(map(str, units))} cannot be added up")
    unit, said = told[0]
    if said:
        return unit, True, ""
    unknown = next((look.unknown_unit for look in forces if look.unknown_unit), "")
    beside = None if unknown else _unit_column(found)
    if beside is not None:
        unit, said = force_unit(beside), True
        unknown = "" if unit else beside
    if unknown:
        raise FileError(
            f"{path}: '{shown(unknown, 20)}' of {forces[0]} is no unit of force that is known: "
            f"give --unit {', '.join(FORCE_UNITS)}; {listed(found)}"
        )
    above = None if said else _unit_above(notes)
    if above is not None:
        return above, True, f"{above}, as the lines around the samples say"
    return unit, said, ""


def _unit_column(found: Sequence[Look]) -> str | None:
    """What a column of units says, the same in all rows."""
    columns = [look for look in found if look.text and set(look.words) & UNIT_WORDS]
    return next((look.text for look in columns if look.same), None)


def one_unit(table: Table, found: Sequence[Look], path: object) -> None:
    """Look at all rows of a column of units.

    Raises
    ------
    FileError
        If the force is in one unit at first and in another later.
    """
    for look in found:
        if look.text and set(look.words) & UNIT_WORDS:
            units = {force_unit(row[look.place]) for row in table.rows()} - {None}
            if len(units) > 1:
                raise FileError(
                    f"{path}: {look} says {' and '.join(sorted(map(str, units)))}: write all "
                    "of the force in one unit, or split the file where it changes"
                )


def _unit_above(notes: Sequence[str]) -> str | None:
    """The one unit of force that lines such as `Units: kg` name above the titles."""
    named = set()
    for note in notes:
        words = tokens(note)
        plain_words = {plain(word) for word in words}
        if plain_words & UNIT_WORDS and not plain_words & (PEOPLE | OTHER_WORDS):
            named |= {unit for word in words if (unit := force_unit(word)) not in (None, COUNTS)}
    return named.pop() if len(named) == 1 else None
