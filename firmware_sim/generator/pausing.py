"""Scenes with people who stop: in a set, in a hold, on the way; and with pulses at the top."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from firmware_sim.generator import shapes
from firmware_sim.generator.handling import slack_set
from firmware_sim.generator.holds import wandering_hold
from firmware_sim.generator.person import Person, between
from firmware_sim.generator.plan import Range, SetPlan
from firmware_sim.generator.shapes import GRID_HZ
from firmware_sim.generator.stretched import REST, SMOOTH, pull, put_down, stretched_set, take_up
from sensor.samples import Floats

Halts = tuple[float, Range]
"""Where on its way a pull stops, as a share of it, and for how long, s."""


def _manner(person: Person, pace: float) -> SetPlan:
    return SetPlan(
        peak_n=person.usual_n,
        scales=[],
        rise_s=(0.5 * pace, 0.9 * pace),
        hold_s=(0.1, 0.8 * pace),
        fall_s=(0.6 * pace, 1.2 * pace),
        bottom_s=(0.2 * pace, 0.8 * pace),
        families=SMOOTH,
    )


def _height(person: Person) -> float:
    return person.usual_n * float(person.rng.uniform(0.88, 1.0))


def pausing_in_set(person: Person) -> None:
    """A set of slow reps that goes on after 13 to 17 s, less than three of its periods."""
    rng = person.rng
    manner = SetPlan(
        peak_n=person.usual_n, scales=[], rise_s=(1.8, 2.6), hold_s=(1.8, 3.0), fall_s=(2.0, 3.0),
        bottom_s=(1.2, 2.0), families=SMOOTH,
    )  # fmt: skip
    reps = int(rng.integers(6, 11))
    stops = set(rng.choice(np.arange(2, reps - 1), int(rng.integers(1, 3)), replace=False).tolist())
    person.rest(between(rng, person.plan.lead_s))
    for i in range(reps):
        person.rep(manner, _height(person), 0.0, 0.0, 1)
        if i < reps - 1:
            person.rest(rng.uniform(13, 17) if i in stops else between(rng, manner.bottom_s))
    person.rest(rng.uniform(1.5, 5.0))


def _special_reps(person: Person, special: Callable[[SetPlan], None]) -> None:
    """A set of which one to three reps, never the first two, are special."""
    rng = person.rng
    manner = _manner(person, rng.uniform(0.8, 1.5))
    person.rest(between(rng, person.plan.lead_s))
    for number in range(1, int(rng.integers(2, 4))):
        reps = int(rng.integers(6, 12))
        chosen = rng.choice(np.arange(2, reps), int(rng.integers(1, 4)), replace=False).tolist()
        for i in range(reps):
            if i in chosen:
                special(manner)
            else:
                person.rep(manner, _height(person), 0.0, 0.0, number)
            person.intents[-1].set = number
            if i < reps - 1:
                person.rest(between(rng, manner.bottom_s))
        person.rest(between(rng, REST))


def stopping_in_hold(person: Person) -> None:
    """Now and then a pull is held for 8 to 30 s, while somebody talks."""
    rng = person.rng

    def held(manner: SetPlan) -> None:
        plateau = wandering_hold(rng, rng.uniform(8, 30), rng.uniform(0.05, 0.25))
        person.rep(manner, _height(person), 0.0, 0.0, 0, plateau)

    _special_reps(person, held)


def _halting(rng: np.random.Generator, seconds: float, at: float, stop_s: float) -> Floats:
    """A way from 0 to 1 that stops at the share `at`, and gives back next to nothing."""
    family = str(rng.choice(["beta", "ramp"]))
    one = shapes.path(rng, family, max(0.2, seconds * at))
    two = shapes.path(rng, family, max(0.2, seconds * (1 - at)))
    n = round(stop_s * GRID_HZ)
    wait = at * (1 + 0.02 * np.clip(shapes.smooth_noise(rng, n, 0.5), -2, 2))
    return np.asarray(np.r_[at * one, wait, at + (1 - at) * two], dtype=float)


def stopping_midway(person: Person) -> None:
    """Stops for one to three seconds on the way up or down, at 40 to 70 %, and goes on."""
    rng = person.rng

    def halted(manner: SetPlan) -> None:
        peak = _height(person)
        halting_up = bool(rng.random() < 0.5)
        ways = []
        for up, limits in ((True, manner.rise_s), (False, manner.fall_s)):
            seconds = between(rng, limits)
            if up == halting_up:
                ways.append(_halting(rng, seconds, rng.uniform(0.4, 0.7), rng.uniform(1.0, 3.0)))
            else:
                ways.append(shapes.path(rng, "beta", seconds))
        top = shapes.hold(rng, between(rng, manner.hold_s), 0.02)
        person.go(peak * np.r_[ways[0], top, ways[1][::-1]], 0)

    _special_reps(person, halted)


def pulsing(person: Person) -> None:
    """Four to twelve small quick pulses at the top of a pull, as some end their sets."""
    rng = person.rng

    def pulses(manner: SetPlan) -> None:
        hz, depth = rng.uniform(1.6, 3.0), rng.uniform(0.08, 0.3)
        parts = [np.ones(round(rng.uniform(0.1, 0.6) * GRID_HZ))]
        for _ in range(int(rng.integers(4, 13))):
            n = round(GRID_HZ / hz * rng.uniform(0.85, 1.15))
            dip = 0.5 * (1 - np.cos(2 * np.pi * np.arange(n) / n))
            parts.append(1 - depth * rng.uniform(0.7, 1.0) * dip)
        person.rep(manner, _height(person), 0.0, 0.0, 0, np.concatenate(parts))

    _special_reps(person, pulses)


def inverted(person: Person) -> None:
    """The gauge is mounted the other way round: a pull makes the force smaller."""
    rng = person.rng
    person.plan.gauge.inverted = True
    person.rest(between(rng, person.plan.lead_s))
    for number in range(1, int(rng.integers(2, 4))):
        if rng.random() < 0.7:
            slack_set(person, number)
        else:
            each = stretched_set(person, share=rng.uniform(0.1, 0.5))
            take_up(person, each.base_n)
            pull(person, each, number)
            put_down(person)
        person.rest(between(rng, REST))


SCENES: dict[str, Callable[[Person], None]] = {
    "pause of 15 s in a set": pausing_in_set,
    "stops in mid-hold": stopping_in_hold,
    "stops in mid-rep": stopping_midway,
    "pulses at the top": pulsing,
    "inverted sign": inverted,
}
