"""What is told of each rep beyond its phases: one function per metric, over many reps at once."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from pipeline.analysis.elastic import elongation_m, elongation_sd_m, stored_j
from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.phases import RISE_SHARES, Phases, bounded
from pipeline.analysis.rows import over_segments, ratio
from sensor.samples import Floats, Ints
from sensor.wire.profile import BandCurve

RFD_WINDOWS_S = {"0-50 ms": 0.05, "0-100 ms": 0.1, "0-200 ms": 0.2}
RFD_SHARE = "20-80 %"
RFD_MIN_RATE_HZ = 50.0


@dataclass(frozen=True, slots=True, eq=False)
class Metrics:
    """Columns with one entry per rep; nan where the samples do not reach."""

    mean_n: Floats
    impulse_n_s: Floats
    rfd_n_per_s: dict[str, Floats]
    columns: dict[str, Floats]

    @property
    def complete(self) -> NDArray[np.bool_]:
        """Which reps have every metric."""
        columns = [*self.rfd_n_per_s.values(), *self.columns.values()]
        # The sum is nan where one is.
        return np.asarray(~np.isnan(np.add.reduce(columns)))


def measure(force_n: Floats, phases: Phases, curve: BandCurve | None) -> Metrics:
    """All metrics of reps in a low-passed force on the grid."""
    impulse = impulse_n_s(force_n, phases.start, phases.end)
    duration = np.maximum((phases.end - phases.start) / GRID_HZ, 1e-9)
    columns = {"release_smoothness": smoothness(force_n, phases.top_end, phases.end)}
    if curve is not None:
        columns |= of_band(force_n, phases, curve)
    windows_s = np.array(list(RFD_WINDOWS_S.values()))
    slopes = rate_of_force_development(force_n, phases.start, phases.peak, windows_s)
    rfd = dict(zip(RFD_WINDOWS_S, slopes, strict=True))
    rfd[RFD_SHARE] = rate_between_shares(phases)
    return Metrics(impulse / duration, impulse, rfd, columns)


def at(force_n: Floats, index: Floats) -> Floats:
    """Force at grid indices with fractions, on the line between two values."""
    low = bounded(index.astype(np.int64), 0, max(force_n.size - 2, 0))
    high = np.minimum(low + 1, force_n.size - 1)
    return np.asarray(force_n[low] + (index - low) * (force_n[high] - force_n[low]))


def _sums(values: Floats, first: Ints, stop: Ints) -> Floats:
    """Sum of values over each [first, stop)."""
    return over_segments(np.add, values, first, np.maximum(stop, first + 1))


def impulse_n_s(force_n: Floats, start: Floats, end: Floats) -> Floats:
    """∫ force dt from start to end in N·s, by the trapezoidal rule with its ends on the line."""
    first = np.ceil(start).astype(np.int64)
    last = np.maximum(np.floor(end).astype(np.int64), first)
    inner = _sums(force_n, first, last + 1) - (force_n[first] + force_n[last]) / 2
    start_n, end_n = at(force_n, np.array((start, end)))
    head = (first - start) * (force_n[first] + start_n) / 2
    tail = (end - last) * (force_n[last] + end_n) / 2
    return np.asarray((inner + head + tail) / GRID_HZ)


def smoothness(force_n: Floats, top_end: Floats, end: Floats) -> Floats:
    """Of a release: its fall as a part of the way that the force went; 1 never turned back."""
    first = np.floor(top_end).astype(np.int64)
    last = np.maximum(np.ceil(end).astype(np.int64), first + 1)
    last = np.minimum(last, force_n.size - 1)
    first = np.minimum(first, last - 1)
    way = _sums(np.abs(force_n[1:] - force_n[:-1]), first, last)
    return ratio(np.abs(force_n[first] - force_n[last]), way, np.nan)


def rate_of_force_development(
    force_n: Floats, start: Floats, peak: Floats, windows_s: Floats
) -> Floats:
    """Mean slope in N/s over the first seconds after onset; nan where the peak comes before.

    Parameters
    ----------
    start, peak : (m,)
        Of each rep, on the grid.
    windows_s : (k,)
        How long after onset; the answer has a row for each, shape (k, m).

    References
    ----------
    Maffiuletti et al. (2016), Eur J Appl Physiol 116, 1091-1116.
    """
    windows_s = windows_s[:, None]
    stop = start + windows_s * GRID_HZ
    slope = (at(force_n, np.minimum(stop, force_n.size - 1.0)) - at(force_n, start)) / windows_s
    return np.asarray(np.where(stop <= peak, slope, np.nan))


def rate_between_shares(phases: Phases) -> Floats:
    """Slope in N/s between the first passages of 20 % and 80 % of the rise."""
    low, high = RISE_SHARES
    rise = phases.peak_n - phases.before_n
    time_s = np.maximum(phases.passed[1] - phases.passed[0], 0.0) / GRID_HZ
    return ratio((high - low) * rise, time_s, np.nan)


_CURVE_STEP_N = 5e-5
"""Of the table of the curve, whose force grows with the square of the place: fixed, so that what is
told of a rep does not depend on the reps beside it."""


def of_band(force_n: Floats, phases: Phases, curve: BandCurve) -> dict[str, Floats]:
    """Elongation, range of motion, velocity, work and power, with standard uncertainties.

    The band's curve is inverted; what the uncertainty of the curve makes of each is told to first
    order, as `..._sd_...`.
    """
    first = np.floor(phases.start).astype(np.int64)
    last = np.maximum(phases.peak.astype(np.int64), first + 1)
    top = float(max(phases.peak_n.max(), 1e-6))
    places = math.ceil(math.sqrt(1.05 * top / _CURVE_STEP_N)) + 1
    table_n = _CURVE_STEP_N * np.arange(places, dtype=np.float64) ** 2
    table_m = elongation_m(curve, table_n)
    stretch_m = np.interp(force_n, table_n, table_m)
    peak_m = elongation_m(curve, phases.peak_n)
    low_m = elongation_m(curve, phases.before_n)
    peak_sd_m = elongation_sd_m(curve, phases.peak_n)
    low_sd_m = elongation_sd_m(curve, phases.before_n)
    range_m = peak_m - low_m
    range_sd_m = np.abs(peak_sd_m - low_sd_m)
    work = stored_j(curve, peak_m) - stored_j(curve, low_m)
    # A curve that is k times as stiff is at the same force for less elongation: dW = ∫ F d(dx).
    work_sd = np.abs(_shifted_work(curve, phases.peak_n, phases.before_n) - work)
    concentric_s = np.maximum(phases.top_start - phases.start, 1e-9) / GRID_HZ
    travel = at(stretch_m, phases.top_start) - at(stretch_m, phases.start)
    velocity = travel / concentric_s
    speed = np.gradient(stretch_m) * GRID_HZ if stretch_m.size > 1 else np.zeros(stretch_m.size)
    stop = np.minimum(last + 1, force_n.size)
    peak_speed = over_segments(np.maximum, speed, first, stop)
    peak_power = over_segments(np.maximum, speed * force_n, first, stop)
    lift = stored_j(curve, at(stretch_m, phases.top_start)) - stored_j(
        curve, at(stretch_m, phases.start)
    )
    relative = range_sd_m / np.maximum(range_m, 1e-9)
    work_relative = work_sd / np.maximum(work, 1e-9)
    power = lift / concentric_s
    return {
        "elongation_m": peak_m,
        "elongation_sd_m": peak_sd_m,
        "range_of_motion_m": range_m,
        "range_of_motion_sd_m": range_sd_m,
        "mean_velocity_m_per_s": velocity,
        "mean_velocity_sd_m_per_s": velocity * relative,
        "peak_velocity_m_per_s": peak_speed,
        "peak_velocity_sd_m_per_s": peak_speed * relative,
        "work_j": work,
        "work_sd_j": work_sd,
        "mean_power_w": power,
        "mean_power_sd_w": power * work_relative,
        "peak_power_w": peak_power,
        "peak_power_sd_w": peak_power * work_relative,
    }


def _shifted_work(curve: BandCurve, peak_n: Floats, low_n: Floats) -> Floats:
    """Work between two forces if the band were stiffer by one standard uncertainty."""
    k = 1 + curve.relative_sd
    stiff = BandCurve(curve.a_n * k, curve.b_n * k, curve.rest_length_m, curve.relative_sd)
    high = stored_j(stiff, elongation_m(stiff, peak_n))
    return np.asarray(high - stored_j(stiff, elongation_m(stiff, low_n)))
