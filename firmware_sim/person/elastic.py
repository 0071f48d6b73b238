"""An elastic band: force at elongation, with what real rubber adds to the maker's chart.

Elongation is relative: 0 is the rest length, 1 twice that. The static curve is Mooney-Rivlin,
F = 2 (λ - λ⁻²)(a + b/λ) with λ = 1 + elongation. Its coefficients by colour are fitted to the
widely quoted maker's chart (RMS 0.8-1.2 % of the force at 250 %). Real bands lie up to a third off
that chart (Martín-San Agustín 2023), hence `scale`.

No published figures were found for hysteresis, relaxation and softening: their defaults are
assumptions, to be varied, never facts.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.signal import lfilter

from sensor.samples import Floats
from sensor.wire.profile import BandCurve

COLOURS: dict[str, tuple[float, float]] = {
    "yellow": (3.72, 0.01),
    "red": (3.86, 2.14),
    "green": (5.79, 1.19),
    "blue": (7.79, 2.44),
    "black": (10.08, 4.27),
    "silver": (15.23, 3.17),
    "gold": (23.49, 7.47),
}
"""Mooney-Rivlin a and b in N by colour, light to heavy."""

SCALE_SPREAD = 0.3
REFERENCE_C = 23.0
FORCE_PER_KELVIN = 0.0033
"""Theory of rubber elasticity: force grows with absolute temperature, 1/300 K near room."""

HYSTERESIS_STRETCH = 0.04
"""Elongation over which the force crosses from the loading to the unloading branch (assumed)."""
SOFTENING_PATH = 20.0
"""Stretched path, in rest lengths, after which 63 % of the softening is done (assumed)."""


@dataclass(frozen=True, slots=True)
class ElasticState:
    """What the rubber remembers of how it was pulled; the default is a rested band."""

    elongation: float = 0.0
    static_n: float = 0.0
    branch: float = 0.0
    """-1 on the unloading branch, 1 on the loading one."""
    overshoot_n: float = 0.0
    path: float = 0.0


@dataclass(frozen=True, slots=True)
class Elastic:
    """One band. `force` and `elongation` are its static curve, `pull` what a gauge would feel."""

    a_n: float
    b_n: float
    rest_length_m: float = 0.5
    scale: float = 1.0
    temperature_c: float = REFERENCE_C
    hysteresis: float = 0.06
    """Part of the force by which unloading lies below loading (assumed; 0.05-0.12 plausible)."""
    relaxation: float = 0.04
    """Part of the force lost in 3 s after a fast stretch (assumed; 0.03-0.08 plausible)."""
    relaxation_s: float = 1.0
    """Time constant of that loss (assumed)."""
    softening: float = 0.02
    """Part of the force lost for good while a session warms the band up (assumed)."""

    def __post_init__(self) -> None:
        if not (self.a_n > 0 and self.b_n >= 0 and self.scale > 0 and self.rest_length_m > 0):
            raise ValueError(f"a band needs a, scale and rest length above 0 and b from 0: {self}")
        if not (0 <= self.hysteresis < 1 and 0 <= self.relaxation < 1 and 0 <= self.softening < 1):
            raise ValueError(f"hysteresis, relaxation and softening not in [0, 1): {self}")

    @classmethod
    def of_colour(cls, colour: str, rng: np.random.Generator | None = None) -> Elastic:
        """The maker's band of that colour; with `rng`, one specimen of it, off by up to 30 %."""
        if colour not in COLOURS:
            raise ValueError(f"no band of colour {colour!r}; there are {', '.join(COLOURS)}")
        a_n, b_n = COLOURS[colour]
        band = cls(a_n, b_n)
        if rng is None:
            return band
        return replace(band, scale=1 + SCALE_SPREAD * float(rng.uniform(-1, 1)))

    @property
    def factor(self) -> float:
        """What specimen and temperature multiply the chart's force with."""
        return self.scale * (1 + FORCE_PER_KELVIN * (self.temperature_c - REFERENCE_C))

    def curve(self, relative_sd: float) -> BandCurve:
        """The static curve in the form in which a band reports it."""
        return BandCurve(
            self.a_n * self.factor, self.b_n * self.factor, self.rest_length_m, relative_sd
        )

    def force(self, elongation: Floats | float) -> Floats:
        """Static force in N at `elongation`, of any shape; 0 where the band is slack."""
        stretch = 1 + np.maximum(np.asarray(elongation, np.float64), 0.0)
        return np.asarray(
            2 * self.factor * (stretch - stretch**-2) * (self.a_n + self.b_n / stretch)
        )

    def elongation(self, force_n: Floats | float) -> Floats:
        """Inverse of `force`, of any shape; 0 at forces of 0 and below.

        Newton's method on a curve that only rises; good to 1e-9 of an elongation up to 20.
        """
        wanted = np.maximum(np.asarray(force_n, np.float64), 0.0) / (2 * self.factor)
        grid = np.expm1(np.linspace(0, np.log(50), 2000))
        found = np.interp(wanted, self.force(grid) / (2 * self.factor), grid)
        for _ in range(3):
            stretch = 1 + found
            value = (stretch - stretch**-2) * (self.a_n + self.b_n / stretch)
            slope = (1 + 2 * stretch**-3) * (self.a_n + self.b_n / stretch) - (
                stretch - stretch**-2
            ) * self.b_n / stretch**2
            found = np.maximum(found - (value - wanted) / slope, 0.0)
        return found

    def pull(
        self, elongation: Floats, rate_hz: float, state: ElasticState | None = None
    ) -> tuple[Floats, ElasticState]:
        """Force in N while the band is led along `elongation` (n,), sampled at `rate_hz`.

        Hysteresis does not depend on speed: within a short stretch after each turn the force
        crosses to the other branch. Relaxation is that of a standard linear solid: an overshoot
        that decays. The state returned continues the pull, however it was cut into pieces.
        """
        elongation = np.asarray(elongation, np.float64)
        if not elongation.size:
            return elongation, state or ElasticState()
        before = state or ElasticState()
        steps = np.diff(elongation, prepend=before.elongation)
        static_n = self.force(elongation)
        path = before.path + np.cumsum(np.maximum(steps, 0.0))
        softened = 1 - self.softening * -np.expm1(-path / SOFTENING_PATH)
        branch = _branch(elongation, steps, before)
        keep = float(np.exp(-1 / (self.relaxation_s * rate_hz)))
        gain = self.relaxation / -np.expm1(-3 / self.relaxation_s)
        rise = gain * np.diff(static_n, prepend=before.static_n)
        overshoot_n, _ = lfilter([1.0], [1.0, -keep], rise, zi=[keep * before.overshoot_n])
        force_n = softened * (static_n * (1 + self.hysteresis / 2 * branch) + overshoot_n)
        after = ElasticState(
            float(elongation[-1]),
            float(static_n[-1]),
            float(branch[-1]),
            float(overshoot_n[-1]),
            float(path[-1]),
        )
        return np.where(static_n > 0, np.maximum(force_n, 0.0), 0.0), after


def _branch(elongation: Floats, steps: Floats, before: ElasticState) -> Floats:
    """Where between unloading (-1) and loading (1) the rubber is: a Dahl model, piece by piece."""
    direction = np.sign(steps)
    moving = np.flatnonzero(direction)
    branch = np.full(elongation.size, before.branch)
    if not moving.size:
        return branch
    turns = moving[np.flatnonzero(np.diff(direction[moving])) + 1]
    starts = np.concatenate([moving[:1], turns])
    ends = np.append(starts[1:], elongation.size)
    value, origin = before.branch, before.elongation
    for start, end in zip(starts, ends, strict=True):
        way = direction[start]
        decay = np.exp(-np.abs(elongation[start:end] - origin) / HYSTERESIS_STRETCH)
        branch[start:end] = way + (value - way) * decay
        value, origin = branch[end - 1], elongation[end - 1]
    return branch
