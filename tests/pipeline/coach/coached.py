"""Coaching of simulated people: a plan, a person and what is asked of the coach, at full speed."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from firmware_sim.band import Band, BandSetup
from firmware_sim.offline import STARTED_US, Radio, notifications
from firmware_sim.person.truth import RepTruth
from firmware_sim.person.workout import Workout
from pipeline.analysis.types import Expect
from pipeline.coach.coach import Coach
from pipeline.coach.cues import Cue, CueWithdrawn
from pipeline.coach.doing import SetDone
from pipeline.coach.library import Library, load
from pipeline.coach.plan import Plan, plan_of
from pipeline.coach.view import Screen, View
from pipeline.coach.workout import KIND, CoachEvent
from pipeline.session.session import EXPECT, Session
from sensor.samples import Channel, Notification

LIBRARY = load()
Ask = tuple[float, str]
READY: tuple[Ask, ...] = ((1.0, "pain 0"),)
"""What a person without pain asks for."""
TICK_S = 0.25


@dataclass
class Coached:
    """What came of it."""

    events: list[CoachEvent] = field(default_factory=list)
    truth: list[RepTruth] = field(default_factory=list)

    @property
    def views(self) -> list[View]:
        return [each for each in self.events if isinstance(each, View)]

    @property
    def sets(self) -> list[SetDone]:
        last = {each.number: each for each in self.events if isinstance(each, SetDone)}
        return [last[number] for number in sorted(last)]

    @property
    def screens(self) -> list[Screen]:
        """Each screen in turn."""
        found: list[Screen] = []
        for view in self.views:
            if not found or found[-1] is not view.screen:
                found.append(view.screen)
        return found

    def cues(self, *names: str) -> list[Cue]:
        """Those that were given, of these names or all."""
        back = {each.id for each in self.events if isinstance(each, CueWithdrawn)}
        return [
            each
            for each in self.events
            if isinstance(each, Cue) and each.id not in back and (not names or each.name in names)
        ]

    @property
    def said(self) -> list[str]:
        return [cue.say for cue in self.cues() if cue.say]


def a_plan(name: str, library: Library = LIBRARY, **options: object) -> Plan:
    return plan_of(library.programme(name), library, **options)  # type: ignore[arg-type]


def with_asks(
    stream: Iterable[Notification], asks: Sequence[Ask], *, ticks: bool = True
) -> Iterator[Notification]:
    """The band's notifications, with the person's marks in place; and ticks while it is silent."""
    due = sorted(asks)
    before_us = STARTED_US

    for each in stream:
        at_us = before_us
        while ticks and (at_us := at_us + round(TICK_S * 1e6)) < each.received_us:
            while due and STARTED_US + due[0][0] * 1e6 <= at_us:
                yield _mark(at_us, KIND, due.pop(0)[1])
            yield _mark(at_us, KIND, "tick")
        while due and STARTED_US + due[0][0] * 1e6 <= each.received_us:
            yield _mark(each.received_us, KIND, due.pop(0)[1])
        before_us = each.received_us
        yield each


def coach_of(plan: Plan) -> Coach:
    return Coach(lambda _: plan)


def _mark(at_us: int, kind: str, text: str) -> Notification:
    return Notification(at_us, json.dumps({"kind": kind, "text": text}).encode(), Channel.MARK)


def listen(
    coach: Coach,
    stream: Iterable[Notification],
    log: list[Notification] | None = None,
    *,
    live: bool = True,
) -> list[CoachEvent]:
    """What the coach gives; `log` gets the rows of the recording."""
    log = [] if log is None else log
    session = Session()
    events: list[CoachEvent] = []
    for each in stream:
        todo = [each]
        while todo:
            log.append(todo.pop(0))
            given = coach.receive(session.receive(log[-1], len(log)))
            expects = [one for one in given if isinstance(one, Expect)]
            if live:  # the recorder notes what the coach expects
                todo += [_mark(each.received_us, EXPECT, one.word) for one in expects]
            events += given
    return events


def coached(
    plan: Plan,
    workout: Workout,
    asks: Sequence[Ask] = READY,
    *,
    seed: int = 1,
    colour: str = "red",
    radio: Radio | None = None,
    duration_s: float | None = None,
) -> Coached:
    """Lead that person through that plan."""
    band = Band(BandSetup(seed=seed, workout=workout, colour=colour))
    stream = with_asks(notifications(band, duration_s, radio), [(0.0, f"begin {plan.name}"), *asks])
    events = listen(coach_of(plan), stream)
    return Coached(events, band.truth())
