"""Lines of one pattern, as logs and sketches print them: a moment, then values with their names.

`Time: 17 ms, Load: 10.4 kg`, `[14:03:07.125] weight=10.4 kg`, `band force_n=98.2 174`: the pattern
is what stays of a line when its moment and its numbers are taken out.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from pipeline.files.moments import is_stamp
from pipeline.files.words import OTHER_UNITS, force_unit, time_unit

LOOK_LINES, SHARE = 200, 0.8
_MOMENT = re.compile(
    r"\s*[\[(<]?\s*(?:\d\d-\d\d )?((?:\d{1,4}[-./]\d{1,2}[-./]\d{1,4}[T ,_]+)?"
    r"\d{1,2}:\d{2}:\d{2}(?:[.,]\d{1,9})?(?:\s*[AaPp]\.?[Mm]\b|Z|[+-]\d\d:?\d\d)?)(?!:?\d)"
)
_VALUE = re.compile(
    r"(?<![^\W_])(?<!\d[.,])([+\-−]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?)"
    r"(?:\s*((?:[^\W\d_]{1,9}|%)(?![\w=:])))?(?!\w)"
)
_LEVEL = re.compile(r"\s*[EWIDV] \(")
"""ESP-IDF: a letter, and ms since its start in brackets."""
_NAME = re.compile(r"[^\W\d_][^\W_]*(?:[ _][^\W_]+)*")


@dataclass(frozen=True, slots=True)
class Pattern:
    """What most lines have in common, and titles for their values."""

    key: str
    titles: list[str]
    named: bool
    """Whether there is nothing but values with names."""

    def values(self, text: str) -> str:
        """The same lines with the values alone; lines of another pattern stay as they are."""
        return "\n".join(
            ";".join(found[1]) if (found := _parts(line))[0] == self.key else line
            for line in text.split("\n")
        )


def pattern_of(lines: Sequence[str]) -> Pattern | None:
    """The pattern of most lines; None if they have none, or are bare numbers."""
    some = [line for line in lines[:LOOK_LINES] if line.strip()]
    kinds = Counter(_parts(line)[0] for line in some)
    key, often = kinds.most_common(1)[0] if kinds else ("", 0)
    if "#" not in key or often < SHARE * len(some) or not re.search(r"[^\W\d_]|[\[(<]", key):
        return None
    example = next(line for line in some if _parts(line)[0] == key)
    titles, named = [], True
    moment = _MOMENT.match(example)
    at = moment.end() if moment else 0
    for found in _VALUE.finditer(example, at):
        names = _NAME.findall(example[at : found.start()])
        since_start = at == 0 and _LEVEL.fullmatch(example[: found.start()]) is not None
        unit = found[2] if found[2] and _is_unit(found[2]) else ""
        title = " ".join([*names, f"({unit})" if unit else ""]).strip()
        titles.append("time (ms)" if since_start else title)
        named &= len(names) == 1
        at = found.end() if unit else found.end(1)
    named &= moment is None and not re.search(r"\w", example[at:])
    return Pattern(key, [*([""] if moment else []), *titles], named)


def _parts(line: str) -> tuple[str, list[str]]:
    """A line's pattern, and its moment and numbers."""
    moment = _MOMENT.match(line)
    values = []
    if moment is not None and is_stamp(moment[1].strip()):
        values.append(moment[1].strip())
        line = "@" + line[moment.end() :]

    def take(found: re.Match[str]) -> str:
        values.append(found[1])
        return f"#{found[2] or ''}"

    return re.sub(r"\s+", " ", _VALUE.sub(take, line)).strip(), values


def _is_unit(text: str) -> bool:
    return bool(force_unit(text) or time_unit(text)) or text in OTHER_UNITS
