"""What we compare with: ten lines of scipy, and NeuroKit2."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.signal import butter, find_peaks, sosfiltfilt

from sensor.samples import Floats


def scipy_limit(force_n: Floats, rate_hz: float) -> Floats:
    """Indices of the reps as ten lines of scipy find them, shape (k,)."""
    sos = butter(2, min(5.0, 0.45 * rate_hz), fs=rate_hz, output="sos")
    smooth = sosfiltfilt(sos, force_n)
    peaks, _ = find_peaks(smooth, prominence=0.3 * float(np.ptp(smooth)))
    return np.asarray(peaks, dtype=float)


def neurokit(force_n: Floats, rate_hz: float) -> Floats:
    """Indices of the reps as NeuroKit2 finds them, shape (k,).

    Its low pass at 5 Hz, then its peak finder with the same 30 % as scipy gets; with its
    documented `relative_height_min=0` it finds fewer sessions right.
    """
    import neurokit2

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        smooth = neurokit2.signal_filter(
            force_n, sampling_rate=rate_hz, highcut=min(5.0, 0.45 * rate_hz), order=2
        )
        found = neurokit2.signal_findpeaks(
            smooth, relative_height_min=0.3, relative_mean=False, relative_max=True
        )
    return np.asarray(found["Peaks"], dtype=float)


def evenly(time_s: Floats, force_n: Floats) -> tuple[Floats, float]:
    """The samples on an even grid, as both rivals need them, and its rate."""
    order = np.argsort(time_s, kind="stable")
    t, first = np.unique(time_s[order], return_index=True)
    rate_hz = 1 / float(np.median(np.diff(t)))
    grid = np.arange(t[0], t[-1], 1 / rate_hz)
    return np.interp(grid, t, force_n[order][first]), rate_hz
