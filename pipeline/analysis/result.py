"""What the analysis finds: reps, partials, sets and the gaps between samples.

Times are seconds on the time axis of the samples given. Definitions stand in docs/analysis.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sensor.samples import Gap


class Rep(NamedTuple):
    """One repetition: a rise of the force, perhaps a hold, and a fall.

    A metric that the rate or a gap does not allow is None, and `absent` names it with the reason. A
    tuple, because there are thousands.
    """

    id: int
    """Stable while the rep is announced, corrected and made final; unique within a session."""
    set: int
    """Number of its set, from 1; 0 until that is known."""
    rep: int
    """Number within its set, from 1; 0 until that is known."""
    start_s: float
    top_start_s: float
    top_end_s: float
    end_s: float
    peak_s: float
    peak_n: float
    valley_before_n: float
    valley_after_n: float
    concentric_s: float | None
    hold_s: float | None
    eccentric_s: float | None
    bottom_s: float | None
    """Until the next rep of the set starts; None for the last one."""
    tut_s: float
    mean_n: float
    impulse_n_s: float | None
    rfd_n_per_s: dict[str, float]
    """By window: 0-50 ms, 0-100 ms, 0-200 ms, 20-80 %."""
    metrics: dict[str, float]
    """The further metrics of docs/analysis.md by name with unit, such as `work_j`."""
    absent: dict[str, str]
    confidence: float = 1.0
    """Probability that this is a rep that the person would count."""

    @property
    def tempo(self) -> str | None:
        """Eccentric-bottom-concentric-hold in s: 1.6-0.5-1.0-0.4, of the last rep 1.6-?-1.0-0.4."""
        times_s = self.eccentric_s, self.bottom_s, self.concentric_s, self.hold_s
        if times_s[0] is None or times_s[2] is None or times_s[3] is None:
            return None
        return "-".join("?" if time_s is None else f"{time_s:.1f}" for time_s in times_s)

    def as_dict(self) -> dict[str, Any]:
        """The fields by name, and the tempo."""
        return {**self._asdict(), "tempo": self.tempo}


@dataclass(frozen=True, slots=True)
class Partial:
    """A pull above the floor but below half of what is typical around it: told, not counted."""

    start_s: float
    end_s: float
    peak_s: float
    peak_n: float
    amplitude_n: float


@dataclass(frozen=True, slots=True)
class SetSummary:
    """Reps without a long pause between them."""

    set: int
    start_s: float
    end_s: float
    reps: int
    tut_s: float
    rest_s: float | None
    """From the end of the set before; None for the first."""
    peak_n: float
    metrics: dict[str, float] = field(default_factory=dict)
    absent: dict[str, str] = field(default_factory=dict)
    confidence: float = 1.0


@dataclass(frozen=True, slots=True)
class Analysis:
    """Everything found in a stretch of force."""

    rate_hz: float
    reps: list[Rep]
    partials: list[Partial]
    sets: list[SetSummary]
    gaps: list[Gap]
