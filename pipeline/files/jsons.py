"""Tables in JSON and JSON Lines: records, columns, rows and what pandas writes, at any depth."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipeline.files.errors import FileError, shown
from pipeline.files.memory import HEAD_ROWS, MemoryTable

MOST_DEPTH, MOST_WIDE, MOST_FACTS = 6, 64, 50
LEAST_ROWS, FEW = 2, 8
"""Objects of more than a few equal members are rows or columns."""


def json_tables(path: Path, text: str) -> list[MemoryTable]:
    """All lists of records, and all equal lists of numbers, in a JSON text or JSON Lines.

    Raises
    ------
    FileError
        If it is neither.
    """
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError) as error:
        whole = _json_lines(path, text, error)
    found: list[MemoryTable] = []
    _collect(path, whole, "", found, ())
    return found


def _json_lines(path: Path, text: str, error: Exception) -> list[Any]:
    lines = [(n, line) for n, line in enumerate(text.split("\n"), 1) if line.strip()]
    out = []
    for order, (n, line) in enumerate(lines):
        try:
            out.append(json.loads(line))
        except (ValueError, RecursionError) as wrong:
            if order == len(lines) - 1 and len(out) > 1:
                break  # cut off while it was written
            words = str(error if order == 0 else wrong).split(": line")[0]
            raise FileError(
                f"{path}: line {n}: is no JSON ({shown(words, 60)}); correct or remove the line"
            ) from wrong
    return out


def _collect(
    path: Path, value: Any, name: str, found: list[MemoryTable], notes: tuple[str, ...],
    depth: int = 0,
) -> None:  # fmt: skip
    """Append every table within a value; `notes` are the single facts around it."""
    if depth > MOST_DEPTH:
        return
    if isinstance(value, list):
        _from_list(path, value, name, found, notes, depth)
    elif isinstance(value, dict):
        facts = [f"{key}: {each}" for key, each in _flattened(value).items() if _is_fact(each)]
        notes = (*notes, *facts[:MOST_FACTS])
        keyed = _keyed(value)
        if keyed is not None:
            found.append(MemoryTable(path, list(keyed), list(keyed.values()), name, notes=notes))
            return
        lists = {str(key): each for key, each in value.items() if _is_column(each)}
        for size in dict.fromkeys(len(each) for each in lists.values()):
            same = {key: each for key, each in lists.items() if len(each) == size}
            columns = [[flat(cell) for cell in each] for each in same.values()]
            found.append(MemoryTable(path, list(same), columns, name, notes=notes))
        for key, each in value.items():
            if key not in lists and isinstance(each, dict | list):
                inner = f"{name}.{key}" if name else str(key)
                titled = _with_titles(each, [*lists.values()])
                _collect(path, titled, inner, found, notes, depth + 1)


def _is_fact(value: Any) -> bool:
    return isinstance(value, str | int | float) and len(str(value)) < 200


def _is_column(value: Any) -> bool:
    """Whether a list holds cells."""
    many = isinstance(value, list) and len(value) >= LEAST_ROWS
    return many and not isinstance(value[0], dict | list)


def _keyed(value: dict[str, Any]) -> dict[str, list[Any]] | None:
    """Columns of what pandas writes: rows or columns by key, each an object; or one column."""
    each = list(value.values())
    if len(each) > FEW and all(isinstance(cell, int | float) for cell in each):
        keys = [*value]
        return {"": keys, "value": each} if all(k[:1].isdigit() for k in keys) else None
    if not each or not all(isinstance(row, dict) and row.keys() == each[0].keys() for row in each):
        return None
    if any(isinstance(cell, dict | list) for cell in each[0].values()):
        return None
    if len(each) > FEW:
        return {"": [*value]} | {title: [flat(row[title]) for row in each] for title in each[0]}
    if len(each[0]) > FEW:
        return {"": [*each[0]]} | {
            key: [flat(c) for c in row.values()] for key, row in value.items()
        }
    return None


def _with_titles(value: Any, lists: list[list[Any]]) -> Any:
    """Rows below the titles that stand in a list of as many texts beside them."""
    if isinstance(value, list) and len(value) >= LEAST_ROWS and isinstance(value[0], list):
        for titles in lists:
            if len(titles) == len(value[0]) and all(isinstance(each, str) for each in titles):
                return [titles, *value]
    return value


def _from_list(
    path: Path, value: list[Any], name: str, found: list[MemoryTable], notes: tuple[str, ...],
    depth: int,
) -> None:  # fmt: skip
    if len(value) < LEAST_ROWS:
        for each in value:
            _collect(path, each, name, found, notes, depth + 1)
    elif all(isinstance(each, dict) for each in value):
        found.append(of_records(path, value, name, notes))
        if any(isinstance(each, list | dict) for each in value[0].values()):
            for number_, record in enumerate(value, 1):
                for key, inner in record.items():
                    if isinstance(inner, list) and len(inner) > LEAST_ROWS:
                        part = f"{name}[{number_}]"
                        _collect(path, {key: inner}, part, found, notes, depth + 1)
    elif all(isinstance(each, list) for each in value):
        width = max(len(each) for each in value)
        first, rest = value[0], value[1:]
        named = len(first) == width and all(isinstance(cell, str) for cell in first)
        titles, rows = (first, rest) if named else ([""] * width, value)
        if 0 < width <= MOST_WIDE:
            columns = [[flat(r[k]) if k < len(r) else None for r in rows] for k in range(width)]
            found.append(MemoryTable(path, titles, columns, name, notes=notes))
    elif all(isinstance(each, int | float | str) or each is None for each in value):
        found.append(MemoryTable(path, [name.rsplit(".", 1)[-1]], [value], name, notes=notes))


def of_records(
    path: Path, records: list[dict[str, Any]], name: str, notes: Sequence[str] = ()
) -> MemoryTable:
    """A table of records, whose titles are all the names among the first of them."""
    rows = [_flattened(each) for each in records]
    titles = list(dict.fromkeys(key for row in rows[:HEAD_ROWS] for key in row))
    columns = [[row.get(title) for row in rows] for title in titles]
    return MemoryTable(path, titles, columns, name, notes=notes)


def _flattened(record: dict[str, Any]) -> dict[str, Any]:
    """A record in one level: what is within is named `outer.inner`, or `outer.1` in a list."""
    out: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, dict):
            out |= {f"{key}.{inner}": each for inner, each in _flattened(value).items()}
        elif isinstance(value, list):
            if len(value) == 1:
                out[key] = flat(value[0])
            elif len(value) <= 8:
                out |= {f"{key}.{place}": flat(each) for place, each in enumerate(value, 1)}
        else:
            out[key] = flat(value)
    return out


def flat(value: Any) -> Any:
    """A cell of a JSON value; None for what is none."""
    if isinstance(value, bool):
        return str(value)
    if isinstance(value, str):
        return value.strip()
    return value if isinstance(value, int | float) else None
