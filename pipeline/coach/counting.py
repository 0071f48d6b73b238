"""Reps: each is credited, counted aloud, corrected; or taken back, without unsaying anything."""

from __future__ import annotations

from statistics import median

from pipeline.analysis.types import Phase, Rep
from pipeline.coach.course import Course
from pipeline.coach.doing import Doing
from pipeline.coach.ledger import Place
from pipeline.coach.screens import Screens
from pipeline.coach.tempo import Phases, correction
from pipeline.coach.view import Screen

JUDGED_S = 0.45
"""After a rep is announced its end is known for good; and its number has been said."""
OTHER_BAND = (0.82, 1.2)
"""Of the usual rise: outside, after three reps, it may be another band."""


class Counting:
    """Follows the reps that the band, the time or a touch counts."""

    def __init__(self, course: Course, screens: Screens) -> None:
        self._course, self._screens = course, screens
        self._voice, self._ledger = course.voice, course.ledger
        self._told_band = False

    def credit(self, rep: Rep) -> None:
        """A rep was announced: whose it is decides what follows."""
        course, now_s = self._course, self._course.clock.now_s
        place, doing = self._ledger.place(rep)
        if course.screen is Screen.READY:
            if self._ledger.stands(rep, course.block) and place is not Place.FETCHED:
                self._screens.open(rep.start_s)
                self._count(self._ledger.all[-1], rep)
            return
        if doing is None or course.screen in (Screen.SETUP, Screen.DONE):
            return
        if course.screen is Screen.HURT:
            if place is Place.NOW and rep.end_s <= course.stopped_s:
                doing.reps[rep.id] = rep  # it was over when the person stopped
            return
        match place:
            case Place.FETCHED:  # the number changes, and nothing is said
                doing.reps[rep.id] = rep
                course.report(doing)
            case Place.NOW | Place.SWAPPED if course.screen is Screen.PAUSED:
                if self._ledger.stands(rep, course.block):
                    self._screens.go_on(now_s)
                    self._count(doing, rep)
            case Place.NOW if course.needs_band:
                self._count(doing, rep)
            case Place.SWAPPED:
                self._screens.close("done" if doing.in_range else "broken off", doing.last_end_s)
                self._begin_early([rep])
                self._voice.give("side", now_s, side=course.block.side)
            case Place.PAST:
                self._count_past(doing, rep)
            case Place.EARLY if course.screen is Screen.REST:
                if reps := self._ledger.wait(rep, course.then):
                    self._begin_early(reps)
            case _:
                pass

    def correct(self, rep: Rep) -> None:
        """A rep is known better."""
        self._course.report(self._ledger.corrected(rep))

    def withdraw(self, id_: int) -> None:
        """What was said stays said; where "enough" was wrong, one more is asked for, once."""
        doing = self._ledger.withdrawn(id_)
        self._course.report(doing)
        if (
            doing is not None
            and doing is self._ledger.last
            and self._course.screen is Screen.REST
            and doing.count == doing.block.most - 1
            and not doing.told_one_more
        ):
            doing.told_one_more = True
            self._voice.give("one-more", self._course.clock.now_s)

    def count_led(self, at_s: float) -> None:
        """A rep was led by time, or tapped."""
        doing, tempo = self._ledger.all[-1], self._course.block.tempo
        doing.led += 1
        doing.led_tut_s += tempo.rep_s - tempo.bottom_s
        if doing.count >= doing.block.most:
            self._screens.enough(at_s)
            return
        self._say(doing, at_s)
        if self._course.by_touch:
            self._screens.wait_for_pull(at_s)

    def judge(self, at_s: float) -> None:
        """Correct the last rep, now that its end is known."""
        doing = self._ledger.open
        phases = Phases.of(doing.ordered[-1]) if doing is not None and doing.reps else None
        if doing is None or phases is None or not self._course.judged:
            return
        wrong = correction(phases, doing.block.tempo)
        if wrong is not None:
            self._voice.give(wrong, at_s, rep=doing.count)

    def breathe(self, at_s: float) -> None:
        """In the first two pulls of an exercise the person is told to breathe out."""
        name = self._course.block.exercise.name
        before = any(doing.block.exercise.name == name for doing in self._ledger.all[:-1])
        if not before and self._course.count < 2:
            self._voice.give("breathe", at_s)

    def _count(self, doing: Doing, rep: Rep) -> None:
        doing.reps[rep.id] = rep
        if self._course.phase is not Phase.CONCENTRIC:
            self._screens.wait_for_pull(rep.end_s)
        self._check_band(doing)
        stands = doing.stands(rep, self._ledger.usual_n(doing.block))
        if doing.count > doing.block.most or (doing.count == doing.block.most and stands):
            self._screens.enough(rep.end_s)
            return
        if stands:
            self._say(doing, rep.end_s)
            self._course.timers.set("judge", self._course.clock.now_s + JUDGED_S)

    def _say(self, doing: Doing, at_s: float) -> None:
        """One cue for what is known of the rep: the most important; the screen has the number."""
        n, block = doing.count, doing.block
        if n <= doing.spoken:
            return
        doing.spoken = n
        left = block.most - n
        name = "count"
        if left == 1:
            name = "last"
        elif n == block.least:
            name = "in-range"
        elif left <= 3:
            name = "more"
        self._voice.give(name, at_s, n=n, left=left)

    def _count_past(self, doing: Doing, rep: Rep) -> None:
        """The person goes on past the range: counted, said once, and the rest begins again."""
        doing.reps[rep.id] = rep
        doing.end_s = rep.end_s
        self._course.report(doing)
        if self._course.screen is Screen.REST:
            self._screens.rest_until(rep.end_s + doing.block.rest_s)
        self._voice.give("past", self._course.clock.now_s)

    def _begin_early(self, reps: list[Rep]) -> None:
        """The next block began before its time: these reps are its first."""
        first_s = reps[0].start_s
        self._screens.next(first_s)
        if self._course.screen is Screen.READY:
            self._screens.open(first_s)
            for rep in reps:
                self._count(self._ledger.all[-1], rep)

    def _check_band(self, doing: Doing) -> None:
        """Ask once whether it is the usual band, where the force says that it is another."""
        usual_n = self._course.plan.usual_n.get(doing.block.exercise.name)
        if doing.block.exercise.test or usual_n is None or self._told_band or len(doing.reps) != 3:
            return
        ratio = median(doing.rises_n) / usual_n
        if not OTHER_BAND[0] <= ratio <= OTHER_BAND[1]:
            self._told_band = True
            how = "Lighter" if ratio < 1 else "Heavier"
            self._voice.give("check-band", self._course.clock.now_s, how=how)
