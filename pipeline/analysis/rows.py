"""Parts of a row of samples, one for each of many pulls, asked all at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sensor.samples import Floats, Ints

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """A part of the samples for each pull, all in one row, and what is asked of each part."""

    force_n: Floats
    values: Floats
    begin: Ints
    offsets: Ints
    stops: Ints

    @classmethod
    def of(cls, force_n: Floats, first: Ints, stop: Ints) -> Rows:
        lengths = stop - first
        stops = np.cumsum(lengths)
        offsets = stops - lengths
        parts = [force_n[at:end] for at, end in zip(first.tolist(), stop.tolist(), strict=True)]
        return cls(force_n, np.concatenate(parts), first, offsets, stops)

    def spread(self, each: Floats) -> Floats:
        """One value per pull, repeated for its samples."""
        return np.repeat(each, self.stops - self.offsets)

    def first(self, mask: Bools, since: Ints | None = None) -> Ints:
        """First index of each part where `mask` holds, -1 where it never does."""
        at = np.flatnonzero(mask)
        low = self.offsets if since is None else self.offsets + since - self.begin
        found = np.append(at, -1)[np.searchsorted(at, low)]
        held = (found >= 0) & (found < self.stops)
        return np.where(held, found - self.offsets + self.begin, -1)

    def last(self, mask: Bools, until: Ints | None = None) -> Ints:
        """Last index of each part where `mask` holds, -1 where it never does."""
        at = np.flatnonzero(mask)
        stop = self.stops if until is None else self.offsets + until - self.begin
        found = np.append(at, -1)[np.searchsorted(at, stop) - 1]
        return np.where(found >= self.offsets, found - self.offsets + self.begin, -1)


def over_segments(what: np.ufunc, values: Floats, pairs: Ints) -> Floats:
    """Sum, maximum or the like of values over segments, given as first, stop, first, stop, ...."""
    if int(pairs.max()) >= values.size:
        values = np.append(values, values[-1:])
    return np.asarray(what.reduceat(values, pairs)[::2])
