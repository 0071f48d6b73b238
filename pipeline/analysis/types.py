"""What the analysis takes and gives: settings, reps, sets, and the events of a live session.

Times are seconds on the time axis of the samples given. Definitions stand in docs/analysis.md.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, NamedTuple

from sensor.samples import Gap


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person may set, in SI units; the defaults suit bands and grips."""

    floor_n: float = 3.0
    """Pulls smaller than this are nothing: neither reps nor partials."""
    noise_factor: float = 6.0
    """Nor are pulls smaller than this many standard deviations of the filtered noise."""
    rep_share: float = 0.5
    """Part of the usual amplitude around it from which a pull is a rep."""
    set_pause_s: float = 8.0
    set_pause_periods: float = 3.0
    """A set ends at a pause longer than both: seconds, and its median periods."""
    longest_rep_s: float = 120.0
    """Force that stays up for longer is a load at rest, such as a weight or a tare error."""

    def __post_init__(self) -> None:
        for setting in fields(self):
            value = getattr(self, setting.name)
            if not 0 < value < 1e6:
                raise ValueError(f"{setting.name} is not a positive number: {value}")
        if self.rep_share >= 1:
            raise ValueError(f"rep_share is a part of the whole, below 1: {self.rep_share}")


@dataclass(frozen=True, slots=True)
class Expect:
    """What the exercise leads one to expect: it tips what the force leaves open, no more."""

    hold: bool | None = None
    """Whether each rep is a hold, or one of a row of pulls; None where nothing is known."""

    @classmethod
    def of(cls, word: str) -> Expect:
        """Of its word; nothing is known of others."""
        return cls(next((hold for hold, each in EXPECT_WORDS.items() if each == word), None))

    @property
    def word(self) -> str:
        """It in a mark of a recording."""
        return EXPECT_WORDS[self.hold]


EXPECT_WORDS = {None: "anything", True: "hold", False: "pulls"}


@dataclass(frozen=True, slots=True)
class Expectations:
    """What is expected from which time on, in the order of time; before that, nothing."""

    changes: tuple[tuple[float, Expect], ...] = ()

    def then(self, from_s: float, expect: Expect) -> Expectations:
        """These, and from that time on another."""
        before = (each for each in self.changes if each[0] < from_s)
        return Expectations((*before, (from_s, expect)))


class Rep(NamedTuple):
    """One repetition: a rise of the force, perhaps a hold, and a fall.

    A metric that the rate or a gap does not allow is None, and `absent` names it with the reason. A
    tuple, because there are thousands.
    """

    id: int
    """Place of the peak on the grid: the same each time that the samples are analysed."""
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
    """Time under tension: end minus start, without what gaps hide."""
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
    """A pull above the floor but below half of what is usual around it: reported, not counted."""

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
    remarks: list[str] = field(default_factory=list)
    """Sentences about the samples as a whole, such as a sensor wired the wrong way round."""


class Phase(StrEnum):
    """What the person does now."""

    REST = "rest"
    CONCENTRIC = "concentric"
    HOLD = "hold"
    ECCENTRIC = "eccentric"
    UNKNOWN = "unknown"
    """A gap is being filled, or the link is down."""


@dataclass(frozen=True, slots=True)
class LiveState:
    """A summary for displays: four times a second, and where the phase changes."""

    time_s: float
    force_n: float
    phase: Phase
    set: int
    """Number of the open set, or of the last one."""
    reps: int
    """Reps in that set as known now."""
    tempo: str | None
    """Of the last rep."""


@dataclass(frozen=True, slots=True)
class RepAnnounced:
    """A rep ended, at most 300 ms ago; it may be corrected or withdrawn until its set closes."""

    rep: Rep


@dataclass(frozen=True, slots=True)
class RepCorrected:
    """The rep with the same id is now known better."""

    rep: Rep


@dataclass(frozen=True, slots=True)
class RepWithdrawn:
    """The announced rep with this id turned out to be none."""

    id: int
    time_s: float
    reason: str


@dataclass(frozen=True, slots=True)
class SetClosed:
    """The final answer about a set: what it says replaces what was announced."""

    summary: SetSummary
    reps: tuple[Rep, ...]
    partials: tuple[Partial, ...]


@dataclass(frozen=True, slots=True)
class Remarked:
    """Something about the sensor or the samples that the person should know."""

    time_s: float
    text: str


AnalysisEvent = LiveState | RepAnnounced | RepCorrected | RepWithdrawn | SetClosed | Remarked
