"""Looks at the open stretch as if the samples ended now: reps are told soon after they end."""

from __future__ import annotations

import numpy as np

from pipeline.analysis.anew import meant_anew
from pipeline.analysis.answer import Answer
from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.provisional import ENDED_SHARE, Announcer, RepEvent, has_ended, why_not
from pipeline.analysis.pulls import Pull
from pipeline.analysis.settings import Settings
from pipeline.analysis.verdict import Found, Judged, Verdict
from pipeline.session.events import Phase, RepAnnounced

LOOKS = (0, 1, 2, 4, 10)
"""So many ticks after a pull ended it is looked at, until it is told; then once more at rest, and
again after as long while the force still falls."""
FALLS_S, FALLS_SHARE = 0.24, 0.01
"""It does if it has fallen so lately by more than this part of the pull."""
GONE_SHARE = 0.9
"""A pull that has fallen by this part of its rise and is no rep now will be none in a moment."""


class Looks:
    """When to look at the open stretch, and what that tells."""

    def __init__(self, answer: Answer, announcer: Announcer, settings: Settings) -> None:
        self._answer = answer
        self._announcer = announcer
        self._settings = settings
        self._due: list[int] = []
        self._falls = False
        """Whether the force still fell at the last look."""

    def plan(self, tick: int, *, small: bool) -> None:
        """A pull has ended, or nearly; where it is too small for a rep the last look will do.

        If that has not come before the next small one ends, as where there is no rest between them,
        it comes then.
        """
        if small:
            waits = [tick, *self._due[:-1]] if self._due else []
            self._due = [*waits, tick + LOOKS[-1]]
        else:
            self._due = [tick + later for later in LOOKS]

    def due(self, tick: int, phase: Phase) -> bool:
        """Whether to look now; each look that was planned is asked for once."""
        if not self._due or self._due[0] > tick:
            return False
        if len(self._due) == 1 and phase is not Phase.REST:
            # The next pull has begun: its own end is soon enough for corrections.
            return False
        del self._due[0]
        return True

    def take(self, tick: int, now_s: float, phase: Phase) -> list[RepEvent]:
        """What the look tells; if it was not too soon, only the one at rest is left."""
        self._falls = False
        events, settled = self._look(now_s, phase)
        if settled:
            self._due = self._due[-1:]
        if self._falls and not self._due:
            self._due = [tick + LOOKS[-1]]
        return events

    def _look(self, now_s: float, phase: Phase) -> tuple[list[RepEvent], bool]:
        """What is to be told, and whether that is all there is to say of the newest pull now."""
        answer = self._answer
        if answer.run is None or answer.cutter is None:
            return [], False
        grid = answer.grid.copy()
        pieces = grid.push(np.empty(0), np.empty(0), last=True)
        tail = np.concatenate([piece.force_n for piece in pieces] or [np.empty(0)])
        since = max(answer.cutter.first, answer.run.measure.start)
        run, turns = answer.run.ahead(tail, since)
        stretch = answer.cutter.ahead(run, turns)
        if stretch is None:
            return [], False
        if phase is Phase.REST:
            # A band that rests, be it pulled, is no pull that the samples end in.
            stretch = stretch._replace(run_ends=False)
        found = answer.judged(run, stretch, stretch.pulls(self._settings.dip_share))

        def alone(pulls: list[Pull]) -> list[Judged]:
            return answer.judged(run, stretch, pulls, alone=True).judged

        told = meant_anew(found.judged, answer.usual_s, answer.context.slack_n, alone)
        if told:
            late_n = run.measure.view(run.measure.end - int(FALLS_S * GRID_HZ), run.measure.end)
            self._falls = bool(late_n[0] - late_n[-1] > FALLS_SHARE * told[-1].pull.amplitude_n)
        resting = phase in (Phase.REST, Phase.CONCENTRIC)
        share = self._settings.dip_share if resting else ENDED_SHARE
        judged = [j for j in told if j.verdict is Verdict.REP]
        if judged and judged[-1] is told[-1] and not has_ended(judged[-1].pull, share):
            judged.pop()
        fresh = [j for j in judged if self._announcer.known(j) is None]
        part = Found(fresh, found.first, found.stop, found.noise_n)
        [(reps, _)] = answer.measured(run, [part])
        for j, rep in zip(fresh, reps, strict=True):
            self._announcer.remember(j, rep)
        known = [self._announcer.known(j) for j in judged]
        events = self._announcer.tell(
            [*answer.open, *(rep for rep in known if rep is not None)],
            answer.sets,
            self._settings,
            now_s,
            why_not(told),
        )
        if any(isinstance(event, RepAnnounced) for event in events):
            return events, True
        none = bool(told) and told[-1].verdict is not Verdict.REP
        return events, none and has_ended(told[-1].pull, GONE_SHARE)
