"""A picture of an analysis: one look tells whether the count is right."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.analysis.types import Analysis, Partial, Rep, SetSummary
from pipeline.views.tables import clock, headline, shown_from_s
from sensor.extras import extras_explained
from sensor.samples import Floats, Gap

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

ROW_S = 60.0
"""So many seconds stand in a row, more where there would be too many rows for one look."""
MOST_ROWS = 15
WIDTH_IN, ROW_IN, DOTS_PER_IN = 16.0, 2.6, 100
SURE = 0.9
"""A rep with less confidence bears a question mark."""
LABEL_IN, LETTER_IN = 0.16, 0.065
"""Two numbers of reps need so much room; of nearer ones the later is left out."""
STEPS_S = (0.1, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400)
MOST_TICKS = 15
POINTS_A_ROW = 4000
"""More samples than this are drawn as the least and greatest of each bin: nothing is hidden."""

CONCENTRIC, HOLD, ECCENTRIC = "#2a9d8f", "#e9c46a", "#e76f51"
PARTIAL, GAP, SET = "#9b9b9b", "#d00000", "#264653"


def plot(
    analysis: Analysis,
    time_s: Floats,
    force_n: Floats,
    path: Path | str,
    title: str = "",
    unit: str = "N",
) -> None:
    """Draw force with numbered reps, phases, partials, gaps and sets into a file.

    Parameters
    ----------
    path
        PNG, SVG or PDF by its ending; for the others see `draw`.

    Raises
    ------
    ValueError
        If there are no samples, or matplotlib does not know the ending.
    OSError
        If the file cannot be written.
    """
    draw(analysis, time_s, force_n, title, unit).savefig(path)


def draw(
    analysis: Analysis, time_s: Floats, force_n: Floats, title: str = "", unit: str = "N"
) -> Figure:
    """The picture as matplotlib's figure.

    Parameters
    ----------
    analysis
        What was found in the samples.
    time_s, force_n : (n,)
        The samples that were analysed.

    Raises
    ------
    ValueError
        If there are no samples.
    """
    with extras_explained():
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    if not time_s.size:
        raise ValueError("there are no samples to draw")
    order = np.argsort(time_s, kind="stable")
    time_s, force_n = time_s[order], force_n[order]
    begin, end = float(time_s[0]), max(float(time_s[-1]), float(time_s[0]) + 1.0)
    rows = int(np.clip(np.ceil((end - begin) / ROW_S), 1, MOST_ROWS))
    row_s = (end - begin) / rows
    figure = Figure(figsize=(WIDTH_IN, ROW_IN * rows + 1.0), dpi=DOTS_PER_IN, layout="constrained")
    FigureCanvasAgg(figure)
    numbered = _with_room(analysis.reps, LABEL_IN * row_s / WIDTH_IN)
    origin_s = shown_from_s(time_s)
    low, high = float(np.nanmin(force_n)), float(np.nanmax(force_n))
    room = max(high - low, 1.0)
    for row, axes in enumerate(figure.subplots(rows, 1, squeeze=False)[:, 0]):
        since, until = begin + row * row_s, begin + (row + 1) * row_s
        axes.set_xlim(since, until)
        axes.set_ylim(low - 0.08 * room, high + 0.28 * room)
        axes.set_ylabel(unit)
        ticks = _ticks(since - origin_s, until - origin_s, row_s)
        axes.set_xticks(origin_s + ticks, [clock(tick).removesuffix(".0") for tick in ticks])
        axes.grid(visible=True, alpha=0.25)
        at = slice(np.searchsorted(time_s, since), np.searchsorted(time_s, until, "right") + 1)
        axes.plot(*_thinned(time_s[at], force_n[at]), color="black", linewidth=0.8)
        _draw_row(axes, analysis, since, until, high + 0.14 * room, numbered)
    heading = headline(analysis)
    figure.suptitle(f"{title}: {heading}" if title else heading, parse_math=False)
    _legend(figure)
    return figure


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
    bar_n: float,
    numbered: Collection[int],
) -> None:
    def here(each: Rep | Partial | Gap | SetSummary) -> bool:
        return each.end_s > since and each.start_s < until

    free_s = -np.inf
    for summary in filter(here, analysis.sets):
        ends = (summary.start_s, summary.end_s)
        axes.plot(ends, (bar_n, bar_n), color=SET, linewidth=3, solid_capstyle="butt")
        words = f"set {summary.set}: {summary.reps}"
        if since <= summary.start_s and summary.start_s >= free_s:
            free_s = summary.start_s + LETTER_IN * len(words) * (until - since) / WIDTH_IN
            _label(axes, words, summary.start_s, bar_n, color=SET, fontsize=8, ha="left")
    reps, partials = list(filter(here, analysis.reps)), list(filter(here, analysis.partials))
    _shade(axes, [(rep.start_s, rep.top_start_s) for rep in reps], CONCENTRIC, 0.45)
    _shade(axes, [(rep.top_start_s, rep.top_end_s) for rep in reps], HOLD, 0.45)
    _shade(axes, [(rep.top_end_s, rep.end_s) for rep in reps], ECCENTRIC, 0.45)
    _shade(axes, [(each.start_s, each.end_s) for each in partials], PARTIAL, 0.3)
    _shade(axes, [(gap.start_s, gap.end_s) for gap in filter(here, analysis.gaps)], GAP, 0.35)
    for rep in reps:
        if rep.id in numbered and since <= rep.peak_s < until:
            words = f"{rep.rep}{'' if rep.confidence >= SURE else '?'}"
            _label(axes, words, rep.peak_s, rep.peak_n, fontsize=9, fontweight="bold")
    free_s = -np.inf
    for partial in partials:
        if since <= partial.peak_s < until and partial.peak_s >= free_s:
            free_s = partial.peak_s + LETTER_IN * len("partial") * (until - since) / WIDTH_IN
            _label(axes, "partial", partial.peak_s, partial.peak_n, fontsize=7)


def _shade(axes: Axes, spans: Sequence[tuple[float, float]], color: str, alpha: float) -> None:
    """Colour stretches of time from bottom to top; all at once, as an hour holds thousands."""
    widths = [(low, high - low) for low, high in spans]
    across = axes.get_xaxis_transform()
    axes.broken_barh(widths, (0, 1), color=color, alpha=alpha, linewidth=0, transform=across)


def _label(axes: Axes, words: str, at_s: float, at_n: float, **style: Any) -> None:
    style = {"xytext": (0, 3), "textcoords": "offset points", "ha": "center", **style}
    axes.annotate(words, (at_s, at_n), **style)


def _legend(figure: Figure) -> None:
    from matplotlib.patches import Patch

    names = {
        "concentric": CONCENTRIC,
        "hold": HOLD,
        "eccentric": ECCENTRIC,
        "partial": PARTIAL,
        "gap": GAP,
    }
    handles = [Patch(color=color, alpha=0.5, label=name) for name, color in names.items()]
    figure.legend(handles=handles, loc="outside upper right", ncols=len(handles), fontsize=7)


def _thinned(time_s: Floats, force_n: Floats) -> tuple[Floats, Floats]:
    """The same curve with at most some thousand points, its least and greatest among them."""
    step = time_s.size // (POINTS_A_ROW // 2)
    if step < 2:
        return time_s, force_n
    first = np.arange(0, time_s.size, step)
    least, greatest = np.fmin.reduceat(force_n, first), np.fmax.reduceat(force_n, first)
    return np.repeat(time_s[first], 2), np.stack((least, greatest), axis=-1).reshape(-1)
