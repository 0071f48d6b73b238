"""How near a rep came to the tempo asked for: a score for each phase, and one for the rep."""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.analysis.types import Rep
from pipeline.coach.exercises import Tempo

LONG_ENOUGH = 0.7
"""A hold of less than this part of what is asked for is too short."""
SLOW_ENOUGH = 0.6
"""And so is a release."""
SNAP = 0.8
"""A release shorter than this part of the pull has snapped back."""
LEAST_HOLD_S = 0.5
"""Shorter holds are not asked for in words."""


@dataclass(frozen=True, slots=True)
class Score:
    """Of one rep: 1 where each phase lasts as prescribed, less by what it is too long or short."""

    rep: int
    total: float
    phases: dict[str, float]
    worst: str
    """The phase that was farthest off."""
    off_s: float
    """By so much: above 0 too long."""


@dataclass(frozen=True, slots=True)
class Phases:
    """How long a rep's pull, hold and release took, from foot to top and back, s."""

    concentric_s: float
    hold_s: float
    eccentric_s: float

    @property
    def tension_s(self) -> float:
        """All of them."""
        return self.concentric_s + self.hold_s + self.eccentric_s

    @classmethod
    def of(cls, rep: Rep) -> Phases | None:
        """Of a rep as it was measured; None where a phase is not known.

        Measured is between 10 % and 90 % of the way, four fifths of it; a trainer counts all of it.
        At even speed the other fifth takes a quarter more, half of it at the top, out of the hold.
        """
        if rep.concentric_s is None or rep.hold_s is None or rep.eccentric_s is None:
            return None
        turn_s = (rep.concentric_s + rep.eccentric_s) / 8
        return cls(1.25 * rep.concentric_s, max(rep.hold_s - turn_s, 0.0), 1.25 * rep.eccentric_s)


def score(phases: Phases, tempo: Tempo, number: int) -> Score:
    """The score of a rep.

    A phase's score is 1 - |done - asked| / asked, that of the rep 1 - the sum of what is off over
    the sum of what is asked; neither below 0. A hold of no time counts with what it lasts, and has
    no score of its own. The bottom counts for neither: the person may wait.
    """
    asked = {"concentric": tempo.concentric_s, "hold": tempo.hold_s, "eccentric": tempo.eccentric_s}
    off = {name: getattr(phases, f"{name}_s") - time_s for name, time_s in asked.items()}
    each = {name: max(0.0, 1 - abs(off[name]) / asked[name]) for name in asked if asked[name] > 0}
    total = max(0.0, 1 - sum(map(abs, off.values())) / sum(asked.values()))
    worst = max(off, key=lambda name: abs(off[name]))
    return Score(number, total, each, worst, off[worst])


def correction(phases: Phases, tempo: Tempo) -> str | None:
    """The cue that a rep asks for, if any: the more important one."""
    slow_enough_s = max(
        SLOW_ENOUGH * tempo.eccentric_s, SNAP * min(phases.concentric_s, tempo.eccentric_s)
    )
    if phases.eccentric_s < slow_enough_s:
        return "slower-back"
    if tempo.hold_s >= LEAST_HOLD_S and phases.hold_s < LONG_ENOUGH * tempo.hold_s:
        return "hold-longer"
    return None
