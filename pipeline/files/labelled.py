"""Lines whose values bear their names: `Time: 17 ms, Load: 10.4 kg`, as sketches print them."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence

LOOK_LINES = 200
SHARE = 0.8
_PAIR = re.compile(
    r"([^\W\d_][^\W\d]*(?:[ _][^\W\d]+)*)\s*[:=]\s*([+-]?\d[\d.]*(?:[eE][+-]?\d+)?)\s*([^\s\d,;|]*)"
)


def labels_of(lines: Sequence[str]) -> list[str] | None:
    """Titles, with units, of lines that are nothing but named values; None if they are not."""
    some = [line for line in lines[:LOOK_LINES] if line.strip()]
    kinds: Counter[tuple[tuple[str, str], ...]] = Counter()
    for line in some:
        pairs = _PAIR.findall(line)
        rest = re.sub(r"[\s,;|]+", "", _PAIR.sub("", line))
        if pairs and not rest:
            kinds[tuple((name.strip(), unit) for name, _, unit in pairs)] += 1
    if not kinds:
        return None
    names, often = kinds.most_common(1)[0]
    if often < SHARE * len(some):
        return None
    return [f"{name} ({unit})" if unit else name for name, unit in names]


def unlabelled(text: str, number: int) -> str:
    """The same lines with the values alone; lines with other than so many stay as they are."""
    out = []
    for line in text.split("\n"):
        values = [value for _, value, _ in _PAIR.findall(line)]
        out.append(";".join(values) if len(values) == number else line)
    return "\n".join(out)
