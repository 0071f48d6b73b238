"""The coach: events in, cues and screens out; no clock, no I/O, the same for the same recording.

What the person asks for comes as marks of the kind `coach` in the recording; what the band says
comes as the session's events. Reps are credited by when they were done, so that those fetched after
a lost link change a number and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from statistics import median

from pipeline.analysis.types import (
    LiveState,
    Phase,
    Rep,
    RepAnnounced,
    RepCorrected,
    RepWithdrawn,
)
from pipeline.coach.clock import Clock
from pipeline.coach.cues import Cue, CueWithdrawn
from pipeline.coach.doing import STANDS_SHARE, Doing, SetDone
from pipeline.coach.leader import Leader
from pipeline.coach.ledger import Ledger, Place
from pipeline.coach.plan import Block, Change, Plan
from pipeline.coach.tempo import Phases, correction
from pipeline.coach.tugs import Tugs
from pipeline.coach.view import Screen, View
from pipeline.coach.voice import Voice
from pipeline.session.events import Emitted, ForceSamples, LinkChanged, Marked, SessionEnded

KIND = "coach"
"""Of the marks that hold what the person asks for."""
TICK = "tick"
"""Such a mark only passes the time."""
LOST_S = 2.0
"""Without samples for so long the band is away."""
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
HALF_KNOWN_S = 0.45
"""A pull that is over for so long, and was not announced, was no rep."""
JUDGED_S = 0.45
"""After a rep is announced its end is known for good; and its number has been said."""
HALF_SHARE = 0.15
"""Pulls of less than this part of the usual are none."""
LONGER_S = 30.0
PAIN_STOPS = 4
"""From this level of pain on, out of 10, the coach does not begin."""
OTHER_BAND = (0.82, 1.2)
"""Of the usual rise: outside, after three reps, it may be another band."""

CoachEvent = View | Cue | CueWithdrawn | SetDone


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
        self._workout: _Workout | None = None

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
                case Marked(kind, text) if kind == KIND and text.startswith("begin "):
                    self._workout = _Workout(
                        self._plan_of(text.removeprefix("begin ")), self._clock
                    )
                    out += self._workout.news()
                case event if self._workout is not None:
                    self._workout.advance(now_s)
                    self._workout.take(event)
                    out += self._workout.news()
        return out


class _Workout:
    """One plan as it is done."""

    def __init__(self, plan: Plan, clock: Clock) -> None:
        self._plan, self._clock = plan, clock
        self._voice = Voice(clock)
        self._leader = Leader(self._voice)
        self._ledger = Ledger(plan)
        self._tugs = Tugs()
        self._timers: dict[str, float] = {}
        self._screen = Screen.SETUP
        self._place = 0
        self._until_s: float | None = None
        self._phase = Phase.REST
        self._pull_s = self._pull_low_n = self._pull_top_n = 0.0
        self._half = (0.0, 0.0, 0.0)
        self._lost = self._by_touch = self._told_band = False
        self._pain: dict[str, int] = {}
        self._where = self._stopped = ""
        self._results: list[SetDone] = []
        self._shown: View | None = None
        self._stale = True
        """Whether the screen may be another than shown."""

    @property
    def over(self) -> bool:
        """Whether nothing more is led."""
        return self._screen is Screen.DONE

    # -- in --------------------------------------------------------------------------------------

    def advance(self, now_s: float) -> None:
        """Let timers run out, in their order."""
        while self._timers:
            name = min(self._timers, key=lambda each: (self._timers[each], each))
            at_s = self._timers[name]
            if at_s > now_s:
                return
            del self._timers[name]
            self._stale = True
            self._ring(name, at_s)

    def take(self, event: object) -> None:
        """Follow one event."""
        match event:
            case ForceSamples() as samples:
                if not samples.late and self._screen is not Screen.DONE:
                    self._feel(samples)
                return
            case LiveState() as state:
                if state.phase is not self._phase:
                    self._follow(state)
                return
            case Marked(kind, text) if kind == KIND:
                self._ask(*text.partition(" ")[::2])
            case RepAnnounced(rep):
                self._credit(self._clock.own(rep))
            case RepCorrected(rep):
                self._report(self._ledger.corrected(self._clock.own(rep)))
            case RepWithdrawn(id_, _, _):
                self._withdraw(id_)
            case LinkChanged(up=False) if self._clock.has_band:
                self._timers.setdefault("lost", self._clock.now_s + LOST_S)
            case SessionEnded() if self._screen is not Screen.DONE:
                self._end("stopped")
            case _:
                pass
        self._stale = True

    # -- what the person asks for ------------------------------------------------------------------

    def _ask(self, word: str, rest: str) -> None:
        now_s, screen = self._clock.now_s, self._screen
        match word:
            case "pain":
                self._note_pain(*rest.partition(" ")[::2])
            case _ if screen is Screen.DONE:
                pass
            case "stop" if screen is not Screen.HURT:
                self._stop(now_s)
            case "end":
                self._end("stopped")
            case "start" | "go-on":
                self._start(now_s)
            case "no-pain" if screen is Screen.HURT:
                self._no_pain(now_s)
            case "pause" if screen in (Screen.WORK, Screen.READY):
                self._pause(now_s)
            case "skip":
                self._skip(now_s)
            case "repeat":
                self._repeat(now_s)
            case "longer" if screen is Screen.REST and self._until_s is not None:
                self._rest_until(self._until_s + LONGER_S)
            case "swap" if screen is Screen.WORK and self._block.change is Change.SIDE:
                self._close("done" if self._in_range else "broken off", now_s)
                self._next(now_s)
            case "tap" if screen in (Screen.READY, Screen.WORK):
                self._tap(now_s)
            case _:
                pass

    def _note_pain(self, level: str, where: str) -> None:
        if not level.isdigit() or int(level) > 10:
            return
        pain = int(level)
        self._where = where[:40] or self._where
        if self._screen is Screen.SETUP:
            self._pain["before"] = pain
            if pain >= PAIN_STOPS:
                self._pain["hurt"] = pain
                self._screen = Screen.HURT
            else:
                self._ready(self._clock.now_s)
        elif self._screen is Screen.HURT:
            self._pain["hurt"] = pain
        elif self._screen is Screen.DONE:
            self._pain["after"] = pain

    def _start(self, now_s: float) -> None:
        match self._screen:
            case Screen.SETUP:
                self._ready(now_s)
            case Screen.READY if self._led and not self._by_touch:
                self._lead(now_s + COUNT_IN_S)
            case Screen.REST:
                self._next(now_s)
            case Screen.PAUSED:
                self._go_on(now_s)
            case _:
                pass

    def _skip(self, now_s: float) -> None:
        match self._screen:
            case Screen.WORK | Screen.PAUSED:
                self._close("done" if self._in_range else "skipped", now_s)
                self._rest(now_s)
            case Screen.REST:
                self._next(now_s)
            case Screen.READY:
                self._open(now_s)
                self._close("skipped", now_s)
                self._next(now_s)
            case _:
                pass

    def _repeat(self, now_s: float) -> None:
        if self._screen in (Screen.WORK, Screen.PAUSED):
            self._close("broken off", now_s)
            self._ready(now_s)
        elif self._screen is Screen.REST:
            self._ready(now_s)

    def _tap(self, now_s: float) -> None:
        """A rep, counted by the person: so is this block from now on."""
        if not self._by_touch:
            self._by_touch = True
            self._quiet(now_s)
        if self._screen is Screen.READY:
            self._open(now_s)
        self._count_led(now_s)

    def _stop(self, now_s: float) -> None:
        self._quiet(now_s)
        self._screen, self._until_s = Screen.HURT, None
        self._voice.give("stop", now_s)

    def _no_pain(self, now_s: float) -> None:
        self._pain.pop("hurt", None)
        if self._ledger.open is None:
            self._ready(now_s)
        else:
            self._pause(now_s)

    # -- what the band says ------------------------------------------------------------------------

    def _feel(self, samples: ForceSamples) -> None:
        now_s = self._clock.now_s
        if self._lost:
            self._lost, self._stale = False, True
            if self._needs_band:
                self._voice.give("back", now_s)
            if self._screen is Screen.WORK and self._needs_band:
                self._wait_for_pull(now_s)
        self._timers["lost"] = now_s + LOST_S
        self._pull_top_n = max(self._pull_top_n, float(samples.force_n.max()))
        usual_n = self._ledger.usual_n(self._block)
        tugged = self._tugs.push(samples.time_s.tolist(), samples.force_n.tolist(), usual_n)
        if tugged and (
            self._screen in (Screen.REST, Screen.PAUSED)
            or (self._screen is Screen.READY and self._led)
        ):
            self._stale = True
            self._start(now_s)

    def _follow(self, state: LiveState) -> None:
        """Lead on from what the person does now."""
        before, self._phase = self._phase, state.phase
        self._stale = True
        if not self._needs_band:
            return
        if before is Phase.HOLD and state.phase is Phase.CONCENTRIC:
            return  # a hold that grows
        at_s = self._clock.own_s(state.time_s)
        if self._screen is Screen.READY and state.phase is Phase.CONCENTRIC:
            self._open(at_s)
        if self._screen is not Screen.WORK or self._lost:
            return
        if state.phase is Phase.REST or before is Phase.ECCENTRIC:
            self._half = (self._pull_s, at_s, self._pull_top_n - self._pull_low_n)
            self._timers["half"] = at_s + HALF_KNOWN_S
        if state.phase is Phase.CONCENTRIC:
            self._pull_s = at_s
            self._pull_low_n = self._pull_top_n = state.force_n
            self._drop("idle", "pull", "unfelt")
            self._say_breathe(at_s)
        self._leader.follow(state.phase, at_s, self._block.tempo)
        if state.phase is Phase.REST:
            self._wait_for_pull(at_s)

    def _wait_for_pull(self, at_s: float) -> None:
        """A pull is over: the guide waits at the bottom for the next one, and not for ever."""
        rep_s = self._block.tempo.rep_s
        idle_s = max(IDLE_S, IDLE_REPS * rep_s)
        if self._in_range:
            idle_s = max(IN_RANGE_IDLE_S, IN_RANGE_IDLE_REPS * rep_s)
        self._timers["idle"] = at_s + idle_s
        if self._needs_band and self._count:
            self._leader.down(at_s, self._block.tempo)
            if self._leader.next_pull_s is not None:
                self._timers["pull"] = self._leader.next_pull_s

    # -- reps --------------------------------------------------------------------------------------

    def _credit(self, rep: Rep) -> None:
        place, doing = self._ledger.place(rep)
        if self._screen is Screen.READY:
            if self._ledger.stands(rep, self._block) and place is not Place.FETCHED:
                self._open(rep.start_s)
                self._count_rep(self._ledger.all[-1], rep)
            return
        if doing is None or self._screen in (Screen.SETUP, Screen.HURT, Screen.DONE):
            return
        match place:
            case Place.FETCHED:  # the number changes, and nothing is said
                doing.reps[rep.id] = rep
                self._report(doing)
            case Place.NOW | Place.SWAPPED if self._screen is Screen.PAUSED:
                if self._ledger.stands(rep, self._block):
                    self._go_on(self._clock.now_s)
                    self._count_rep(doing, rep)
            case Place.NOW if self._needs_band:
                self._count_rep(doing, rep)
            case Place.SWAPPED:
                self._close("done" if doing.in_range else "broken off", doing.last_end_s)
                self._begin_early([rep])
                self._voice.give("side", self._clock.now_s, side=self._block.side)
            case Place.PAST:
                self._count_past(doing, rep)
            case Place.EARLY if self._screen is Screen.REST:
                if reps := self._ledger.wait(rep, self._then):
                    self._begin_early(reps)
            case _:
                pass

    def _count_rep(self, doing: Doing, rep: Rep) -> None:
        doing.reps[rep.id] = rep
        if self._phase is not Phase.CONCENTRIC:
            self._wait_for_pull(rep.end_s)
        self._check_band(doing)
        usual_n = self._ledger.usual_n(doing.block)
        stands = doing.stands(rep, usual_n)
        if doing.count > doing.block.most or (doing.count == doing.block.most and stands):
            self._enough(rep.end_s)
            return
        if stands:
            self._say_count(doing, rep.end_s)
            self._timers["judge"] = self._clock.now_s + JUDGED_S

    def _say_count(self, doing: Doing, at_s: float) -> None:
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

    def _enough(self, at_s: float) -> None:
        self._close("done", at_s)
        self._rest(self._clock.now_s)

    def _count_past(self, doing: Doing, rep: Rep) -> None:
        """The person goes on past the range: counted, said once, and the rest begins again."""
        doing.reps[rep.id] = rep
        doing.end_s = rep.end_s
        self._report(doing)
        if self._screen is Screen.REST:
            self._rest_until(rep.end_s + doing.block.rest_s)
        self._voice.give("past", self._clock.now_s)

    def _begin_early(self, reps: list[Rep]) -> None:
        """The next block began before its time: these reps are its first."""
        first_s = reps[0].start_s
        self._next(first_s)
        if self._screen is Screen.READY:
            self._open(first_s)
            for rep in reps:
                self._count_rep(self._ledger.all[-1], rep)

    def _withdraw(self, id_: int) -> None:
        """What was said stays said; where "enough" was wrong, one more is asked for, once."""
        doing = self._ledger.withdrawn(id_)
        self._report(doing)
        if (
            doing is not None
            and doing is self._ledger.last
            and self._screen is Screen.REST
            and doing.count == doing.block.most - 1
            and not doing.told_one_more
        ):
            doing.told_one_more = True
            self._voice.give("one-more", self._clock.now_s)

    def _check_band(self, doing: Doing) -> None:
        """Ask once whether it is the usual band, where the force says that it is another."""
        usual_n = self._plan.usual_n.get(doing.block.exercise.name)
        if usual_n is None or self._told_band or len(doing.reps) != 3:
            return
        ratio = median(doing.rises_n) / usual_n
        if not OTHER_BAND[0] <= ratio <= OTHER_BAND[1]:
            self._told_band = True
            self._voice.give(
                "check-band", self._clock.now_s, how="Lighter" if ratio < 1 else "Heavier"
            )

    def _say_breathe(self, at_s: float) -> None:
        """In the first two pulls of an exercise."""
        name = self._block.exercise.name
        before = any(doing.block.exercise.name == name for doing in self._ledger.all[:-1])
        if not before and self._count < 2:
            self._voice.give("breathe", at_s)

    def _judge(self, at_s: float) -> None:
        """Correct the last rep, now that its end is known."""
        doing = self._ledger.open
        phases = Phases.of(doing.ordered[-1]) if doing is not None and doing.reps else None
        if doing is None or phases is None or self._screen is not Screen.WORK:
            return
        wrong = correction(phases, doing.block.tempo)
        if wrong is not None:
            self._voice.give(wrong, at_s, rep=doing.count)

    def _half_pull(self, at_s: float) -> None:
        """A pull that was not announced, and is no mere movement: half a rep."""
        pull_s, end_s, rise_n = self._half
        usual_n, doing = self._ledger.usual_n(self._block), self._ledger.open
        if usual_n is None or doing is None or self._screen is not Screen.WORK:
            return
        counted = any(pull_s < rep.peak_s < end_s for rep in doing.reps.values())
        if not counted and HALF_SHARE < rise_n / usual_n < STANDS_SHARE:
            self._voice.give("all-the-way", at_s, rep=doing.count + 1)

    # -- from screen to screen ---------------------------------------------------------------------

    def _ready(self, now_s: float) -> None:
        """Wait for the first pull of the block."""
        self._quiet(now_s)
        self._screen, self._until_s = Screen.READY, None
        self._by_touch = self._block.exercise.counted == "tap"
        self._ledger.wait_no_more()
        self._voice.new_set()
        if self._needs_band:
            self._voice.give("go", now_s)
            self._timers["unfelt"] = now_s + UNFELT_S

    def _open(self, at_s: float) -> None:
        self._screen = Screen.WORK
        self._drop("unfelt")
        number = len(self._ledger.all)
        self._ledger.all.append(Doing(number, self._block, at_s - BEFORE_S))

    def _close(self, how: str, at_s: float) -> None:
        """The block is over."""
        doing = self._ledger.open
        if doing is not None:
            doing.how, doing.end_s = how, at_s
            self._report(doing)

    def _rest(self, now_s: float) -> None:
        """After a block: rest or change, then the next; or all is done."""
        doing, then = self._ledger.all[-1], self._then
        self._quiet(now_s)
        if then is None:
            self._end("")
            return
        self._screen = Screen.REST
        self._rest_until(self._end_of(doing) + doing.block.rest_s)
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

    def _rest_until(self, until_s: float) -> None:
        now_s = self._clock.now_s
        self._until_s = until_s
        self._timers["rest 0"] = max(until_s, now_s)
        for left_s in (ANNOUNCED_S, 3, 2, 1):
            if until_s - left_s > now_s:
                self._timers[f"rest {left_s:g}"] = until_s - left_s

    def _next(self, at_s: float) -> None:
        """The next block, whether its time has come or not."""
        if self._then is None:
            self._end("")
            return
        self._place += 1
        self._ready(at_s)
        if self._led:
            self._lead(at_s)

    def _pause(self, at_s: float) -> None:
        if self._ledger.open is None:
            self._open(at_s)
        self._quiet(at_s)
        self._screen, self._until_s = Screen.PAUSED, at_s
        self._timers["close"] = at_s + CLOSES_S
        self._voice.give("paused", at_s)

    def _go_on(self, now_s: float) -> None:
        self._drop("close")
        self._screen, self._until_s = Screen.WORK, None
        self._voice.give("go-on", now_s)
        if self._led and not self._by_touch:
            self._lead(now_s + COUNT_IN_S)
        else:
            self._wait_for_pull(now_s)

    def _end(self, stopped: str) -> None:
        """All is done, or no more is."""
        now_s = self._clock.now_s
        why = "pain" if self._pain.get("hurt") else stopped
        self._close(why or "done", now_s)
        self._quiet(now_s)
        self._stopped = why
        self._screen, self._until_s = Screen.DONE, None
        if not why:
            self._voice.give("done", now_s, n=sum(doing.count for doing in self._ledger.all))

    # -- without a band ----------------------------------------------------------------------------

    def _lead(self, at_s: float) -> None:
        """Lead reps by time from `at_s` on: nothing is felt, the tempo counts."""
        if self._screen is Screen.READY:
            self._open(at_s)
        self._timers["beat"] = at_s
        for left in (3, 2, 1):
            if at_s - left >= self._clock.now_s:
                self._timers[f"rest {left}"] = at_s - left

    def _count_led(self, at_s: float) -> None:
        doing, tempo = self._ledger.all[-1], self._block.tempo
        doing.led += 1
        doing.led_tut_s += tempo.rep_s - tempo.bottom_s
        if doing.count >= doing.block.most:
            self._enough(at_s)
            return
        self._say_count(doing, at_s)
        if self._by_touch:
            self._wait_for_pull(at_s)

    # -- timers ------------------------------------------------------------------------------------

    def _ring(self, name: str, at_s: float) -> None:
        match name:
            case "lost":
                self._lose(at_s)
            case "idle" if self._screen is Screen.WORK:
                self._idle(at_s)
            case "pull":
                self._leader.call(at_s)
            case "half":
                self._half_pull(at_s)
            case "judge":
                self._judge(at_s)
            case "unfelt" if self._screen is Screen.READY and not self._lost:
                self._voice.give("unfelt", at_s)
            case "rest 0":
                self._next(at_s)
            case "rest 10":
                if self._then is not None:
                    self._voice.give("announce", at_s, what=self._then.named)
            case "rest 3" | "rest 2" | "rest 1":
                self._voice.give("tick", at_s, n=name[-1])
            case "close":
                self._close("broken off", at_s)
                self._next(at_s)
            case "beat":
                self._say_breathe(at_s)
                self._timers["rep-over"] = self._leader.beat(at_s, self._block.tempo)
            case "rep-over":
                self._timers["beat"] = at_s + self._block.tempo.bottom_s
                self._count_led(at_s)
            case _:
                pass

    def _lose(self, at_s: float) -> None:
        self._lost = True
        self._phase = Phase.UNKNOWN
        if self._needs_band and self._screen in (Screen.READY, Screen.WORK, Screen.PAUSED):
            self._drop("idle", "half", "judge", "pull", "unfelt")
            self._leader.stop(at_s)
            self._voice.give("lost", at_s)

    def _idle(self, at_s: float) -> None:
        doing = self._ledger.all[-1]
        if not doing.count:
            self._ledger.all.pop()
            self._ready(at_s)
        elif doing.in_range:
            self._close("done", doing.last_end_s if doing.reps else at_s)
            self._rest(at_s)
        else:
            self._pause(at_s)

    def _quiet(self, at_s: float) -> None:
        """Nothing that was to come comes; only the link is watched on."""
        self._drop(*(name for name in self._timers if name != "lost"))
        self._leader.stop(at_s)

    def _drop(self, *names: str) -> None:
        for name in names:
            self._timers.pop(name, None)

    # -- out ---------------------------------------------------------------------------------------

    def news(self) -> list[CoachEvent]:
        """What has come of it since the last call."""
        news: list[CoachEvent] = [*self._results, *self._voice.given]
        self._results.clear()
        self._voice.given.clear()
        if not self._stale:
            return news
        self._stale = False
        view = self._look()
        if self._shown is None or replace(view, now_s=self._shown.now_s) != self._shown:
            self._shown = view
            news.append(view)
        return news

    def _report(self, doing: Doing | None) -> None:
        """Tell what a block came to, once it is over."""
        if doing is not None and doing.end_s is not None:
            self._results.append(doing.result(self._clock.now_s, self._clock.zero_s))

    def _look(self) -> View:
        doing = self._ledger.last if self._screen is not Screen.READY else None
        lost = self._lost and self._needs_band and self._screen in (Screen.READY, Screen.WORK)
        session_s = self._clock.session_s
        guide = self._leader.guide
        over = [each for each in self._ledger.all if each.end_s is not None]
        over = over if self._screen is Screen.DONE else over[-1:]
        results = [each.result(self._clock.now_s, self._clock.zero_s) for each in over]
        return View(
            screen=Screen.LOST if lost else self._screen,
            now_s=session_s(self._clock.now_s),
            plan=self._plan,
            place=self._place,
            block=self._block,
            count=doing.count if doing is not None else 0,
            until_s=None if self._until_s is None else session_s(self._until_s),
            guide=None if guide is None else guide.shifted(-self._clock.zero_s),
            scores=tuple(doing.scores()[-3:]) if doing is not None else (),
            usual_n=self._ledger.usual_n(self._block),
            by_touch=self._by_touch,
            change=self._block.change.value if self._screen is Screen.REST else "",
            last=results[-1] if results else None,
            done=tuple(results) if self._screen is Screen.DONE else (),
            pain_before=self._pain.get("before"),
            pain=self._pain.get("hurt"),
            pain_after=self._pain.get("after"),
            pain_where=self._where,
            stopped=self._stopped,
        )

    # -- what is the case --------------------------------------------------------------------------

    @property
    def _block(self) -> Block:
        return self._plan.blocks[self._place]

    @property
    def _then(self) -> Block | None:
        return self._plan.after(self._place)

    @property
    def _count(self) -> int:
        return self._ledger.all[-1].count if self._ledger.open is not None else 0

    @property
    def _in_range(self) -> bool:
        return self._count >= self._block.least

    @property
    def _led(self) -> bool:
        return self._block.exercise.counted == "time"

    @property
    def _needs_band(self) -> bool:
        return not self._led and not self._by_touch

    def _end_of(self, doing: Doing) -> float:
        return self._clock.now_s if doing.end_s is None else doing.end_s
