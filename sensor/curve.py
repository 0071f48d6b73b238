"""The elastic of a band: force, elongation and stored work by its Mooney-Rivlin curve."""

from __future__ import annotations

import numpy as np

from sensor.samples import Floats
from sensor.wire.profile import BandCurve


def force_at(curve: BandCurve, stretch: Floats) -> Floats:
    """Force in N at stretch ratios λ ≥ 1: F = 2 (λ - λ⁻²)(a + b/λ).

    References
    ----------
    Rivlin (1948), Phil. Trans. R. Soc. A 241, 379-397 (uniaxial extension).
    """
    return np.asarray(2 * (stretch - stretch**-2) * (curve.a_n + curve.b_n / stretch))


def slope_at(curve: BandCurve, stretch: Floats) -> Floats:
    """dF/dλ in N per unit of stretch."""
    a, b = curve.a_n, curve.b_n
    return np.asarray(
        2 * (1 + 2 * stretch**-3) * (a + b / stretch) - 2 * (stretch - stretch**-2) * b / stretch**2
    )


def elongation_m(curve: BandCurve, force_n: Floats) -> Floats:
    """Elongation in m at each force in N; 0 where the band is slack (force ≤ 0).

    Newton's method from above, where the curve is concave enough to converge for every a > 0,
    b ≥ 0; exact to 1e-9 of the rest length.
    """
    force = np.maximum(np.asarray(force_n, dtype=np.float64), 0.0)
    a, b = curve.a_n, curve.b_n
    # For large λ the curve is 2 a λ + 2 b - ..., near λ = 1 it is 6 (a + b)(λ - 1).
    stretch = np.maximum(1 + np.maximum(force / (6 * (a + b)), (force - 2 * b) / (2 * a)), 1.0)
    moving = np.ones(stretch.shape, dtype=np.bool_)
    for _ in range(12):
        step = (force_at(curve, stretch) - force) / slope_at(curve, stretch)
        # Each stops by itself: no answer depends on what else is asked.
        stretch = np.maximum(stretch - np.where(moving, step, 0.0), 1.0)
        moving &= np.abs(step) >= 1e-9
        if not moving.any():
            break
    return np.asarray((stretch - 1) * curve.rest_length_m)


def elongation_sd_m(curve: BandCurve, force_n: Floats) -> Floats:
    """Standard uncertainty of the elongation in m, from that of the curve, to first order."""
    force = np.maximum(np.asarray(force_n, dtype=np.float64), 0.0)
    stretch = 1 + elongation_m(curve, force) / curve.rest_length_m
    return np.asarray(curve.relative_sd * force / slope_at(curve, stretch) * curve.rest_length_m)


def stored_j(curve: BandCurve, elongation: Floats) -> Floats:
    """Work in J that stretching from rest to an elongation in m takes: the curve's integral."""
    stretch = 1 + np.asarray(elongation) / curve.rest_length_m
    a, b = curve.a_n, curve.b_n
    # ∫ 2 (λ - λ⁻²)(a + b/λ) dλ, zero at λ = 1.
    per_length = a * (stretch**2 + 2 / stretch - 3) + b * (2 * stretch + stretch**-2 - 3)
    return np.asarray(per_length * curve.rest_length_m)
