"""From judged pulls to reps and partials with their phases and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from pipeline.analysis.confidence import rep_confidence
from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.judge import Judged, Verdict
from pipeline.analysis.metrics import RFD_MIN_RATE_HZ, Metrics, measure
from pipeline.analysis.phases import Phases, find_phases, local_limits
from pipeline.analysis.pulls import Pull
from pipeline.analysis.result import Partial, Rep
from pipeline.analysis.settings import Settings
from pipeline.analysis.signals import Run
from sensor.profile import BandCurve
from sensor.samples import Gap

LOOK_AROUND_S = 5.0
"""A valley lies at most this long before the rise or after the fall."""
STEEP_SHARE = 0.15
LONG_SIDE_S = 3.0


@dataclass(frozen=True, slots=True)
class Found:
    """Judged pulls of one stretch, with the noise around them."""

    judged: list[Judged]
    first: int
    stop: int
    noise_n: float
    """Standard deviation of the noise in the measured force."""


@dataclass(slots=True)
class Draft:
    """A rep that has no place in a set yet: Rep's fields by name."""

    id: int
    start_s: float
    end_s: float
    fields: dict[str, Any]

    def rep(self, set_number: int, number: int, following: Draft | None) -> Rep:
        fields = self.fields
        bottom_s = None if following is None else max(following.start_s - self.end_s, 0.0)
        return Rep(
            self.id,
            set_number,
            number,
            self.start_s,
            fields["top_start_s"],
            fields["top_end_s"],
            self.end_s,
            fields["peak_s"],
            fields["peak_n"],
            fields["valley_before_n"],
            fields["valley_after_n"],
            fields["concentric_s"],
            fields["hold_s"],
            fields["eccentric_s"],
            bottom_s,
            _tempo(fields, bottom_s),
            fields["tut_s"],
            fields["mean_n"],
            fields["impulse_n_s"],
            fields["rfd_n_per_s"],
            fields["metrics"],
            fields["absent"],
            fields["confidence"],
        )


def _tempo(fields: dict[str, Any], bottom_s: float | None) -> str | None:
    down, up, hold = fields["eccentric_s"], fields["concentric_s"], fields["hold_s"]
    if down is None or up is None or hold is None:
        return None
    bottom = "?" if bottom_s is None else f"{bottom_s:.1f}"
    return f"{down:.1f}-{bottom}-{up:.1f}-{hold:.1f}"


