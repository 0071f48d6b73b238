"""The tempo: a guide that begins each pull, and goes on from what the person does."""

from __future__ import annotations

from dataclasses import replace

from pipeline.analysis.types import Phase
from pipeline.coach.exercises import Tempo
from pipeline.coach.view import Guide
from pipeline.coach.voice import Voice

TOP_KNOWN_LATE_S = 0.09
"""The median time after which the analysis knows that the top is reached."""
HOLD_CUE_S = 0.5
"""Shorter holds have no tone."""
WAITS_S = 0.15
"""The guide stays so long at the bottom, besides what the tempo asks for."""


class Leader:
    """Where the guide is in the rep, and the tones that say so."""

    def __init__(self, voice: Voice) -> None:
        self.guide: Guide | None = None
        self.next_pull_s: float | None = None
        """When the next pull is to be led; None while there is nothing to lead."""
        self._voice = voice
        self._topped = self._called = False
        self._top_s = 0.0

    def stop(self, at_s: float) -> None:
        """Lead no more: nothing that is to come is given."""
        self.guide = self.next_pull_s = None
        self._voice.withdraw_all(at_s)

    def follow(self, phase: Phase, at_s: float, tempo: Tempo) -> None:
        """The person has begun a phase: each later boundary is set again from there."""
        match phase:
            case Phase.CONCENTRIC:
                self._voice.withdraw("up", at_s)
                self.next_pull_s = None
                self._topped = self._called = False
                self.guide = _from_pull(at_s, tempo)
            case Phase.HOLD if self.guide is not None and not self._topped:
                self._topped, self._top_s = True, at_s - TOP_KNOWN_LATE_S
                if tempo.hold_s >= HOLD_CUE_S:
                    self._voice.give("hold", at_s)
                self._hold(self.guide, at_s, tempo)
            case Phase.HOLD if self.guide is not None and not self._voice.comes("down"):
                if at_s < self._top_s + tempo.hold_s:
                    self._hold(self.guide, at_s, tempo)  # the hold has only wavered
            case Phase.ECCENTRIC if self.guide is not None:
                self._voice.withdraw("down", at_s)
                top_s = min(self.guide.top_s, at_s)
                self.guide = replace(
                    _from_top(at_s - tempo.hold_s, tempo), pull_s=self.guide.pull_s, top_s=top_s
                )
            case _:
                self._voice.withdraw("down", at_s)

    def _hold(self, guide: Guide, at_s: float, tempo: Tempo) -> None:
        self.guide = replace(_from_top(self._top_s, tempo), pull_s=guide.pull_s)
        self._voice.withdraw("down", at_s)
        self._voice.plan("release", max(at_s, self._top_s + tempo.hold_s))

    def down(self, at_s: float, tempo: Tempo) -> None:
        """The band is back at the bottom: the guide too, and it waits there for the next pull."""
        next_s = at_s + tempo.bottom_s + WAITS_S
        self.next_pull_s = None if self._called else next_s
        if self.guide is not None:
            self.guide = replace(
                self.guide,
                top_s=min(self.guide.top_s, at_s),
                release_s=min(self.guide.release_s, at_s),
                end_s=at_s,
                next_s=next_s,
            )

    def call(self, at_s: float) -> None:
        """Ask for the next pull."""
        self.next_pull_s, self._called = None, True
        self._voice.plan("pull", at_s)

    def beat(self, at_s: float, tempo: Tempo) -> float:
        """Lead one rep by time alone; when it is over."""
        self.guide = _from_pull(at_s, tempo)
        self.call(at_s)
        if tempo.hold_s >= HOLD_CUE_S:
            self._voice.plan("hold", self.guide.top_s)
        self._voice.plan("release", self.guide.release_s)
        return self.guide.end_s


def _from_pull(pull_s: float, tempo: Tempo) -> Guide:
    return _from_top(pull_s + tempo.concentric_s, tempo)


def _from_top(top_s: float, tempo: Tempo) -> Guide:
    end_s = top_s + tempo.hold_s + tempo.eccentric_s
    return Guide(
        pull_s=top_s - tempo.concentric_s,
        top_s=top_s,
        release_s=top_s + tempo.hold_s,
        end_s=end_s,
        next_s=end_s + tempo.bottom_s + WAITS_S,
    )
