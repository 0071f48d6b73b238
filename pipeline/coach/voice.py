"""What the coach gives: cues now and cues to come, with those taken back that no longer fit."""

from __future__ import annotations

from dataclasses import replace

from pipeline.coach.clock import Clock
from pipeline.coach.cues import Arbiter, Cue, CueWithdrawn


class Voice:
    """Collects cues; their times leave on the session's axis."""

    def __init__(self, clock: Clock) -> None:
        self.given: list[Cue | CueWithdrawn] = []
        self._clock = clock
        self._arbiter = Arbiter()
        self._coming: dict[str, Cue] = {}

    def new_set(self) -> None:
        """Reps are counted from 1 again."""
        self._arbiter.new_set()

    def give(self, name: str, happened_s: float, *, rep: int = 0, **facts: object) -> bool:
        """Offer a cue that is due now, or was a moment ago; whether it is given."""
        due_s = max(self._clock.now_s, happened_s)
        return self._emit(self._arbiter.offer(name, happened_s, due_s, rep=rep, **facts))

    def plan(self, name: str, due_s: float) -> None:
        """A cue of the tempo, whose time is known before it comes."""
        cue = self._arbiter.offer(name, due_s, max(due_s, self._clock.now_s))
        if self._emit(cue) and cue is not None:
            self._coming[cue.sound] = cue

    def comes(self, sound: str) -> bool:
        """Whether such a cue was planned, and not taken back."""
        return sound in self._coming

    def withdraw(self, sound: str, at_s: float) -> None:
        """Take a planned cue back that is not due yet."""
        cue = self._coming.pop(sound, None)
        if cue is not None and cue.due_s > at_s:
            self.given.append(CueWithdrawn(cue.id, self._clock.session_s(at_s)))

    def withdraw_all(self, at_s: float) -> None:
        """Take everything back that is not due yet."""
        for sound in list(self._coming):
            self.withdraw(sound, at_s)

    def _emit(self, cue: Cue | None) -> bool:
        if cue is not None:
            self.given.append(replace(cue, due_s=self._clock.session_s(cue.due_s)))
        return cue is not None
