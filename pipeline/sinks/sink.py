"""What the composition root asks of a place where results go."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipeline.session.events import Emitted
from pipeline.session.facts import SessionFacts

CommandHandler = Callable[[str], Awaitable[str]]
"""Carries out `tare`, `start`, `stop`, `identify` or `mark`; a BandError says why not.

It returns a sentence for the person.
"""


class SinkUnavailableError(Exception):
    """The other side cannot take events now; nothing is lost, the recording keeps them.

    The text is for the person; `retry_after_s` is what the other side asked for, if it did.
    """

    def __init__(self, message: str, retry_after_s: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Rejected:
    """A point or a message that the other side will never take, and its words."""

    body: str
    words: str


class DurableSink(Protocol):
    """Must get every event of the classes in `durable`, at least once and in order.

    `pipeline.delivery` calls `deliver` with events whose rows are committed to the recording, moves
    the recording's cursor `name` when it returns, and calls again with the same events, later, when
    it raises SinkUnavailableError. What it returns is kept in the recording's dead letters.
    """

    name: str
    unit: str
    """What it sends, in the plural."""
    durable: tuple[type, ...]

    async def deliver(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> Sequence[Rejected]:
        """Return when the other side has acknowledged all of `emitted` but what it rejects."""


class LiveSink(Protocol):
    """Shows what happens now; drops rather than waits."""

    def show(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> None:
        """Take events at once, without blocking."""
