"""Sessions drawn from a plan: sets one after another, and what people do around them."""

from __future__ import annotations

import numpy as np

from firmware_sim.generator.drawing import Drawing
from firmware_sim.generator.person import Person, between
from firmware_sim.generator.plan import SetPlan


def draw(person: Person) -> Drawing:
    """The whole session."""
    plan, rng = person.plan, person.rng
    if plan.static_load_n:
        person.put_on(plan.static_load_n)
    if not plan.sets:
        return _nothing(person)
    first_base = _base(person, plan.sets[0])
    if plan.cut_start or rng.random() < 0.5:
        person.level_n = first_base
    person.rest(between(rng, plan.lead_s))
    first: tuple[int, int] | None = None
    for number, each in enumerate(plan.sets, start=1):
        person.step_to(_base(person, each))
        rise, last = _set(person, each, number, final=number == len(plan.sets))
        first = first or rise
        if not last:
            _after(person, each)
            if number < len(plan.sets):
                person.rest(between(rng, plan.rest_s))
    if plan.static_load_n:
        person.rest(between(rng, plan.static_load_s))
        person.take_off()
    if not plan.cut_end:
        person.rest(rng.uniform(1.5, 5))
    return _cut(person, person.finish(), first or (0, 0))


def _nothing(person: Person) -> Drawing:
    """Things happen to the gauge, but nobody trains."""
    rng, plan = person.rng, person.plan
    person.rest(rng.uniform(1, 5))
    if plan.gauge.rate_hz > 20:
        for _ in range(int(rng.integers(0, 4))):
            person.knock(rng.uniform(3, 20))
            person.rest(rng.uniform(1, 4))
    person.put_on(rng.uniform(4, 60))
    for _ in range(int(rng.integers(0, 5))):
        person.bump(rng.choice([-1, 1]) * rng.uniform(0.3, 1.2), (0.3, 2.0), (0.3, 2.0))
        person.rest(rng.uniform(0.5, 20))
    person.rest(between(rng, plan.static_load_s))
    person.take_off()
    person.rest(rng.uniform(2, 10))
    return person.finish()


def _base(person: Person, each: SetPlan) -> float:
    return person.floor_n + each.base * each.peak_n


def _set(
    person: Person, each: SetPlan, number: int, *, final: bool
) -> tuple[tuple[int, int], bool]:
    rng = person.rng
    base = _base(person, each)
    amplitudes = [
        s * (each.peak_n * rng.uniform(0.95, 1.05)) - (base - person.floor_n) for s in each.scales
    ]
    for _ in range(each.practice_pulls):
        smallest = min(amplitudes[:3])
        person.bump(smallest * rng.uniform(0.12, 0.4), (0.3, 1.0), (0.3, 1.0))
        person.rest(rng.uniform(0.8, 2.5))
    if each.practice_pulls:
        person.rest(rng.uniform(0.8, 2.0))
    doubtful = set(
        rng.choice(np.arange(1, len(amplitudes)), each.partials, replace=False).tolist()
        if each.partials
        else []
    )
    first = (0, 0)
    stop = int(rng.integers(2, 20))
    for i, amplitude in enumerate(amplitudes):
        if i in doubtful:
            nearby = min(amplitudes[max(0, i - 2) : i + 3])
            person.bump(nearby * rng.uniform(0.15, 0.4), (0.3, 0.9), (0.3, 0.9))
            person.rest(between(rng, each.bottom_s))
        last = i == len(amplitudes) - 1
        after = base
        if each.base:
            after += rng.uniform(-0.02, 0.02) * amplitude
        if each.uneven and not last:
            after += rng.uniform(0, each.uneven) * min(amplitude, amplitudes[i + 1])
        person.rep(each, amplitude, base, after, number)
        first = first if i else person.rise
        if last and final and person.plan.cut_end:
            return first, True
        if not last:
            _pause(person, each, amplitude, stop=i + 1 == stop)
    return first, False


def _pause(person: Person, each: SetPlan, amplitude_n: float, *, stop: bool) -> None:
    """Between two reps of a set; `stop` to catch one's breath."""
    rng = person.rng
    person.rest(between(rng, each.bottom_s) + (rng.uniform(2.0, 5.0) if stop else 0.0))
    if rng.random() < each.fidgets:
        person.bump(amplitude_n * rng.uniform(0.03, 0.2), (0.08, 0.5), (0.08, 0.5))
        person.rest(rng.uniform(0.1, 0.8))


def _after(person: Person, each: SetPlan) -> None:
    """Shrugs and knocks once the set is done."""
    rng = person.rng
    smallest = min(each.scales[-3:]) * each.peak_n - each.base * each.peak_n
    for _ in range(each.shrugs):
        person.rest(rng.uniform(1.0, 3.0))
        person.bump(smallest * rng.uniform(0.08, 0.35), (0.3, 1.0), (0.3, 1.0))
    if each.base:
        person.rest(rng.uniform(0.5, 1.5))
        person.step_to(person.floor_n)
    for _ in range(each.knocks):
        person.rest(rng.uniform(0.5, 2.0))
        # Some converters are too slow to tell a knock from a pull by its width.
        highest = 0.5 if person.plan.gauge.rate_hz > 20 else 0.4
        person.knock(smallest * rng.uniform(0.2, highest))
    if each.knocks:
        person.rest(rng.uniform(0.3, 1.0))


def _cut(person: Person, whole: Drawing, first: tuple[int, int]) -> Drawing:
    """Begin in mid-pull of the first rep, end in mid-hold of the last, as the plan says."""
    lo, hi = 0, whole.force_n.size
    if person.plan.cut_start:
        rise = whole.force_n[first[0] : first[1]]
        level = rise[0] + person.rng.uniform(0.1, 0.5) * (rise.max() - rise[0])
        lo = first[0] + int(np.argmax(rise >= level))
    if person.plan.cut_end:
        begin, end = person.hold
        hi = round(begin + person.rng.uniform(0.6, 1.0) * (end - begin))
    return whole.between(lo, hi)