@dataclass(frozen=True, slots=True)
class Axis:
    """From grid indices to the samples' time, and what is known of rate and gaps there."""

    origin_s: float
    second_counts: dict[int, int]
    gaps: Sequence[Gap]

    def time_s(self, index: float) -> float:
        return self.origin_s + index / GRID_HZ

    def rate_hz(self, start: float, end: float) -> float:
        """Samples per second around [start, end] of the grid, holes not counted against it."""
        first, last = int(start / GRID_HZ), int(end / GRID_HZ)
        counts = [
            self.second_counts[second]
            for second in range(first - 1, min(last, first + 5) + 2)
            if second in self.second_counts
        ]
        return float(sorted(counts)[len(counts) // 2]) if counts else 0.0

    def gaps_in(self, start_s: float, end_s: float) -> list[Gap]:
        return [gap for gap in self.gaps if gap.end_s > start_s and gap.start_s < end_s]


def noise_of(run: Run, first: int, stop: int) -> float:
    """Standard deviation of the noise that the measuring filter lets through.

    What the filter takes away, between its cut-off and the grid's Nyquist frequency, tells how much
    white noise there is; a third of its deviation remains.
    """
    rough, smooth = run.grid.view(first, stop), run.measure.view(first, stop)
    size = min(rough.size, smooth.size, 3000)
    if not size:
        return 0.0
    return 0.45 * float(np.mean(np.abs(rough[:size] - smooth[:size]))) * 1.25


def half_width_s(run: Run, pull: Pull, amplitude_n: float) -> float:
    """How long the force stays above half the pull's amplitude around its peak."""
    force = run.measure.view(pull.left, pull.right + 1)
    if not force.size:
        return 0.0
    peak = int(np.argmax(force))
    level = float(force[peak]) - amplitude_n / 2
    before = np.flatnonzero(force[: peak + 1] < level)
    after = np.flatnonzero(force[peak:] < level)
    left = int(before[-1]) if before.size else 0
    right = peak + int(after[0]) if after.size else force.size - 1
    return (right - left - 1) / GRID_HZ


def build(
    run: Run,
    found: Sequence[Found],
    axis: Axis,
    settings: Settings,
    curve: BandCurve | None,
) -> list[tuple[list[Draft], list[Partial]]]:
    """Measure the reps and partials of stretches of one run; one pair per stretch."""
    chosen: list[tuple[int, Judged, int, int, float]] = []
    for number, part in enumerate(found):
        for judged in part.judged:
            if judged.verdict in (Verdict.REP, Verdict.PARTIAL):
                first, stop = _limits(run, judged, part)
                chosen.append((number, judged, first, stop, part.noise_n))
    drafts: list[tuple[list[Draft], list[Partial]]] = [([], []) for _ in found]
    if not chosen:
        return drafts
    origin = min(first for _, _, first, _, _ in chosen)
    end = max(stop for _, _, _, stop, _ in chosen)
    force = run.measure.view(origin, end + 1)
    origin = max(origin, run.measure.start)
    first_of = np.array([first for _, _, first, _, _ in chosen], dtype=np.int64) - origin
    stop_of = np.array([stop for _, _, _, stop, _ in chosen], dtype=np.int64) - origin
    phases = find_phases(
        force,
        np.maximum(first_of, 0),
        np.minimum(stop_of, force.size),
        np.array([judged.pull.before_n is not None for _, judged, _, _, _ in chosen]),
        np.array([judged.pull.after_n is not None for _, judged, _, _, _ in chosen]),
        np.array([noise for _, _, _, _, noise in chosen]),
    )
    metrics = measure(force, phases, curve)
    rows = _rows(phases, metrics, origin, axis)
    rate_at: dict[int, float] = {}
    for place, (number, judged, _, _, noise) in enumerate(chosen):
        row = rows[place]
        reps, partials = drafts[number]
        if judged.verdict is Verdict.REP:
            second = int(row["start_s"] - axis.origin_s)
            if second not in rate_at:
                rate_at[second] = axis.rate_hz(
                    (row["start_s"] - axis.origin_s) * GRID_HZ,
                    (row["end_s"] - axis.origin_s) * GRID_HZ,
                )
            draft = _draft(judged, row, axis, rate_at[second], settings, noise)
            reps.append(draft)
        else:
            partials.append(
                Partial(
                    row["start_s"], row["end_s"], row["peak_s"], row["peak_n"], judged.amplitude_n
                )
            )
    return [(reps, [p for p in partials if not _within(p, reps)]) for reps, partials in drafts]


def _within(partial: Partial, reps: list[Draft]) -> bool:
    return any(rep.start_s < partial.peak_s < rep.end_s for rep in reps)


def _limits(run: Run, judged: Judged, part: Found) -> tuple[int, int]:
    """Samples of a pull with its valleys, without rests and steps beyond them."""
    pull = judged.pull
    around = int(LOOK_AROUND_S * GRID_HZ)
    first = max(pull.left, pull.id - around, run.measure.start)
    stop = min(pull.right + 1, part.stop, run.measure.end)
    uneven = (
        pull.before_n is not None
        and pull.after_n is not None
        and abs(pull.before_n - pull.after_n) > STEEP_SHARE * judged.amplitude_n
    )
    long = (pull.peak - pull.id) > LONG_SIDE_S * GRID_HZ or (
        stop - pull.fell
    ) > LONG_SIDE_S * GRID_HZ
    if uneven or long:
        force = run.measure.view(first, stop)
        peak = min(max(pull.peak - first, 0), force.size - 1)
        left, right = local_limits(force, peak)
        if pull.before_n is not None:
            first, stop = first + left, first + right + 1 if pull.after_n is not None else stop
        elif pull.after_n is not None:
            stop = first + right + 1
    # Two samples more let the first and last crossing be seen.
    return first, max(stop, first + 3)


def _rows(phases: Phases, metrics: Metrics, origin: int, axis: Axis) -> list[dict[str, Any]]:
    def times(index: Any) -> list[float]:
        values = axis.origin_s + (index + origin) / GRID_HZ
        return values.tolist()  # type: ignore[no-any-return]

    names = (
        "start_s",
        "top_start_s",
        "peak_s",
        "top_end_s",
        "end_s",
        "peak_n",
        "valley_before_n",
        "valley_after_n",
        "rise_seen",
        "fall_seen",
        "mean_n",
        "impulse_n_s",
    )
    columns = (
        times(phases.start),
        times(phases.top_start),
        times(phases.peak),
        times(phases.top_end),
        times(phases.end),
        phases.peak_n.tolist(),
        phases.before_n.tolist(),
        phases.after_n.tolist(),
        phases.rise_seen.tolist(),
        phases.fall_seen.tolist(),
        metrics.mean_n.tolist(),
        metrics.impulse_n_s.tolist(),
    )
    rows = [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
    for kind, group in (("rfd", metrics.rfd_n_per_s), ("more", metrics.columns)):
        keys = list(group)
        values = zip(*(group[key].tolist() for key in keys), strict=True)
        for row, numbers in zip(rows, values, strict=True):
            row[kind] = dict(zip(keys, numbers, strict=True))
    return rows


def _draft(
    judged: Judged,
    row: dict[str, Any],
    axis: Axis,
    rate_hz: float,
    settings: Settings,
    noise_n: float,
) -> Draft:
    absent: dict[str, str] = {}
    start, top_start, top_end, end = (
        row["start_s"],
        row["top_start_s"],
        row["top_end_s"],
        row["end_s"],
    )
    concentric: float | None = top_start - start
    hold: float | None = top_end - top_start
    eccentric: float | None = end - top_end
    rise_seen, fall_seen = row["rise_seen"], row["fall_seen"]
    if not rise_seen:
        concentric = None
        absent["concentric_s"] = "the samples begin within the rep"
    if not fall_seen:
        eccentric = None
        absent["eccentric_s"] = "the samples end within the rep"
    rfd = row["rfd"]
    if not rise_seen:
        rfd = {}
        absent["rfd_n_per_s"] = "the samples begin within the rep"
    elif rate_hz < RFD_MIN_RATE_HZ * 0.95:
        rfd = {}
        absent["rfd_n_per_s"] = f"{rate_hz:.0f} Hz is too slow: it takes {RFD_MIN_RATE_HZ:.0f} Hz"
    else:
        for name, value in list(rfd.items()):
            if value != value:
                rfd = {key: v for key, v in rfd.items() if key != name}
                absent[f"rfd_n_per_s {name}"] = "the peak comes before the window ends"
    tut = end - start
    impulse: float | None = row["impulse_n_s"]
    metrics = row["more"]
    gaps = axis.gaps_in(start - 0.05, end + 0.05) if axis.gaps else []
    if gaps:
        missing_s = sum(min(g.end_s, end) - max(g.start_s, start) for g in gaps)
        missing_s = max(missing_s, 0.0)
        tut -= missing_s
        impulse = None
        absent["impulse_n_s"] = f"{missing_s:.2f} s of samples are missing"
        absent["tut_s"] = f"without {missing_s:.2f} s of missing samples"
        for name, value, low, high in (
            ("concentric_s", concentric, start, top_start),
            ("hold_s", hold, top_start, top_end),
            ("eccentric_s", eccentric, top_end, end),
        ):
            if value is not None and any(
                any(g.start_s <= edge <= g.end_s for edge in (low, high)) for g in gaps
            ):
                absent[name] = "samples are missing where it begins or ends"
        concentric = None if "concentric_s" in absent else concentric
        hold = None if "hold_s" in absent else hold
        eccentric = None if "eccentric_s" in absent else eccentric
        if rfd and any(g.start_s < start + 0.25 or g.start_s < top_start for g in gaps):
            rfd = {}
            absent["rfd_n_per_s"] = "samples are missing in the rise"
        if any(g.end_s > top_end for g in gaps):
            metrics = {k: v for k, v in metrics.items() if k != "release_smoothness"}
            absent["release_smoothness"] = "samples are missing in the release"
    return Draft(
        judged.pull.id,
        start,
        end,
        {
            "top_start_s": top_start,
            "top_end_s": top_end,
            "peak_s": row["peak_s"],
            "peak_n": row["peak_n"],
            "valley_before_n": row["valley_before_n"],
            "valley_after_n": row["valley_after_n"],
            "concentric_s": concentric,
            "hold_s": hold,
            "eccentric_s": eccentric,
            "tut_s": tut,
            "mean_n": row["mean_n"],
            "impulse_n_s": impulse,
            "rfd_n_per_s": rfd,
            "metrics": metrics,
            "absent": absent,
            "confidence": rep_confidence(
                judged, settings, noise_n, whole=rise_seen and fall_seen, in_gap=bool(gaps)
            ),
        },
    )
