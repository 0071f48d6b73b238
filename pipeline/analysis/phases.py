"""Cycles -> their valleys, tops and crossings (levels of 10 % and 90 % as in IEEE 181)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray
from scipy.ndimage import maximum_filter1d, minimum_filter1d, uniform_filter1d
from scipy.signal import peak_widths

from pipeline.analysis.preprocess import GRID_HZ, Segment
from pipeline.analysis.segmentation import Cycles, Places
from sensor.samples import Floats

Bools = NDArray[np.bool_]
Number = TypeVar("Number", bound=np.generic)

LOW, HIGH = 0.1, 0.9
REST_S, REST_SHARE, REST_DEPTH = 0.8, 0.03, 0.82
"""The band rests, and the pull is over, where the force stays for so long within this share of the
amplitude, and has come down by this share of it."""
PLATEAU_S = 0.2
"""A valley or top that lasts is averaged over so long: its extreme would be that of the noise."""
BAND_NOISES, LEAST_BAND, MOST_BAND = 4.0, 0.004, 0.06
"""It lasts where the force stays within so many deviations of the noise of its extreme, but at
least and at most these parts of the pull."""


@dataclass(frozen=True, slots=True, eq=False)
class Phases:
    """Places in the segment, with fraction, and forces; shape (m,) each."""

    start: Floats
    top_start: Floats
    peak: Floats
    top_end: Floats
    end: Floats
    peak_n: Floats
    before_n: Floats
    after_n: Floats


class Spans:
    """The places first ≤ k < stop of m spans, in one row, so that all are asked at once."""

    def __init__(self, first: Places, stop: Places) -> None:
        self.length = np.maximum(stop - first, 1)
        self.offset = np.cumsum(self.length) - self.length
        """Where each span begins in the row."""
        self.place = np.arange(self.length.sum()) + self.each(first - self.offset)

    def each(self, of_span: NDArray[Number]) -> NDArray[Number]:
        """A value of each span, (m,), for each of its places."""
        return np.repeat(of_span, self.length)

    def first(self, mask: Bools) -> Places:
        """How far into each span the mask is first true; its length if nowhere."""
        hits = np.append(np.flatnonzero(mask), mask.size)
        found = hits[np.searchsorted(hits, self.offset)] - self.offset
        return np.asarray(np.minimum(found, self.length))

    def highest(self, values: Floats) -> tuple[Places, Floats]:
        """How far into each span its highest value first stands, and the value."""
        highest = np.maximum.reduceat(values, self.offset)
        return self.first(values == self.each(highest)), highest


def find_phases(segment: Segment, cycles: Cycles) -> Phases:
    """Phases of cycles (m,) of a segment, m ≥ 1."""
    force_n = segment.force_n
    spans = Spans(cycles.left, cycles.right + 1)
    into, top_n = spans.highest(force_n[spans.place])
    peak = cycles.left + into
    rest_n = _range(force_n, REST_S)
    last = force_n.size - 1
    low_n = cycles.peak_n - REST_DEPTH * cycles.amplitude_n
    right = peak + _reach(force_n, rest_n, peak, cycles.right, cycles.amplitude_n, low_n)
    left = peak - _reach(
        force_n[::-1], rest_n[::-1], last - peak, last - cycles.left, cycles.amplitude_n, low_n
    )
    low_n = np.minimum(force_n[left], force_n[right])
    size_n = np.maximum(top_n - low_n, 1e-9)
    band_n = np.clip(BAND_NOISES * segment.noise_n, LEAST_BAND * size_n, MOST_BAND * size_n)
    lasts = _Lasting(force_n)
    top_n = lasts.highest(left, right + 1, band_n, top_n)
    before_n = lasts.lowest(left, peak + 1, band_n, force_n[left])
    after_n = lasts.lowest(peak, right + 1, band_n, force_n[right])
    # Where the samples begin or end within a pull, its other valley is the best guess.
    before_n, after_n = (
        np.where(np.isnan(cycles.before_n), after_n, before_n),
        np.where(np.isnan(cycles.after_n), before_n, after_n),
    )
    start = _crossing(force_n, peak, before_n + LOW * (top_n - before_n), left, right)[0]
    end = _crossing(force_n, peak, after_n + LOW * (top_n - after_n), left, right)[1]
    top_start = _first_above(force_n, start, peak, before_n + HIGH * (top_n - before_n))
    top_end = last - _first_above(
        force_n[::-1], last - end, last - peak, after_n + HIGH * (top_n - after_n)
    )
    return Phases(start, top_start, peak.astype(np.float64), top_end, end, top_n, before_n, after_n)


def _size(window_s: float) -> int:
    """Odd number of steps of the grid in a window of so many seconds."""
    return 2 * int(window_s * GRID_HZ / 2) + 1


def _range(force_n: Floats, window_s: float) -> Floats:
    """Highest minus lowest force in the window around each place."""
    size = _size(window_s)
    return np.asarray(maximum_filter1d(force_n, size) - minimum_filter1d(force_n, size))


def _reach(
    force_n: Floats, rest_n: Floats, peak: Places, end: Places, amplitude_n: Floats, low_n: Floats
) -> Places:
    """Steps onwards from each peak to its valley: the lowest place before the force has rested.

    `rest_n` is the range of the force in the window around each place.
    """
    spans = Spans(peak, end + 1)
    pull_n = force_n[spans.place]
    low = pull_n < spans.each(low_n)
    rested = spans.first(low & (rest_n[spans.place] < spans.each(REST_SHARE * amplitude_n)))
    rested = np.minimum(rested + int(REST_S * GRID_HZ / 2), spans.length)
    after = np.arange(pull_n.size) >= spans.each(spans.offset + rested)
    return spans.highest(np.where(after, -np.inf, -pull_n))[0]


class _Lasting:
    """Tops and valleys that last, averaged so that noise does not choose them."""

    def __init__(self, force_n: Floats) -> None:
        self._force_n = force_n
        self._range_n = _range(force_n, PLATEAU_S)
        self._mean_n = uniform_filter1d(force_n, _size(PLATEAU_S))

    def highest(self, first: Places, stop: Places, band_n: Floats, extreme_n: Floats) -> Floats:
        """Highest mean of each span where it lasts near its extreme; else the extreme itself."""
        return self._extreme(1, first, stop, band_n, extreme_n)

    def lowest(self, first: Places, stop: Places, band_n: Floats, extreme_n: Floats) -> Floats:
        """The same for valleys."""
        return self._extreme(-1, first, stop, band_n, extreme_n)

    def _extreme(
        self, sign: int, first: Places, stop: Places, band_n: Floats, extreme_n: Floats
    ) -> Floats:
        spans = Spans(first, stop)
        at = spans.place
        near = np.abs(self._force_n[at] - spans.each(extreme_n)) < spans.each(band_n)
        lasts = near & (self._range_n[at] < spans.each(2 * band_n))
        mean_n = np.where(lasts, sign * self._mean_n[at], -np.inf)
        highest_n = np.maximum.reduceat(mean_n, spans.offset)
        return np.where(np.isfinite(highest_n), sign * highest_n, extreme_n)


def _crossing(
    force_n: Floats, peak: Places, level_n: Floats, left: Places, right: Places
) -> tuple[Floats, Floats]:
    """Where, outwards from each peak, a level is first undercut; with fraction of a step."""
    depth_n = np.maximum(force_n[peak] - level_n, 1e-9)
    _, _, before, after = peak_widths(force_n, peak, 1.0, (depth_n, left, right))
    return before, after


def _first_above(force_n: Floats, start: Floats, peak: Places, level_n: Floats) -> Floats:
    """Where, from `start` on, a level is first reached; with fraction of a step."""
    first = np.ceil(start).astype(np.intp)
    spans = Spans(first, peak + 1)
    at = np.minimum(first + spans.first(force_n[spans.place] >= spans.each(level_n)), peak)
    step_n = force_n[at] - force_n[np.maximum(at - 1, 0)]
    back = np.where(step_n > 0, (force_n[at] - level_n) / np.where(step_n > 0, step_n, 1.0), 0.0)
    return np.asarray(np.maximum(at - np.clip(back, 0.0, 1.0), start))
