"""Who follows a programme: how four kinds of people carry out what is asked of them."""

from __future__ import annotations

from dataclasses import dataclass

from firmware_sim.person.elastic import Elastic
from firmware_sim.person.workout import SetPlan

SETTLES_S = 3.5
"""Taking the band up and putting it down take so long of a rest."""
LEAST_TURN_S = 0.15


@dataclass(frozen=True, slots=True)
class Persona:
    """One kind of person. Factors are of what the exercise asks for."""

    name: str
    reach: float = 1.0
    """Of the way from the first to the last elongation."""
    pull: float = 1.0
    hold: float = 1.0
    release: float = 1.0
    """Durations of the phases."""
    late_s: float = 0.5
    """After a rest is over."""
    spread: float = 0.06
    fade: float = 0.06
    tremor: float = 0.005
    roughness: float = 0.15
    sag: float = 0.0
    trial_pulls: int = 0


PERSONAS = {
    each.name: each
    for each in (
        Persona("beginner", 0.9, 0.85, 0.8, 0.75, 1.5, 0.12, 0.12, 0.008, 0.25, trial_pulls=1),
        Persona("athlete", 1.1, 1.0, 1.0, 1.0, 0.3, 0.04, 0.03, 0.003, 0.1),
        Persona("older adult", 0.75, 1.15, 0.9, 0.95, 1.5, 0.1, 0.08, 0.015, 0.2, sag=0.05),
        Persona("rehabilitation", 0.55, 1.2, 1.0, 1.1, 2.0, 0.08, 0.04, 0.01, 0.2, sag=0.03),
    )
}


@dataclass(frozen=True, slots=True)
class Asked:
    """What an exercise asks for in a set: phases in s, elongations from and to."""

    exercise: str
    reps: int
    concentric_s: float
    hold_s: float
    eccentric_s: float
    bottom_s: float
    stretch: tuple[float, float]
    rest_s: float


def set_of(asked: Asked, persona: Persona, elastic: Elastic) -> SetPlan:
    """The set as that person does it, on that band."""
    low, high = asked.stretch
    peak_n = float(elastic.force(low + (high - low) * persona.reach))
    return SetPlan(
        asked.exercise,
        asked.reps,
        peak_n,
        persona.pull * asked.concentric_s,
        persona.hold * asked.hold_s,
        persona.release * asked.eccentric_s,
        asked.bottom_s + LEAST_TURN_S,
        max(asked.rest_s - SETTLES_S, 0.2) + persona.late_s,
        bottom=min(float(elastic.force(low)) / peak_n, 0.75),
        fade=persona.fade,
        slowing=0.03,
        spread=persona.spread,
        roughness=persona.roughness,
        tremor=persona.tremor,
        sag=persona.sag,
        steady=0.9,
        trial_pulls=persona.trial_pulls,
    )
