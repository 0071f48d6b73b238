"""What is known of a session besides its events."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SessionFacts:
    """What a message or a point needs to know besides the event.

    `session`, `device` and `side` are identifiers of `[a-z0-9-]`; `exercise` and `athlete` a line
    in any language.
    """

    session: str
    device: str
    side: str = "both"
    exercise: str = "unknown"
    athlete: str = "me"
    replay_speed: float | None = None
    """Of a replay, times real time (inf: as fast as it goes); None for a live band."""
