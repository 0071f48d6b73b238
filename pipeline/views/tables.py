"""Results as tables for people and as plain values for programs."""

from __future__ import annotations

import math
import sys
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from pipeline.analysis.types import Analysis, Rep, SetSummary
from sensor.samples import Floats

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

Reading = Callable[[float], float]
"""What a sensor without a scale read at a force of the analysis."""
DAY_S = 86_400.0
OF_THE_BAND = "elongation, range of motion, velocity, work and power"
NO_CURVE = "the band's force-elongation curve is not known"
REP_COLUMNS = (
    "set", "rep", "start_s", "top_start_s", "top_end_s", "end_s", "peak_s", "peak_n", "mean_n",
    "valley_before_n", "valley_after_n", "concentric_s", "hold_s", "eccentric_s", "bottom_s",
    "tempo", "tut_s", "impulse_n_s", "confidence",
)  # fmt: skip


def plain(value: Any) -> Any:
    """A result as JSON values: floats rounded to what means something, NaN as None."""
    if isinstance(value, float):
        return round(value, 6) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: plain(each) for key, each in value.items()}
    if isinstance(value, list | tuple):
        return [plain(each) for each in value]
    return value


def analysis_object(
    file: str, analysis: Analysis, remarks: Sequence[str] = (), **more: Any
) -> dict[str, Any]:
    """The object that `forceband analyse --json` prints for one file."""
    return {
        "file": file,
        "remarks": list(remarks),
        "rate_hz": round(analysis.rate_hz, 3),
        **more,
        "absent": {} if _knows_the_band(analysis) else {OF_THE_BAND: NO_CURVE},
        "reps": [plain(rep.as_dict()) for rep in analysis.reps],
        **{
            key: [plain(asdict(each)) for each in getattr(analysis, key)]
            for key in ("partials", "sets", "gaps")
        },
    }


def _knows_the_band(analysis: Analysis) -> bool:
    return any("work_j" in rep.metrics or "work_j" in rep.absent for rep in analysis.reps)


def rep_row(rep: Rep) -> dict[str, Any]:
    """A rep as one flat row: fixed columns, then RFD and further metrics by name."""
    row = {name: plain(getattr(rep, name)) for name in REP_COLUMNS}
    row.update({f"rfd_{name}_n_per_s": plain(v) for name, v in rep.rfd_n_per_s.items()})
    row.update({name: plain(v) for name, v in rep.metrics.items()})
    return row


def headline(analysis: Analysis) -> str:
    """What was found, in one line."""

    def counted(things: Sequence[object], noun: str) -> str:
        return f"{len(things)} {noun}{'' if len(things) == 1 else 's'}"

    return (
        f"{counted(analysis.reps, 'rep')} in {counted(analysis.sets, 'set')}, "
        f"{counted(analysis.partials, 'partial')}, {counted(analysis.gaps, 'gap')}, "
        f"{analysis.rate_hz:.1f} Hz"
    )


def sets_table(
    sets: Sequence[SetSummary], origin_s: float = 0.0, reading: Reading | None = None
) -> Table:
    """The sets, one a line; times from `origin_s` on, peaks as the sensor's `reading` if given."""
    peak = "peak N" if reading is None else "peak counts"
    table = _table("set", "reps", "from", "to", peak, "tension s", "rest s", "sure")
    for each in sets:
        table.add_row(
            str(each.set),
            str(each.reps),
            clock(each.start_s - origin_s),
            clock(each.end_s - origin_s),
            f"{each.peak_n:.1f}" if reading is None else f"{reading(each.peak_n):.0f}",
            f"{each.tut_s:.1f}",
            "" if each.rest_s is None else f"{each.rest_s:.0f}",
            f"{each.confidence:.0%}",
        )
    return table


def reps_table(reps: Sequence[Rep], origin_s: float = 0.0, reading: Reading | None = None) -> Table:
    """The reps, one a line; tempo is eccentric-bottom-concentric-hold in seconds."""
    peak = "peak N" if reading is None else "peak counts"
    table = _table("set", "rep", "at", peak, "tempo e-b-c-h", "tension s", "impulse N·s", "sure")
    for rep in reps:
        table.add_row(
            str(rep.set),
            str(rep.rep),
            clock(rep.start_s - origin_s),
            f"{rep.peak_n:.1f}" if reading is None else f"{reading(rep.peak_n):.0f}",
            rep.tempo or "-",
            f"{rep.tut_s:.2f}",
            "-" if rep.impulse_n_s is None or reading is not None else f"{rep.impulse_n_s:.1f}",
            f"{rep.confidence:.0%}",
        )
    return table


def shown_from_s(time_s: Floats) -> float:
    """Times of a clock, such as seconds since 1970, are shown from the first sample on."""
    return float(time_s[0]) if time_s.size and abs(time_s[0]) > DAY_S else 0.0


def clock(seconds: float) -> str:
    """Seconds as m:ss.s, with hours where there are some."""
    minutes, rest = divmod(round(abs(seconds), 1), 60)
    hours, minutes = divmod(int(minutes), 60)
    sign = "-" if round(seconds, 1) < 0 else ""
    return sign + (f"{hours}:{minutes:02d}:{rest:04.1f}" if hours else f"{minutes}:{rest:04.1f}")


def console() -> Console:
    """Where tables go; a file or a pipe gets lines as wide as they need to be."""
    from rich.console import Console

    width = None if sys.stdout.isatty() else 160
    return Console(markup=False, emoji=False, highlight=False, width=width)


def _table(*columns: str) -> Table:
    from rich import box
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right")
    return table
