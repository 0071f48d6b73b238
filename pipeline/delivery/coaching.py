"""The coach in a running session: follows its events, and hands screens and cues on."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Protocol, runtime_checkable

from pipeline.analysis.types import Expect
from pipeline.coach.coach import TICK, Coach
from pipeline.coach.diary import Diary
from pipeline.coach.plan import Plan
from pipeline.coach.workout import KIND, CoachEvent
from pipeline.session.events import Emitted, ForceSamples, SessionEnded
from pipeline.session.facts import SessionFacts
from pipeline.session.session import EXPECT
from sensor.errors import BandError

logger = logging.getLogger(__name__)

TICK_S = 0.25
ASKS = frozenset(
    {
        "begin", "start", "go-on", "skip", "repeat", "pause", "longer", "swap", "tap", "stop",
        "end", "no-pain", "pain",
    }
)  # fmt: skip
LONGEST = 80


@dataclass(frozen=True, slots=True)
class Choice:
    """Something that can be led, as it is offered."""

    name: str
    title: str
    about: str


@runtime_checkable
class CoachSink(Protocol):
    """Shows, says or tells what the coach gives."""

    def coach(self, facts: SessionFacts, events: Sequence[CoachEvent]) -> None:
        """Take it at once, without blocking."""


class Coaching:
    """A LiveSink that coaches; what it gives goes to other sinks.

    Parameters
    ----------
    plan_of, begin
        The plan of what is to begin; and that line for what somebody asks for by name.
    lacks
        A sentence where the person has not what a plan asks for.
    """

    def __init__(
        self,
        plan_of: Callable[[str], Plan],
        choices: Sequence[Choice] = (),
        begin: Callable[[str], str] = str,
        lacks: Callable[[Plan], str] = lambda plan: "",
    ) -> None:
        self.sinks: list[CoachSink] = []
        self.offered: list[dict[str, Any]] = [asdict(each) for each in choices]
        """What the page can choose from."""
        self.plan_of = plan_of
        self.diary = Diary()
        """What was done so far."""
        self._begin, self._lacks = begin, lacks
        self.notice: Callable[[str], None] = logger.warning
        """Tells the person a sentence."""
        self.mark: Callable[[str, str], None] = lambda kind, text: None
        """Notes in the recording what is to be known in a replay."""
        self._coach = Coach(plan_of)
        self._felt_s = 0.0

    def show(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> None:
        """Follow what happens."""
        if any(isinstance(each.event, ForceSamples) for each in emitted):
            self._felt_s = time.monotonic()
        events = self._coach.receive(emitted)
        ended = any(isinstance(each.event, SessionEnded) for each in emitted)
        for expect in (each for each in events if isinstance(each, Expect) and not ended):
            self.mark(EXPECT, expect.word)
        if events:
            self.diary.take(events)
            for sink in self.sinks:
                sink.coach(facts, events)

    async def keep_time(self) -> None:
        """Pass the time while the band is silent: in the recording, so that a replay has it too."""
        while True:
            await asyncio.sleep(TICK_S)
            if self._coach.busy and time.monotonic() - self._felt_s > TICK_S:
                self.mark(KIND, TICK)

    def ask(self, text: str) -> str:
        """What somebody asks of the coach, such as `begin first-steps` or `pain 3 neck`.

        Raises
        ------
        BandError
            If it is nothing that the coach knows, or a programme that is in no library.
        """
        word, _, rest = text.partition(" ")
        if word not in ASKS or len(text) > LONGEST or not text.isprintable():
            raise BandError(f"the coach knows {', '.join(sorted(ASKS))}; not {text[:40]!r}")
        if word == "begin":
            asked = self._begin(rest)
            if sentence := self._lacks(self.plan_of(asked)):
                self.notice(sentence)
            return f"begin {asked}"
        return text
