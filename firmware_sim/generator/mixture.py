"""Sessions in which several manners and faults come together."""

from __future__ import annotations

import numpy as np

from firmware_sim.generator import manners
from firmware_sim.generator.faults import GAUGES
from firmware_sim.generator.plan import Plan

Generator = np.random.Generator

PEOPLE = (
    (
        manners.fast,
        manners.slow,
        manners.tempo_changes,
        manners.no_pause,
        manners.trembling_hold,
        manners.dipping,
        manners.two_humps,
        manners.cut,
        manners.isometric,
        manners.waiting,
    ),
    (
        manners.fading,
        manners.growing,
        manners.sides,
        manners.never_slack,
        manners.uneven,
        manners.fidgeting,
        manners.knocking,
        manners.practising,
        manners.incomplete,
        manners.rebounding,
    ),
)
UNFIT = (
    (manners.fast, manners.rebounding),
    (manners.cut, manners.growing),  # a small first rep of which only half is seen
    *(
        (manners.isometric, other)
        for other in (
            manners.fading,
            manners.growing,
            manners.sides,
            manners.incomplete,
            manners.rebounding,
        )
    ),
    *(
        (manners.waiting, other)
        for other in (
            manners.fading,
            manners.growing,
            manners.sides,
            manners.never_slack,
            manners.incomplete,
            manners.uneven,
        )
    ),
    (manners.no_pause, manners.fidgeting),
)


def mixed(rng: Generator, plan: Plan) -> None:
    """One manner of moving, one of the set, and one to three faults of the gauge."""
    chosen = [group[rng.integers(len(group))] for group in PEOPLE]
    for one, other in UNFIT:
        if one in chosen and other in chosen:
            chosen.remove(other)
    faults = [GAUGES[i] for i in rng.choice(len(GAUGES), rng.integers(1, 4), replace=False)]
    for manner in (*chosen, *faults):
        manner(rng, plan)
        plan.tags.append(manner.__name__)
    smallest = min(each.peak_n * min(each.scales) for each in plan.sets)
    plan.gauge.noise_n = min(plan.gauge.noise_n, smallest / 25)
    plan.gauge.hum_n = min(plan.gauge.hum_n, smallest / 15)


def doubtful(rng: Generator, plan: Plan) -> None:
    """Pulls about half as high as their neighbours: only for the calibration of confidence."""
    for each in plan.sets:
        n = int(rng.integers(8, 13))
        each.scales = rng.uniform(0.97, 1.0, n).tolist()
        for i in rng.choice(np.arange(2, n - 2), 2, replace=False):
            each.scales[int(i)] = rng.uniform(0.4, 0.62)
