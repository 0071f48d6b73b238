"""Manners: what people and gauges do in planned sessions, one at a time and mixed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from firmware_sim.generator import faults
from firmware_sim.generator.plan import GaugePlan, Plan, Range, SetPlan

Generator = np.random.Generator
Manner = Callable[[Generator, Plan], None]

RATES_HZ = (80.0, 88.0, 320.0, 1000.0, 10.0, 11.0)
RATE_WEIGHTS = (0.3, 0.22, 0.14, 0.1, 0.12, 0.12)


def base_plan(rng: Generator) -> Plan:
    """An ordinary session: one or two sets of an exercise on a clean gauge."""
    rate = float(rng.choice(RATES_HZ, p=RATE_WEIGHTS))
    gauge = GaugePlan(
        rate_hz=rate * rng.uniform(0.97, 1.03),
        irregular=rate == 11,
        noise_n=rng.uniform(0.03, 0.15),
        step_n=0.1 if rate < 20 else 0.005,
        tare_n=rng.normal(0, 0.3),
    )
    peak = float(np.exp(rng.uniform(np.log(20), np.log(220))))
    pace = float(rng.uniform(0.7, 1.6))
    sets = [
        SetPlan(
            peak_n=peak * rng.uniform(0.9, 1.1),
            scales=rng.uniform(0.9, 1.0, int(rng.integers(5, 11))).tolist(),
            rise_s=(0.5 * pace, 1.0 * pace),
            hold_s=(0.0, 0.8 * pace),
            fall_s=(0.6 * pace, 1.3 * pace),
            bottom_s=(0.2 * pace, 1.0 * pace),
            fidgets=0.15 if rng.random() < 0.5 else 0.0,
        )
        for _ in range(int(rng.integers(1, 3)))
    ]
    return Plan(sets, gauge, texture=rng.uniform(0.0, 0.01), tremor=rng.uniform(0.0, 0.008))


def _each(plan: Plan, **changes: object) -> None:
    for each in plan.sets:
        for name, value in changes.items():
            setattr(each, name, value)


def _slow_rest(plan: Plan, period_s: float) -> None:
    """Rest long enough that a set of slow reps is over: three periods and a margin."""
    plan.rest_s = (max(14.0, 4.2 * period_s), max(20.0, 5.0 * period_s))


def ordinary(rng: Generator, plan: Plan) -> None:
    """Nothing special."""


def fast(rng: Generator, plan: Plan) -> None:
    """Reps of 0.6 to 1 s, as triangles and rounded, hardly a pause between."""
    half: Range = (0.3, 0.45)
    _each(plan, fidgets=0.0, rise_s=half, fall_s=half, hold_s=(0.0, 0.05), bottom_s=(0.0, 0.15))
    _each(plan, families=("ramp", "beta", "submovements"))
    for each in plan.sets:
        each.scales = rng.uniform(0.9, 1.0, int(rng.integers(8, 16))).tolist()


def slow(rng: Generator, plan: Plan) -> None:
    """Reps of 5 to 12 s."""
    _each(plan, rise_s=(2.0, 4.5), hold_s=(0.5, 2.5), fall_s=(2.5, 5.0), bottom_s=(0.3, 2.0))
    for each in plan.sets:
        each.scales = each.scales[:6]
    _slow_rest(plan, 12)


def tempo_changes(rng: Generator, plan: Plan) -> None:
    """One set fast, one slow, one that slows down as it goes."""
    quick, lazy = replace(plan.sets[0]), replace(plan.sets[0])
    quick.rise_s, quick.fall_s, quick.hold_s = (0.35, 0.5), (0.35, 0.5), (0.0, 0.2)
    quick.bottom_s = (0.05, 0.3)
    lazy.rise_s, lazy.fall_s, lazy.bottom_s = (1.5, 3.0), (1.5, 4.0), (0.5, 1.5)
    plan.sets = [quick, lazy] if rng.random() < 0.5 else [lazy, quick]
    _slow_rest(plan, 9)


def trembling_hold(rng: Generator, plan: Plan) -> None:
    """Holds of 1 to 5 s that tremble."""
    plan.tremor = rng.uniform(0.01, 0.04)
    _each(plan, hold_s=(1.0, 5.0), hold_wander=0.05)
    _slow_rest(plan, 7)


def no_pause(rng: Generator, plan: Plan) -> None:
    """No pause at the bottom nor at the top."""
    _each(plan, fidgets=0.0, hold_s=(0.0, 0.02), bottom_s=(0.0, 0.02))


def never_slack(rng: Generator, plan: Plan) -> None:
    """The band stays pulled at about 40 % of the peak between the reps."""
    _each(plan, base=rng.uniform(0.32, 0.45))


def uneven(rng: Generator, plan: Plan) -> None:
    """Between some reps the band is hardly let go: valleys of up to a third of the next peak."""
    _each(plan, uneven=rng.uniform(0.2, 0.35), bottom_s=(0.0, 0.5))


def fidgeting(rng: Generator, plan: Plan) -> None:
    """Hands that regrip, shift and twitch between the reps."""
    _each(plan, fidgets=0.8, bottom_s=(0.2, 2.0))


def fading(rng: Generator, plan: Plan) -> None:
    """Peaks fade by 40 % over the set."""
    for each in plan.sets:
        n = int(rng.integers(7, 14))
        each.scales = (np.linspace(1, 0.6, n) * rng.uniform(0.97, 1.03, n)).tolist()


def growing(rng: Generator, plan: Plan) -> None:
    """Peaks grow from a third to full over the set."""
    for each in plan.sets:
        n = int(rng.integers(8, 14))
        each.scales = (np.linspace(0.34, 1, n) * rng.uniform(0.98, 1.02, n)).tolist()


def sides(rng: Generator, plan: Plan) -> None:
    """Left and right in turn, one at 70 % of the other."""
    for each in plan.sets:
        n = 2 * int(rng.integers(4, 7))
        each.scales = (np.tile([1, 0.7], n // 2) * rng.uniform(0.97, 1.03, n)).tolist()


def dipping(rng: Generator, plan: Plan) -> None:
    """A dip of about 25 % in mid-hold."""
    _each(plan, hold_s=(0.8, 3.0), dip=(0.18, 0.28))


def two_humps(rng: Generator, plan: Plan) -> None:
    """Plateaus with two humps."""
    _each(plan, hold_s=(0.5, 1.6), humps=True)


def rebounding(rng: Generator, plan: Plan) -> None:
    """A fast release, after which the band swings back."""
    _each(plan, fall_s=(0.18, 0.4), rebound=rng.uniform(0.15, 0.35), bottom_s=(0.3, 1.5))


def knocking(rng: Generator, plan: Plan) -> None:
    """Knocks of up to half a rep while the band is put down."""
    _each(plan, knocks=int(rng.integers(1, 4)))


def practising(rng: Generator, plan: Plan) -> None:
    """practice pulls before a set, shrugs after it."""
    _each(plan, practice_pulls=int(rng.integers(1, 3)), shrugs=int(rng.integers(0, 3)))


def incomplete(rng: Generator, plan: Plan) -> None:
    """Incomplete reps among full ones."""
    _each(plan, partials=int(rng.integers(1, 3)))


def exercises(rng: Generator, plan: Plan) -> None:
    """Exercises of 25 N and of 190 N in one session."""
    plan.sets = [replace(plan.sets[0]) for _ in range(int(rng.integers(2, 4)))]
    weak_first = rng.random() < 0.5
    for i, each in enumerate(plan.sets):
        weak = (i % 2 == 0) == weak_first
        each.peak_n = rng.uniform(20, 30) if weak else rng.uniform(170, 210)
        each.scales = rng.uniform(0.9, 1.0, int(rng.integers(5, 9))).tolist()
        each.base = 0.0


def another_band(rng: Generator, plan: Plan) -> None:
    """The same with six to ten seconds to change the band."""
    exercises(rng, plan)
    plan.rest_s = (6.0, 10.0)


def weak(rng: Generator, plan: Plan) -> None:
    """A user who pulls 6.5 to 8.5 N."""
    peak = rng.uniform(7, 8.5)
    _each(plan, peak_n=peak)
    plan.gauge.noise_n = min(plan.gauge.noise_n, 0.12)


def cut(rng: Generator, plan: Plan) -> None:
    """The recording starts in mid-pull, ends in mid-hold, or both."""
    plan.cut_start, plan.cut_end = [(True, False), (False, True), (True, True)][rng.integers(3)]
    _each(plan, hold_s=(0.6, 1.5))


def isometric(rng: Generator, plan: Plan) -> None:
    """Holds of 20 to 40 s whose force wanders by a third."""
    for each in plan.sets:
        each.scales = rng.uniform(0.9, 1.0, int(rng.integers(2, 5))).tolist()
        each.hold_s, each.hold_wander = (20.0, 40.0), rng.uniform(0.25, 0.34)
        each.bottom_s = (4.0, 10.0)
    plan.sets = plan.sets[:1]


def programme(rng: Generator, plan: Plan) -> None:
    """Eight to twelve such holds, with rests about as long: many minutes in one set."""
    isometric(rng, plan)
    for each in plan.sets:
        each.scales = rng.uniform(0.9, 1.0, int(rng.integers(8, 13))).tolist()
        each.bottom_s = (10.0, 30.0)


def waiting(rng: Generator, plan: Plan) -> None:
    """Hands wait on a lightly pulled band, up to a minute between the reps."""
    plan.sets = plan.sets[:1]
    each = plan.sets[0]
    each.base, each.bottom_s = rng.uniform(0.1, 0.25), (15.0, 60.0)
    each.scales = rng.uniform(0.9, 1.0, int(rng.integers(3, 6))).tolist()
    plan.wander = rng.uniform(0.01, 0.02)


def static_load(rng: Generator, plan: Plan) -> None:
    """A load lies on the gauge for minutes; the reps come on top of it."""
    plan.sets = plan.sets[:1]
    plan.static_load_n = rng.uniform(0.25, 0.6) * plan.sets[0].peak_n


def nothing(rng: Generator, plan: Plan) -> None:
    """No rep at all: taps, and a load that lies on the gauge for minutes and moves a little."""
    plan.sets = []


MANNERS: dict[str, Manner] = {
    "ordinary": ordinary,
    "fast 0.6-1 s": fast,
    "slow 5-12 s": slow,
    "tempo changes": tempo_changes,
    "hold with tremor": trembling_hold,
    "no pause": no_pause,
    "never slack": never_slack,
    "uneven valleys": uneven,
    "fidgeting hands": fidgeting,
    "fading by 40 %": fading,
    "growing from a third": growing,
    "sides at 70 %": sides,
    "dip in mid-hold": dipping,
    "two humps": two_humps,
    "elastic rebound": rebounding,
    "knocks": knocking,
    "practice pulls, shrugs": practising,
    "incomplete reps": incomplete,
    "25 N and 190 N": exercises,
    "weak user": weak,
    "tare error, drift": faults.drifting,
    "hum": faults.humming,
    "noise 0.8 N": faults.noisy,
    "ADC spikes": faults.spiky,
    "gaps": faults.with_gaps,
    "bad time stamps": faults.bad_stamps,
    "cut recording": cut,
    "isometric 30 s": isometric,
    "waiting hands": waiting,
    "static load": static_load,
    "nothing to count": nothing,
    "10 and 11 Hz": faults.slow_gauge,
    "320 and 1000 Hz": faults.fast_gauge,
    "isometric, minutes": programme,
    "another band": another_band,
}
