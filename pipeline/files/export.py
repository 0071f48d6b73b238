"""A recording as files for other programs: CSV and Parquet, samples and reps."""

from __future__ import annotations

import csv
import sys
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from pipeline.files.output_file import written
from pipeline.files.samples import SessionRead
from pipeline.views.tables import REP_COLUMNS, rep_row
from sensor.extras import extras_explained


def write_samples_csv(path: Path, read: SessionRead) -> None:
    """`time_s,force_n,index`, as `forceband analyse` reads it again."""
    columns = (read.time_s, read.force_n, read.index)
    with written(path) as new, new.open("w", encoding="utf-8") as file:
        file.write("time_s,force_n,index\n")
        np.savetxt(file, np.column_stack(columns), fmt=("%.6f", "%.4f", "%d"), delimiter=",")


def write_reps_csv(path: Path, rows: list[dict[str, Any]], source: Path | None = None) -> None:
    """One line a rep, columns as in docs/analysis.md; to stdout for the path `-`."""
    if str(path) == "-":
        _write_rows(sys.stdout, rows, "\n")
        return
    with written(path, source) as new, new.open("w", newline="", encoding="utf-8") as file:
        _write_rows(file, rows, "\r\n")


def _write_rows(file: TextIO, rows: list[dict[str, Any]], line_end: str) -> None:
    writer = csv.DictWriter(file, _names(rows), lineterminator=line_end)
    writer.writeheader()
    writer.writerows(rows)


def write_samples_parquet(path: Path, read: SessionRead, facts: dict[str, str]) -> None:
    """Columns `index`, `time_s`, `force_n`; facts as file metadata."""
    with extras_explained():
        import pyarrow as pa
        import pyarrow.parquet as pq

    table = pa.table(
        {"index": read.index, "time_s": read.time_s, "force_n": read.force_n.astype(np.float32)}
    )
    with written(path) as new:
        pq.write_table(table.replace_schema_metadata(facts), new, compression="zstd")


def write_reps_parquet(path: Path, rows: list[dict[str, Any]], facts: dict[str, str]) -> None:
    """One row a rep, columns as in docs/analysis.md; null where a metric is absent."""
    with extras_explained():
        import pyarrow as pa
        import pyarrow.parquet as pq

    table = pa.table({name: [row.get(name) for row in rows] for name in _names(rows)})
    with written(path) as new:
        pq.write_table(table.replace_schema_metadata(facts), new, compression="zstd")


def rep_rows(read: SessionRead) -> list[dict[str, Any]]:
    """The final reps as flat rows."""
    return [rep_row(rep) for rep in read.analysis.reps]


def _names(rows: list[dict[str, Any]]) -> list[str]:
    return list(dict.fromkeys([*REP_COLUMNS, *(name for row in rows for name in row)]))
