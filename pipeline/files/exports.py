"""Exports of the field by name: which columns mean what, where their titles do not say it.

Layouts are those that the programs' own sources or users' programs document: Tindeq's app (a
summary above `time,weight`, kg; two sides beside each other), hangtime-grip-connect (packets
without titles; JSON and XML of the same), Phoenix for Vitruvian trainers (two cables, kg).
chronojump's `Time (micros);Force(N)` says all itself.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.files.looks import Look
from pipeline.files.table import Table
from pipeline.files.words import force_unit


@dataclass(frozen=True, slots=True)
class Layout:
    """What an export's columns are; forces are added up."""

    name: str
    time: int | None = None
    forces: tuple[int, ...] = ()
    force_unit: str | None = None
    time_unit: str | None = None
    """Unit of the time column, where its numbers do not tell."""


def layout_of(table: Table, looks: list[Look]) -> Layout | None:
    """The export that a table is; None if it is none of these."""
    titles = [title.strip().casefold() for title in table.titles]
    for known in (_tindeq, _hangtime_records, _hangtime_rows, _phoenix):
        layout = known(table, titles, looks)
        if layout is not None:
            return layout
    if titles == ["time (micros)", "force(n)"]:
        return Layout("chronojump", 0, (1,), "N", "us")
    return None


def _tindeq(table: Table, titles: list[str], looks: list[Look]) -> Layout | None:
    unit = "lb" if any("lb" in note.casefold() for note in table.notes) else "kg"
    if titles == ["time left", "weight left", "time right", "weight right"]:
        return Layout("Tindeq", force_unit=unit, time_unit="s")
    summed = any(note.casefold().startswith(("avg", "peak", ",overall")) for note in table.notes)
    if titles == ["time", "weight"] and summed:
        return Layout("Tindeq", 0, (1,), unit, "s")
    return None


def _hangtime_records(table: Table, titles: list[str], looks: list[Look]) -> Layout | None:
    """`received, sampleNum, battRaw, samples, masses`, or `timestamp, current, peak, mean`."""
    if {"received", "samplenum", "battraw"} <= set(titles):
        masses = [k for k, title in enumerate(titles) if title.split(".")[0] in ("masses", "mass")]
        time = _finer(looks, titles.index("received"), titles.index("samplenum"))
        return Layout("hangtime-grip-connect", time[0], tuple(masses), "kg", time[1])
    if {"timestamp", "current", "peak", "mean", "unit"} <= set(titles):
        unit = next((cell for cell in table.head[titles.index("unit")] if cell), "kg")
        current = (titles.index("current"),)
        time_at = titles.index("timestamp")
        return Layout("hangtime-grip-connect", time_at, current, force_unit(unit) or "kg", "ms")
    return None


def _hangtime_rows(table: Table, titles: list[str], looks: list[Look]) -> Layout | None:
    """Rows without titles: received ms since 1970, number, battery, samples, masses."""
    width = len(titles)
    if any(titles) or width < 5 or width % 2 == 0 or not all(look.numeric for look in looks):
        return None
    received = looks[0].values
    if not 1e12 < received[0] < 3.4e12 or not looks[1].rising or np.ptp(looks[2].values) > 1e5:
        return None
    time = _finer(looks, 0, 1)
    masses = tuple(range(3 + (width - 3) // 2, width))
    return Layout("hangtime-grip-connect", time[0], masses, "kg", time[1])


def _finer(looks: list[Look], received: int, number: int) -> tuple[int, str]:
    """The device's own clock in µs where the number is one, else when packets were received."""
    host, own = looks[received].values, looks[number].values
    passed = float(host[-1] - host[0]) if host.size else 0.0
    if passed > 0 and own.size and 500 < (own[-1] - own[0]) / passed < 2000:
        return number, "us"
    return received, "ms"


def _phoenix(table: Table, titles: list[str], looks: list[Look]) -> Layout | None:
    """Samples of a backup, `sessionId, timestamp, load, loadB, position ...`, or `LoadA, LoadB`."""
    cables = [k for k, title in enumerate(titles) if title in ("load", "loada", "loadb")]
    beside = {"position", "positiona", "positionb"} & set(titles)
    if not cables or not beside or "timestamp" not in titles:
        return None
    used = tuple(k for k in cables if looks[k].numeric)
    return Layout("Phoenix", titles.index("timestamp"), used, "kg", "ms") if used else None
