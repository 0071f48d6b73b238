"""Scenes with holds that wander; no two of their swings are alike."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from scipy.signal import find_peaks, peak_prominences

from firmware_sim.generator import shapes
from firmware_sim.generator.person import Person, between
from firmware_sim.generator.plan import SetPlan
from firmware_sim.generator.shapes import GRID_HZ
from firmware_sim.generator.stretched import SMOOTH, Stretched, put_down, stretched_set, take_up
from sensor.samples import Floats


def _swings_alike(force: Floats) -> bool:
    """Whether a hold happens to swing as evenly as reps do, all of it or four times in a row."""
    valleys, _ = find_peaks(-force, prominence=0.06)
    depths = peak_prominences(-force, valleys)[0]
    levels, periods = force[valleys], np.diff(valleys)

    def alike(lo: int, hi: int, spread: float) -> bool:
        deep = float(np.mean(depths[lo:hi]))
        return bool(
            np.std(depths[lo:hi]) < spread * deep
            and np.std(levels[lo:hi]) < spread * deep
            and np.std(periods[lo : hi - 1]) < spread * np.mean(periods[lo : hi - 1])
        )

    count = valleys.size
    return count >= 3 and (
        alike(0, count, 0.35) or any(alike(i, i + 4, 0.25) for i in range(count - 3))
    )


def _hold(rng: np.random.Generator, seconds: float, sag: float) -> Floats:
    """A hold that tires: it wanders, or sags and is corrected at odd moments."""
    if rng.random() < 0.5:
        return shapes.hold(rng, seconds, sag)
    n = round(seconds * GRID_HZ)
    at, level = [0], [1.0]
    while at[-1] < n:
        lasts, lost = rng.lognormal(np.log(4.0), 0.6), sag * rng.uniform(0.1, 1.0) ** 1.5
        back = rng.uniform(0.3, 0.9)
        at += [at[-1] + round(lasts * GRID_HZ)] * 2
        at[-1] += round(back * GRID_HZ)
        level += [1.0 - lost, 1.0 - rng.uniform(0, 0.25) * sag]
    y = np.interp(np.arange(n), at, level)
    return y + 0.01 * shapes.smooth_noise(rng, n, 0.8)


def wandering_hold(rng: np.random.Generator, seconds: float, sag: float) -> Floats:
    """Force of a hold as a share of its peak, (n,); its swings are not alike."""
    for _ in range(50):
        y = _hold(rng, seconds, sag)
        if not _swings_alike(y):
            return np.asarray(y / y.max(), dtype=float)
    raise AssertionError("fifty holds in a row swing evenly")


def _overshooting(rng: np.random.Generator) -> Floats:
    """Pulled too far, let back a little, then held for about a minute."""
    y = wandering_hold(rng, rng.uniform(35, 70), rng.uniform(0.03, 0.1))
    over, tau_s = rng.uniform(0.15, 0.45), rng.uniform(0.3, 0.9)
    y = y + over * np.exp(-np.arange(y.size) / GRID_HZ / tau_s)
    return np.asarray(y / y.max(), dtype=float)


def hold(person: Person, number: int, plateau: Floats) -> None:
    """One hold from slack to slack."""
    rng = person.rng
    peak = person.usual_n * rng.uniform(0.9, 1.0)
    manner = SetPlan(peak, [], rise_s=(0.5, 1.5), fall_s=(0.4, 1.2), families=SMOOTH)
    person.rep(manner, peak, 0.0, 0.0, number, plateau)


def holds(person: Person, plateaus: list[Floats], *, number: int = 1) -> None:
    """Holds with a short rest between, so one set."""
    for i, plateau in enumerate(plateaus):
        if i:
            person.rest(person.rng.uniform(3.0, 7.0))
        hold(person, number, plateau)


def wanders(rng: np.random.Generator, count: int) -> list[Floats]:
    return [wandering_hold(rng, rng.uniform(15, 45), rng.uniform(0.1, 0.35)) for _ in range(count)]


def one_hold(person: Person) -> None:
    """A single hold that wanders by up to a third."""
    _around(person, lambda: holds(person, wanders(person.rng, 1)))


def several_holds(person: Person) -> None:
    """Two to five of them."""
    count = int(person.rng.integers(2, 6))
    _around(person, lambda: holds(person, wanders(person.rng, count)))


def overshot(person: Person) -> None:
    """Overshoot, then a hold for a minute; one or two of them."""
    rng = person.rng
    plateaus = [_overshooting(rng) for _ in range(int(rng.integers(1, 3)))]
    _around(person, lambda: holds(person, plateaus))


def stretched_holds(person: Person) -> None:
    """Three to five holds from a band that stays stretched between them."""
    rng = person.rng
    each = stretched_set(person, share=rng.uniform(0.3, 0.65), reps=int(rng.integers(3, 6)))
    _around(person, lambda: _hold_on_stretch(person, each))


def _hold_on_stretch(person: Person, each: Stretched) -> None:
    rng = person.rng
    take_up(person, each.base_n)
    for i, swing in enumerate(each.swings_n.tolist()):
        if i:
            person.rest(rng.uniform(1.5, 6.0))
        plateau = wandering_hold(rng, rng.uniform(10, 30), rng.uniform(0.05, 0.25))
        person.rep(each.manner, swing, each.base_n, each.base_n, 1, plateau)
    put_down(person)


def trimmed(person: Person) -> None:
    """The recording begins and ends within a hold: that may be one rep or none, but no set."""
    rng = person.rng
    hold(person, 1, *wanders(rng, 1))
    begin, end = person.hold
    person.intents.clear()
    person.crop = (begin + int(rng.uniform(50, 2000)), end - int(rng.uniform(50, 2000)))
    person.may_count(*person.crop, 0, 1)


def _around(person: Person, what: Callable[[], None]) -> None:
    person.rest(between(person.rng, person.plan.lead_s))
    what()
    person.rest(person.rng.uniform(1.5, 5.0))


SCENES: dict[str, Callable[[Person], None]] = {
    "stretched holds": stretched_holds,
    "hold wanders": one_hold,
    "holds wander": several_holds,
    "overshoot and hold": overshot,
    "trimmed to a hold": trimmed,
}
