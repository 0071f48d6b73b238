"""What was told of a session's end before the band brought more of it."""

from __future__ import annotations

from pipeline.analysis.types import SetClosed, SetSummary
from pipeline.session.events import Event, GapFound
from sensor.samples import Gap


def voided(event: Event) -> list[Event]:
    """The same event without content, to be told in its place; none for what may stand."""
    match event:
        case GapFound(gap):
            return [GapFound(Gap(gap.start_s, gap.start_s, 0))]
        case SetClosed(was):
            nothing = SetSummary(
                was.set,
                was.start_s,
                was.end_s,
                reps=0,
                tut_s=0.0,
                rest_s=None if was.rest_s is None else 0.0,
                peak_n=0.0,
                metrics=dict.fromkeys(was.metrics, 0.0),
            )
            return [SetClosed(nothing, (), ())]
        case _:
            return []
