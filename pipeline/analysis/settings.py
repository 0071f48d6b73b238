"""What a person may set about the analysis; the defaults suit bands and grips."""

from __future__ import annotations

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Settings:
    """Rules of the analysis in SI units. Each is explained in docs/analysis.md."""

    floor_n: float = 3.0
    """Pulls smaller than this are nothing: neither reps nor partials."""
    noise_factor: float = 6.0
    """Nor are pulls smaller than this many standard deviations of the filtered noise."""
    rep_share: float = 0.5
    """Part of the typical amplitude around it from which a pull is a rep."""
    dip_share: float = 0.5
    """Part of the rise that the force must fall before the next rise is another pull."""
    knock_s: float = 0.2
    """A pull narrower than this at half its amplitude is a knock."""
    set_pause_s: float = 8.0
    set_pause_periods: float = 3.0
    """A set ends at a pause longer than both: seconds, and its median periods."""
    longest_rep_s: float = 120.0
    """Force that stays up for longer is a load at rest, such as a weight or a tare error."""

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if not 0 < value < 1e6:
                raise ValueError(f"{field.name} is not a positive number: {value}")
        for name in ("rep_share", "dip_share"):
            if getattr(self, name) >= 1:
                raise ValueError(f"{name} is a part of the whole, below 1: {getattr(self, name)}")
