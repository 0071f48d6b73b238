"""A workout: sets of exercises as a plan, and the person who carries it out, lazily.

Everything follows from one seed. An endless workout needs no more memory than its longest set.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from firmware_sim.person.elastic import Elastic, ElasticState
from firmware_sim.person.motion import Chunk, Pause, Pull, render
from firmware_sim.person.truth import GRID_HZ, Kind, RepTruth
from sensor.samples import Floats

REST_CHUNK_S = 10.0


@dataclass(frozen=True, slots=True)
class SetPlan:
    """One set of one exercise, and the rest after it. Fractions are of the set's peak force."""

    exercise: str = "low-row"
    reps: int = 10
    peak_n: float = 45.0
    concentric_s: float = 1.2
    hold_s: float = 0.5
    eccentric_s: float = 1.8
    bottom_s: float = 0.5
    rest_after_s: float = 30.0
    bottom: float = 0.06
    """Tension left between reps."""
    fade: float = 0.08
    """Part of the peak lost from the first rep to the last; negative if effort grows."""
    slowing: float = 0.1
    """Part by which movements take longer at the end of the set."""
    spread: float = 0.08
    """Relative standard deviation of durations from rep to rep."""
    peak_spread: float = 0.04
    other_side: float = 1.0
    """Peak of every second rep: below 1 where a weaker side alternates."""
    roughness: float = 0.15
    tremor: float = 0.005
    sag: float = 0.0
    wander: float = 0.02
    dip: float = 0.0
    hump: float = 0.0
    rebound: float = 0.0
    steady: float = 0.0
    """How even the speed of movements is, as when a count leads them; 0: minimum jerk."""
    trial_pulls: int = 0
    """Pulls of 20-40 % before the first rep."""
    shrugs: int = 0
    """Small pulls of 15-30 % after the last rep."""
    partial_reps: int = 0
    """Reps given up at 25-42 %, somewhere after the second rep."""
    knock: float = 0.0
    """Height of the bump when the band is put down."""

    def __post_init__(self) -> None:
        if not 1 <= self.reps <= 500:
            raise ValueError(f"reps not in 1..500: {self.reps}")
        if not (self.peak_n > 0 and 0 <= self.bottom < 0.8 and self.fade < 1):
            raise ValueError(f"a set needs a peak above its bottom and a fade below 1: {self}")
        if not all(0 <= x < 1 for x in (self.spread, self.sag, self.wander, self.dip, self.hump)):
            raise ValueError(f"spread, sag, wander, dip and hump not in [0, 1): {self}")


LOW_ROW = SetPlan()
PULL_APART = SetPlan(
    "pull-apart", 12, 28.0, 0.9, 0.3, 1.3, 0.4, 20.0, bottom=0.03, peak_spread=0.05
)


@dataclass(frozen=True, slots=True)
class Workout:
    """Sets in order, after `lead_in_s` of rest; endless workouts start over."""

    sets: tuple[SetPlan, ...] = (
        replace(LOW_ROW, trial_pulls=1, knock=0.3),
        replace(LOW_ROW, fade=0.15, shrugs=1),
        replace(LOW_ROW, reps=8, fade=0.2, partial_reps=1, knock=0.4),
        PULL_APART,
        replace(PULL_APART, fade=0.12),
    )
    lead_in_s: float = 4.0
    endless: bool = False
    fidget_n: float = 0.15

    def __post_init__(self) -> None:
        if not self.sets and self.endless:
            raise ValueError("an endless workout needs a set")


