"""A picture of an analysis: one look tells whether the count is right."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from pipeline.analysis.result import Analysis, Rep
from pipeline.tables import clock, headline, shown_from_s
from sensor.samples import Floats

if TYPE_CHECKING:
    from matplotlib.axes import Axes

ROW_S = 60.0
"""So many seconds stand in a row, more where there would be too many rows for one look."""
MOST_ROWS = 15
WIDTH_IN, ROW_IN, DOTS_PER_IN = 16.0, 2.6, 100
LABEL_IN = 0.16
"""Two numbers of reps need so much room; of nearer ones the later is left out."""
STEPS_S = (0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400)
MOST_TICKS = 15
POINTS_A_ROW = 4000
"""More samples than this are drawn as the least and greatest of each bin: nothing is hidden."""

CONCENTRIC, HOLD, ECCENTRIC = "#2a9d8f", "#e9c46a", "#e76f51"
PARTIAL, GAP, SET = "#9b9b9b", "#d00000", "#264653"


def plot(
    analysis: Analysis, time_s: Floats, force_n: Floats, path: Path | str, title: str = ""
) -> None:
    """Draw force with numbered reps, phases, partials, gaps and sets into a file.

    Parameters
    ----------
    analysis
        What was found in the samples.
    time_s, force_n : (n,)
        The samples that were analysed.
    path
        PNG, SVG or PDF by its ending.

    Raises
    ------
    ValueError
        If there are no samples, or matplotlib does not know the ending.
    OSError
        If the file cannot be written.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    if not time_s.size:
        raise ValueError("there are no samples to draw")
    order = np.argsort(time_s, kind="stable")
    time_s, force_n = time_s[order], force_n[order]
    begin, end = float(time_s[0]), max(float(time_s[-1]), float(time_s[0]) + 1.0)
    rows = int(np.clip(np.ceil((end - begin) / ROW_S), 1, MOST_ROWS))
    row_s = (end - begin) / rows
    figure = Figure(figsize=(WIDTH_IN, ROW_IN * rows + 1.0), layout="constrained")
    FigureCanvasAgg(figure)
    numbered = _with_room(analysis.reps, LABEL_IN * row_s / WIDTH_IN)
    origin_s = shown_from_s(time_s)
    low, high = float(np.nanmin(force_n)), float(np.nanmax(force_n))
    room = max(high - low, 1.0)
    for row, axes in enumerate(figure.subplots(rows, 1, squeeze=False)[:, 0]):
        since, until = begin + row * row_s, begin + (row + 1) * row_s
        axes.set_xlim(since, until)
        axes.set_ylim(low - 0.08 * room, high + 0.25 * room)
        axes.set_ylabel("N")
        ticks = _ticks(since - origin_s, until - origin_s, row_s)
        axes.set_xticks(origin_s + ticks, [clock(tick).removesuffix(".0") for tick in ticks])
        axes.grid(visible=True, alpha=0.25)
        at = slice(*np.searchsorted(time_s, (since, until)))
        axes.plot(*_thinned(time_s[at], force_n[at]), color="black", linewidth=0.8)
        _draw_row(axes, analysis, since, until, high + 0.06 * room, numbered)
    heading = headline(analysis)
    figure.suptitle(f"{title}: {heading}" if title else heading)
    _legend(figure.axes[0])
    figure.savefig(path, dpi=DOTS_PER_IN)


def _with_room(reps: Sequence[Rep], least_s: float) -> set[int]:
    """Ids of the reps that get a number, each so long after the one before."""
    chosen: set[int] = set()
    free_s = -np.inf
    for rep in reps:
        if rep.peak_s >= free_s:
            chosen.add(rep.id)
            free_s = rep.peak_s + least_s
    return chosen


def _ticks(since: float, until: float, row_s: float) -> Floats:
    """Round times in a row, as many as can be read."""
    step_s = next((step for step in STEPS_S if row_s / step <= MOST_TICKS), STEPS_S[-1])
    return step_s * np.arange(np.ceil(since / step_s), np.floor(until / step_s) + 1)


def _draw_row(
    axes: Axes,
    analysis: Analysis,
    since: float,
    until: float,
    label_n: float,
    numbered: Collection[int],
) -> None:
    for summary in analysis.sets:
        if summary.end_s > since and summary.start_s < until:
            axes.plot(
                (summary.start_s, summary.end_s),
                (label_n, label_n),
                color=SET,
                linewidth=3,
                solid_capstyle="butt",
            )
            if since <= summary.start_s:
                words = f"set {summary.set}: {summary.reps}"
                axes.text(
                    summary.start_s,
                    label_n,
                    words,
                    color=SET,
                    fontsize=8,
                    va="bottom",
                    clip_on=True,
                )
    for rep in analysis.reps:
        if rep.end_s > since and rep.start_s < until:
            _draw_rep(axes, rep, rep.id in numbered and since <= rep.peak_s < until)
    for partial in analysis.partials:
        if partial.end_s > since and partial.start_s < until:
            axes.axvspan(partial.start_s, partial.end_s, color=PARTIAL, alpha=0.3, linewidth=0)
            if since <= partial.peak_s < until:
                axes.annotate("partial", (partial.peak_s, partial.peak_n), fontsize=7, ha="center")
    for gap in analysis.gaps:
        if gap.end_s > since and gap.start_s < until:
            axes.axvspan(gap.start_s, gap.end_s, color=GAP, alpha=0.35, linewidth=0)


def _draw_rep(axes: Axes, rep: Rep, numbered: bool) -> None:
    edges = (rep.start_s, rep.top_start_s, rep.top_end_s, rep.end_s)
    for color, low, high in zip((CONCENTRIC, HOLD, ECCENTRIC), edges[:-1], edges[1:], strict=True):
        axes.axvspan(low, high, color=color, alpha=0.45, linewidth=0)
    if numbered:
        doubtful = "" if rep.confidence >= 0.9 else "?"
        axes.annotate(
            f"{rep.rep}{doubtful}",
            (rep.peak_s, rep.peak_n),
            xytext=(0, 3),
            textcoords="offset points",
            ha="center",
            fontsize=9,
            fontweight="bold",
        )


def _legend(axes: Axes) -> None:
    from matplotlib.patches import Patch

    names = {
        "concentric": CONCENTRIC,
        "hold": HOLD,
        "eccentric": ECCENTRIC,
        "partial": PARTIAL,
        "gap": GAP,
    }
    handles = [Patch(color=color, alpha=0.5, label=name) for name, color in names.items()]
    axes.legend(handles=handles, loc="upper right", ncols=len(handles), fontsize=7)


def _thinned(time_s: Floats, force_n: Floats) -> tuple[Floats, Floats]:
    """The same curve with at most some thousand points."""
    step = time_s.size // (POINTS_A_ROW // 2)
    if step < 2:
        return time_s, force_n
    whole = time_s.size // step * step
    bins = force_n[:whole].reshape(-1, step)
    curve = np.stack((bins.min(axis=1), bins.max(axis=1)), axis=-1).reshape(-1)
    return np.repeat(time_s[:whole:step], 2), curve
