"""A recording read as a whole: its samples in order and the final answer about them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from pipeline.analysis.result import Analysis
from pipeline.events import SessionEnded, Told
from pipeline.session import Session
from sensor.recording import Recording
from sensor.samples import Floats, Ints

FIRST_ROWS = 64
"""One by one, so that the UTC of the start is known."""


@dataclass(frozen=True, slots=True, eq=False)
class SessionRead:
    """Samples of shape (n,) in order, and what `Session` finds in them."""

    index: Ints
    time_s: Floats
    force_n: Floats
    analysis: Analysis
    started_utc_us: int | None
    missing: int
    bad_frames: int


def read_session(recording: Recording) -> SessionRead:
    """Run a recording through a session as fast as it goes."""
    session, told = _read(recording, FIRST_ROWS)
    if session.power_ons > 1:
        # UTC tells the time in between, and needs every arrival
        session, told = _read(recording, None)
    ended = next(each.event for each in told if isinstance(each.event, SessionEnded))
    blocks = session.blocks
    time_s = np.concatenate([block.time_s for block in blocks]) if blocks else np.empty(0)
    return SessionRead(
        np.concatenate([block.index + np.arange(block.time_s.size) for block in blocks])
        if blocks
        else np.empty(0, np.int64),
        time_s,
        np.concatenate([block.force_n for block in blocks]) if blocks else np.empty(0),
        Analysis(
            rate_hz=_rate_hz(time_s),
            reps=[rep for closed in session.sets for rep in closed.reps],
            partials=[partial for closed in session.sets for partial in closed.partials],
            sets=[closed.summary for closed in session.sets if closed.reps],
            gaps=session.gaps,
        ),
        session.started_utc_us,
        ended.missing,
        ended.bad_frames,
    )


def _rate_hz(time_s: Floats) -> float:
    """Samples in a second as they usually come; 0 for fewer than two samples."""
    step = float(np.median(np.diff(time_s))) if time_s.size > 1 else 0.0
    return 1 / step if step > 0 else 0.0


def _read(recording: Recording, one_by_one: int | None) -> tuple[Session, list[Told]]:
    """All rows through a session, so many of them singly: arrivals tell UTC."""
    session, told, row = Session(live=False, keep_samples=True), list[Told](), 0
    for row, notification in recording.rows(limit=one_by_one):
        told += session.receive(notification, row)
    for run in recording.runs(after=row):
        told += session.receive_run(run)
    return session, told + session.finish()
