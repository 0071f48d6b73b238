"""Medians of a few plain numbers: of a call's numbers numpy's would take ten times as long."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from itertools import accumulate


def median(values: Iterable[float]) -> float:
    """The middle value, of an even count the upper of the two; there is at least one."""
    ordered = sorted(values)
    return ordered[len(ordered) // 2]


def weighted_median(values: Sequence[float]) -> float:
    """Median in which each value weighs as much as itself: many small ones outvote nobody."""
    return _weighted_middle(sorted(values))


def weighted_medians(values: Sequence[float], reach: int) -> list[float]:
    """For each value the weighted median of it and of `reach` values on each side; all are > 0."""
    found: list[float] = []
    window = sorted(values[:reach])
    for at in range(len(values)):
        if at + reach < len(values):
            insort(window, values[at + reach])
        if at > reach:
            del window[bisect_left(window, values[at - reach - 1])]
        found.append(_weighted_middle(window))
    return found


def _weighted_middle(ordered: list[float]) -> float:
    passed = list(accumulate(ordered))
    return ordered[bisect_left(passed, passed[-1] / 2)]
