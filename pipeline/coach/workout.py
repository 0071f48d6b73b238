"""One plan as it is done: takes each event to whom it concerns, rings timers, shows what came."""

from __future__ import annotations

from dataclasses import replace

from pipeline.analysis.types import Expect, LiveState, RepAnnounced, RepCorrected, RepWithdrawn
from pipeline.coach.asking import Asking
from pipeline.coach.clock import Clock
from pipeline.coach.counting import Counting
from pipeline.coach.course import Course
from pipeline.coach.cues import Cue, CueWithdrawn
from pipeline.coach.doing import SetDone
from pipeline.coach.feeling import LOST_S, Feeling
from pipeline.coach.plan import Plan
from pipeline.coach.screens import Screens
from pipeline.coach.view import Screen, View
from pipeline.session.events import ForceSamples, LinkChanged, Marked, SessionEnded

KIND = "coach"
"""Of the marks that hold what the person asks for."""

CoachEvent = View | Cue | CueWithdrawn | SetDone | Expect
"""`Expect`: what the person does from now on, for the analysis."""


class Workout:
    """Leads one plan."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._clock = clock
        self._course = Course(plan, clock)
        self._screens = Screens(self._course)
        self._counting = Counting(self._course, self._screens)
        self._asking = Asking(self._course, self._screens, self._counting)
        self._feeling = Feeling(self._course, self._screens, self._counting, self._asking)
        self._shown: View | None = None
        self._expected: Expect | None = None

    @property
    def over(self) -> bool:
        """Whether nothing more is led."""
        return self._course.screen is Screen.DONE

    def advance(self, now_s: float) -> None:
        """Let timers run out, in their order."""
        while due := self._course.timers.due(now_s):
            self._course.stale = True
            self._ring(*due)

    def take(self, event: object) -> None:
        """Follow one event."""
        match event:
            case ForceSamples() as samples:
                if not samples.late and not self.over:
                    self._feeling.feel(samples)
                return
            case LiveState() as state:
                if state.phase is not self._course.phase:
                    self._feeling.follow(state)
                return
            case Marked(kind, text) if kind == KIND:
                self._asking.ask(*text.partition(" ")[::2])
            case RepAnnounced(rep):
                self._counting.credit(self._clock.own(rep))
            case RepCorrected(rep):
                self._counting.correct(self._clock.own(rep))
            case RepWithdrawn(id_, _, _):
                self._counting.withdraw(id_)
            case LinkChanged(up=False) if self._clock.has_band:
                self._course.timers.set_once("lost", self._clock.now_s + LOST_S)
            case SessionEnded() if not self.over:
                self._screens.end("stopped")
            case _:
                pass
        self._course.stale = True

    def _ring(self, name: str, at_s: float) -> None:
        course, screens = self._course, self._screens
        match name:
            case "lost":
                self._feeling.lose(at_s)
            case "idle" if course.screen is Screen.WORK:
                screens.idle(at_s)
            case "pull":
                course.leader.call(at_s)
            case "half":
                self._feeling.judge_half(at_s)
            case "judge":
                self._counting.judge(at_s)
            case "unfelt" if course.screen is Screen.READY and not course.lost:
                course.voice.give("unfelt", at_s)
            case "rest 0":
                screens.next(at_s)
            case "rest 10":
                if course.then is not None:
                    course.voice.give("announce", at_s, what=course.then.named)
            case "rest 3" | "rest 2" | "rest 1":
                course.voice.give("tick", at_s, n=name[-1])
            case "close":
                screens.close("broken off", at_s)
                screens.next(at_s)
            case "beat":
                self._counting.breathe(at_s)
                course.timers.set("rep-over", course.leader.beat(at_s, course.block.tempo))
            case "rep-over":
                course.timers.set("beat", at_s + course.block.tempo.bottom_s)
                self._counting.count_led(at_s)
            case _:
                pass

    def news(self) -> list[CoachEvent]:
        """What has come of it since the last call."""
        course = self._course
        news: list[CoachEvent] = [*course.results, *course.voice.given]
        course.results.clear()
        course.voice.given.clear()
        if not course.stale:
            return news
        course.stale = False
        if (expect := self._expect()) != self._expected:
            self._expected = expect
            news.append(expect)
        view = self._look()
        if self._shown is None or replace(view, now_s=self._shown.now_s) != self._shown:
            self._shown = view
            news.append(view)
        return news

    def _expect(self) -> Expect:
        by_band = self._course.needs_band and not self.over
        return self._course.block.exercise.expect if by_band else Expect()

    def _look(self) -> View:
        course, session_s = self._course, self._clock.session_s
        doing = course.ledger.last if course.screen is not Screen.READY else None
        lost = course.lost and course.needs_band and course.screen in (Screen.READY, Screen.WORK)
        guide = course.leader.guide
        over = [each for each in course.ledger.all if each.end_s is not None]
        results = [course.result(each) for each in (over if self.over else over[-1:])]
        return View(
            screen=Screen.LOST if lost else course.screen,
            now_s=session_s(self._clock.now_s),
            plan=course.plan,
            place=course.place,
            block=course.block,
            count=doing.count if doing is not None else 0,
            until_s=None if course.until_s is None else session_s(course.until_s),
            guide=None if guide is None else guide.shifted(-self._clock.zero_s),
            scores=tuple(doing.scores()[-3:]) if doing is not None else (),
            usual_n=course.usual_n,
            by_touch=course.by_touch,
            change=course.block.change.value if course.screen is Screen.REST else "",
            last=results[-1] if results else None,
            done=tuple(results) if self.over else (),
            pain_before=course.pain.get("before"),
            pain=course.pain.get("hurt"),
            pain_after=course.pain.get("after"),
            pain_where=course.pain_where,
            stopped=course.stopped,
        )
