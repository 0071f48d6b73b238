"""Samples as a gauge gives them -> even segments of force, filtered without delay.

What becomes of a sample depends on those right beside it and on nothing else, so that it does not
matter how the samples were cut into notifications.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from scipy.ndimage import gaussian_filter1d, minimum_filter1d

from sensor.samples import Floats, Gap

GRID_HZ = 50.0
"""Rate of a segment: hands move below 8 Hz."""
FINE = 2
BIN_HZ = FINE * GRID_HZ
"""Samples are averaged over bins this much finer before the filter, so that nothing aliases."""
BRIDGE_S = 1.0
"""A longer hole ends the segment: a rep could hide in it. A shorter one is bridged by a line."""
SPIKE_N = 2.0
"""A single sample further than this from all that its neighbours suggest is an error of the ADC."""
SPIKE_REACH = 2
"""Neighbours on each side that tell whether a sample is a spike."""
MEASURE_HZ, DETECT_HZ = 8.0, 4.0
"""Cut-off for what is measured (a rep of 0.5 s keeps its height) and for what is searched."""
LARGEST_NOISE_N, NOISE_BINS = 1.2, 3000
"""No gauge is worse; at 10 Hz fast pulls look like noise. So many bins tell it."""
GAP_INTERVALS, GAP_FACTOR, GAP_JITTERS = 16, 1.75, 5.0
"""A gap is longer than this factor times the median of so many intervals before it, and so many of
their jitters."""
LONGEST_STEP_S = 5.0
"""Longer than between any two samples that belong together, whatever the usual step."""
GAUSSIAN_AT_CUTOFF = float(np.sqrt(-np.log(0.4588) / 2))
"""Where a Gaussian's gain h is 0.4588, since 2 h - h² is then the root of a half."""


@dataclass(frozen=True, slots=True, eq=False)
class Bins:
    """Samples without spikes, averaged over each 10 ms that holds any; shape (n,) each."""

    time_s: Floats
    """Mean time of the samples of each bin."""
    force_n: Floats

    @property
    def size(self) -> int:
        """How many bins."""
        return self.time_s.size

    def __getitem__(self, part: slice) -> Bins:
        """Some of the bins."""
        return Bins(self.time_s[part], self.force_n[part])


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """Force at even times without a hole, shape (n,)."""

    first: int
    """Place of the first value on the grid, which begins at time 0 for all segments."""
    force_n: Floats
    """Low-passed at `MEASURE_HZ`."""
    coarse_n: Floats
    """Low-passed at `DETECT_HZ`."""
    noise_n: float
    """Standard deviation of the noise of the gauge that is left in `force_n`."""

    def __getitem__(self, part: slice) -> Segment:
        """Some of it."""
        begin = part.start or 0
        force_n, coarse_n = self.force_n[part], self.coarse_n[part]
        return Segment(self.first + begin, force_n, coarse_n, self.noise_n)

    def time_s(self, index: Floats) -> Floats:
        """Times in s of places in the segment, (m,) with fraction."""
        return (self.first + index) / GRID_HZ


def binned(time_s: Floats, force_n: Floats) -> Bins:
    """Average samples (n,), whose times increase, over each 10 ms that holds any."""
    step = np.floor(time_s * BIN_HZ)
    first = np.flatnonzero(np.diff(step, prepend=-np.inf))
    if first.size == time_s.size:
        return Bins(time_s, force_n)
    count = np.diff(first, append=step.size)
    return Bins(np.add.reduceat(time_s, first) / count, np.add.reduceat(force_n, first) / count)


def despike(force_n: Floats) -> Floats:
    """Replace single samples beyond what the neighbours, and the lines through them, suggest."""
    if force_n.size < 2 * SPIKE_REACH:
        return force_n
    edges_n = [SPIKE_REACH * [sorted(three.tolist())[1]] for three in (force_n[:3], force_n[-3:])]
    padded = np.concatenate((edges_n[0], force_n, edges_n[1]))
    far_before, before, _, after, far_after = (
        padded[k : k + force_n.size] for k in range(2 * SPIKE_REACH + 1)
    )
    # Few samples stand out from both neighbours by so much: only those are held against the lines.
    at = np.flatnonzero(np.abs(2 * force_n - before - after) > np.abs(before - after) + SPIKE_N)
    one, two = before[at], after[at]
    suggested = np.array([one, two, 2 * one - far_before[at], 2 * two - far_after[at]])
    low, high = suggested.min(axis=0), suggested.max(axis=0)
    wild = at[np.maximum(force_n[at] - high, low - force_n[at]) > high - low + SPIKE_N]
    clean = force_n.copy()
    clean[wild] = (before[wild] + after[wild]) / 2
    return clean


