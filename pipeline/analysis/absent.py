"""What the samples do not tell of a rep: taken out, with the reason."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pipeline.analysis.counts import Counts
from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.metrics import RFD_MIN_RATE_HZ
from pipeline.analysis.result import Rep
from pipeline.analysis.rows import Bools
from sensor.samples import Floats, Gap

RATE_SECONDS = 5
"""The fullest of so many seconds tells the rate."""
LEAST_PART_S = 0.2
"""The samples in less of a second say little of their rate."""
RFD_ACCEPTED_HZ = 0.95 * RFD_MIN_RATE_HZ
GAP_REACH_S = 0.05
SHORT_GAP_S = 0.05
"""No force of a person hides in so short a gap: the line across it is as good as samples."""
GAP_DOUBT = 0.97


@dataclass(frozen=True, slots=True)
class Axis:
    """From grid indices to the samples' time, and what is known of rate and gaps there."""

    origin_s: float
    counts: Counts
    began_s: float
    """When the run began: in that second there are samples for a part of it only."""
    gaps: Sequence[Gap]

    def time_s(self, index: float) -> float:
        return self.origin_s + index / GRID_HZ

    def rate_hz(self, time_s: float) -> float:
        """Most samples in one of the seconds before; soon after the run began, what there is."""
        second, first = int(time_s - self.origin_s), int(self.began_s)
        if second > first + 1:
            return self.counts.most(second - RATE_SECONDS, second)
        most = self.counts.most(second - RATE_SECONDS, second + 1)
        part_s = first + 1 - self.began_s
        if part_s >= LEAST_PART_S:
            most = max(most, (self.counts.most(first, first + 1) - 1) / part_s)
        return most

    def fast(self, index: Floats) -> Bools:
        """Whether the rate at each of these, in order, allows rates of force development."""
        before = (index / GRID_HZ).astype(np.int64) - 1
        if self.counts.least(int(before[0]), int(before[-1]) + 1) >= RFD_ACCEPTED_HZ:
            return np.ones(before.size, dtype=np.bool_)
        fast = self.counts.at(before) >= RFD_ACCEPTED_HZ
        for place in np.flatnonzero(~fast).tolist():
            fast[place] = self.rate_hz(self.time_s(index[place])) >= RFD_ACCEPTED_HZ
        return np.asarray(fast)

    def gaps_in(self, start_s: float, end_s: float) -> list[Gap]:
        """Those between the times that are long enough to hide anything."""
        return [
            gap
            for gap in self.gaps
            if gap.end_s > start_s
            and gap.start_s < end_s
            and gap.end_s - gap.start_s > SHORT_GAP_S + 1e-6
        ]


BEGINS = "the samples begin within the rep"
ENDS = "the samples end within the rep"


def explained(rep: Rep, axis: Axis, rise_seen: bool, fall_seen: bool) -> Rep:
    """The rep without what was not recorded, and why."""
    absent, rfd, metrics = rep.absent, rep.rfd_n_per_s, rep.metrics
    rate_hz = axis.rate_hz(rep.start_s)
    if rate_hz < RFD_ACCEPTED_HZ:
        rfd.clear()
        absent["rfd_n_per_s"] = f"{rate_hz:.0f} Hz is too slow: it takes {RFD_MIN_RATE_HZ:.0f} Hz"
    elif not rise_seen:
        rfd.clear()
        absent["rfd_n_per_s"] = BEGINS
    else:
        for name in [name for name, slope in rfd.items() if math.isnan(slope)]:
            del rfd[name]
            absent[f"rfd_n_per_s {name}"] = "the peak comes before the window ends"
    for name in [name for name, value in metrics.items() if math.isnan(value)]:
        del metrics[name]
        absent[name] = "the force does not move"
    if not rise_seen:
        rep = _without_rise(rep)
    if not fall_seen:
        absent["eccentric_s"] = absent["release_smoothness"] = ENDS
        metrics.pop("release_smoothness", None)
        rep = rep._replace(eccentric_s=None)
    gaps = axis.gaps_in(rep.start_s - GAP_REACH_S, rep.end_s + GAP_REACH_S)
    return _without_gaps(rep, gaps) if gaps else rep


def _without_rise(rep: Rep) -> Rep:
    """What the samples do not tell of a rep that began before them."""
    rep.absent["concentric_s"] = BEGINS
    for name in [name for name in rep.metrics if name not in ("release_smoothness",)]:
        if not name.startswith("elongation"):
            del rep.metrics[name]
            rep.absent[name] = BEGINS
    return rep._replace(concentric_s=None)


def _missing_s(gap: Gap, start_s: float, end_s: float) -> float:
    """Seconds of samples that are missing between two times; both edges of a gap were sampled."""
    share = 1.0 if gap.missing is None else gap.missing / (gap.missing + 1)
    return share * max(min(gap.end_s, end_s) - max(gap.start_s, start_s), 0.0)


def _without_gaps(rep: Rep, gaps: list[Gap]) -> Rep:
    """What missing samples forbid to say, taken out with the reason."""
    absent = rep.absent
    start, end = rep.start_s, rep.end_s
    missing_s = sum(_missing_s(gap, start, end) for gap in gaps)
    impulse_n_s = rep.impulse_n_s
    if missing_s > 0:
        words = f"{missing_s:.2f} s of samples are missing"
        absent["impulse_n_s"] = words
        absent["tut_s"] = f"{words} and not counted"
        impulse_n_s = None
    phases = {
        "concentric_s": (rep.concentric_s, start, rep.top_start_s),
        "hold_s": (rep.hold_s, rep.top_start_s, rep.top_end_s),
        "eccentric_s": (rep.eccentric_s, rep.top_end_s, end),
    }
    left: dict[str, float | None] = {}
    for name, (value, low, high) in phases.items():
        hidden = any(gap.start_s <= edge <= gap.end_s for gap in gaps for edge in (low, high))
        left[name] = None if hidden else value
        if hidden and value is not None:
            absent[name] = "samples are missing where it begins or ends"
    rfd = rep.rfd_n_per_s
    if rfd and any(gap.start_s < max(start + 0.2, rep.top_start_s) for gap in gaps):
        rfd = {}
        absent["rfd_n_per_s"] = "samples are missing in the rise"
    metrics = rep.metrics
    if any(gap.end_s > rep.top_end_s for gap in gaps) and "release_smoothness" in metrics:
        del metrics["release_smoothness"]
        absent["release_smoothness"] = "samples are missing in the release"
    for name in [name for name in metrics if "velocity" in name or "power" in name]:
        if any(gap.start_s < rep.top_start_s for gap in gaps):
            del metrics[name]
            absent[name] = "samples are missing in the rise"
    return rep._replace(
        concentric_s=left["concentric_s"],
        hold_s=left["hold_s"],
        eccentric_s=left["eccentric_s"],
        tut_s=rep.tut_s - missing_s,
        impulse_n_s=impulse_n_s,
        rfd_n_per_s=rfd,
        confidence=round(rep.confidence * (GAP_DOUBT if missing_s > 0 else 1.0), 3),
    )
