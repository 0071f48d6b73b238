"""Cycles -> labels: each is judged alone, then beside what is usual around it."""

from __future__ import annotations

from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

from pipeline.analysis.segmentation import Cycles, Places, weighted_median
from pipeline.analysis.types import Settings
from sensor.samples import Floats

Bools = NDArray[np.bool_]

WINDOW = 5
"""So many pulls in a row say what is usual: two twitches among three reps do not."""
CLUSTER_PAUSE_S = 8.0
"""Pulls on both sides of a longer pause are no neighbours."""
KNOCK_S, TWITCH_S = 0.12, 0.2
"""Half width of a blow on the band; and of what may be one, or a rep of 0.4 s among its like."""
LEAST_SURE, MOST_SURE = 0.85, 0.995
"""Confidence of a rep that barely passed, and of one beyond doubt."""


class Label(IntEnum):
    """What a cycle is."""

    REP = 0
    PARTIAL = 1
    """Small beside the reps around it."""
    KNOCK = 2
    """A blow on the band."""
    LOAD = 3
    """A weight or a tare error: it stays for longer than anybody pulls."""
    NOISE = 4
    """It does not stand clear of the gauge's noise."""
    HANDLING = 5
    """Hands that try, walk, untangle or wait."""


Labels = NDArray[np.int8]


def classify(cycles: Cycles, settings: Settings) -> tuple[Labels, Floats]:
    """A label for each cycle (m,), by itself and beside its neighbours; and the usual amplitude."""
    labels = np.full(len(cycles), Label.REP, np.int8)
    usual_n = np.ones(len(cycles))
    labels[cycles.amplitude_n < settings.noise_factor * cycles.noise_n] = Label.NOISE
    labels[cycles.width_s > settings.longest_rep_s] = Label.LOAD
    left = np.flatnonzero(labels == Label.REP)
    labels[left[knocks(cycles[left])]] = Label.KNOCK
    left = np.flatnonzero(labels == Label.REP)
    if left.size:
        usual_n[left] = usual_amplitude(cycles[left])
        small = cycles.amplitude_n[left] < settings.rep_share * usual_n[left]
        labels[left[small]] = Label.PARTIAL
    return labels, usual_n


def knocks(cycles: Cycles) -> Bools:
    """Blows; what is nearly as short is a rep only among others of its size and length."""
    alike = np.zeros(len(cycles), np.intp)
    size, width = np.log(cycles.amplitude_n), np.log(np.maximum(cycles.width_s, 1e-3))
    for lag in range(1, 4):
        near = (np.abs(size[lag:] - size[:-lag]) < 0.4) & (np.abs(width[lag:] - width[:-lag]) < 0.5)
        alike[lag:] += near
        alike[:-lag] += near
    return cycles.width_s < np.where(alike >= 3, KNOCK_S, TWITCH_S)


def usual_amplitude(cycles: Cycles) -> Floats:
    """The least that a window of `WINDOW` neighbours around each cycle calls usual.

    The least, so that effort may grow or fade over a set, and a light band follow a heavy one.
    """
    pause_s = cycles.begin_s[1:] - cycles.end_s[:-1]
    cluster = np.r_[0, np.cumsum(pause_s > CLUSTER_PAUSE_S)]
    # Clusters are laid out in a row with so much between them that no window reaches two.
    place = np.arange(cluster.size) + (WINDOW - 1) * (cluster + 1)
    row_n = np.zeros(place[-1] + WINDOW)
    full = np.zeros(row_n.size, np.intp)
    row_n[place] = cycles.amplitude_n
    full[place] = np.minimum(np.bincount(cluster), WINDOW)[cluster]
    windows = np.arange(row_n.size - WINDOW + 1)[:, None] + np.arange(WINDOW)
    window_n = row_n[windows]
    # Nothing, which lies between the clusters, weighs nothing; a window that lacks a cycle is none.
    whole = np.count_nonzero(window_n, axis=1) == full[windows].max(axis=1)
    usual_n = np.where(whole, weighted_median(window_n), np.inf)
    return np.asarray(usual_n[place[:, None] - np.arange(WINDOW)].min(axis=1))


def clusters(cycles: Cycles) -> list[Places]:
    """Places of the cycles, those together that no long pause parts."""
    pause_s = cycles.begin_s[1:] - cycles.end_s[:-1]
    return np.split(np.arange(len(cycles)), np.flatnonzero(pause_s > CLUSTER_PAUSE_S) + 1)


def confidence(cycles: Cycles, usual_n: Floats, settings: Settings) -> Floats:
    """Probability for each rep (m,) that a person would count it.

    The margins by which it passed, in powers of two: of the amplitude over half the usual one and
    over the floor, of the width over that of a knock, and of the evenness of swings on a stretched
    band. The least of them is turned into a probability.
    """
    floor_n = np.maximum(settings.floor_n, settings.noise_factor * cycles.noise_n)
    margin = np.minimum.reduce([
        3.0 * np.log2(cycles.amplitude_n / (settings.rep_share * usual_n)),
        2.0 * np.log2(cycles.amplitude_n / floor_n) + 1.0,
        4.0 * np.log2(np.maximum(cycles.width_s, 1e-3) / TWITCH_S),
        cycles.doubt,
    ])  # fmt: skip
    passed = np.tanh(0.9 * np.maximum(margin, 0.0))
    return np.asarray(LEAST_SURE + (MOST_SURE - LEAST_SURE) * passed)
