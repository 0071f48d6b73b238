"""What the live page is told: JSON objects with a `type`, made from events.

Strings that come from outside are cut to a length, numbers that JSON cannot carry become null.
docs/live-page.md lists the messages.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import TypeAlias, assert_never

import numpy as np

from pipeline.analysis.types import (
    LiveState,
    Rep,
    RepAnnounced,
    RepCorrected,
    RepWithdrawn,
    SetClosed,
    SetSummary,
)
from pipeline.session.events import (
    BatteryChanged,
    Event,
    ForceSamples,
    GapFound,
    LinkChanged,
    Marked,
    SessionEnded,
    Tared,
)
from pipeline.session.facts import SessionFacts
from pipeline.sinks.page.curve import Patch
from sensor.samples import Gap

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
Message: TypeAlias = dict[str, Json]

MAX_TEXT = 300
TIME_DIGITS = 5


def encode(message: Message) -> str:
    """`message` as compact JSON."""
    return json.dumps(message, separators=(",", ":"), allow_nan=False)


def short(text: str) -> str:
    """`text`, cut where it would flood a page."""
    return text if len(text) <= MAX_TEXT else text[: MAX_TEXT - 1] + "…"


def number(value: float | None) -> float | None:
    """`value` to a thousandth; None where it is no number."""
    return None if value is None or not math.isfinite(value) else round(float(value), 3)


def facts_message(facts: SessionFacts) -> Message:
    """Whose session this is, and how fast it is replayed (null: it happens now)."""
    speed = facts.replay_speed
    return {
        "type": "session",
        "session": short(facts.session),
        "device": short(facts.device),
        "side": short(facts.side),
        "exercise": short(facts.exercise),
        "athlete": short(facts.athlete),
        "replay": speed is not None,
        "speed": number(speed),
    }


def rep_fields(rep: Rep) -> Message:
    """What the page shows of a rep."""
    return {
        "id": rep.id,
        "set": rep.set,
        "rep": rep.rep,
        "start_s": number(rep.start_s),
        "top_start_s": number(rep.top_start_s),
        "top_end_s": number(rep.top_end_s),
        "end_s": number(rep.end_s),
        "peak_s": number(rep.peak_s),
        "peak_n": number(rep.peak_n),
        "tempo": rep.tempo,
        "tut_s": number(rep.tut_s),
    }


def set_fields(summary: SetSummary) -> Message:
    """What the page shows of a set."""
    return {
        "set": summary.set,
        "start_s": number(summary.start_s),
        "end_s": number(summary.end_s),
        "reps": summary.reps,
        "tut_s": number(summary.tut_s),
        "rest_s": number(summary.rest_s),
        "peak_n": number(summary.peak_n),
    }


def curve_message(patch: Patch) -> Message:
    """Points `t` (s) and `n` (N; null breaks the line) that replace those in between."""
    broken = np.isnan(patch.force_n)
    force_n: list[float | None] = np.round(patch.force_n, 2).tolist()
    if broken.any():
        force_n = [None if gone else n for n, gone in zip(force_n, broken, strict=True)]
    return {
        "type": "curve",
        "after": None if patch.after_s is None else round(patch.after_s, TIME_DIGITS),
        "before": None if patch.before_s is None else round(patch.before_s, TIME_DIGITS),
        "t": np.round(patch.time_s, TIME_DIGITS).tolist(),
        "n": force_n,
    }


def event_message(event: Event, time_s: float | None) -> Message | None:
    """`event` for the page; None for samples, which go through the curve.

    `time_s` is when it happened on the time axis of the curve, for events that do not say so.
    """
    message: Message | None
    match event:
        case ForceSamples():
            message = None
        case LiveState():
            message = {
                "type": "state",
                "time_s": number(event.time_s),
                "force_n": number(event.force_n),
                "phase": event.phase.value,
                "set": event.set,
                "reps": event.reps,
                "tempo": event.tempo,
            }
        case RepAnnounced() | RepCorrected():
            corrected = isinstance(event, RepCorrected)
            message = {"type": "rep", "corrected": corrected, "rep": rep_fields(event.rep)}
        case RepWithdrawn():
            message = {
                "type": "withdrawn",
                "id": event.id,
                "time_s": number(event.time_s),
                "reason": short(event.reason),
            }
        case SetClosed():
            message = {
                "type": "set",
                "set": set_fields(event.summary),
                "reps": [rep_fields(rep) for rep in event.reps],
                "partials": len(event.partials),
            }
        case GapFound(Gap(missing=0)):
            message = None
        case GapFound():
            message = {
                "type": "gap",
                "start_s": number(event.gap.start_s),
                "end_s": number(event.gap.end_s),
                "missing": event.gap.missing,
            }
        case LinkChanged():
            message = {"type": "link", "up": event.up, "reason": short(event.reason)}
        case BatteryChanged():
            message = {"type": "battery", "percent": event.percent}
        case Tared():
            message = {"type": "tared", "time_s": number(time_s)}
        case Marked(kind="coach"):
            message = None
        case Marked():
            message = {
                "type": "mark",
                "time_s": number(time_s),
                "kind": short(event.kind),
                "text": short(event.text),
            }
        case SessionEnded():
            message = {
                "type": "ended",
                "duration_s": number(event.duration_s),
                "sets": event.sets,
                "reps": event.reps,
                "samples": event.samples,
                "missing": event.missing,
            }
        case _:
            assert_never(event)
    return message
