"""A file to analyse, whatever it is: a recording, or a table of force over time."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.analysis.types import Analysis
from pipeline.files.errors import FileError
from sensor.errors import RecordingError
from sensor.recording.file import is_recording
from sensor.recording.log import Recording
from sensor.samples import Floats

if TYPE_CHECKING:
    from pipeline.files.choosing import Options
    from pipeline.files.forces import Forces
    from pipeline.files.reading import ForceFile
    from pipeline.files.table import Progress


@dataclass(frozen=True, slots=True, eq=False)
class Analysed:
    """What a file holds: samples of shape (n,), what was found in them, remarks for the person."""

    path: Path
    time_s: Floats
    force_n: Floats
    analysis: Analysis
    remarks: tuple[str, ...]
    more: dict[str, Any]
    """Further facts for the JSON object."""
    understood: str = ""
    """What a table was read as; empty for a recording."""
    counts: Forces | None = None
    """Set where nobody knows how many newtons these are."""

    @property
    def name(self) -> str:
        """What it is called where several come of one file."""
        column = self.more.get("column")
        return f"{self.path} ({column})" if column and self.more.get("apart") else str(self.path)


def is_table(path: Path) -> bool:
    """Whether a file is no recording; RecordingError if it cannot be read."""
    try:
        return str(path) == "-" or not (path.is_file() and is_recording(path))
    except OSError as error:
        raise RecordingError(f"cannot be read: {error.strerror}", path) from error


def analyse_file(
    path: Path,
    options: Options | None = None,
    progress: Progress | None = None,
    calibrations: Path | None = None,
) -> list[Analysed]:
    """Analyse a recording or a table; of a table each column of force that was named apart.

    Raises
    ------
    BandError
        With a sentence, if it is neither.
    """
    if not is_table(path):
        return [_recording(path, progress)]
    from pipeline.files.reading import read_force

    found = read_force(path, options, progress, calibrations)
    return [_table(each, apart=len(found) > 1) for each in found]


def _table(found: ForceFile, *, apart: bool) -> Analysed:
    from pipeline.analysis.offline import analyse

    try:
        analysis = analyse(found.time_s, found.force_n)
    except ValueError as error:
        raise FileError(f"{found.path}: {error}") from error
    more: dict[str, Any] = {
        "understood": found.understood, "column": found.column, "unit": found.unit,
    }  # fmt: skip
    more |= {"part": found.part} if found.part else {}
    more |= {"apart": True} if apart else {}
    return Analysed(
        found.path, found.time_s, found.force_n, analysis,
        (*found.remarks, *analysis.remarks), more, found.understood,
        found.counts,
    )  # fmt: skip


def _recording(path: Path, progress: Progress | None = None) -> Analysed:
    from pipeline.files.samples import read_session

    with Recording.open(path) as recording:
        read = read_session(recording, progress)
        ended, in_use, facts = recording.ended, recording.in_use, recording.facts
        is_cut, damaged = recording.is_cut, recording.damaged
    remarks = list(read.analysis.remarks)
    if in_use:
        remarks.append("is being recorded now: this is what there is so far")
    elif is_cut:
        until_s = float(read.time_s[-1]) if read.time_s.size else 0.0
        remarks.append(
            "lacks its newest rows, which stood in a -wal file that is not beside it: it ends "
            f"after {until_s:.1f} s; "
            "`forceband export --copy` makes whole copies of a session that is recorded"
        )
    elif not ended and "copied" in facts:
        remarks.append("is a copy made while the session was recorded: it ends where that stood")
    elif not ended:
        remarks.append("was not closed: its recorder was killed; everything recorded is here")
    if damaged:
        mended = sum(damaged.values())
        remarks.append(
            f"{len(damaged)} rows about the band contradict their checksum: {mended} had one bit "
            f"turned and were mended, {len(damaged) - mended} are left out"
        )
    if read.missing:
        remarks.append(f"{read.missing} samples are missing, in {len(read.analysis.gaps)} gaps")
    if read.bad_frames:
        remarks.append(f"{read.bad_frames} frames were damaged and left out")
    more: dict[str, Any] = {
        "started_utc_us": read.started_utc_us,
        "samples": int(read.time_s.size),
        "missing": read.missing,
        "bad_frames": read.bad_frames,
        **{key: facts[key] for key in ("skew_ppm", "clock_residual_ms") if key in facts},
    }
    return Analysed(path, read.time_s, read.force_n, read.analysis, tuple(remarks), more)
