"""Parts of a row of samples, one for each of many pulls, asked all at once.

The calls of numpy are as few as can be: live, there are one or two pulls, and each call costs more
than their samples.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sensor.samples import Floats, Ints

Bools = NDArray[np.bool_]

_NOWHERE = np.array([-1])


class Rows(NamedTuple):
    """The samples of all parts in one row; each part is asked by its own place, from 0."""

    values: Floats
    offsets: Ints
    stops: Ints

    @classmethod
    def between(cls, values: Floats, first: Ints, stop: Ints) -> Rows:
        lengths = stop - first
        stops = lengths.cumsum()
        offsets = stops - lengths
        return cls(values[np.arange(stops[-1]) + (first - offsets).repeat(lengths)], offsets, stops)

    def until(self, parts: int) -> Rows:
        """The first parts alone."""
        return Rows(self.values[: self.stops[parts - 1]], self.offsets[:parts], self.stops[:parts])

    def spread(self, each: Floats) -> Floats:
        """One value per part, repeated for its samples."""
        return each.repeat(self.stops - self.offsets)

    def first(self, mask: Bools) -> Ints:
        """First place in each part where `mask` holds, -1 where it never does."""
        at = np.concatenate((mask.nonzero()[0], _NOWHERE))
        found = at[at[:-1].searchsorted(self.offsets)]
        return np.where((found >= 0) & (found < self.stops), found - self.offsets, -1)

    def last(self, mask: Bools, until: Ints) -> Ints:
        """Last place before `until` in each part where `mask` holds, -1 where it never does."""
        at = np.concatenate((mask.nonzero()[0], _NOWHERE))
        found = at[at[:-1].searchsorted(self.offsets + until) - 1]
        return np.where(found >= self.offsets, found - self.offsets, -1)

    def span(self, mask: Bools) -> tuple[Ints, Ints, Ints]:
        """First and last place in each part where `mask` holds, and in how many; it does in all."""
        at = mask.nonzero()[0]
        begin, end = at.searchsorted(self.offsets), at.searchsorted(self.stops)
        return at[begin] - self.offsets, at[end - 1] - self.offsets, end - begin


def ratio(part: Floats, whole: Floats, otherwise: float) -> Floats:
    """Part / whole, and `otherwise` where the whole is 0."""
    quotients = np.full(whole.shape, otherwise)
    return np.divide(part, whole, out=quotients, where=whole != 0)  # type: ignore[no-any-return]


def over_segments(what: np.ufunc, values: Floats, first: Ints, stop: Ints) -> Floats:
    """Sum, maximum or the like of values over each [first, stop), which holds at least one."""
    pairs = np.empty(2 * first.size, dtype=np.int64)
    pairs[::2], pairs[1::2] = first.ravel(), stop.ravel()
    if int(pairs.max()) >= values.size:
        values = np.concatenate((values, values[-1:]))
    return np.asarray(what.reduceat(values, pairs)[::2])
