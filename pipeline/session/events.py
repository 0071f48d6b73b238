"""What a session emits: the events that sinks follow.

Events of one session come in an order that depends only on its notifications. Rep events of an open
set are provisional (announced, corrected, withdrawn); `SetClosed` is the answer.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipeline.analysis.types import (
    LiveState,
    RepAnnounced,
    RepCorrected,
    RepWithdrawn,
    SetClosed,
)
from sensor.samples import Floats, Gap, Ints


@dataclass(frozen=True, slots=True, eq=False)
class ForceSamples:
    """Samples as they arrived; resent ones come late, and go where their time says.

    `time_s`, `force_n`, `utc_us` are (n,). `utc_us` is deterministic and strictly increasing with
    the index, so that writing a sample twice writes the same point.
    """

    index: int
    time_s: Floats
    force_n: Floats
    utc_us: Ints
    flags: int
    late: bool


@dataclass(frozen=True, slots=True)
class GapFound:
    """Samples are lost for good; nobody can bring them back."""

    gap: Gap


@dataclass(frozen=True, slots=True)
class LinkChanged:
    """The radio link came up or went down."""

    up: bool
    reason: str


@dataclass(frozen=True, slots=True)
class BatteryChanged:
    """Charge of the band's battery."""

    percent: int


@dataclass(frozen=True, slots=True)
class Tared:
    """The band's zero was set again."""

    calibration_id: int
    zero_counts: int


@dataclass(frozen=True, slots=True)
class Marked:
    """Something that a person or the host noted; of kind `sensor`, what the analysis remarks."""

    kind: str
    text: str


@dataclass(frozen=True, slots=True)
class SessionEnded:
    """Nothing follows."""

    duration_s: float
    sets: int
    reps: int
    samples: int
    missing: int
    bad_frames: int
    skew_ppm: float | None = None
    """How much faster UTC runs than the band's clock says; None below 20 s of samples."""
    clock_residual_ms: float | None = None
    """Root mean square of the earliest arrivals about the fitted line."""


Event = (
    ForceSamples
    | LiveState
    | RepAnnounced
    | RepCorrected
    | RepWithdrawn
    | SetClosed
    | GapFound
    | LinkChanged
    | BatteryChanged
    | Tared
    | Marked
    | SessionEnded
)


@dataclass(frozen=True, slots=True)
class Emitted:
    """An event with what makes it unique and places it in time.

    `row` is the recording's row that caused it, `seq` numbers the events of the session from 0,
    `utc_us` is when it happened. The same recording gives the same values again.
    """

    row: int
    seq: int
    utc_us: int
    event: Event
