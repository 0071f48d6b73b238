"""The library: exercises, programmes and bands read from TOML, checked, and found by name.

A person's own files say the same in the same words, and what they name like ours replaces ours.
"""

from __future__ import annotations

import difflib
import importlib.resources
import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass, fields, replace
from pathlib import Path
from typing import Any, TypeVar, get_args, get_origin, get_type_hints

from pipeline.coach.exercises import Elastic, Exercise, Programme, Step
from sensor.errors import BandError

FOLDER = "library"
"""Of a person's own files, in the data folder."""


class LibraryError(BandError, ValueError):
    """A file of the library is wrong, or a name is in none; the text says which and what to do."""


@dataclass(frozen=True, slots=True)
class Library:
    """Everything that can be chosen, by name."""

    exercises: Mapping[str, Exercise]
    programmes: Mapping[str, Programme]
    bands: Mapping[str, Elastic]

    def exercise(self, name: str) -> Exercise:
        """By name or title; LibraryError with the nearest names."""
        return _found(name, self.exercises, "exercise", "exercises")

    def programme(self, name: str) -> Programme:
        """By name or title; the name of an exercise stands for a programme of that alone."""
        key = _key(name)
        if key in self.exercises and key not in self.programmes:
            exercise = self.exercises[key]
            return Programme(key, exercise.title, (Step(key),), about="One exercise.")
        both = {**self.exercises, **self.programmes}
        _found(name, both, "programme", "programs")
        return self.programmes[key]

    def band(self, name: str) -> Elastic:
        """By name or colour; LibraryError with the nearest names."""
        return _found(name, self.bands, "band", "programs --bands")

    @property
    def owned(self) -> tuple[Elastic, ...]:
        """The person's own bands."""
        return tuple(band for band in self.bands.values() if band.owned)


Value = TypeVar("Value")


def load(own: Path | None = None) -> Library:
    """Our library, and over it the `*.toml` of the folder `own`, or that one file.

    Raises
    ------
    LibraryError
        If a file cannot be read, or is wrong; the text says where, with the line.
    """
    ours = importlib.resources.files("pipeline.coach") / FOLDER
    texts = [
        (each.name, each.read_text("utf-8"), False)
        for each in sorted(ours.iterdir(), key=lambda each: each.name)
        if each.name.endswith(".toml")
    ]
    if own is not None and own.exists():
        files = sorted(own.glob("*.toml")) if own.is_dir() else [own]
        texts += [(str(path), _read(path), True) for path in files]
    tables: dict[str, dict[str, Any]] = {"exercise": {}, "programme": {}, "band": {}}
    kinds: dict[str, type] = {"exercise": Exercise, "programme": Programme, "band": Elastic}
    where: dict[str, tuple[str, str]] = {}
    for name, text, mine in texts:
        for section, entries in _parsed(name, text).items():
            if section not in kinds or not isinstance(entries, dict):
                raise _fault(
                    name, text, [section], f"there is {', '.join(kinds)}, but no {section!r}"
                )
            for key, values in entries.items():
                entry = _built(kinds[section], key, values, name, text, section)
                if section == "band":
                    entry = replace(entry, owned=mine)
                tables[section][key] = entry
                where[f"{section}.{key}"] = (name, text)
    library = Library(tables["exercise"], tables["programme"], tables["band"])
    _check_references(library, where)
    return library


def nearest(name: str, names: Iterable[str]) -> list[str]:
    """Up to three names like it: spelt alike, or sharing a word."""
    key, names = _key(name), list(names)
    close = difflib.get_close_matches(key, names, 3, 0.5)
    words = {word for word in key.split("-") if len(word) > 2}
    sharing = [each for each in names if words & set(each.split("-")) and each not in close]
    return (close + sharing)[:3]