def find_gaps(time_s: Floats, known: int = 0) -> list[Gap]:
    """Intervals between times (n,) that are too long, with the number of samples that they lack.

    Each is held against the `GAP_INTERVALS` before it; of the first few of all only one longer than
    `BRIDGE_S` is known to be a gap. The first `known` intervals were asked before.
    """
    step_s = np.diff(time_s)
    few = step_s[: GAP_INTERVALS // 4]
    gaps = [
        Gap(float(time_s[k]), float(time_s[k + 1]), None)
        for k in np.flatnonzero(few > BRIDGE_S)
        if k >= known
    ]
    if step_s.size <= few.size or step_s[known:].max(initial=0.0) <= GAP_FACTOR * step_s.min():
        return gaps
    shortest_s = minimum_filter1d(step_s, GAP_INTERVALS, origin=(GAP_INTERVALS - 1) // 2)
    suspect = np.r_[False, step_s[1:] > GAP_FACTOR * shortest_s[:-1]]
    suspect[: max(few.size, known)] = False
    before_s = np.r_[np.full(GAP_INTERVALS, np.median(few)), step_s]
    # Not all at once: of stamps that jitter many are suspect.
    for at in np.array_split(np.flatnonzero(suspect), 1 + np.count_nonzero(suspect) // 50_000):
        recent_s = sliding_window_view(before_s, GAP_INTERVALS)[at]
        usual_s = np.median(recent_s, axis=1)
        jitter_s = 1.4826 * np.median(np.abs(recent_s - usual_s[:, None]), axis=1)
        longest_s = np.minimum(GAP_FACTOR * usual_s + GAP_JITTERS * jitter_s, LONGEST_STEP_S)
        for k in np.flatnonzero(step_s[at] > longest_s):
            end = int(at[k]) + 1
            missing = max(round(float(step_s[at[k]] / max(usual_s[k], 1e-6))) - 1, 1)
            gaps.append(Gap(float(time_s[end - 1]), float(time_s[end]), missing))
    return gaps


def segments(bins: Bins) -> list[Segment]:
    """Segments of bins, parted where a hole is longer than `BRIDGE_S`."""
    holes = np.flatnonzero(np.diff(bins.time_s) > BRIDGE_S) + 1
    parts = (bins[low:high] for low, high in pairwise([0, *holes.tolist(), bins.size]))
    return [segment for segment in map(_resampled, parts) if segment is not None]


def low_pass(force_n: Floats, cutoff_hz: float, rate_hz: float) -> Floats:
    """Zero-phase Gaussian G as 2 G - G²: flat to the fourth order, 3 dB down at the cut-off.

    It takes noise away and leaves the height of a peak and the time of a crossing where they were.
    """
    sigma = GAUSSIAN_AT_CUTOFF / (np.pi * cutoff_hz) * rate_hz
    once = gaussian_filter1d(force_n, sigma, mode="nearest", truncate=3.0)
    return 2 * once - gaussian_filter1d(once, sigma, mode="nearest", truncate=3.0)


def noise_sd(force_n: Floats) -> float:
    """Standard deviation of white noise in samples, by fourth differences: hands are smoother."""
    rough_n = np.abs(np.diff(force_n[:NOISE_BINS], 4))
    return float(1.4826 * np.median(rough_n) / np.sqrt(70)) if rough_n.size else 0.0


def _resampled(bins: Bins) -> Segment | None:
    """Bins joined by lines, filtered, thinned."""
    at = bins.time_s * BIN_HZ
    begin = int(np.ceil(at[0] / FINE)) * FINE if at.size else 0
    grid = np.arange(begin, int(at[-1]) + 1 if at.size else 0)
    if grid.size < 3 * FINE:
        return None
    force_n = low_pass(np.interp(grid, at, bins.force_n), MEASURE_HZ, BIN_HZ)[::FINE]
    rate_hz = max((at.size - 1) / (bins.time_s[-1] - bins.time_s[0]), 2 * MEASURE_HZ)
    noise_n = min(noise_sd(bins.force_n), LARGEST_NOISE_N) * np.sqrt(2 * MEASURE_HZ / rate_hz)
    coarse_n = low_pass(force_n, DETECT_HZ, GRID_HZ)
    return Segment(begin // FINE, force_n, coarse_n, float(noise_n))