def actions(plan: SetPlan, rng: np.random.Generator, fidget_n: float = 0.0) -> list[Pull | Pause]:
    """What the hands do in a set, from taking the band up to putting it down; one random draw."""
    bottom_n = plan.bottom * plan.peak_n

    def partial(low: float, high: float) -> Pull:
        peak_n = bottom_n + (plan.peak_n - bottom_n) * rng.uniform(low, high)
        return Pull(
            peak_n,
            _vary(0.5 * plan.concentric_s, plan.spread, rng),
            0.1,
            _vary(0.5 * plan.eccentric_s, plan.spread, rng),
            _vary(0.6 + plan.bottom_s, plan.spread, rng),
            bottom_n,
            Kind.PARTIAL,
            tremor=plan.tremor,
        )

    done: list[Pull | Pause] = [Pause(bottom_n, 0.6, float(rng.uniform(0.8, 1.6)), fidget_n)]
    done += [partial(0.2, 0.4) for _ in range(plan.trial_pulls)]
    given_up = set(rng.choice(np.arange(2, max(plan.reps, 3)), plan.partial_reps).tolist())
    for rep in range(plan.reps):
        if rep in given_up:
            done.append(partial(0.25, 0.42))
        through = rep / max(plan.reps - 1, 1)
        slower = 1 + plan.slowing * through
        effort = (1 - plan.fade * through) * (plan.other_side if rep % 2 else 1.0)
        effort *= float(np.exp(plan.peak_spread * np.clip(rng.standard_normal(), -2.5, 2.5)))
        done.append(
            Pull(
                bottom_n + (plan.peak_n - bottom_n) * effort,
                _vary(plan.concentric_s * slower, plan.spread, rng),
                _vary(plan.hold_s, plan.spread, rng),
                _vary(plan.eccentric_s * slower, plan.spread, rng),
                _vary(plan.bottom_s, plan.spread, rng),
                bottom_n * float(rng.uniform(0.85, 1.15)),
                skew=float(rng.uniform(0.8, 1.25)),
                roughness=plan.roughness,
                tremor=plan.tremor,
                sag=plan.sag,
                wander=plan.wander,
                dip=plan.dip,
                hump=plan.hump,
                rebound=plan.rebound,
                steady=plan.steady,
            )
        )
    done += [partial(0.15, 0.3) for _ in range(plan.shrugs)]
    done.append(Pause(bottom_n, 0.0, float(rng.uniform(0.5, 1.0))))
    done.append(Pause(0.0, 0.5, 0.6, fidget_n))
    if plan.knock:
        width_s = float(rng.uniform(0.06, 0.22))
        height_n = plan.knock * plan.peak_n
        done.append(Pull(height_n, width_s / 2, 0.0, width_s / 2, 0.5, kind=Kind.KNOCK, tremor=0.0))
    return done


def _vary(duration_s: float, spread: float, rng: np.random.Generator) -> float:
    """A duration around `duration_s`, log-normal, cut at 2.5 standard deviations."""
    return duration_s * float(np.exp(spread * np.clip(rng.standard_normal(), -2.5, 2.5)))


def chunks(workout: Workout, elastic: Elastic, seed: int) -> Iterator[Chunk]:
    """The workout's force, chunk after chunk without a gap, from grid point 0 on."""
    rng = np.random.default_rng((seed, 0x9E7))
    state = ElasticState()
    at, number = 0, 0

    def rest(duration_s: float) -> Iterator[Chunk]:
        nonlocal at, state
        while duration_s > 0:
            pause = Pause(0.0, 0.0, min(duration_s, REST_CHUNK_S), workout.fidget_n)
            chunk, state = render([pause], elastic, rng, first=at, state=state)
            at += chunk.force_n.size
            duration_s -= REST_CHUNK_S
            yield chunk

    yield from rest(workout.lead_in_s)
    while True:
        for plan in workout.sets:
            number += 1
            chunk, state = render(
                actions(plan, rng, workout.fidget_n),
                elastic,
                rng,
                first=at,
                set_number=number,
                exercise=plan.exercise,
                state=state,
            )
            at += chunk.force_n.size
            yield chunk
            yield from rest(plan.rest_after_s)
        if not workout.endless:
            return


class Person:
    """A workout as a function of time: the force at any later moment, and the truth so far."""

    def __init__(self, workout: Workout, elastic: Elastic, seed: int) -> None:
        self._chunks = chunks(workout, elastic, seed)
        self._first = 0
        self._force_n: Floats = np.empty(0)
        self._truth: list[RepTruth] = []
        self.end_s: float | None = None
        """When the workout is over, once that is known."""

    def force_n(self, time_s: Floats) -> Floats:
        """Force in N at `time_s` (n,), increasing, and from call to call too. 0 after the end."""
        if not time_s.size:
            return np.empty(0)
        at = np.asarray(time_s, np.float64) * GRID_HZ
        keep = max(int(at[0]), self._first)
        self._reach(int(at[-1]) + 1, keep)
        grid = np.arange(self._first, self._first + self._force_n.size)
        if not grid.size:
            return np.zeros(at.size)
        return np.interp(at, grid, self._force_n, left=0.0, right=0.0)

    def truth(self, until_s: float = np.inf) -> list[RepTruth]:
        """Every pull that ended by `until_s` in what has been asked for so far."""
        return [rep for rep in self._truth if rep.end_s <= until_s]

    def _reach(self, point: int, keep: int) -> None:
        """Render up to grid point `point`, and forget what lies before `keep`."""
        parts = [self._force_n]
        known = self._first + self._force_n.size
        while known <= point and self.end_s is None:
            chunk = next(self._chunks, None)
            if chunk is None:
                self.end_s = known / GRID_HZ
                break
            parts.append(chunk.force_n)
            self._truth += chunk.truth
            known += chunk.force_n.size
        force_n = np.concatenate(parts) if len(parts) > 1 else self._force_n
        drop = min(max(keep - self._first, 0), force_n.size)
        if drop > 10 * GRID_HZ or len(parts) > 1:
            self._first += drop
            self._force_n = force_n[drop:].copy()
