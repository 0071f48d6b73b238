"""The coach: events in, cues and screens out; no clock, no I/O, the same for the same recording.

What the person asks for comes as marks of the kind `coach` in the recording; what the band says
comes as the session's events. Reps are credited by when they were done, so that those fetched after
a lost link change a number and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pipeline.coach.clock import Clock
from pipeline.coach.plan import Plan
from pipeline.coach.workout import KIND, CoachEvent, Workout
from pipeline.session.events import Emitted, Marked

TICK = "tick"
"""A mark of the coach that only passes the time."""
BEGIN = "begin "


class Coach:
    """Leads a plan.

    Parameters
    ----------
    plan_of
        The plan that a name stands for; it raises ValueError where there is none.
    """

    def __init__(self, plan_of: Callable[[str], Plan]) -> None:
        self._plan_of = plan_of
        self._clock = Clock()
        self._workout: Workout | None = None

    @property
    def busy(self) -> bool:
        """Whether a plan is led: then the time has to pass, even where no samples come."""
        return self._workout is not None and not self._workout.over

    def receive(self, emitted: Iterable[Emitted]) -> list[CoachEvent]:
        """Take what a session emits; return what follows for the person."""
        out: list[CoachEvent] = []
        for each in emitted:
            now_s = self._clock.take(each)
            match each.event:
                case Marked(kind, text) if kind == KIND and text.startswith(BEGIN):
                    self._workout = Workout(self._plan_of(text.removeprefix(BEGIN)), self._clock)
                    out += self._workout.news()
                case event if self._workout is not None:
                    self._workout.advance(now_s)
                    self._workout.take(event)
                    out += self._workout.news()
        return out
