"""What is reported of each rep beyond its phases: one function a metric, over many reps at once."""

from __future__ import annotations

import numpy as np
from scipy.integrate import cumulative_trapezoid

from pipeline.analysis.phases import Phases, Spans
from pipeline.analysis.preprocess import GRID_HZ, Segment
from sensor.samples import Floats
from sensor.wire.profile import BandCurve

RFD_WINDOWS_S = {"0-50 ms": 0.05, "0-100 ms": 0.1, "0-200 ms": 0.2}
RFD_SHARE, RFD_SHARES = "20-80 %", (0.2, 0.8)
ONSET_SHARE = 0.1
"""Onset is where the rise passes this part of its height, as in IEEE 181."""
FILTER_REACH_S = 0.1
"""The low-pass may tell a sharp rise so much too soon, or its top too late."""
CURVE_STEP_N = 5e-5
"""Of the table of the band's curve, whose force grows with the square of the place: fixed, so that
what is reported of a rep does not depend on the reps beside it."""


def impulse_n_s(segment: Segment, phases: Phases) -> Floats:
    """∫ force dt from start to end in N·s, shape (m,)."""
    total = cumulative_trapezoid(segment.force_n, dx=1 / GRID_HZ, initial=0)
    place = np.arange(total.size)
    return np.asarray(np.interp(phases.end, place, total) - np.interp(phases.start, place, total))


def release_smoothness(segment: Segment, phases: Phases) -> Floats:
    """Of a release: its fall as a part of the way that the force went; 1 never turned back."""
    way_n = np.r_[0.0, np.cumsum(np.abs(np.diff(segment.force_n)))]
    place = np.arange(way_n.size)
    begin, end = np.floor(phases.top_end), np.ceil(phases.end)
    way_n = np.interp(end, place, way_n) - np.interp(begin, place, way_n)
    fall_n = _at(segment.force_n, begin) - _at(segment.force_n, end)
    return np.where(way_n > 0, np.abs(fall_n) / np.where(way_n > 0, way_n, 1.0), np.nan)


def rates_of_force_development(
    time_s: Floats, force_n: Floats, segment: Segment, phases: Phases
) -> dict[str, Floats]:
    """Mean slopes of the rise in N/s, on the samples as they came, by window.

    Parameters
    ----------
    time_s, force_n : (n,)
        All samples around the reps, not low-passed.

    Returns
    -------
    dict of (m,)
        `0-50 ms` and the like from onset, nan where the peak comes before the window ends; and
        `20-80 %` between the first passages of these parts of the rise.

    References
    ----------
    Maffiuletti et al. (2016), Eur J Appl Physiol 116, 1091-1116.
    """
    first = np.searchsorted(time_s, segment.time_s(phases.start) - FILTER_REACH_S)
    last = np.searchsorted(time_s, segment.time_s(phases.end))
    spans = Spans(first, np.minimum(last + 1, time_s.size))
    into, peak_n = spans.highest(force_n[spans.place])
    rise_n = peak_n - phases.before_n
    peak_s = time_s[np.minimum(first + into, time_s.size - 1)]

    def passage_s(share: float) -> Floats:
        """Where the rise first reaches a part of its height, on the line between two samples."""
        level_n = phases.before_n + share * rise_n
        at = first + spans.first(force_n[spans.place] >= spans.each(level_n))
        at = np.clip(at, 1, time_s.size - 1)
        step_n = force_n[at] - force_n[at - 1]
        part = (level_n - force_n[at - 1]) / np.where(step_n > 0, step_n, np.inf)
        return np.asarray(time_s[at - 1] + np.clip(part, 0, 1) * (time_s[at] - time_s[at - 1]))

    onset_s = passage_s(ONSET_SHARE)
    onset_n = np.interp(onset_s, time_s, force_n)
    slopes = {}
    for name, window_s in RFD_WINDOWS_S.items():
        slope = (np.interp(onset_s + window_s, time_s, force_n) - onset_n) / window_s
        slopes[name] = np.where(onset_s + window_s <= peak_s, slope, np.nan)
    low, high = RFD_SHARES
    step_s = passage_s(high) - passage_s(low)
    slopes[RFD_SHARE] = (high - low) * rise_n / np.where(step_s > 0, step_s, np.nan)
    return slopes


def of_band(segment: Segment, phases: Phases, curve: BandCurve) -> dict[str, Floats]:
    """Elongation, range of motion, velocity, work and power, with standard uncertainties.

    The band's curve is inverted; what the uncertainty of the curve makes of each is reported to
    first order, as `..._sd_...`.
    """
    force_n = segment.force_n
    places = int(np.sqrt(1.05 * max(float(phases.peak_n.max()), 1e-6) / CURVE_STEP_N)) + 2
    table_n = CURVE_STEP_N * np.arange(places, dtype=np.float64) ** 2
    stretch_m = np.interp(force_n, table_n, elongation_m(curve, table_n))
    peak_m, low_m = elongation_m(curve, phases.peak_n), elongation_m(curve, phases.before_n)
    peak_sd_m = elongation_sd_m(curve, phases.peak_n)
    range_m = peak_m - low_m
    range_sd_m = np.abs(peak_sd_m - elongation_sd_m(curve, phases.before_n))
    work_j = stored_j(curve, peak_m) - stored_j(curve, low_m)
    # A curve that is k times as stiff is at the same force for less elongation: dW = ∫ F d(dx).
    k = 1 + curve.relative_sd
    stiff = BandCurve(curve.a_n * k, curve.b_n * k, curve.rest_length_m, curve.relative_sd)
    stiff_j = stored_j(stiff, elongation_m(stiff, phases.peak_n)) - stored_j(
        stiff, elongation_m(stiff, phases.before_n)
    )
    concentric_s = np.maximum(phases.top_start - phases.start, 1e-9) / GRID_HZ
    start_m, top_m = _at(stretch_m, phases.start), _at(stretch_m, phases.top_start)
    speed_m_per_s = np.gradient(stretch_m) * GRID_HZ
    rise = Spans(phases.start.astype(np.intp), phases.peak.astype(np.intp) + 1)
    relative = range_sd_m / np.maximum(range_m, 1e-9)
    work_relative = np.abs(stiff_j - work_j) / np.maximum(work_j, 1e-9)
    velocity = (top_m - start_m) / concentric_s
    peak_velocity = rise.highest(speed_m_per_s[rise.place])[1]
    power = (stored_j(curve, top_m) - stored_j(curve, start_m)) / concentric_s
    peak_power = rise.highest((speed_m_per_s * force_n)[rise.place])[1]
    return {
        "elongation_m": peak_m,
        "elongation_sd_m": peak_sd_m,
        "range_of_motion_m": range_m,
        "range_of_motion_sd_m": range_sd_m,
        "mean_velocity_m_per_s": velocity,
        "mean_velocity_sd_m_per_s": velocity * relative,
        "peak_velocity_m_per_s": peak_velocity,
        "peak_velocity_sd_m_per_s": peak_velocity * relative,
        "work_j": work_j,
        "work_sd_j": work_j * work_relative,
        "mean_power_w": power,
        "mean_power_sd_w": power * work_relative,
        "peak_power_w": peak_power,
        "peak_power_sd_w": peak_power * work_relative,
    }


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


def _at(values: Floats, place: Floats) -> Floats:
    """Values at places with fractions, on the line between two."""
    return np.interp(place, np.arange(values.size), values)
