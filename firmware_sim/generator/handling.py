"""Scenes around the sets: what people do with a band in the hand that is no exercise."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from firmware_sim.generator import shapes
from firmware_sim.generator.drawing import Meant
from firmware_sim.generator.faults import at_least
from firmware_sim.generator.person import Person, between
from firmware_sim.generator.plan import SetPlan
from firmware_sim.generator.shapes import GRID_HZ
from firmware_sim.generator.stretched import REST, pull, put_down, stretched_set, take_up

WALKING_N = (3.5, 6.0)
"""A band that hangs from the hand or the anchor swings by so much at each step."""

SOFT = int(0.2 * GRID_HZ)
"""So far hand and band round the end of what was drawn."""


def slack_set(person: Person, number: int, *, peak_n: float | None = None, reps: int = 0) -> None:
    """An ordinary set from slack to slack."""
    rng = person.rng
    if peak_n is not None:
        person.usual_n = peak_n
    each = stretched_set(person, share=0.0, reps=reps or int(rng.integers(6, 13)))
    each.manner.bottom_s = (0.2, 1.2)
    each.uneven = 0.0
    pull(person, each, number)


def _strong(person: Person) -> None:
    """A person who pulls 40 to 160 N: swings of a few newtons are nothing to them."""
    person.usual_n = person.rng.uniform(40, 160)


def handle(person: Person, what: Callable[[Person], None]) -> None:
    """Do something in which nothing counts."""
    start = person.n
    what(person)
    person.note(Meant.HANDLING, start, person.n)


def walk(person: Person) -> None:
    """Ten to thirty steps with the band in the hand."""
    rng = person.rng
    held = rng.uniform(0.0, 2.0)
    person.move_to(held, rng.uniform(0.2, 0.6))
    step_s, swing = rng.uniform(0.45, 0.62), rng.uniform(*WALKING_N)
    for i in range(int(rng.integers(10, 31))):
        uneven = rng.uniform(0.75, 1.1) * (1.0 if i % 2 else rng.uniform(0.8, 1.0))
        half = 0.5 * step_s * rng.uniform(0.9, 1.1)
        person.add(held + swing * uneven * shapes.bump(rng, half, half))
    person.level_n = held
    person.move_to(0.0, rng.uniform(0.2, 0.6))


def wait_in_hand(person: Person) -> None:
    """Stand and wait, the band held a little, for a quarter of a minute to a whole."""
    rng = person.rng
    held, swing = rng.uniform(2.0, 5.0), rng.uniform(*WALKING_N)
    person.move_to(held, rng.uniform(0.3, 1.0))
    n = round(rng.uniform(12, 45) * GRID_HZ)
    sway = shapes.smooth_noise(rng, n, rng.uniform(0.1, 0.4))
    sway = 0.5 * swing * np.clip(sway / max(1e-9, float(np.abs(sway).max())), -1, 1)
    edge = np.minimum(1, np.minimum(np.arange(n), np.arange(n)[::-1]) / 300)
    person.add(np.maximum(0.0, held + sway * edge))
    person.move_to(0.0, rng.uniform(0.3, 1.0))


def untangle(person: Person) -> None:
    """Tugs of a tenth to three tenths of the set, at odd times and of odd lengths."""
    rng = person.rng
    usual = person.usual_n
    for _ in range(int(rng.integers(3, 10))):
        person.add(usual * rng.uniform(0.08, 0.3) * shapes.bump(rng, *rng.uniform(0.12, 0.7, 2)))
        person.rest(rng.lognormal(np.log(0.6), 0.8))


def _between_sets(person: Person, what: Callable[[Person], None], *, after: bool = False) -> None:
    """A set, then something that does not count; mostly another set."""
    rng = person.rng
    _strong(person)
    person.rest(between(rng, person.plan.lead_s))
    sets = int(rng.integers(1, 4)) if after else int(rng.integers(2, 4))
    for number in range(1, sets + 1):
        slack_set(person, number)
        if after or number < sets:
            person.rest(rng.uniform(1.0, 12.0))
            handle(person, what)
            person.rest(rng.uniform(6.0, 15.0))
    person.rest(rng.uniform(1.5, 5.0))


def walking(person: Person) -> None:
    """Walks about after the sets, the band in the hand."""
    _between_sets(person, walk, after=True)


def waiting_in_hand(person: Person) -> None:
    """Waits after the sets, the band in the hand."""
    _between_sets(person, wait_in_hand, after=True)


def untangling(person: Person) -> None:
    """Untangles the band between two sets."""
    _between_sets(person, untangle)


def try_band(person: Person) -> None:
    """Two to five pulls of a quarter of what follows."""
    rng = person.rng
    share = rng.uniform(0.18, 0.33)
    for _ in range(int(rng.integers(2, 6))):
        person.bump(person.usual_n * share * rng.uniform(0.85, 1.1), (0.4, 1.0), (0.4, 1.0))
        person.rest(rng.uniform(0.3, 1.5))
    person.rest(rng.uniform(1.0, 5.0))


def practising(person: Person) -> None:
    """Two to five pulls of a quarter before each set, to try the band."""
    rng = person.rng
    _strong(person)
    person.rest(between(rng, person.plan.lead_s))
    for number in range(1, int(rng.integers(2, 4))):
        try_band(person)
        slack_set(person, number)
        person.rest(between(rng, REST))


def practising_fully(person: Person) -> None:
    """One to three whole pulls some seconds before the set: who counts them is right, too."""
    rng = person.rng
    _strong(person)
    person.rest(between(rng, person.plan.lead_s))
    start, tries = person.n, int(rng.integers(1, 4))
    for _ in range(tries):
        height = person.usual_n * rng.uniform(0.65, 1.0)
        person.bump(height, (0.5, 1.2), (0.5, 1.2))
        person.rest(rng.uniform(0.5, 2.0))
    person.may_count(start, person.n, 0, tries)
    person.rest(rng.uniform(3.0, 7.0))
    slack_set(person, 1)
    person.rest(rng.uniform(2.0, 8.0))


def knocked_at_start(person: Person) -> None:
    """The recording begins within a knock, as when the button is on the band."""
    rng = person.rng
    at_least(person.plan, 80)
    person.rest(0.5)
    height = person.usual_n * rng.uniform(0.2, 0.9)
    person.knock(height, width_s=rng.uniform(0.04, 0.1))
    knock = person.intents[-1]
    person.crop = (int(rng.uniform(knock.start + 1, 0.5 * (knock.start + knock.end))), -1)
    person.rest(rng.uniform(1.5, 5.0))
    slack_set(person, 1)
    person.rest(rng.uniform(2.0, 8.0))
    person.crop = (person.crop[0], person.n)


def light_after_heavy(person: Person) -> None:
    """A set with a tenth to a third of the force after heavy ones, some seconds later."""
    rng = person.rng
    heavy = rng.uniform(80, 180)
    light = max(10.0, heavy * rng.uniform(0.1, 0.3))
    person.rest(between(rng, person.plan.lead_s))
    order = [heavy, light] if rng.random() < 0.5 else [heavy, heavy, light, light]
    for number, peak in enumerate(order, start=1):
        slack_set(person, number, peak_n=peak, reps=int(rng.integers(6, 12)))
        person.rest(between(rng, REST))


def held_lightly(person: Person) -> None:
    """The band is never quite slack: a tenth of the pull, between the reps and between sets."""
    rng = person.rng
    sets = [stretched_set(person, share=rng.uniform(0.04, 0.15), reps=int(rng.integers(5, 13)))]
    sets += [sets[0]] * int(rng.integers(0, 2))
    person.rest(between(rng, person.plan.lead_s))
    take_up(person, sets[0].base_n)
    for number, each in enumerate(sets, start=1):
        each.manner.bottom_s = (0.2, 1.5)
        pull(person, each, number)
        if number < len(sets):
            person.rest(between(rng, REST))
    put_down(person)
    person.rest(rng.uniform(1.5, 5.0))


def explosive(person: Person) -> None:
    """Full reps of 0.35 to 0.5 s, one after another or with a breath between."""
    rng = person.rng
    at_least(person.plan, 80)
    person.plan.gauge.noise_n = min(person.plan.gauge.noise_n, person.usual_n / 50)
    pause = float(rng.choice([0.08, 0.3, 0.8]))
    manner = SetPlan(
        peak_n=person.usual_n,
        scales=[],
        rise_s=(0.16, 0.22),
        hold_s=(0.0, 0.03),
        fall_s=(0.17, 0.25),
        bottom_s=(0.5 * pause, pause),
        families=("beta", "ramp", "submovements"),
    )
    person.rest(between(rng, person.plan.lead_s))
    for number in range(1, int(rng.integers(2, 4))):
        reps = int(rng.integers(8, 21))
        for i in range(reps):
            person.rep(manner, person.usual_n * rng.uniform(0.8, 1.0), 0.0, 0.0, number)
            if i < reps - 1:
                person.rest(between(rng, manner.bottom_s))
        person.rest(between(rng, REST))


def slipping(person: Person) -> None:
    """In one pull of a set the band slips from the hand at the top: a rep or none."""
    rng = person.rng
    person.rest(between(rng, person.plan.lead_s))
    slack_set(person, 1, reps=int(rng.integers(4, 9)))
    person.rest(rng.uniform(0.3, 1.2))
    start = person.n
    up = shapes.path(rng, "beta", rng.uniform(0.5, 1.2))
    top = shapes.hold(rng, rng.uniform(0.2, 1.0), 0.02)
    off = np.linspace(1, 0, int(rng.integers(20, 60)))
    height = person.usual_n * rng.uniform(0.8, 0.95)
    handle(person, lambda who: who.go(height * np.r_[up, top, off]))
    person.may_count(start, person.n + SOFT, 0, 1)
    person.rest(between(rng, REST))
    slack_set(person, 2, reps=int(rng.integers(4, 9)))
    person.rest(rng.uniform(1.5, 5.0))


SCENES: dict[str, Callable[[Person], None]] = {
    "walking about": walking,
    "waiting, band in hand": waiting_in_hand,
    "untangling": untangling,
    "four pulls of a quarter": practising,
    "whole practice pulls": practising_fully,
    "knock cut by the start": knocked_at_start,
    "light after heavy": light_after_heavy,
    "held lightly": held_lightly,
    "band slips": slipping,
    "explosive 0.35-0.5 s": explosive,
}
