"""A recording read as a whole: its samples in order and the final answer about them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from pipeline.analysis.types import Analysis
from pipeline.session.events import Emitted, SessionEnded
from pipeline.session.session import Session
from sensor.recording.log import Recording
from sensor.samples import Floats, ForceBlock, Ints

STEPS_ASKED = 65_536
"""So many of a recording's steps, spread over all of it, say how fast samples usually come."""


@dataclass(frozen=True, slots=True, eq=False)
class SessionRead:
    """Samples in order, and what `Session` finds in them."""

    blocks: list[ForceBlock]
    analysis: Analysis
    started_utc_us: int | None
    missing: int
    bad_frames: int

    @property
    def index(self) -> Ints:
        """Of each sample, unwrapped, shape (n,)."""
        empty = np.empty(0, np.int64)
        each = [block.index + np.arange(block.time_s.size) for block in self.blocks]
        return np.concatenate([empty, *each])

    @property
    def time_s(self) -> Floats:
        """Seconds since the session's first sample, shape (n,)."""
        return _time_s(self.blocks)

    @property
    def force_n(self) -> Floats:
        """Calibrated force in N, shape (n,)."""
        return np.concatenate([np.empty(0), *(block.force_n for block in self.blocks)])


def read_session(
    recording: Recording, progress: Callable[[float], None] | None = None
) -> SessionRead:
    """Run a recording through a session as fast as it goes; `progress` hears which part is done."""
    session, emitted = Session(live=False, keep_samples=True), list[Emitted]()
    session.mend_utc(recording.utc_shift_us)
    for batch in recording.batches():
        emitted += session.receive_batch(batch)
        if progress is not None:
            progress(batch.last_row / recording.last_row)
    emitted += session.finish()
    ended = next(each.event for each in emitted if isinstance(each.event, SessionEnded))
    return SessionRead(
        session.blocks,
        Analysis(
            rate_hz=_rate_hz(_time_s(session.blocks)),
            reps=[rep for closed in session.sets for rep in closed.reps],
            partials=[partial for closed in session.sets for partial in closed.partials],
            sets=[closed.summary for closed in session.sets if closed.reps],
            gaps=session.gaps,
            remarks=session.remarks,
        ),
        session.started_utc_us,
        ended.missing,
        ended.bad_frames,
    )


def _time_s(blocks: list[ForceBlock]) -> Floats:
    return np.concatenate([np.empty(0), *(block.time_s for block in blocks)])


def _rate_hz(time_s: Floats) -> float:
    """Samples in a second as they usually come; 0 for fewer than two samples."""
    if time_s.size < 2:
        return 0.0
    every = -(-time_s.size // STEPS_ASKED)
    step = float(np.median(time_s[1::every] - time_s[:-1:every]))
    return 1 / step if step > 0 else 0.0
