"""What the band says besides reps: it is there or away, and the person pulls, rests, or tugs."""

from __future__ import annotations

from pipeline.analysis.types import LiveState, Phase
from pipeline.coach.asking import Asking
from pipeline.coach.counting import Counting
from pipeline.coach.course import Course
from pipeline.coach.doing import STANDS_SHARE
from pipeline.coach.screens import Screens
from pipeline.coach.tugs import Tugs
from pipeline.coach.view import Screen
from pipeline.session.events import ForceSamples

LOST_S = 2.0
"""Without samples for so long the band is away."""
HALF_KNOWN_S = 0.45
"""A pull that is over for so long, and was not announced, was no rep."""
HALF_SHARE = 0.15
"""Pulls of less than this part of the usual are none."""


class Feeling:
    """Leads on from what the band feels."""

    def __init__(
        self, course: Course, screens: Screens, counting: Counting, asking: Asking
    ) -> None:
        self._course, self._screens = course, screens
        self._counting, self._asking = counting, asking
        self._timers, self._leader = course.timers, course.leader
        self._tugs = Tugs()
        self._pull_s = self._low_n = self._top_n = 0.0
        """When the last pull began, from which force, and how high it went."""
        self._half = (0.0, 0.0, 0.0)
        """Start, end and rise of the pull that is over."""

    def feel(self, samples: ForceSamples) -> None:
        """Samples: the band is there, and may be tugged."""
        course, now_s = self._course, self._course.clock.now_s
        if course.lost:
            course.lost, course.stale = False, True
            if course.needs_band:
                course.voice.give("back", now_s)
            if course.screen is Screen.WORK and course.needs_band:
                self._screens.wait_for_pull(now_s)
        self._timers.set("lost", now_s + LOST_S)
        self._top_n = max(self._top_n, float(samples.force_n.max()))
        time_s, force_n = samples.time_s.tolist(), samples.force_n.tolist()
        if self._tugs.push(time_s, force_n, course.usual_n) and (
            course.screen in (Screen.REST, Screen.PAUSED)
            or (course.screen is Screen.READY and course.led)
        ):
            course.stale = True
            self._asking.start(now_s)

    def lose(self, at_s: float) -> None:
        """The band is away."""
        course = self._course
        course.lost, course.phase = True, Phase.UNKNOWN
        if course.needs_band and course.screen in (Screen.READY, Screen.WORK, Screen.PAUSED):
            self._timers.drop("idle", "half", "judge", "pull", "unfelt")
            self._leader.stop(at_s)
            course.voice.give("lost", at_s)

    def follow(self, state: LiveState) -> None:
        """The person does something else now: lead on from there."""
        course = self._course
        before, course.phase = course.phase, state.phase
        course.stale = True
        if not course.needs_band:
            return
        if before is Phase.HOLD and state.phase is Phase.CONCENTRIC:
            return  # a hold that grows
        at_s = course.clock.own_s(state.time_s)
        if course.screen is Screen.READY and state.phase is Phase.CONCENTRIC:
            self._screens.open(at_s)
        if course.screen is not Screen.WORK or course.lost:
            return
        if state.phase is Phase.REST or before is Phase.ECCENTRIC:
            self._half = (self._pull_s, at_s, self._top_n - self._low_n)
            self._timers.set("half", at_s + HALF_KNOWN_S)
        if state.phase is Phase.CONCENTRIC:
            self._pull_s = at_s
            self._low_n = self._top_n = state.force_n
            self._timers.drop("idle", "pull", "unfelt")
            self._counting.breathe(at_s)
        self._leader.follow(state.phase, at_s, course.block.tempo)
        if state.phase is Phase.REST:
            self._screens.wait_for_pull(at_s)

    def judge_half(self, at_s: float) -> None:
        """A pull that was not announced, and is no mere movement: half a rep."""
        pull_s, end_s, rise_n = self._half
        course = self._course
        usual_n, doing = course.usual_n, course.ledger.open
        if usual_n is None or doing is None or not course.judged:
            return
        counted = any(pull_s < rep.peak_s < end_s for rep in doing.reps.values())
        if not counted and HALF_SHARE < rise_n / usual_n < STANDS_SHARE:
            doing.half_s = end_s
            course.voice.give("all-the-way", at_s, rep=doing.count + 1)
