"""A noise-free curve and what was meant by it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum

from sensor.samples import Floats


class Meant(Enum):
    """What a stretch of the curve is."""

    REP = "rep"
    BUMP = "bump"
    """A practice pull, shrug, partial rep, knock or rebound: not counted."""
    STEP = "step"
    """A lasting change of the load: picking up a band, a weight that is put on the gauge."""
    HANDLING = "handling"
    """Walking, untangling, waiting with the band in the hand: nothing in it counts."""


@dataclass(slots=True)
class Intent:
    """One thing the person did, as indices of the grid."""

    meant: Meant
    start: int
    end: int
    set: int = 0


@dataclass(slots=True)
class Window:
    """Where a person could not say: from `least` to `most` reps are right, as indices."""

    start: int
    end: int
    least: int
    most: int


@dataclass(slots=True)
class Drawing:
    """A noise-free curve on the grid of 1 kHz and what was meant by it."""

    force_n: Floats
    pulled_n: Floats
    """The part of it that somebody holds; the rest is a load that lies there."""
    intents: list[Intent]
    optional: list[Window]

    def between(self, lo: int, hi: int) -> Drawing:
        """The part that a recording holds from index `lo` to `hi`."""
        return Drawing(
            self.force_n[lo:hi],
            self.pulled_n[lo:hi],
            [replace(i, start=i.start - lo, end=i.end - lo) for i in self.intents],
            [replace(o, start=o.start - lo, end=o.end - lo) for o in self.optional],
        )
