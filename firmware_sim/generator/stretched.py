"""Scenes on a band that is already stretched when the rep begins."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from firmware_sim.generator import shapes
from firmware_sim.generator.faults import GAUGES
from firmware_sim.generator.person import Person, between
from firmware_sim.generator.plan import Range, SetPlan
from sensor.samples import Floats

SMOOTH = ("beta", "ramp", "submovements", "early", "gompertz")
TAKING_UP = ("beta", "ramp", "submovements")
QUICK: Range = (0.25, 0.7)
SLOW: Range = (1.2, 3.0)
SOME_WAIT: Range = (0.5, 3.0)
REST: Range = (14.0, 25.0)


@dataclass(slots=True)
class Stretched:
    """A set between two stretches of the band."""

    base_n: float
    """Force of the band before the pull."""
    swings_n: Floats
    """What each rep adds, (reps,)."""
    manner: SetPlan
    uneven: float = 0.04
    """How far the valleys differ, as a share of the swing."""
    slackens: float = 0.0
    """How far the hand gives way between two reps, as a share of the swing."""
    stubs: float = 0.0
    """Share of the pauses with an incomplete pull of 15 to 40 % of the swing."""
    creep: float = 0.0
    """How far the person moves towards the anchor or away during the set, likewise."""


def stretched_set(
    person: Person, share: float | None = None, reps: int | None = None, **changes: object
) -> Stretched:
    """A set whose valleys are at 0.3 to 0.85 of the peak; steady in its swing, as sets are."""
    rng = person.rng
    share = rng.uniform(0.3, 0.85) if share is None else share
    reps = int(rng.integers(3, 21)) if reps is None else reps
    # 6 N of swing and more: less is nobody's exercise.
    peak = max(person.usual_n * rng.uniform(0.8, 1.2), 6.0 / (1 - share))
    swing = (1 - share) * peak
    pace = rng.uniform(0.7, 1.6)
    manner = SetPlan(
        peak_n=peak,
        scales=[],
        rise_s=(0.5 * pace, 0.9 * pace),
        hold_s=(0.0, 0.6 * pace),
        fall_s=(0.6 * pace, 1.2 * pace),
        bottom_s=(0.0, 0.7 * pace),
        families=SMOOTH,
    )
    for name, value in changes.items():
        setattr(manner, name, value)
    plan, gauge = person.plan, person.plan.gauge
    person.usual_n = peak
    # The hand is as steady as the swing asks for, and the gauge fit for it.
    plan.wander = min(plan.wander, 0.02 * (1 - share))
    plan.texture = min(plan.texture, 0.02 * (1 - share))
    plan.breathing = min(plan.breathing, 0.02 * (1 - share))
    plan.tremor = min(plan.tremor, 0.03 * (1 - share))
    gauge.noise_n = min(gauge.noise_n, swing / 25)
    gauge.hum_n = min(gauge.hum_n, swing / 15)
    return Stretched(share * peak, swing * rng.uniform(0.9, 1.05, reps), manner)


def take_up(person: Person, base_n: float, how: str = "") -> None:
    """Stretch the band to where the reps begin: slowly, quickly, or joined to the first rep."""
    rng = person.rng
    how = how or str(rng.choice(["slow", "quick", "joined"]))
    seconds = between(rng, {"slow": SLOW, "quick": QUICK, "joined": (0.4, 2.0)}[how])
    person.move_to(base_n, seconds, str(rng.choice(TAKING_UP)))
    person.rest(rng.uniform(0.0, 0.2) if how == "joined" else between(rng, SOME_WAIT))


def put_down(person: Person, how: str = "") -> None:
    """Let the band go slack: after a wait, or joined to the last rep."""
    rng = person.rng
    how = how or str(rng.choice(["slow", "quick", "joined"]))
    person.rest(rng.uniform(0.0, 0.2) if how == "joined" else between(rng, SOME_WAIT))
    seconds = between(rng, {"slow": SLOW, "quick": QUICK, "joined": (0.4, 2.0)}[how])
    person.move_to(0.0, seconds, str(rng.choice(TAKING_UP)))


def pull(person: Person, each: Stretched, number: int) -> None:
    """The reps of a set, from the stretched band back to it."""
    rng = person.rng
    last = len(each.swings_n) - 1
    base = each.base_n
    for i, swing in enumerate(each.swings_n.tolist()):
        base = each.base_n + each.creep * swing * (i + 1) / (last + 1)
        after = base + rng.uniform(-1, 1) * each.uneven * swing
        person.rep(each.manner, swing, base, after, number)
        if i < last:
            _bottom(person, each, swing)
            if rng.random() < each.stubs:
                nearby = float(each.swings_n[max(0, i - 1) : i + 3].min())
                person.bump(nearby * rng.uniform(0.15, 0.4), (0.3, 0.9), (0.3, 0.9))
                _bottom(person, each, swing)


def _bottom(person: Person, each: Stretched, swing_n: float) -> None:
    """Between two reps; the hand may give way a little."""
    seconds = between(person.rng, each.manner.bottom_s)
    if each.slackens:
        seconds = max(seconds, 0.25)
        way = shapes.path(person.rng, "beta", seconds)
        sag = person.rng.uniform(0.3, 1.0) * each.slackens * swing_n
        person.add(person.level_n - sag * way)
        person.level_n -= sag
    else:
        person.rest(seconds)


def play(person: Person, sets: list[Stretched], *, up: str = "", down: str = "") -> None:
    """Sets on a stretched band, slack or not between them."""
    rng = person.rng
    person.rest(between(rng, person.plan.lead_s))
    slack = True
    for number, each in enumerate(sets, start=1):
        if slack:
            take_up(person, each.base_n, up)
        pull(person, each, number)
        slack = number == len(sets) or bool(rng.random() < 0.6)
        if slack:
            put_down(person, down)
        if number < len(sets):
            person.rest(between(rng, REST))
    person.rest(rng.uniform(1.5, 5.0))


def plain(person: Person) -> None:
    """One or two sets on the same stretch."""
    first = stretched_set(person)
    sets = [first]
    if person.rng.random() < 0.5:
        again = stretched_set(person, share=first.base_n / first.manner.peak_n)
        again.base_n, again.swings_n = first.base_n, first.swings_n[:8]
        sets.append(again)
    play(person, sets)


def with_dips(person: Person) -> None:
    """Holds with a dip, a fifth of the swing deep."""
    play(person, [stretched_set(person, hold_s=(0.9, 2.5), dip=(0.12, 0.25))])


def with_humps(person: Person) -> None:
    """Each pull comes in two efforts."""
    play(person, [stretched_set(person, hold_s=(0.5, 1.6), humps=True)])


def slackening(person: Person) -> None:
    """The hand gives way a little between the reps, or creeps towards the anchor."""
    each = stretched_set(person, bottom_s=(0.3, 1.5))
    each.slackens = person.rng.uniform(0.08, 0.2)
    each.creep = person.rng.uniform(-0.25, 0.25)
    play(person, [each])


def joined(person: Person) -> None:
    """Taken up in one go with the first rep, put down in one go with the last."""
    play(
        person,
        [stretched_set(person, share=person.rng.uniform(0.3, 0.75))],
        up="joined",
        down="joined",
    )


def changing(person: Person) -> None:
    """The effort fades by a third over the set, grows by half, or differs between the sides."""
    rng = person.rng
    each = stretched_set(person, reps=int(rng.integers(6, 16)))
    fading = np.linspace(1.0, 0.65, each.swings_n.size)
    sides = np.resize([1.0, 0.75], each.swings_n.size)
    each.swings_n = each.swings_n * (fading, fading[::-1], sides)[rng.integers(3)]
    play(person, [each])


def tared_stretched(person: Person) -> None:
    """Tared with the band stretched already: there it shows zero, and slack less than that."""
    each = stretched_set(person)
    person.plan.gauge.tare_n = -each.base_n * person.rng.uniform(0.9, 1.05)
    play(person, [each])


def never_let_go(person: Person) -> None:
    """The recording begins and ends with the stretched band in the hand."""
    rng = person.rng
    each = stretched_set(person, reps=int(rng.integers(4, 16)))
    person.level_n = each.base_n
    person.rest(rng.uniform(0.5, 3.0))
    pull(person, each, 1)
    person.rest(rng.uniform(0.5, 3.0))


def incomplete(person: Person) -> None:
    """Now and then a pull of 15 to 40 % of the swing, which does not count."""
    each = stretched_set(person, share=person.rng.uniform(0.3, 0.7), bottom_s=(0.3, 1.2))
    each.stubs = 0.3
    play(person, [each])


def faulty_gauge(person: Person) -> None:
    """One or two faults of the gauge; noise at most 1/25 and hum 1/15 of the swing."""
    rng, plan = person.rng, person.plan
    for i in rng.choice(len(GAUGES), int(rng.integers(1, 3)), replace=False):
        GAUGES[i](rng, plan)
        plan.tags.append(GAUGES[i].__name__)
    person.usual_n = max(person.usual_n, 30.0)
    play(person, [stretched_set(person)])


def few(person: Person) -> None:
    """Three to five reps, as many strength programmes have them."""
    play(person, [stretched_set(person, reps=int(person.rng.integers(3, 6)))])


SCENES: dict[str, Callable[[Person], None]] = {
    "stretched": plain,
    "stretched, dips": with_dips,
    "stretched, humps": with_humps,
    "stretched, hand gives way": slackening,
    "stretched, taken up in one go": joined,
    "stretched, effort changes": changing,
    "stretched, few reps": few,
    "stretched when tared": tared_stretched,
    "stretched from the start": never_let_go,
    "stretched, incomplete reps": incomplete,
    "stretched, faulty gauge": faulty_gauge,
}
