"""Scenes on a band that is already stretched when the rep begins, and holds that look like it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.signal import find_peaks, peak_prominences

from benchmarks.generator import shapes
from benchmarks.generator.person import Person, between
from benchmarks.generator.plan import Range, SetPlan
from benchmarks.generator.shapes import GRID_HZ
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
    """The effort fades by a third over the set, or grows by half."""
    rng = person.rng
    each = stretched_set(person, reps=int(rng.integers(6, 16)))
    course = np.linspace(1.0, 0.65, each.swings_n.size)
    each.swings_n = each.swings_n * (course if rng.random() < 0.5 else course[::-1])
    play(person, [each])


def few(person: Person) -> None:
    """Three to five reps, as many strength programmes have them."""
    play(person, [stretched_set(person, reps=int(person.rng.integers(3, 6)))])


# --- holds --------------------------------------------------------------------------------------


def _swings_alike(force: Floats) -> bool:
    """Whether a hold happens to swing as evenly as reps do, so that nobody could tell."""
    valleys, _ = find_peaks(-force, prominence=0.06)
    if valleys.size < 3:
        return False
    depths = peak_prominences(-force, valleys)[0]
    gaps = np.diff(valleys)
    return bool(np.std(depths) < 0.3 * np.mean(depths) and np.std(gaps) < 0.3 * np.mean(gaps))


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


def _wanders(rng: np.random.Generator, count: int) -> list[Floats]:
    return [wandering_hold(rng, rng.uniform(15, 45), rng.uniform(0.1, 0.35)) for _ in range(count)]


def one_hold(person: Person) -> None:
    """A single hold that wanders by up to a third."""
    _around(person, lambda: holds(person, _wanders(person.rng, 1)))


def several_holds(person: Person) -> None:
    """Two to five of them."""
    count = int(person.rng.integers(2, 6))
    _around(person, lambda: holds(person, _wanders(person.rng, count)))


def overshot(person: Person) -> None:
    """Overshoot, then a hold for a minute; one or two of them."""
    rng = person.rng
    plateaus = [_overshooting(rng) for _ in range(int(rng.integers(1, 3)))]
    _around(person, lambda: holds(person, plateaus))


def trimmed(person: Person) -> None:
    """The recording begins and ends within a hold: that may be one rep or none, but no set."""
    rng = person.rng
    hold(person, 1, *_wanders(rng, 1))
    begin, end = person.hold
    person.intents.clear()
    person.crop = (begin + int(rng.uniform(50, 2000)), end - int(rng.uniform(50, 2000)))
    person.may_count(*person.crop, 0, 1)


def _around(person: Person, what: Callable[[], None]) -> None:
    person.rest(between(person.rng, person.plan.lead_s))
    what()
    person.rest(person.rng.uniform(1.5, 5.0))


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
        if what == "stretched":
            each = stretched_set(person, reps=int(rng.integers(4, 13)))
            take_up(person, each.base_n)
            pull(person, each, number)
            put_down(person)
        elif what == "hold":
            holds(person, _wanders(rng, int(rng.integers(1, 3))), number=number)
        else:
            each = stretched_set(person, share=0.0, reps=int(rng.integers(5, 11)))
            pull(person, each, number)
        person.rest(between(rng, REST))


SCENES: dict[str, Callable[[Person], None]] = {
    "stretched": plain,
    "stretched, dips": with_dips,
    "stretched, humps": with_humps,
    "stretched, hand gives way": slackening,
    "stretched, taken up in one go": joined,
    "stretched, grows or fades": changing,
    "stretched, few reps": few,
    "hold wanders": one_hold,
    "holds wander": several_holds,
    "overshoot and hold": overshot,
    "trimmed to a hold": trimmed,
    "stretched sets and holds": side_by_side,
}