def _key(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")


def _found(name: str, named: Mapping[str, Value], kind: str, command: str) -> Value:
    key = _key(name)
    if key in named:
        return named[key]
    like = nearest(name, named)
    hint = f"did you mean {' or '.join(like)}? " if like else ""
    raise LibraryError(f"there is no {kind} {name!r}: {hint}`forceband {command}` lists them")


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        raise LibraryError(f"{path}: not a text in UTF-8: save it as one") from error
    except OSError as error:
        raise LibraryError(f"{path}: cannot be read: {error.strerror}") from error


def _parsed(name: str, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise LibraryError(f"{name}: not valid TOML: {error}") from error


def _fault(name: str, text: str, keys: list[str], why: str) -> LibraryError:
    """The error of an entry, with the line on which its last known key stands."""
    line, at = 1, 0
    for depth, key in enumerate(keys):
        quoted = rf'["\']?{re.escape(key)}["\']?'
        pattern = (
            rf"^\s*\[.*\b{quoted}\s*[\].]" if depth < 2 else rf"^\s*{quoted}\s*="  # header, key
        )
        match = re.compile(pattern, re.MULTILINE).search(text, at)
        if match is None:
            match = re.compile(re.escape(key)).search(text, at)
        if match is None:
            break
        at = match.start() if depth < 2 else match.end()
        line = text.count("\n", 0, match.end()) + 1
    where = ".".join(keys[:2])
    return LibraryError(f"{name}, line {line}: [{where}] {why}")


def _built(kind: type, key: str, values: object, name: str, text: str, section: str) -> Any:
    keys = [section, key]
    if not isinstance(values, dict):
        raise _fault(name, text, keys, "is a table of keys and values")
    hints = get_type_hints(kind)
    allowed = {each.name for each in fields(kind)} - {"name", "owned"}
    given: dict[str, Any] = {}
    for each, value in values.items():
        if each not in allowed:
            like = nearest(each.replace("_", "-"), [one.replace("_", "-") for one in allowed])
            hint = f": did you mean {like[0].replace('-', '_')}?" if like else ""
            raise _fault(name, text, [*keys, each], f"has no key {each!r}{hint}")
        try:
            given[each] = _converted(hints[each], value)
        except (ValueError, TypeError) as error:
            raise _fault(name, text, [*keys, each], f"{each} {error}") from error
    missing = [
        each.name
        for each in fields(kind)
        if each.name in allowed and each.name not in given and _is_required(each)
    ]
    if missing:
        raise _fault(name, text, keys, f"lacks {', '.join(missing)}")
    try:
        return kind(name=key, **given)
    except ValueError as error:
        named = str(error).split(" ", 1)[0]
        at = [*keys, named] if named in given else keys
        raise _fault(name, text, at, str(error)) from error


def _is_required(each: Any) -> bool:
    return each.default is MISSING and each.default_factory is MISSING


def _converted(hint: Any, value: Any) -> Any:
    """A TOML value as the type of a field."""
    options = [each for each in get_args(hint) if each is not type(None)]
    if get_origin(hint) is not tuple and options:
        return _converted(options[0], value)
    if get_origin(hint) is tuple:
        if not isinstance(value, list):
            raise ValueError(f"is a list, not {value!r}")
        inner = get_args(hint)
        if inner[-1] is Ellipsis:
            return tuple(_converted(inner[0], each) for each in value)
        if len(value) != len(inner):
            raise ValueError(f"is a list of {len(inner)}, not {value!r}")
        return tuple(_converted(one, each) for one, each in zip(inner, value, strict=True))
    if hint is Step:
        return _step(value)
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, hint) and not (isinstance(value, bool) and hint is not bool):
        return value
    words = {str: "text", int: "a whole number", float: "a number", bool: "true or false"}
    raise ValueError(f"is {words[hint]}, not {value!r}")


def _step(value: Any) -> Step:
    if not isinstance(value, dict):
        raise TypeError(f"are tables such as {{ exercise = 'low-row' }}, not {value!r}")
    hints = get_type_hints(Step)
    for key in value:
        if key not in hints:
            raise ValueError(f"have no key {key!r}: there are {', '.join(hints)}")
    if "exercise" not in value:
        raise ValueError("name an exercise each")
    try:
        return Step(**{key: _converted(hints[key], each) for key, each in value.items()})
    except ValueError as error:
        raise ValueError(f"are wrong at {value['exercise']!r}: {error}") from error


def _check_references(library: Library, where: Mapping[str, tuple[str, str]]) -> None:
    """Every exercise that is named is there."""
    for exercise in library.exercises.values():
        if exercise.after and exercise.after not in library.exercises:
            raise _unknown(exercise.after, library, where[f"exercise.{exercise.name}"],
                           ["exercise", exercise.name, "after"])  # fmt: skip
    for programme in library.programmes.values():
        for step in programme.steps:
            exercise_of = library.exercises.get(step.exercise)
            at = where[f"programme.{programme.name}"]
            keys = ["programme", programme.name, "steps"]
            if exercise_of is None:
                raise _unknown(step.exercise, library, at, [*keys, step.exercise])
            for grip in step.grips:
                if grip not in exercise_of.grips:
                    known = ", ".join(exercise_of.grips) or "none"
                    raise _fault(*at, keys, f"{step.exercise} has no grip {grip!r}: {known}")


def _unknown(name: str, library: Library, at: tuple[str, str], keys: list[str]) -> LibraryError:
    like = nearest(name, library.exercises)
    hint = f": did you mean {' or '.join(like)}?" if like else ""
    return _fault(*at, keys, f"there is no exercise {name!r}{hint}")
