"""Events as MQTT messages: the topic tree and the JSON payloads of docs/mqtt.md.

Pure: an event gives the same bytes each time it is told.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime, timedelta
from enum import Enum
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

from pipeline.analysis.types import Rep, RepAnnounced, RepCorrected, RepWithdrawn, SetClosed
from pipeline.session.events import (
    BatteryChanged,
    Emitted,
    GapFound,
    LinkChanged,
    Marked,
    SessionEnded,
    Tared,
)
from pipeline.session.facts import SessionFacts

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

ONLINE, OFFLINE = b"online", b"offline"
EVENTS: tuple[type, ...] = (
    RepAnnounced,
    RepCorrected,
    RepWithdrawn,
    SetClosed,
    GapFound,
    LinkChanged,
    BatteryChanged,
    Tared,
    Marked,
    SessionEnded,
)
"""What `event_message` has a message for."""
DECIMALS = 6
PLAIN = frozenset({type(None), bool, int, str})
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Message:
    """What goes to a broker."""

    topic: str
    payload: bytes
    qos: int = 1
    retain: bool = False


@dataclass(frozen=True, slots=True)
class Topics:
    """The topic tree of one device below the base topic."""

    base: str
    device: str

    @property
    def root(self) -> str:
        """What all topics of the device begin with."""
        return f"{self.base}/{self.device}"

    @property
    def status(self) -> str:
        """`online` or `offline`, retained: whether the band is connected; our last will."""
        return f"{self.root}/status"

    @property
    def state(self) -> str:
        """JSON summary of the running session, retained."""
        return f"{self.root}/state"

    @property
    def last_set(self) -> str:
        """JSON result of the set that closed last, retained: it outlives the session."""
        return f"{self.root}/last-set"

    @property
    def force(self) -> str:
        """Batches of samples for live curves."""
        return f"{self.root}/force"

    @property
    def coach(self) -> str:
        """JSON of what the coach leads now, retained."""
        return f"{self.root}/coach"

    def event(self, name: str) -> str:
        """What happened: `rep`, `set`, `gap` and the others."""
        return f"{self.root}/event/{name}"

    def command(self, name: str) -> str:
        """Where a command is given."""
        return f"{self.root}/cmd/{name}"


def event_message(base: str, facts: SessionFacts, emitted: Emitted) -> Message | None:
    """The message for an event; None for those that are only shown live."""
    name: str
    body: dict[str, Any]
    match emitted.event:
        case RepAnnounced(rep):
            name, body = "rep", {"kind": "announced", **_rep(rep)}
        case RepCorrected(rep):
            name, body = "rep", {"kind": "corrected", **_rep(rep)}
        case RepWithdrawn(rep_id, time_s, reason):
            name = "rep"
            body = {"kind": "withdrawn", "rep_id": rep_id, "time_s": time_s, "reason": reason}
        case SetClosed(summary, reps, partials):
            name, body = "set", _fields(summary)
            body["final_reps"] = [_rep(rep) for rep in reps]
            body["partials"] = [_fields(partial) for partial in partials]
        case GapFound(gap):
            name, body = "gap", _fields(gap)
        case LinkChanged(up, reason):
            name, body = "link", {"up": up, "reason": reason}
        case BatteryChanged(percent):
            name, body = "battery", {"battery_percent": percent}
        case Tared() as tared:
            name, body = "tare", _fields(tared)
        case Marked(kind="coach"):
            return None
        case Marked(kind, text):
            name, body = "mark", {"kind": kind, "text": text}
        case SessionEnded() as ended:
            name, body = "session", _fields(ended)
        case _:
            return None
    payload = to_json({**head(facts, emitted), **body})
    return Message(Topics(base, facts.device).event(name), payload)


def head(facts: SessionFacts, emitted: Emitted) -> dict[str, Any]:
    """What every event message begins with; equal ids mean the same event."""
    return {
        "id": f"{facts.session}/{emitted.seq}",
        "session": facts.session,
        "device": facts.device,
        "side": facts.side,
        "exercise": facts.exercise,
        "athlete": facts.athlete,
        "utc": utc_text(emitted.utc_us),
        "utc_us": emitted.utc_us,
    }


def utc_text(utc_us: int) -> str | None:
    """ISO 8601 with `Z`, to the microsecond; None if no calendar has the time."""
    try:
        moment = EPOCH + timedelta(microseconds=int(utc_us))
    except OverflowError:
        return None
    return moment.isoformat(timespec="microseconds").replace("+00:00", "Z")


def to_json(body: Mapping[str, Any]) -> bytes:
    """Compact JSON that every parser takes: infinities and NaN become null."""
    return json.dumps(_plain(body), separators=(",", ":"), allow_nan=False).encode()


def _fields(value: DataclassInstance) -> dict[str, Any]:
    # dataclasses.asdict copies deeply, which takes longer than all the rest
    return {field.name: getattr(value, field.name) for field in fields(value)}


def _rep(rep: Rep) -> dict[str, Any]:
    # `id` is the message's
    body = rep.as_dict()
    return {"rep_id": body.pop("id"), **body}


def _plain(value: Any) -> Any:
    kind = type(value)
    if kind is float:
        return round(value, DECIMALS) if math.isfinite(value) else None
    if kind in PLAIN:
        return value
    match value:
        case Enum():
            return value.value
        case Integral():
            return int(value)
        case Real():
            return _plain(float(value))
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case _:
            return [_plain(item) for item in value]
