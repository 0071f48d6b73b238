"""What the person asks for, by touch, key, message or tug: start, skip, pause, stop, and pain."""

from __future__ import annotations

from pipeline.coach.counting import Counting
from pipeline.coach.course import Course
from pipeline.coach.plan import Change
from pipeline.coach.screens import COUNT_IN_S, Screens
from pipeline.coach.view import Screen

LONGER_S = 30.0
PAIN_STOPS = 4
"""From this level of pain on, out of 10, the coach does not begin."""


class Asking:
    """Does what is asked for, where it makes sense on the screen."""

    def __init__(self, course: Course, screens: Screens, counting: Counting) -> None:
        self._course, self._screens, self._counting = course, screens, counting

    def ask(self, word: str, rest: str) -> None:
        """Take a word and what it is about; what nobody understands changes nothing."""
        course, screens = self._course, self._screens
        now_s, screen = course.clock.now_s, course.screen
        match word:
            case "pain":
                self._note_pain(*rest.partition(" ")[::2])
            case _ if screen is Screen.DONE:
                pass
            case "stop" if screen is not Screen.HURT:
                screens.quiet(now_s)
                course.screen, course.until_s, course.stopped_s = Screen.HURT, None, now_s
                course.voice.give("stop", now_s)
            case "end":
                screens.end("stopped")
            case "start" | "go-on":
                self.start(now_s)
            case "no-pain" if screen is Screen.HURT:
                self._no_pain(now_s)
            case "pause" if screen in (Screen.WORK, Screen.READY):
                screens.pause(now_s)
            case "skip":
                self._skip(now_s)
            case "repeat":
                self._repeat(now_s)
            case "longer" if screen is Screen.REST and course.until_s is not None:
                screens.rest_until(course.until_s + LONGER_S)
            case "swap" if screen is Screen.WORK and course.block.change is Change.SIDE:
                screens.close("done" if course.in_range else "broken off", now_s)
                screens.next(now_s)
            case "tap" if screen in (Screen.READY, Screen.WORK):
                self._tap(now_s)
            case _:
                pass

    def start(self, now_s: float) -> None:
        """Go on, from wherever the person waits."""
        match self._course.screen:
            case Screen.SETUP:
                self._screens.ready(now_s)
            case Screen.READY if self._course.led and not self._course.by_touch:
                self._screens.lead(now_s + COUNT_IN_S)
            case Screen.REST:
                self._screens.next(now_s)
            case Screen.PAUSED:
                self._screens.go_on(now_s)
            case _:
                pass

    def _note_pain(self, level: str, where: str) -> None:
        if not level.isdigit() or int(level) > 10:
            return
        course, pain = self._course, int(level)
        course.pain_where = where[:40] or course.pain_where
        if course.screen is Screen.SETUP:
            course.pain["before"] = pain
            if pain >= PAIN_STOPS:
                course.pain["hurt"] = pain
                course.screen = Screen.HURT
            else:
                self._screens.ready(course.clock.now_s)
        elif course.screen is Screen.HURT:
            course.pain["hurt"] = pain
        elif course.screen is Screen.DONE:
            course.pain["after"] = pain

    def _no_pain(self, now_s: float) -> None:
        self._course.pain.pop("hurt", None)
        if self._course.ledger.open is None:
            self._screens.ready(now_s)
        else:
            self._screens.pause(now_s)

    def _skip(self, now_s: float) -> None:
        match self._course.screen:
            case Screen.WORK | Screen.PAUSED:
                self._screens.close("done" if self._course.in_range else "skipped", now_s)
                self._screens.rest(now_s)
            case Screen.REST:
                self._screens.next(now_s)
            case Screen.READY:
                self._screens.open(now_s)
                self._screens.close("skipped", now_s)
                self._screens.next(now_s)
            case _:
                pass

    def _repeat(self, now_s: float) -> None:
        if self._course.screen in (Screen.WORK, Screen.PAUSED):
            self._screens.close("broken off", now_s)
            self._screens.ready(now_s)
        elif self._course.screen is Screen.REST:
            self._screens.ready(now_s)

    def _tap(self, now_s: float) -> None:
        """A rep, counted by the person: so is this block from now on."""
        if not self._course.by_touch:
            self._course.by_touch = True
            self._screens.quiet(now_s)
        if self._course.screen is Screen.READY:
            self._screens.open(now_s)
        self._counting.count_led(now_s)
