"""What a session is to be: sets, manners of the person and faults of the gauge, as plain data."""

from __future__ import annotations

from dataclasses import dataclass, field

Range = tuple[float, float]


@dataclass(slots=True)
class SetPlan:
    """Reps of one exercise. For each rep a value of each range is drawn."""

    peak_n: float
    scales: list[float]
    """Peak of each rep as a share of `peak_n`; one item per rep."""
    rise_s: Range = (0.5, 1.2)
    hold_s: Range = (0.0, 0.8)
    fall_s: Range = (0.6, 1.6)
    bottom_s: Range = (0.3, 1.2)
    base: float = 0.0
    """Force between the reps as a share of `peak_n`."""
    families: tuple[str, ...] = ()
    """Shapes of rise and fall; empty for all (`shapes.FAMILIES`)."""
    dip: Range | None = None
    """Depth of a dip in mid-hold as a share of the amplitude."""
    humps: bool = False
    hold_wander: float = 0.02
    """How far the force may sag during a hold, as a share of the amplitude."""
    uneven: float = 0.0
    """How far the valleys between reps rise above `base`, as a share of the smaller neighbour."""
    fidgets: float = 0.0
    """Share of the pauses in which the hands do something small."""
    partials: int = 0
    """Incomplete pulls strewn between the reps, at most 40 % of the smallest neighbour."""
    practice_pulls: int = 0
    """practice pulls before the set."""
    shrugs: int = 0
    """Shrugs and half pulls after the set."""
    knocks: int = 0
    """Short knocks after the set, while the band is put down."""
    rebound: float = 0.0
    """Height of the elastic rebound after a release, as a share of the amplitude."""


@dataclass(slots=True)
class GaugePlan:
    """How the gauge and its link distort the curve."""

    rate_hz: float
    irregular: bool = False
    noise_n: float = 0.1
    tare_n: float = 0.0
    drift_n: float = 0.0
    """Change of the zero over the session."""
    hum_n: float = 0.0
    hum_hz: float = 50.0
    spikes_per_s: float = 0.0
    gap_s: Range | None = None
    """Length of stretches without samples."""
    gaps: int = 0
    jitter: float = 0.0
    """Standard deviation of the time stamps, in sample periods."""
    duplicates: float = 0.0
    """Share of the samples that come twice."""
    stuck: float = 0.0
    """Share of the samples at which the time stamp stops for some samples."""
    late: float = 0.0
    """Share of the samples that come again, after newer ones."""
    step_n: float = 0.01
    inverted: bool = False
    """Whether a pull makes the counts smaller."""


@dataclass(slots=True)
class Plan:
    """One session."""

    sets: list[SetPlan]
    gauge: GaugePlan
    rest_s: Range = (14.0, 25.0)
    lead_s: Range = (1.0, 5.0)
    tremor: float = 0.004
    """Standard deviation of the tremor of 8 to 12 Hz as a share of the force."""
    breathing: float = 0.004
    texture: float = 0.005
    """Unevenness of the pull below 3 Hz, as a share of the force."""
    wander: float = 0.01
    """Of the force between reps where the band is not slack, as a share of the peak."""
    cut_start: bool = False
    cut_end: bool = False
    static_load_n: float = 0.0
    """A load that lies on the gauge for minutes."""
    static_load_s: Range = (150.0, 240.0)
    tags: list[str] = field(default_factory=list)
