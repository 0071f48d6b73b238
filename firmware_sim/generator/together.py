"""Scenes in which sets, holds and what lies between them come together."""

from __future__ import annotations

from collections.abc import Callable

from firmware_sim.generator.faults import GAUGES
from firmware_sim.generator.handling import (
    handle,
    slack_set,
    try_band,
    untangle,
    wait_in_hand,
    walk,
)
from firmware_sim.generator.holds import holds, wanders
from firmware_sim.generator.person import Person, between
from firmware_sim.generator.stretched import REST, pull, put_down, stretched_set, take_up


def _block(person: Person, what: str, number: int) -> None:
    """One set of a session, from slack to slack."""
    rng = person.rng
    if what == "stretched":
        each = stretched_set(person, reps=int(rng.integers(4, 13)))
        take_up(person, each.base_n)
        pull(person, each, number)
        put_down(person)
    elif what == "hold":
        holds(person, wanders(rng, int(rng.integers(1, 3))), number=number)
    else:
        slack_set(person, number)


def side_by_side(person: Person) -> None:
    """Stretched sets, sets from slack and holds in one session, in any order."""
    rng = person.rng
    order = ["stretched", "hold", str(rng.choice(["stretched", "hold", "slack"]))]
    if rng.random() < 0.5:
        order.append("slack")
    rng.shuffle(order)
    usual = person.usual_n
    person.rest(between(rng, person.plan.lead_s))
    for number, what in enumerate(order, start=1):
        person.usual_n = usual
        _block(person, what, number)
        person.rest(between(rng, REST))


def whole_session(person: Person) -> None:
    """Two to four sets of any sort, with practice, walking, untangling and waiting between."""
    rng, plan = person.rng, person.plan
    if rng.random() < 0.5:
        fault = GAUGES[rng.integers(len(GAUGES))]
        fault(rng, plan)
        plan.tags.append(fault.__name__)
    usual = rng.uniform(40, 160)
    person.rest(between(rng, plan.lead_s))
    for number in range(1, int(rng.integers(3, 6))):
        person.usual_n = usual
        what = str(rng.choice(["stretched", "hold", "slack", "slack"]))
        plan.tags.append(what)
        if what == "slack" and rng.random() < 0.4:
            try_band(person)
        _block(person, what, number)
        person.rest(rng.uniform(3.0, 10.0))
        if rng.random() < 0.6:
            person.usual_n = usual
            between_sets = (walk, untangle, wait_in_hand)[rng.integers(3)]
            plan.tags.append(between_sets.__name__)
            handle(person, between_sets)
        person.rest(between(rng, REST))


SCENES: dict[str, Callable[[Person], None]] = {
    "stretched sets and holds": side_by_side,
    "whole session": whole_session,
}
