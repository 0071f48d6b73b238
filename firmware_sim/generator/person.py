"""The person: draws a plan as a noise-free force curve and notes what was meant where."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from scipy.ndimage import gaussian_filter1d

from firmware_sim.generator import shapes
from firmware_sim.generator.drawing import Drawing, Intent, Meant, Window
from firmware_sim.generator.plan import Plan, Range, SetPlan
from firmware_sim.generator.shapes import GRID_HZ
from sensor.samples import Floats

Generator = np.random.Generator


def between(rng: Generator, limits: Range) -> float:
    return float(rng.uniform(*limits))


@dataclass(slots=True)
class Person:
    """Draws curves; `rng` decides everything."""

    rng: Generator
    plan: Plan
    parts: list[Floats] = field(default_factory=list)
    n: int = 0
    usual_n: float = 0.0
    """Peak of the strongest set; 0 until there is one."""
    level_n: float = 0.0
    """Force at the end of what is drawn."""
    floor_n: float = 0.0
    """Load that lies on the gauge."""
    loaded: list[int] = field(default_factory=list)
    """Where it is put on and taken off, as indices."""
    intents: list[Intent] = field(default_factory=list)
    optional: list[Window] = field(default_factory=list)
    crop: tuple[int, int] | None = None
    """What the recording holds of it, as indices; None for all."""
    sharp: list[tuple[int, Floats]] = field(default_factory=list)
    """Knocks and rebounds: added after the smoothing that hands and arms do."""
    rise: tuple[int, int] = (0, 0)
    hold: tuple[int, int] = (0, 0)

    def __post_init__(self) -> None:
        self.usual_n = max((each.peak_n for each in self.plan.sets), default=0.0)

    def add(self, part: Floats) -> tuple[int, int]:
        start = self.n
        self.parts.append(part)
        self.n += part.size
        return start, self.n

    def note(self, meant: Meant, start: int, end: int, number: int = 0) -> None:
        self.intents.append(Intent(meant, start, end, number))

    def may_count(self, start: int, end: int, least: int, most: int) -> None:
        """From `least` to `most` reps are right between two indices."""
        self.optional.append(Window(start, end, least, most))

    def rest(self, seconds: float) -> None:
        """Wait at the present level; a band that is pulled wanders and is gripped again."""
        n = round(seconds * GRID_HZ)
        pulled = self.level_n - self.floor_n
        part = np.full(n, self.level_n)
        if pulled > 0:
            size = min(self.plan.wander * self.usual_n, 0.1 * pulled)
            noise = shapes.smooth_noise(self.rng, n, 0.3)
            part += size * np.clip(noise, -1.5, 1.5) * 0.6
            if seconds > 5 and self.rng.random() < 0.5:
                grip = shapes.bump(self.rng, 0.4, 0.5) * min(0.03 * self.usual_n, 0.3 * pulled)
                at = int(self.rng.uniform(0.2, 0.7) * n)
                part[at : at + grip.size] += grip[: max(0, n - at)]
            part[: min(n, 200)] += np.linspace(self.level_n - part[0], 0, min(n, 200)) if n else 0
        self.add(part)
        if n:
            self.level_n = float(part[-1])

    def step_to(self, level_n: float) -> None:
        """Take up or put down a load, unless it is there already, and wait a little."""
        if abs(level_n - self.level_n) <= 0.05 * self.usual_n:
            return  # what wandering left is no step
        self.move_to(level_n, self.rng.uniform(0.2, 0.8))
        self.rest(self.rng.uniform(1.0, 3.0))

    def move_to(self, level_n: float, seconds: float, family: str = "beta") -> None:
        """Take up or put down a load within `seconds`."""
        way = shapes.path(self.rng, family, seconds)
        start, end = self.add(self.level_n + (level_n - self.level_n) * way)
        self.note(Meant.STEP, start, end)
        self.level_n = level_n

    def put_on(self, load_n: float) -> None:
        self.rest(self.rng.uniform(2, 8))
        self.floor_n = load_n
        self.loaded.append(self.n)
        self.step_to(load_n)
        self.rest(self.rng.uniform(4, 15))

    def take_off(self) -> None:
        self.floor_n = 0.0
        self.step_to(0.0)
        self.loaded.append(self.n)

    def bump(self, height_n: float, rise_s: Range, fall_s: Range) -> None:
        part = shapes.bump(self.rng, between(self.rng, rise_s), between(self.rng, fall_s))
        start, end = self.add(self.level_n + height_n * part)
        self.note(Meant.BUMP, start, end)

    def rep(
        self,
        each: SetPlan,
        amplitude_n: float,
        base_n: float,
        after: float,
        number: int,
        plateau: Floats | None = None,
    ) -> None:
        """One rep to `amplitude_n` above `base_n`, from the present level down to `after`.

        `plateau` is the force of its hold as a share of the amplitude, (n,); drawn if not given.
        """  # fmt: skip
        rng = self.rng
        families = each.families or tuple(shapes.FAMILIES)
        before = self.level_n
        if plateau is None:
            plateau = self._plateau(each)
        up = shapes.path(rng, str(rng.choice(families)), between(rng, each.rise_s))
        down = shapes.path(rng, str(rng.choice(families)), between(rng, each.fall_s))[::-1]
        spread = np.random.default_rng(rng.integers(2**32))
        up, down = shapes.stretch(spread, up), shapes.stretch(spread, down)
        if plateau.size:
            up, down = up * plateau[0], down * plateau[-1]
        peak = base_n + amplitude_n
        start, top = self.add(before + (peak - before) * up)
        _, bottom = self.add(base_n + amplitude_n * plateau)
        _, end = self.add(after + (peak - after) * down)
        self.note(Meant.REP, start, end, number)
        self.rise, self.hold = (start, top), (top, bottom)
        self.level_n = after
        if each.rebound:
            self.rebound(each.rebound * amplitude_n * rng.uniform(0.5, 1.0), end)

    def go(self, force_n: Floats, number: int | None = None) -> None:
        """A course that is given, (n,); a rep if it has the number of its set."""
        start, end = self.add(force_n)
        self.level_n = float(force_n[-1])
        if number is not None:
            self.note(Meant.REP, start, end, number)

    def _plateau(self, each: SetPlan) -> Floats:
        rng = self.rng
        hold_s = between(rng, each.hold_s)
        if each.humps:
            return shapes.humps(rng, hold_s)
        plateau = shapes.hold(rng, hold_s, each.hold_wander)
        return shapes.dip(rng, plateau, between(rng, each.dip)) if each.dip else plateau

    def rebound(self, height_n: float, end: int) -> None:
        """Damped swing after a release; a slack band cannot push, so it hardly goes below."""
        hz, tau = self.rng.uniform(2.8, 5.0), self.rng.uniform(0.1, 0.2)
        t = np.arange(round(5 * tau * GRID_HZ)) / GRID_HZ
        swing = -np.exp(-t / tau) * np.sin(2 * np.pi * hz * t)
        swing = np.where(swing > 0, swing / swing.max(), 0.15 * swing / -swing.min())
        self.rest(float(t[-1]))
        self.sharp.append((end, height_n * swing))
        self.note(Meant.BUMP, end, self.n)

    def knock(self, height_n: float, width_s: float | None = None) -> None:
        """A blow of 25 to 140 ms at half its height."""
        width_s = self.rng.uniform(0.025, 0.14) if width_s is None else width_s
        skew = self.rng.uniform(0.3, 0.7)
        n = round(2 * width_s * GRID_HZ)
        s = np.linspace(0, 1, n)
        part = height_n * np.minimum(s / skew, (1 - s) / (1 - skew))
        start = self.n
        self.rest(n / GRID_HZ)
        self.sharp.append((start, part))
        self.note(Meant.BUMP, start, self.n)

    def finish(self) -> Drawing:
        """What was drawn, as soft as hand and band are."""
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
        whole = Drawing(force, pulled, self.intents, self.optional)
        return whole.between(*self.crop) if self.crop else whole
