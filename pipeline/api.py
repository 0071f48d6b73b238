"""Force in a notebook: read a file or a recording, find the reps, get arrays, tables, a picture.

    from pipeline import api

    force = api.read("pulls.csv")
    found = force.analyse()
    found.to_pandas()

This module is the library's public face, as docs/python.md describes it; all else may change.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.analysis.types import Analysis, Partial, Rep, SetSummary, Settings
from sensor.errors import BandError
from sensor.samples import Floats, Gap

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

    from pipeline.files.forces import Forces

__all__ = [
    "BandError", "Force", "Found", "Gap", "Partial", "Rep", "SetSummary", "Settings", "analyse",
    "read",
]  # fmt: skip


@dataclass(frozen=True, slots=True, eq=False)
class Force:
    """Force over time.

    Attributes
    ----------
    time_s, force_n : ndarray of float64, shape (n,)
        Times in s on the file's own axis (of a recording: since its first sample) and forces in N.
        Forces are nan where the file holds counts of a sensor whose scale nobody knows.
    counts : ndarray of float64, shape (n,), or None
        What such a sensor read.
    name
        Of the file.
    understood
        Unit, column and rate as they were read, in a line; empty for a recording.
    remarks
        What else is worth knowing: a unit that was assumed, times put right, samples missing.
    started
        When the first sample was taken, where that is known.
    """

    time_s: Floats
    force_n: Floats
    name: str = ""
    understood: str = ""
    remarks: tuple[str, ...] = ()
    started: datetime | None = None
    counts: Floats | None = None
    _scale: Forces | None = field(default=None, repr=False)
    _analysis: Analysis | None = field(default=None, repr=False)

    @property
    def rate_hz(self) -> float:
        """Samples in a second as they usually come."""
        from pipeline.files.axis import rate_hz_of

        return rate_hz_of(self.time_s) if self.time_s.size > 1 else 0.0

    def analyse(self, settings: Settings | None = None) -> Found:
        """Find reps, sets, partials and gaps."""
        pulled = self._pulled
        if self._analysis is not None and settings is None:
            return Found(self._analysis, self)
        from pipeline.analysis.offline import analyse as find

        return Found(find(self.time_s, pulled, settings=settings), self)

    @property
    def _pulled(self) -> Floats:
        """Newtons, or what stands for them where only pulls can be found."""
        if self._scale is None or self.counts is None:
            return self.force_n
        per_n, zero = self._scale.counts_per_n or 1.0, self._scale.zero_counts
        return (self.counts - zero) / per_n

    def to_pandas(self) -> pd.DataFrame:
        """A row a sample: `time_s`, and `force_n` or `counts`; BandError without pandas."""
        column = {"force_n": self.force_n} if self.counts is None else {"counts": self.counts}
        return _frame({"time_s": self.time_s, **column})


@dataclass(frozen=True, slots=True, eq=False)
class Found:
    """What was found in force; docs/analysis.md defines every field of a rep."""

    analysis: Analysis
    force: Force = field(repr=False)

    @property
    def reps(self) -> list[Rep]:
        return self.analysis.reps

    @property
    def sets(self) -> list[SetSummary]:
        return self.analysis.sets

    @property
    def partials(self) -> list[Partial]:
        return self.analysis.partials

    @property
    def gaps(self) -> list[Gap]:
        """Where samples are missing."""
        return self.analysis.gaps

    @property
    def rate_hz(self) -> float:
        return self.analysis.rate_hz

    def rows(self) -> list[dict[str, Any]]:
        """A flat dict a rep, as `forceband analyse --csv` writes them."""
        from pipeline.views.counts import without_newtons
        from pipeline.views.tables import rep_row

        rows = [rep_row(rep) for rep in self.reps]
        scale = self.force._scale
        return rows if scale is None else [without_newtons(row, scale.reading) for row in rows]

    def column(self, name: str) -> Floats:
        """One number of every rep, such as `peak_n` or `concentric_s`; nan where it is absent.

        Raises
        ------
        KeyError
            If no rep has such a number.
        """
        rows = self.rows()
        if rows and not any(name in row for row in rows):
            names = dict.fromkeys(key for row in rows for key in row)
            raise KeyError(f"no rep has {name!r}: there are {', '.join(names)}")
        cells = [row.get(name) for row in rows]
        return np.array([np.nan if cell is None else cell for cell in cells], dtype=np.float64)

    def to_pandas(self) -> pd.DataFrame:
        """A row a rep; BandError without pandas."""
        return _frame(self.rows())

    def plot(self, path: str | Path | None = None) -> Figure:
        """Force with numbered reps, phases and gaps; into a PNG, SVG or PDF as well if named."""
        from pipeline.views.plot import draw

        unit = "N" if self.force._scale is None else "counts, scaled"
        figure = draw(self.analysis, self.force.time_s, self.force._pulled, self.force.name, unit)
        if path is not None:
            figure.savefig(path)
        return figure


def _frame(rows: Any) -> pd.DataFrame:
    try:
        import pandas as pd
    except ImportError as error:
        needed = "a data frame needs pandas, which is not installed: pip install pandas"
        raise BandError(needed) from error
    return pd.DataFrame(rows)


def read(
    path: str | Path,
    *,
    time_column: str | int | None = None,
    force_column: str | int | None = None,
    unit: str | None = None,
    rate_hz: float | None = None,
    sheet: str | int | None = None,
) -> Force:
    """Read a recording, or a table of force over time of any common kind (docs/files.md).

    Parameters
    ----------
    time_column, force_column
        By their titles or numbers, from 1; `left+right` adds columns up.
    unit
        Of the force: N, kg, lb, g, kN, mN or counts.
    rate_hz
        Where no column holds times.
    sheet
        Of a workbook, or a part of an archive; by its name or number, from 1.

    Raises
    ------
    ValueError
        If `rate_hz` is not a number above 0.
    BandError
        With a sentence for people, if the file cannot be read or it cannot be told what is in it.
    """
    if rate_hz is not None and not 0 < rate_hz < np.inf:
        raise ValueError(f"rate_hz is a number above 0, not {rate_hz}")
    path = Path(path)
    from pipeline.files.inputs import is_table

    if not is_table(path):
        return _read_recording(path)
    from pipeline.files.choosing import Options
    from pipeline.files.reading import read_force

    time, force, part = (
        None if each is None else str(each) for each in (time_column, force_column, sheet)
    )
    columns = () if force is None else (force,)
    (found,) = read_force(path, Options(time, columns, unit, rate_hz, part))
    started = None
    if found.utc_s is not None:
        started = datetime.fromtimestamp(found.utc_s + float(found.time_s[0]), UTC)
        started = started.replace(tzinfo=None) if found.local else started
    scale = found.counts
    return Force(
        found.time_s,
        found.force_n if scale is None else np.full_like(found.force_n, np.nan),
        path.name,
        found.understood,
        found.remarks,
        started,
        None if scale is None else scale.readings(found.force_n),
        scale,
    )


def _read_recording(path: Path) -> Force:
    from pipeline.files.inputs import analyse_file

    found = analyse_file(path)[0]
    began_us = found.more.get("started_utc_us")
    started = None if began_us is None else datetime.fromtimestamp(began_us / 1e6, UTC)
    return Force(
        found.time_s, found.force_n, path.name, "", found.remarks, started, _analysis=found.analysis
    )


def analyse(
    time_s: Sequence[float] | Floats,
    force_n: Sequence[float] | Floats,
    settings: Settings | None = None,
) -> Found:
    """Find reps in samples of your own: times in s in their order, forces in N, nan where unknown.

    Raises
    ------
    ValueError
        If the arrays do not match or the samples are not in the order of time.
    """
    force = Force(np.asarray(time_s, np.float64), np.asarray(force_n, np.float64))
    return force.analyse(settings)
