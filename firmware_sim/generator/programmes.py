"""Scenes of programmes that people follow: drop sets, maximal pulls, many reps, quick ones."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from firmware_sim.generator import shapes
from firmware_sim.generator.person import Person, between
from firmware_sim.generator.plan import SetPlan
from firmware_sim.generator.shapes import GRID_HZ
from firmware_sim.generator.stretched import (
    REST,
    SMOOTH,
    pull,
    put_down,
    stretched_set,
    take_up,
)


def _manner(person: Person, pace: float) -> SetPlan:
    return SetPlan(
        peak_n=person.usual_n,
        scales=[],
        rise_s=(0.5 * pace, 0.8 * pace),
        hold_s=(0.0, 0.4 * pace),
        fall_s=(0.5 * pace, 1.0 * pace),
        bottom_s=(0.1 * pace, 0.5 * pace),
        families=SMOOTH,
    )


def _reps(person: Person, manner: SetPlan, peaks_n: list[float], number: int) -> None:
    for i, peak in enumerate(peaks_n):
        if i:
            person.rest(between(person.rng, manner.bottom_s))
        person.rep(manner, peak, 0.0, 0.0, number)


def dropping(person: Person) -> None:
    """A drop set: on with a lighter band, 0.6 to 0.75 of the force, after 2 to 5 s."""
    rng = person.rng
    manner = _manner(person, rng.uniform(0.8, 1.4))
    person.rest(between(rng, person.plan.lead_s))
    level = person.usual_n
    for part in range(int(rng.integers(2, 4))):
        if part:
            person.rest(rng.uniform(2.0, 5.0))
            level *= rng.uniform(0.6, 0.75)
        reps = int(rng.integers(5, 11))
        _reps(person, manner, (level * rng.uniform(0.93, 1.0, reps)).tolist(), 1)
    person.rest(between(rng, REST))


def giving_up(person: Person) -> None:
    """The last one to three pulls of a set reach a third of the others and do not count."""
    rng = person.rng
    manner = _manner(person, rng.uniform(0.8, 1.6))
    person.rest(between(rng, person.plan.lead_s))
    for number in range(1, int(rng.integers(2, 4))):
        course = np.linspace(1.0, rng.uniform(0.8, 0.95), int(rng.integers(6, 13)))
        peaks = person.usual_n * course * rng.uniform(0.96, 1.0, course.size)
        _reps(person, manner, peaks.tolist(), number)
        for _ in range(int(rng.integers(1, 4))):
            person.rest(between(rng, manner.bottom_s))
            height = float(peaks[-1]) * rng.uniform(0.15, 0.38)
            person.bump(height, manner.rise_s, manner.fall_s)
        person.rest(between(rng, REST))


def maximal(person: Person) -> None:
    """Three to five maximal pulls of 3 to 5 s, half a minute to a minute and a half between."""
    rng = person.rng
    person.usual_n = rng.uniform(120, 400)
    manner = SetPlan(person.usual_n, [], rise_s=(0.2, 0.6), fall_s=(0.25, 0.7), families=SMOOTH)
    pause = rng.uniform(30, 75)
    person.rest(between(rng, person.plan.lead_s))
    for i in range(int(rng.integers(3, 6))):
        if i:
            person.rest(pause * rng.uniform(0.9, 1.2))
        # The highest force comes early, then it sags.
        n = round(rng.uniform(3.0, 5.0) * GRID_HZ)
        sag = np.linspace(0, rng.uniform(0.05, 0.25), n) ** rng.uniform(0.8, 1.2)
        plateau = 1 - sag + 0.02 * np.clip(shapes.smooth_noise(rng, n, 1.5), -2, 2)
        peak = person.usual_n * rng.uniform(0.85, 1.0)
        person.rep(manner, peak, 0.0, 0.0, 1, plateau / plateau.max())
    person.rest(between(rng, REST))


def many(person: Person) -> None:
    """Thirty to fifty reps in a row, which become smaller by a fifth to two fifths."""
    rng = person.rng
    manner = _manner(person, rng.uniform(0.6, 1.0))
    course = np.linspace(1.0, rng.uniform(0.6, 0.8), int(rng.integers(30, 51)))
    person.rest(between(rng, person.plan.lead_s))
    peaks = person.usual_n * course * rng.uniform(0.93, 1.0, course.size)
    _reps(person, manner, peaks.tolist(), 1)
    person.rest(rng.uniform(2.0, 10.0))


def quick_stretched(person: Person) -> None:
    """Ten to thirty quick pulls of 0.6 to 1 s on a stretched band, begun after a wait there."""
    rng = person.rng
    each = stretched_set(
        person, share=rng.uniform(0.35, 0.7), reps=int(rng.integers(10, 31)),
        rise_s=(0.25, 0.4), hold_s=(0.0, 0.08), fall_s=(0.28, 0.45), bottom_s=(0.0, 0.1),
    )  # fmt: skip
    person.rest(between(rng, person.plan.lead_s))
    take_up(person, each.base_n, str(rng.choice(["slow", "quick"])))
    pull(person, each, 1)
    put_down(person, str(rng.choice(["slow", "quick"])))
    person.rest(rng.uniform(1.5, 5.0))


SCENES: dict[str, Callable[[Person], None]] = {
    "drop set": dropping,
    "gives up": giving_up,
    "maximal pulls": maximal,
    "30 to 50 reps": many,
    "stretched, quick": quick_stretched,
}
