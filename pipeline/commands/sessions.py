"""List recordings: when, how long, whether they are finished and delivered."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sensor.errors import RecordingError


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", type=Path, metavar="DIR", help="folder of the recordings")
    parser.add_argument("--config", type=Path, metavar="FILE", help="configuration file")
    parser.add_argument("--json", action="store_true", help="one JSON object a recording and line")


def run(args: argparse.Namespace) -> int:
    from pipeline.config import load
    from sensor.recording.folder import recordings, sweep

    folder = load(args.config, flags={"data_dir": args.data}).data_dir
    tell_swept(sweep(folder))
    rows = []
    for path in recordings(folder):
        try:
            rows.append(_row(path))
        except RecordingError as error:
            print(f"forceband: {error}", file=sys.stderr)
            rows.append(_bad_row(path, str(error)))
    if args.json:
        for row in rows:
            print(json.dumps(row))
    elif rows:
        _print(rows, folder)
    else:
        print(f"no recordings in {folder}", file=sys.stderr)
    return 0


def tell_swept(paths: list[Path]) -> None:
    """Name the files that were removed."""
    for path in paths:
        print(
            f"{path}: held nothing, as its program ended before the first row: removed",
            file=sys.stderr,
        )


def _bad_row(path: Path, problem: str) -> dict[str, Any]:
    absent = dict.fromkeys(("device", "started_utc", "sets", "reps"))
    return {
        "file": str(path),
        **absent,
        "duration_s": 0.0,
        "state": "damaged",
        "problem": problem.removeprefix(f"{path}: "),
        "undelivered": {},
        "dead_letters": 0,
    }


def _row(path: Path) -> dict[str, Any]:
    from pipeline.delivery.delivery import waiting_rows
    from sensor.recording.log import Recording

    with Recording.open(path) as recording:
        facts, last, waiting = recording.facts, recording.last_row, waiting_rows(recording)
        first = next(iter(recording.rows(limit=1)), None)
        final = next(iter(recording.rows(after=last - 1)), None)
        state = "recording" if recording.in_use else "closed" if recording.ended else "unfinished"
        dead = len(recording.dead_letters())
        shift_us = recording.utc_shift_us or 0
        is_cut = recording.is_cut and state != "recording"
    started_us = first[1].received_us if first else None
    length_s = (final[1].received_us - started_us) / 1e6 if final and started_us else 0.0
    return {
        "file": str(path),
        "device": facts.get("device"),
        "started_utc": _iso(None if started_us is None else started_us + shift_us),
        "duration_s": round(length_s, 1),
        "sets": facts.get("sets"),
        "reps": facts.get("reps"),
        "state": state,
        "problem": "lacks its newest rows, which stood in a -wal file" if is_cut else None,
        "undelivered": waiting,
        "dead_letters": dead,
    }


def _iso(received_us: int | None) -> str | None:
    if received_us is None:
        return None
    try:
        return datetime.fromtimestamp(received_us / 1e6, UTC).isoformat("T", "seconds")
    except (ValueError, OverflowError, OSError):
        return None


def _local(started_utc: str | None) -> str:
    """Day and time where the person is, with the zone."""
    if started_utc is None:
        return ""
    return f"{datetime.fromisoformat(started_utc).astimezone():%Y-%m-%d %H:%M:%S %Z}"


def _print(rows: list[dict[str, Any]], folder: Path) -> None:
    from rich import box
    from rich.table import Table

    from pipeline.views.tables import clock, console

    table = Table(title=str(folder), box=box.SIMPLE_HEAD, title_justify="left", pad_edge=False)
    for name in ("recording", "started", "length", "sets", "reps", "state", "waits"):
        table.add_column(name, overflow="fold")
    for row in rows:
        waits = ", ".join(f"{sink} {count} rows" for sink, count in row["undelivered"].items())
        if row["dead_letters"]:
            waits += f" ({row['dead_letters']} rejected: see `forceband doctor`)"
        table.add_row(
            Path(row["file"]).name,
            _local(row["started_utc"]),
            clock(row["duration_s"]),
            "" if row["sets"] is None else str(row["sets"]),
            "" if row["reps"] is None else str(row["reps"]),
            row["state"],
            waits,
        )
    out = console()
    out.print(table)
    for row in rows:
        if row["problem"] and row["state"] != "damaged":
            out.print(f"{Path(row['file']).name} {row['problem']}", soft_wrap=True)
    if any(row["undelivered"] and row["state"] != "recording" for row in rows):
        out.print("`forceband deliver` brings what waits.")
    if any(row["state"] == "unfinished" for row in rows):
        out.print("`forceband deliver` closes what is unfinished.")
