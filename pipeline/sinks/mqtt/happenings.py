"""What automations act on: reps that stand, the ends of sets, gaps.

Pure. An announced rep may be withdrawn: a practice pull looks like a rep until the real ones come.
So a rep is told once another of its set has come, or its set has closed; the few that are taken
back even then are told as `rep_withdrawn`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipeline.analysis.types import Rep, RepAnnounced, RepCorrected, RepWithdrawn, SetClosed
from pipeline.session.events import Emitted, GapFound
from pipeline.session.facts import SessionFacts
from pipeline.sinks.mqtt.messages import Message, Topics, head, to_json

HAPPENINGS = ("rep", "rep_withdrawn", "set_end", "gap")
HAPPENING_TOPIC = "ha"
STANDS_WITH = 2
"""Reps of a set stand when there are so many."""


class Happenings:
    """Follows the events of a session; `take` gives what is to be told of them."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._session = ""
        self._open: dict[int, tuple[Rep, Emitted]] = {}
        """Reps of sets that are open, and the announcements that they came with."""
        self._told: set[int] = set()

    def take(self, facts: SessionFacts, emitted: Emitted) -> list[Message]:
        """Messages that an event leads to, none for most."""
        if facts.session != self._session:
            self._session = facts.session
            self._open.clear()
            self._told.clear()
        match emitted.event:
            case RepAnnounced(rep):
                self._open[rep.id] = rep, emitted
                return self._standing(facts, rep.set)
            case RepCorrected(rep) if rep.id in self._open:
                self._open[rep.id] = rep, self._open[rep.id][1]
                return self._standing(facts, rep.set)
            case RepWithdrawn(rep_id):
                return self._withdrawn(facts, rep_id, emitted)
            case SetClosed(summary):
                messages = self._standing(facts, summary.set, least=1)
                self._forget(summary.set)
                if summary.reps:
                    body = {
                        "set": summary.set,
                        "reps": summary.reps,
                        "peak_n": whole(summary.peak_n),
                        "tut_s": whole(summary.tut_s),
                        "rest_s": whole(summary.rest_s),
                    }
                    messages.append(self._message(facts, "set_end", body, emitted))
                return messages
            case GapFound(gap) if gap.missing != 0:
                return [self._message(facts, "gap", {"missing": gap.missing}, emitted)]
            case _:
                return []

    def _standing(
        self, facts: SessionFacts, number: int, least: int = STANDS_WITH
    ) -> list[Message]:
        """The reps of a set that are not told yet, if there are enough of them."""
        reps = [each for each in self._open.values() if each[0].set == number]
        if len(reps) < least:
            return []
        new = [each for each in reps if each[0].id not in self._told]
        self._told |= {rep.id for rep, _ in new}
        return [self._message(facts, "rep", _rep(rep), emitted) for rep, emitted in new]

    def _withdrawn(self, facts: SessionFacts, rep_id: int, emitted: Emitted) -> list[Message]:
        rep, _ = self._open.pop(rep_id, (None, None))
        if rep is None or rep_id not in self._told:
            return []
        self._told.discard(rep_id)
        return [self._message(facts, "rep_withdrawn", _rep(rep), emitted)]

    def _forget(self, number: int) -> None:
        gone = {rep_id for rep_id, (rep, _) in self._open.items() if rep.set == number}
        self._told -= gone
        for rep_id in gone:
            del self._open[rep_id]

    def _message(
        self, facts: SessionFacts, kind: str, body: Mapping[str, Any], emitted: Emitted
    ) -> Message:
        topic = Topics(self._base, facts.device).event(HAPPENING_TOPIC)
        return Message(topic, to_json({"event_type": kind, **body, **head(facts, emitted)}))


def whole(value: float | None) -> int | None:
    """Newtons and seconds as the page shows them."""
    return None if value is None else round(value)


def tenths(value: float | None) -> float | None:
    """The seconds of a tempo as the page shows them."""
    return None if value is None else round(value, 1)


def _rep(rep: Rep) -> dict[str, Any]:
    return {
        "set": rep.set,
        "rep": rep.rep,
        "peak_n": whole(rep.peak_n),
        "eccentric_s": tenths(rep.eccentric_s),
        "bottom_s": tenths(rep.bottom_s),
        "concentric_s": tenths(rep.concentric_s),
        "hold_s": tenths(rep.hold_s),
    }
