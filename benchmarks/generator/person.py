"""The person: draws a plan as a noise-free force curve and notes what was meant where."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum

import numpy as np
from scipy.ndimage import gaussian_filter1d

from benchmarks.generator import shapes
from benchmarks.generator.plan import Plan, Range, SetPlan
from benchmarks.generator.shapes import GRID_HZ
from sensor.samples import Floats

Generator = np.random.Generator


class Meant(Enum):
    """What a stretch of the curve is."""

    REP = "rep"
    BUMP = "bump"
    """A trial pull, shrug, partial rep, knock or rebound: not counted."""
    STEP = "step"
    """A lasting change of the load: picking up a band, a weight that is put on the gauge."""


@dataclass(slots=True)
class Intent:
    """One thing the person did, as indices of the grid."""

    meant: Meant
    start: int
    end: int
    set: int = 0


@dataclass(slots=True)
class Drawing:
    """A noise-free curve on the grid of 1 kHz and what was meant by it."""

    force_n: Floats
    pulled_n: Floats
    """The part of it that somebody holds; the rest is a load that lies there."""
    intents: list[Intent]


def _between(rng: Generator, limits: Range) -> float:
    return float(rng.uniform(*limits))


@dataclass(slots=True)
class Person:
    """Draws curves; `rng` decides everything."""

    rng: Generator
    plan: Plan
    parts: list[Floats] = field(default_factory=list)
    n: int = 0
    level_n: float = 0.0
    """Force at the end of what is drawn."""
    floor_n: float = 0.0
    """Load that lies on the gauge."""
    loaded: list[int] = field(default_factory=list)
    """Where it is put on and taken off, as indices."""
    intents: list[Intent] = field(default_factory=list)
    sharp: list[tuple[int, Floats]] = field(default_factory=list)
    """Knocks and rebounds: added after the smoothing that hands and arms do."""
    rise: tuple[int, int] = (0, 0)
    hold: tuple[int, int] = (0, 0)

    def draw(self) -> Drawing:
        """The whole session."""
        plan, rng = self.plan, self.rng
        if plan.offset_n:
            self._put_on(plan.offset_n)
        if not plan.sets:
            return self._nothing()
        first_base = self._base(plan.sets[0])
        if plan.cut_start or rng.random() < 0.5:
            self.level_n = first_base
        self._rest(_between(rng, plan.lead_s))
        first: tuple[int, int] | None = None
        for number, each in enumerate(plan.sets, start=1):
            self._step_to(self._base(each))
            rise, last = self._set(each, number, final=number == len(plan.sets))
            first = first or rise
            if not last:
                self._after(each)
                if number < len(plan.sets):
                    self._rest(_between(rng, plan.rest_s))
        if plan.offset_n:
            self._rest(_between(rng, plan.offset_s))
            self._take_off()
        if not plan.cut_end:
            self._rest(rng.uniform(1.5, 5))
        return self._finish(first or (0, 0))

    def _nothing(self) -> Drawing:
        """Things happen to the gauge, but nobody trains."""
        rng, plan = self.rng, self.plan
        self._rest(rng.uniform(1, 5))
        if plan.gauge.rate_hz > 20:
            for _ in range(int(rng.integers(0, 4))):
                self._knock(rng.uniform(3, 20))
                self._rest(rng.uniform(1, 4))
        self._put_on(rng.uniform(4, 60))
        for _ in range(int(rng.integers(0, 5))):
            self._bump(rng.choice([-1, 1]) * rng.uniform(0.3, 1.2), (0.3, 2.0), (0.3, 2.0))
            self._rest(rng.uniform(0.5, 20))
        self._rest(_between(rng, plan.offset_s))
        self._take_off()
        self._rest(rng.uniform(2, 10))
        return self._finish((0, 0))

    # --- pieces -------------------------------------------------------------------------------

    def _base(self, each: SetPlan) -> float:
        return self.floor_n + each.base * each.peak_n

    def _add(self, part: Floats) -> tuple[int, int]:
        start = self.n
        self.parts.append(part)
        self.n += part.size
        return start, self.n

    def _note(self, meant: Meant, start: int, end: int, number: int = 0) -> None:
        self.intents.append(Intent(meant, start, end, number))

    def _rest(self, seconds: float) -> None:
        """Wait at the present level; a band that is pulled wanders and is gripped anew."""
        n = round(seconds * GRID_HZ)
        pulled = self.level_n - self.floor_n
        part = np.full(n, self.level_n)
        if pulled > 0:
            peak = max(each.peak_n for each in self.plan.sets)
            size = min(self.plan.wander * peak, 0.1 * pulled)
            noise = shapes.smooth_noise(self.rng, n, 0.3)
            part += size * np.clip(noise, -1.5, 1.5) * 0.6
            if seconds > 5 and self.rng.random() < 0.5:
                grip = shapes.bump(self.rng, 0.4, 0.5) * min(0.03 * peak, 0.3 * pulled)
                at = int(self.rng.uniform(0.2, 0.7) * n)
                part[at : at + grip.size] += grip[: max(0, n - at)]
            part[: min(n, 200)] += np.linspace(self.level_n - part[0], 0, min(n, 200)) if n else 0
        self._add(part)
        if n:
            self.level_n = float(part[-1])

    def _step_to(self, level_n: float) -> None:
        usual = max((each.peak_n for each in self.plan.sets), default=0.0)
        if abs(level_n - self.level_n) <= 0.05 * usual:
            return  # what wandering left is no step
        seconds = self.rng.uniform(0.2, 0.8)
        way = shapes.path(self.rng, "beta", seconds)
        start, end = self._add(self.level_n + (level_n - self.level_n) * way)
        self._note(Meant.STEP, start, end)
        self.level_n = level_n
        self._rest(self.rng.uniform(1.0, 3.0))

    def _put_on(self, load_n: float) -> None:
        self._rest(self.rng.uniform(2, 8))
        self.floor_n = load_n
        self.loaded.append(self.n)
        self._step_to(load_n)
        self._rest(self.rng.uniform(4, 15))

    def _take_off(self) -> None:
        self.floor_n = 0.0
        self._step_to(0.0)
        self.loaded.append(self.n)

    def _bump(self, height_n: float, rise_s: Range, fall_s: Range) -> None:
        part = shapes.bump(self.rng, _between(self.rng, rise_s), _between(self.rng, fall_s))
        start, end = self._add(self.level_n + height_n * part)
        self._note(Meant.BUMP, start, end)

    def _set(self, each: SetPlan, number: int, *, final: bool) -> tuple[tuple[int, int], bool]:
        rng = self.rng
        base = self._base(each)
        amplitudes = [
            s * (each.peak_n * rng.uniform(0.95, 1.05)) - (base - self.floor_n) for s in each.scales
        ]
        for _ in range(each.trials):
            smallest = min(amplitudes[:3])
            self._bump(smallest * rng.uniform(0.12, 0.4), (0.3, 1.0), (0.3, 1.0))
            self._rest(rng.uniform(0.8, 2.5))
        if each.trials:
            self._rest(rng.uniform(0.8, 2.0))
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
                self._bump(nearby * rng.uniform(0.15, 0.4), (0.3, 0.9), (0.3, 0.9))
                self._rest(_between(rng, each.bottom_s))
            last = i == len(amplitudes) - 1
            after = base
            if each.base:
                after += rng.uniform(-0.02, 0.02) * amplitude
            if each.uneven and not last:
                after += rng.uniform(0, each.uneven) * min(amplitude, amplitudes[i + 1])
            self._rep(each, amplitude, base, after, number)
            first = first if i else self.rise
            if last and final and self.plan.cut_end:
                return first, True
            if not last:
                self._pause(each, amplitude, stop=i + 1 == stop)
        return first, False

    def _pause(self, each: SetPlan, amplitude_n: float, *, stop: bool) -> None:
        """Between two reps of a set; `stop` to catch one's breath."""
        rng = self.rng
        self._rest(_between(rng, each.bottom_s) + (rng.uniform(2.0, 5.0) if stop else 0.0))
        if rng.random() < each.blips:
            self._bump(amplitude_n * rng.uniform(0.03, 0.2), (0.08, 0.5), (0.08, 0.5))
            self._rest(rng.uniform(0.1, 0.8))

    def _rep(
        self, each: SetPlan, amplitude_n: float, base_n: float, after: float, number: int
    ) -> None:
        """One rep to `amplitude_n` above `base_n`, from the present level down to `after`."""
        rng = self.rng
        families = each.families or tuple(shapes.FAMILIES)
        before = self.level_n
        hold_s = _between(rng, each.hold_s)
        if each.humps:
            plateau = shapes.humps(rng, hold_s)
        else:
            plateau = shapes.hold(rng, hold_s, each.hold_wander)
            if each.dip:
                plateau = shapes.dip(rng, plateau, _between(rng, each.dip))
        up = shapes.path(rng, str(rng.choice(families)), _between(rng, each.rise_s))
        down = shapes.path(rng, str(rng.choice(families)), _between(rng, each.fall_s))[::-1]
        spread = np.random.default_rng(rng.integers(2**32))
        up, down = shapes.stretch(spread, up), shapes.stretch(spread, down)
        if plateau.size:
            up, down = up * plateau[0], down * plateau[-1]
        peak = base_n + amplitude_n
        start, top = self._add(before + (peak - before) * up)
        _, bottom = self._add(base_n + amplitude_n * plateau)
        _, end = self._add(after + (peak - after) * down)
        self._note(Meant.REP, start, end, number)
        self.rise, self.hold = (start, top), (top, bottom)
        self.level_n = after
        if each.rebound:
            self._rebound(each.rebound * amplitude_n * rng.uniform(0.5, 1.0), end)

    def _rebound(self, height_n: float, end: int) -> None:
        """Damped swing after a release; a slack band cannot push, so it hardly goes below."""
        hz, tau = self.rng.uniform(2.8, 5.0), self.rng.uniform(0.1, 0.2)
        t = np.arange(round(5 * tau * GRID_HZ)) / GRID_HZ
        swing = -np.exp(-t / tau) * np.sin(2 * np.pi * hz * t)
        swing = np.where(swing > 0, swing / swing.max(), 0.15 * swing / -swing.min())
        self._rest(float(t[-1]))
        self.sharp.append((end, height_n * swing))
        self._note(Meant.BUMP, end, self.n)

    def _after(self, each: SetPlan) -> None:
        """Shrugs and knocks once the set is done."""
        rng = self.rng
        smallest = min(each.scales[-3:]) * each.peak_n - each.base * each.peak_n
        for _ in range(each.shrugs):
            self._rest(rng.uniform(1.0, 3.0))
            self._bump(smallest * rng.uniform(0.08, 0.35), (0.3, 1.0), (0.3, 1.0))
        if each.base:
            self._rest(rng.uniform(0.5, 1.5))
            self._step_to(self.floor_n)
        for _ in range(each.knocks):
            self._rest(rng.uniform(0.5, 2.0))
            # Some converters are too slow to tell a knock from a pull by its width.
            highest = 0.5 if self.plan.gauge.rate_hz > 20 else 0.4
            self._knock(smallest * rng.uniform(0.2, highest))
        if each.knocks:
            self._rest(rng.uniform(0.3, 1.0))

    def _knock(self, height_n: float) -> None:
        """A blow of 25 to 140 ms at half its height."""
        width_s = self.rng.uniform(0.025, 0.14)
        skew = self.rng.uniform(0.3, 0.7)
        n = round(2 * width_s * GRID_HZ)
        s = np.linspace(0, 1, n)
        part = height_n * np.minimum(s / skew, (1 - s) / (1 - skew))
        start = self.n
        self._rest(n / GRID_HZ)
        self.sharp.append((start, part))
        self._note(Meant.BUMP, start, self.n)

    def _finish(self, first: tuple[int, int]) -> Drawing:
        force = np.concatenate(self.parts)
        # Muscle, hand and band are slow: corners are rounded as a low pass of some 6 Hz does.
        force = gaussian_filter1d(force, self.rng.uniform(15, 35), mode="nearest")
        breath_hz = self.rng.uniform(0.18, 0.4)
        t = np.arange(force.size) / GRID_HZ
        breath = np.sin(2 * np.pi * breath_hz * t + self.rng.uniform(0, 6.3))
        pulled = np.maximum(force, 0)
        if self.loaded:
            on, off = self.loaded
            pulled[on:off] = np.maximum(force[on:off] - float(np.median(force[on:off])), 0)
        texture = np.clip(shapes.smooth_noise(self.rng, force.size, 1.5), -2.5, 2.5)
        force = force + (self.plan.breathing * breath + self.plan.texture * texture) * pulled
        for start, part in self.sharp:
            end = min(force.size, start + part.size)
            force[start:end] += part[: end - start]
        lo, hi = 0, force.size
        if self.plan.cut_start:
            rise = force[first[0] : first[1]]
            level = rise[0] + self.rng.uniform(0.1, 0.5) * (rise.max() - rise[0])
            lo = first[0] + int(np.argmax(rise >= level))
        if self.plan.cut_end:
            hi = round(self.hold[0] + self.rng.uniform(0.6, 1.0) * (self.hold[1] - self.hold[0]))
        shifted = [Intent(i.meant, i.start - lo, i.end - lo, i.set) for i in self.intents]
        return Drawing(force[lo:hi], pulled[lo:hi], shifted)
