"""A file to analyse, whatever it is: a recording or a CSV."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.analysis.result import Analysis
from sensor.errors import RecordingError
from sensor.recording.file import is_recording
from sensor.recording.log import Recording
from sensor.samples import Floats


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


def analyse_file(path: Path, unit: str | None = None) -> Analysed:
    """Analyse a recording or a CSV file; BandError with a sentence if it is neither."""
    try:
        recording = path.is_file() and is_recording(path)
    except OSError as error:
        raise RecordingError(f"cannot be read: {error.strerror}", path) from error
    return _recording(path) if recording else _csv(path, unit)


def _csv(path: Path, unit: str | None) -> Analysed:
    from pipeline.analysis.offline import analyse
    from pipeline.files.csv_file import CsvError, read_csv

    found = read_csv(path, unit)
    try:
        analysis = analyse(found.time_s, found.force_n)
    except ValueError as error:
        raise CsvError(f"{path}: {error}") from error
    return Analysed(path, found.time_s, found.force_n, analysis, found.remarks, {})


def _recording(path: Path) -> Analysed:
    from pipeline.files.samples import read_session

    with Recording.open(path) as recording:
        read = read_session(recording)
        ended, in_use, facts = recording.ended, recording.in_use, recording.facts
    remarks = []
    if in_use:
        remarks.append("is being recorded now: this is what there is so far")
    elif not ended:
        remarks.append("was not closed: its recorder was killed; everything recorded is here")
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
