"""What somebody who opens the page in mid-session must be told: the session so far, bounded."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from pipeline.analysis.types import LiveState, RepAnnounced, RepCorrected, RepWithdrawn, SetClosed
from pipeline.session.events import (
    BatteryChanged,
    Emitted,
    ForceSamples,
    GapFound,
    LinkChanged,
    Marked,
    SessionEnded,
    Tared,
)
from pipeline.session.facts import SessionFacts
from pipeline.sinks.page.curve import SPAN_S, CurveWindow
from pipeline.sinks.page.messages import (
    Message,
    curve_message,
    event_message,
    facts_message,
    rep_fields,
    set_fields,
    short,
)

MAX_SETS = 1000
MAX_REPS = 500
MAX_RECENT = 500
MAX_NOTICES = 16


class PageState:
    """Follows the events of a session; `take_in` gives the messages, `snapshot` the sum of them."""

    def __init__(self) -> None:
        self.curve = CurveWindow()
        self.clear()

    def clear(self) -> None:
        """Forget everything, as before the first session."""
        self.waiting: str | None = None
        """What is waited for where no session runs."""
        self._facts: SessionFacts | None = None
        self._notices: dict[str, Message] = {}
        self._deliveries: dict[str, Message] = {}
        self._begin()

    def _begin(self) -> None:
        self.curve.clear()
        self._utc_at_zero_us: float | None = None
        self._state: Message | None = None
        self._open: dict[int, Message] = {}
        self._sets: dict[int, Message] = {}
        self._settled: deque[Message] = deque(maxlen=MAX_RECENT)
        self._phases: deque[tuple[float, str]] = deque(maxlen=MAX_RECENT)
        self._gaps: deque[Message] = deque(maxlen=MAX_RECENT)
        self._marks: deque[Message] = deque(maxlen=MAX_RECENT)
        self._link: Message | None = None
        self._battery: Message | None = None
        self._ended: Message | None = None

    def switch(self, facts: SessionFacts) -> bool:
        """Whether `facts` are new; those of another session begin a new page."""
        if facts == self._facts:
            return False
        if self._facts is None or facts.session != self._facts.session:
            self._begin()
        self._facts = facts
        return True

    def take_in(self, emitted: Emitted) -> Message | None:
        """Follow one event; the message that tells it, None for samples (see `curve`)."""
        event = emitted.event
        if isinstance(event, ForceSamples):
            self.curve.push(event.index, event.time_s, event.force_n)
            if event.time_s.size:
                self._utc_at_zero_us = float(event.utc_us[-1]) - float(event.time_s[-1]) * 1e6
            return None
        message = event_message(event, self._time_s(emitted.utc_us))
        if message is not None:
            self._follow(emitted, message)
        return message

    def notice(self, level: str, text: str, about: str) -> Message:
        """A banner about something; level `ok` takes it away."""
        message: Message = {"type": "notice", "about": about, "level": level, "text": short(text)}
        self._notices.pop(about, None)
        if level != "ok":
            self._notices[about] = message
        while len(self._notices) > MAX_NOTICES:
            self._notices.pop(next(iter(self._notices)))
        return message

    def delivery(self, to: str, waiting: int, problem: str | None) -> Message:
        """How far a durable sink has come."""
        text = None if problem is None else short(problem)
        message: Message = {"type": "delivery", "to": to, "waiting": waiting, "problem": text}
        self._deliveries[to] = message
        return message

    def snapshot(self) -> Message:
        """Everything a new viewer needs: a minute of curve, the open set, the sets so far."""
        self._trim()
        return {
            "type": "snapshot",
            "session": None if self._facts is None else facts_message(self._facts),
            "state": self._state,
            "curve": curve_message(self.curve.whole()),
            "phases": list(self._phases),
            "open": list(self._open.values()),
            "settled": list(self._settled),
            "sets": list(self._sets.values()),
            "gaps": list(self._gaps),
            "marks": list(self._marks),
            "link": self._link,
            "battery": self._battery,
            "notices": list(self._notices.values()),
            "deliveries": list(self._deliveries.values()),
            "ended": self._ended,
            "waiting": self.waiting,
        }

    def _time_s(self, utc_us: int) -> float | None:
        return None if self._utc_at_zero_us is None else (utc_us - self._utc_at_zero_us) / 1e6

    def _follow(self, emitted: Emitted, message: Message) -> None:
        event = emitted.event
        match event:
            case LiveState():
                self._state = message
                if not self._phases or self._phases[-1][1] != event.phase.value:
                    self._phases.append((round(event.time_s, 3), event.phase.value))
            case RepAnnounced() | RepCorrected():
                self._open[event.rep.id] = rep_fields(event.rep)
                if len(self._open) > MAX_REPS:
                    self._open.pop(next(iter(self._open)))
            case RepWithdrawn():
                self._open.pop(event.id, None)
            case SetClosed():
                self._close(event)
            case GapFound():
                self._gaps.append(message)
            case LinkChanged():
                self._link = message
            case BatteryChanged():
                self._battery = message
            case Tared() | Marked():
                self._marks.append(message)
            case SessionEnded():
                self._ended = message

    def _close(self, event: SetClosed) -> None:
        number = event.summary.set
        final = {rep.id for rep in event.reps}
        self._open = {
            id: rep for id, rep in self._open.items() if rep["set"] != number and id not in final
        }
        self._settled.extend(rep_fields(rep) for rep in event.reps)
        self._sets.pop(number, None)
        if event.summary.reps:
            self._sets[number] = set_fields(event.summary)
        if len(self._sets) > MAX_SETS:
            self._sets.pop(next(iter(self._sets)))

    def _trim(self) -> None:
        newest_s = self.curve.newest_s
        if newest_s is None:
            return
        oldest_s = newest_s - SPAN_S
        _drop_before(self._settled, "end_s", oldest_s, keep=1)
        _drop_before(self._gaps, "end_s", oldest_s)
        _drop_before(self._marks, "time_s", oldest_s)
        while len(self._phases) > 1 and self._phases[1][0] < oldest_s:
            self._phases.popleft()


def _drop_before(messages: deque[Message], key: str, oldest_s: float, keep: int = 0) -> None:
    while len(messages) > keep:
        time_s = messages[0][key]
        if isinstance(time_s, float) and time_s >= oldest_s:
            return
        messages.popleft()


def together(messages: Iterable[str]) -> str:
    """Encoded messages as one frame: a JSON array."""
    return "[" + ",".join(messages) + "]"
