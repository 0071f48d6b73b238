"""From screen to screen: ready, work, pause and rest, block after block, until all is done."""

from __future__ import annotations

from pipeline.coach.course import Course
from pipeline.coach.doing import Doing
from pipeline.coach.plan import Change
from pipeline.coach.view import Screen

IDLE_S, IDLE_REPS = 8.0, 3.0
"""Seconds, and reps of the tempo, without a pull after which a set is paused;"""
IN_RANGE_IDLE_S, IN_RANGE_IDLE_REPS = 5.0, 2.0
"""or is over, where enough is done."""
CLOSES_S = 300.0
"""A pause of this length ends the set."""
UNFELT_S = 20.0
COUNT_IN_S = 3.0
ANNOUNCED_S = 10.0
"""So long before the end of a rest what comes is said."""
BEFORE_S = 0.5
"""A block takes in a pull that began so long before it."""


class Screens:
    """Changes the screen, and what is to happen next, of a course."""

    def __init__(self, course: Course) -> None:
        self._course = course
        self._voice, self._leader = course.voice, course.leader
        self._ledger, self._timers = course.ledger, course.timers

    def ready(self, now_s: float) -> None:
        """Wait for the first pull of the block."""
        course = self._course
        self.quiet(now_s)
        course.screen, course.until_s = Screen.READY, None
        course.by_touch = course.block.exercise.counted == "tap"
        self._ledger.wait_no_more()
        self._voice.new_set()
        if course.needs_band:
            self._voice.give("go", now_s)
            self._timers.set("unfelt", now_s + UNFELT_S)

    def open(self, at_s: float) -> None:
        """The block is done from now on."""
        self._course.screen = Screen.WORK
        self._timers.drop("unfelt")
        number = len(self._ledger.all)
        self._ledger.all.append(Doing(number, self._course.block, at_s - BEFORE_S))

    def close(self, how: str, at_s: float) -> None:
        """The block is over."""
        doing = self._ledger.open
        if doing is not None:
            doing.how, doing.end_s = how, at_s
            self._course.report(doing)

    def enough(self, at_s: float) -> None:
        """All reps of the block are done."""
        self.close("done", at_s)
        self.rest(self._course.clock.now_s)

    def rest(self, now_s: float) -> None:
        """After a block: rest or change, then the next; or all is done."""
        doing, then = self._ledger.all[-1], self._course.then
        self.quiet(now_s)
        if then is None:
            self.end("")
            return
        self._course.screen = Screen.REST
        ended_s = self._course.clock.now_s if doing.end_s is None else doing.end_s
        self.rest_until(ended_s + doing.block.rest_s)
        match doing.block.change:
            case Change.SIDE:
                self._voice.give("side", now_s, side=then.side)
            case Change.GRIP:
                self._voice.give("grip", now_s, grip=then.grip.capitalize())
            case Change.NEXT if doing.block.rest_s <= ANNOUNCED_S:
                self._voice.give("next", now_s, what=then.named)
            case _ if doing.count >= doing.block.most:
                self._voice.give("enough", now_s)
            case _ if doing.in_range:
                self._voice.give("rest", now_s, n=doing.count)
            case _:
                self._voice.give("set-over", now_s, n=doing.count)

    def rest_until(self, until_s: float) -> None:
        """Rest so long."""
        now_s = self._course.clock.now_s
        self._course.until_s = until_s
        self._timers.set("rest 0", max(until_s, now_s))
        for left_s in (ANNOUNCED_S, 3, 2, 1):
            if until_s - left_s > now_s:
                self._timers.set(f"rest {left_s:g}", until_s - left_s)

    def next(self, at_s: float) -> None:
        """The next block, whether its time has come or not."""
        if self._course.then is None:
            self.end("")
            return
        self._course.place += 1
        self.ready(at_s)
        if self._course.led:
            self.lead(at_s)

    def pause(self, at_s: float) -> None:
        """The person does something else."""
        if self._ledger.open is None:
            self.open(at_s)
        self.quiet(at_s)
        self._course.screen, self._course.until_s = Screen.PAUSED, at_s
        self._timers.set("close", at_s + CLOSES_S)
        self._voice.give("paused", at_s)

    def go_on(self, now_s: float) -> None:
        """The person is back."""
        course = self._course
        self._timers.drop("close")
        course.screen, course.until_s = Screen.WORK, None
        self._voice.give("go-on", now_s)
        if course.led and not course.by_touch:
            self.lead(now_s + COUNT_IN_S)
        else:
            self.wait_for_pull(now_s)

    def idle(self, at_s: float) -> None:
        """No pull came for long."""
        doing = self._ledger.all[-1]
        if not doing.count:
            self._ledger.all.pop()
            self.ready(at_s)
        elif doing.in_range:
            self.close("done", doing.last_end_s if doing.reps else at_s)
            self.rest(at_s)
        else:
            self.pause(at_s)

    def end(self, stopped: str) -> None:
        """All is done, or no more is."""
        course, now_s = self._course, self._course.clock.now_s
        why = "pain" if course.pain.get("hurt") else stopped
        self.close(why or "done", now_s)
        self.quiet(now_s)
        course.stopped = why
        course.screen, course.until_s = Screen.DONE, None
        if not why:
            self._voice.give("done", now_s, n=sum(doing.count for doing in self._ledger.all))

    def lead(self, at_s: float) -> None:
        """Lead reps by time from `at_s` on: nothing is felt, the tempo counts."""
        if self._course.screen is Screen.READY:
            self.open(at_s)
        self._timers.set("beat", at_s)
        for left in (3, 2, 1):
            if at_s - left >= self._course.clock.now_s:
                self._timers.set(f"rest {left}", at_s - left)

    def wait_for_pull(self, at_s: float) -> None:
        """A pull is over: the guide waits at the bottom for the next one, and not for ever."""
        course = self._course
        rep_s = course.block.tempo.rep_s
        idle_s = max(IDLE_S, IDLE_REPS * rep_s)
        if course.in_range:
            idle_s = max(IN_RANGE_IDLE_S, IN_RANGE_IDLE_REPS * rep_s)
        self._timers.set("idle", at_s + idle_s)
        if course.needs_band and course.count:
            self._leader.down(at_s, course.block.tempo)
            if self._leader.next_pull_s is not None:
                self._timers.set("pull", self._leader.next_pull_s)

    def quiet(self, at_s: float) -> None:
        """Nothing that was to come comes; only the link is watched on."""
        self._timers.drop_all_but("lost")
        self._leader.stop(at_s)
