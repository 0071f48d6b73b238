"""Phases and metrics -> reps: what rate, gaps and edges forbid is left out with the reason."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from pipeline.analysis.parameters import (
    impulse_n_s,
    of_band,
    rates_of_force_development,
    release_smoothness,
)
from pipeline.analysis.phases import find_phases
from pipeline.analysis.preprocess import GRID_HZ, Segment
from pipeline.analysis.segmentation import Cycles
from pipeline.analysis.types import Rep
from sensor.samples import Floats, Gap
from sensor.wire.profile import BandCurve

RFD_LEAST_HZ, RFD_ACCEPTED_SHARE = 50.0, 0.95
"""Rates of force development take so many samples a second; a clock may be off by 5 %."""
RATE_WINDOW_S = 1.0
"""The rate is that of the samples in so long before or after the start, the higher of both."""
LEAST_STEPS = 4
"""Fewer intervals say little of the rate."""
GAP_REACH_S = 0.05
SHORT_GAP_S = 0.05
"""No force of a person hides in so short a gap: the line across it is as good as samples."""
CUT_SURE, GAP_SURE = 0.97, 0.97
"""Factors for a rep that the samples do not hold whole."""
BEGINS, ENDS = "the samples begin within the rep", "the samples end within the rep"


def measure(
    segment: Segment,
    cycles: Cycles,
    confidence: Floats,
    samples: tuple[Floats, Floats],
    gaps: Sequence[Gap],
    curve: BandCurve | None = None,
) -> list[Rep]:
    """The cycles (m,) of a segment as reps, with all that the samples (n,) say of them."""
    if not len(cycles):
        return []
    phases = find_phases(segment, cycles)
    places = (phases.start, phases.top_start, phases.top_end, phases.end, phases.peak)
    start_s, top_start_s, top_end_s, end_s, peak_s = map(segment.time_s, places)
    impulse = impulse_n_s(segment, phases)
    whole = np.isfinite(cycles.before_n) & np.isfinite(cycles.after_n)
    columns = [
        np.rint(peak_s * GRID_HZ).astype(np.int64), start_s, top_start_s, top_end_s, end_s, peak_s,
        phases.peak_n, phases.before_n, phases.after_n,
        top_start_s - start_s, top_end_s - top_start_s, end_s - top_end_s, end_s - start_s,
        impulse / np.maximum(end_s - start_s, 1e-9), impulse,
        np.rint(np.where(whole, 1.0, CUT_SURE) * confidence * 1000) / 1000,
    ]  # fmt: skip
    metrics = {"release_smoothness": release_smoothness(segment, phases)}
    if curve is not None:
        metrics |= of_band(segment, phases, curve)
    rfd = rates_of_force_development(*samples, segment, phases)
    rate_hz = sample_rate_hz(samples[0], start_s).tolist()
    hiding = [gap for gap in gaps if gap.end_s - gap.start_s > SHORT_GAP_S + 1e-6]
    begun = np.searchsorted([gap.end_s for gap in hiding], start_s - GAP_REACH_S, "right")
    ended = np.searchsorted([gap.start_s for gap in hiding], end_s + GAP_REACH_S)
    reps = []
    for k, row in enumerate(zip(*(column.tolist() for column in columns), strict=True)):
        (id_, start, top_start, top_end, end, peak, peak_n, before_n, after_n,
         concentric, hold, eccentric, tut, mean_n, impulse_k, sure) = row  # fmt: skip
        slopes = {name: float(values[k]) for name, values in rfd.items()}
        further = {name: float(values[k]) for name, values in metrics.items()}
        rep = Rep(
            id_, 0, 0, start, top_start, top_end, end, peak, peak_n, before_n, after_n,
            concentric, hold, eccentric, None, tut, mean_n, impulse_k, slopes, further, {}, sure,
        )  # fmt: skip
        rep = _without_nan(rep, rate_hz[k], rise_seen=not np.isnan(cycles.before_n[k]))
        if not whole[k]:
            rep = _without_edges(rep, cycles.before_n[k], cycles.after_n[k])
        reps.append(_without_gaps(rep, hiding[begun[k] : ended[k]]))
    return reps


def sample_rate_hz(time_s: Floats, at_s: Floats) -> Floats:
    """Samples a second around times (m,); holes lower it on one side at most."""

    def rate(first_s: Floats, last_s: Floats) -> Floats:
        first = np.searchsorted(time_s, first_s)
        last = np.maximum(np.searchsorted(time_s, last_s) - 1, first)
        last = np.minimum(last, time_s.size - 1)
        span_s = time_s[last] - time_s[np.minimum(first, last)]
        return np.where(last - first >= LEAST_STEPS, (last - first) / np.maximum(span_s, 1e-9), 0.0)

    return np.maximum(rate(at_s - RATE_WINDOW_S, at_s), rate(at_s, at_s + RATE_WINDOW_S))


def _without_nan(rep: Rep, rate_hz: float, *, rise_seen: bool) -> Rep:
    """Leave out the rates of force development that rate or peak forbid, and what is no number."""
    if rate_hz < RFD_ACCEPTED_SHARE * RFD_LEAST_HZ:
        rep.rfd_n_per_s.clear()
        words = f"{rate_hz:.0f} Hz is too slow: it takes {RFD_LEAST_HZ:.0f} Hz"
        rep.absent["rfd_n_per_s"] = words
    elif rise_seen:
        for name in [name for name, slope in rep.rfd_n_per_s.items() if math.isnan(slope)]:
            del rep.rfd_n_per_s[name]
            rep.absent[f"rfd_n_per_s {name}"] = "the peak comes before the window ends"
    for name in [name for name, value in rep.metrics.items() if math.isnan(value)]:
        del rep.metrics[name]
        rep.absent[name] = "the force does not move"
    return rep


def _without_edges(rep: Rep, before_n: float, after_n: float) -> Rep:
    """Leave out what the samples do not hold of a rep in which they begin or end."""
    if math.isnan(before_n):
        rep.absent["concentric_s"] = BEGINS
        rep.absent.setdefault("rfd_n_per_s", BEGINS)
        rep.rfd_n_per_s.clear()
        kept = ("release_smoothness", "elongation_m", "elongation_sd_m")
        for name in [name for name in rep.metrics if name not in kept]:
            del rep.metrics[name]
            rep.absent[name] = BEGINS
        rep = rep._replace(concentric_s=None)
    if math.isnan(after_n):
        rep.absent["eccentric_s"] = rep.absent["release_smoothness"] = ENDS
        rep.metrics.pop("release_smoothness", None)
        rep = rep._replace(eccentric_s=None)
    return rep


def _without_gaps(rep: Rep, gaps: Sequence[Gap]) -> Rep:
    """Leave out what missing samples forbid to say."""
    if not gaps:
        return rep
    absent, rfd, metrics = rep.absent, rep.rfd_n_per_s, rep.metrics
    missing_s = sum(_missing_s(gap, rep.start_s, rep.end_s) for gap in gaps)
    if missing_s > 0:
        words = f"{missing_s:.2f} s of samples are missing"
        absent |= {"impulse_n_s": words, "tut_s": f"{words} and not counted"}
        sure = round(rep.confidence * GAP_SURE, 3)
        rep = rep._replace(impulse_n_s=None, tut_s=rep.tut_s - missing_s, confidence=sure)
    edges_s = (rep.start_s, rep.top_start_s, rep.top_end_s, rep.end_s)
    hidden = [any(gap.start_s <= edge_s <= gap.end_s for gap in gaps) for edge_s in edges_s]
    for name, edge in (("concentric_s", 0), ("hold_s", 1), ("eccentric_s", 2)):
        if (hidden[edge] or hidden[edge + 1]) and getattr(rep, name) is not None:
            absent[name] = "samples are missing where it begins or ends"
    rep = rep._replace(
        concentric_s=None if "concentric_s" in absent else rep.concentric_s,
        hold_s=None if "hold_s" in absent else rep.hold_s,
        eccentric_s=None if "eccentric_s" in absent else rep.eccentric_s,
    )
    if rfd and any(gap.start_s < max(rep.start_s + 0.2, rep.top_start_s) for gap in gaps):
        rfd.clear()
        absent["rfd_n_per_s"] = "samples are missing in the rise"
    if "release_smoothness" in metrics and any(gap.end_s > rep.top_end_s for gap in gaps):
        del metrics["release_smoothness"]
        absent["release_smoothness"] = "samples are missing in the release"
    if any(gap.start_s < rep.top_start_s for gap in gaps):
        for name in [name for name in metrics if "velocity" in name or "power" in name]:
            del metrics[name]
            absent[name] = "samples are missing in the rise"
    return rep


def _missing_s(gap: Gap, start_s: float, end_s: float) -> float:
    """Seconds of samples that are missing between two times; both edges of a gap were sampled."""
    share = 1.0 if gap.missing is None else gap.missing / (gap.missing + 1)
    return share * max(min(gap.end_s, end_s) - max(gap.start_s, start_s), 0.0)
