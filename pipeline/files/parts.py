"""Which part of a file is read: the one that holds force, or the one that is named."""

from __future__ import annotations

from pathlib import Path

from pipeline.files.choosing import Options, choose
from pipeline.files.errors import FileError, shown
from pipeline.files.exports import layout_of
from pipeline.files.looks import looks
from pipeline.files.opening import tables_of
from pipeline.files.table import Table


def tables_with_force(path: Path, options: Options) -> list[Table]:
    """A file's parts that hold force: sheets, files of an archive, sessions of a backup.

    Raises
    ------
    FileError
        With a sentence, if there is none.
    """
    tables = tables_of(path)
    good = [] if options.sheet is not None else _with_force(tables, options, path)[0]
    return good or [chosen(path, tables, options)]


def chosen(path: Path, tables: list[Table], options: Options) -> Table:
    if not tables:
        raise FileError(f"{path}: there are no samples in it: no line has a number")
    if options.sheet is not None:
        return _sheet(path, tables, options.sheet)
    if len(tables) == 1:
        return tables[0]
    good, problem = _with_force(tables, options, path)
    if not good:
        raise problem
    if len(good) > 1:
        names = ", ".join(f"'{shown(table.part, 60)}'" for table in good[:8])
        more = f" and {len(good) - 8} more" if len(good) > 8 else ""
        raise FileError(f"{path}: force is in several parts ({names}{more}): give --sheet NAME")
    return good[0]


def _with_force(tables: list[Table], options: Options, path: Path) -> tuple[list[Table], FileError]:
    """Those in which columns of time and force can be told; else what the likeliest lacks."""
    good: list[Table] = []
    problems: list[tuple[int, FileError]] = []
    for table in tables:
        try:
            choose(table, options, path)
            good.append(table)
        except FileError as error:
            named = layout_of(table, looks(table)) is not None or "several" in str(error)
            size = len(table.head[0]) if table.head else 0
            problems.append((size + 1000 * named, error))
    # Tables that only need to be told more count where none is plain.
    worst = (
        max(problems, key=lambda each: each[0])[1] if problems else FileError(f"{path}: is empty")
    )
    return good, worst


def _sheet(path: Path, tables: list[Table], name: str) -> Table:
    for table in tables:
        if table.part == name:
            return table
    hits = [t for t in tables if name.casefold() in t.part.casefold()]
    if len(hits) == 1:
        return hits[0]
    if name.isdecimal() and 1 <= int(name) <= len(tables):
        return tables[int(name) - 1]
    parts = ", ".join(f"'{shown(table.part, 60)}'" for table in tables[:8] if table.part)
    parts = f"its parts are {parts}" if parts else "it has no parts"
    raise FileError(f"{path}: there is no part '{shown(name)}': {parts}")
