"""The kinds of session: planned ones, and scenes that are played."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from firmware_sim.generator import (
    handling,
    holds,
    pausing,
    planned,
    programmes,
    stretched,
    together,
)
from firmware_sim.generator.gauge import sample, tremor, zero_error
from firmware_sim.generator.manners import MANNERS, RATES_HZ, Manner, base_plan
from firmware_sim.generator.mixture import doubtful, mixed
from firmware_sim.generator.person import Person
from firmware_sim.generator.plan import Plan
from firmware_sim.generator.truth import Truth, truth_of
from sensor.samples import Floats

__all__ = ["CALIBRATION", "KINDS", "RATES_HZ", "Session", "make_session"]

Scene = Callable[[Person], None]


@dataclass(frozen=True, slots=True, eq=False)
class Session:
    """Samples as the analysis gets them, and what is true."""

    kind: str
    seed: int
    rate_hz: float
    plan: Plan
    time_s: Floats
    force_n: Floats
    truth: Truth
    gaps_s: Floats
    """Stretches without samples, shape (k, 2)."""
    clean_n: Floats
    """The noise-free curve with the zero error on the grid of 1 kHz, for pictures."""
    sampled_s: Floats
    sampled_n: Floats
    """Samples before their stamps suffered, as a band with its own clock keeps them, shape (m,)."""


CALIBRATION = "doubtful"
"""Not counted: pulls that a person might count or not, for the calibration of the confidence."""
SCENES: dict[str, Scene] = {
    **stretched.SCENES,
    **holds.SCENES,
    **handling.SCENES,
    **pausing.SCENES,
    **programmes.SCENES,
    **together.SCENES,
}
PLANNED: dict[str, Manner] = {**MANNERS, "mixed": mixed, CALIBRATION: doubtful}
KINDS = (*MANNERS, *SCENES, "mixed")


def make_session(kind: str, seed: int) -> Session:
    """The session of a kind that a seed gives.

    Raises
    ------
    KeyError
        If there is no such kind.
    """
    rng = np.random.default_rng([seed, zlib.crc32(kind.encode())])
    plan = base_plan(rng)
    person = Person(rng, plan)
    if kind in SCENES:
        SCENES[kind](person)
        drawing = person.finish()
    else:
        PLANNED[kind](rng, plan)
        person = Person(rng, plan)
        drawing = planned.draw(person)
    zero = zero_error(rng, plan.gauge, drawing.force_n.size)
    truth = replace(truth_of(drawing, zero), inverted=plan.gauge.inverted)
    seen = drawing.force_n + tremor(rng, drawing.pulled_n, plan.tremor) + zero
    (time_s, force_n), (sampled_s, sampled_n), gaps_s = sample(rng, plan.gauge, seen)
    return Session(
        kind, seed, plan.gauge.rate_hz, plan, time_s, force_n, truth, gaps_s,
        drawing.force_n + zero, sampled_s, sampled_n,
    )  # fmt: skip
