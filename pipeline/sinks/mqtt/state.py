"""The state of a device in a few words: what `<base>/<device>/state` holds.

A pure fold over events; live values only, the events themselves tell the history.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pipeline.analysis.types import (
    LiveState,
    Phase,
    RepAnnounced,
    RepCorrected,
    RepWithdrawn,
    SetClosed,
    SetSummary,
)
from pipeline.session.events import (
    BatteryChanged,
    Emitted,
    ForceSamples,
    GapFound,
    LinkChanged,
    SessionEnded,
)
from pipeline.session.facts import SessionFacts
from pipeline.sinks.mqtt.messages import utc_text

FORCE_DECIMALS = 1
"""So that the noise of a band at rest is no change."""
DECIMALS = 3


@dataclass(slots=True)
class DeviceState:
    """What is known now about one device in one session."""

    facts: SessionFacts
    utc_us: int = 0
    online: bool = False
    force_n: float | None = None
    phase: Phase = Phase.UNKNOWN
    set: int = 0
    reps: int = 0
    tempo: str | None = None
    peak_n: float | None = None
    tut_s: float = 0.0
    battery_percent: int | None = None
    gaps: int = 0
    missing_samples: int = 0
    last_set: dict[str, Any] | None = None
    """What is worth telling of the set that closed last; None before one has."""
    _open_reps_tut_s: dict[int, float] = field(default_factory=dict)

    def take(self, emitted: Emitted) -> None:
        """Fold one event in."""
        self.utc_us = emitted.utc_us
        match emitted.event:
            case ForceSamples(late=late):
                self.online = self.online or not late
            case LiveState() as live:
                self._live(live)
            case RepAnnounced(rep) | RepCorrected(rep):
                self._open_reps_tut_s[rep.id] = rep.tut_s
                self.peak_n = rep.peak_n
                self._note_tempo(rep.tempo)
                self._sum_up(rep.set)
            case RepWithdrawn(rep_id):
                self._open_reps_tut_s.pop(rep_id, None)
                self._sum_up(self.set)
            case SetClosed(summary):
                self._open_reps_tut_s.clear()
                self.set, self.reps, self.tut_s = summary.set, summary.reps, summary.tut_s
                if summary.reps:
                    self.last_set = self._result(summary)
            case GapFound(gap) if gap.missing != 0:
                self.gaps += 1
                self.missing_samples += gap.missing or 0
            case LinkChanged(up):
                self.online = up
                if not up:
                    self.force_n, self.phase = None, Phase.UNKNOWN
            case BatteryChanged(percent):
                self.battery_percent = percent
            case SessionEnded():
                self.online = False
                self.force_n, self.phase = None, Phase.UNKNOWN
            case _:
                pass

    def summary(self) -> dict[str, Any]:
        """What is worth telling when it changes."""
        return {
            "session": self.facts.session,
            "exercise": self.facts.exercise,
            "side": self.facts.side,
            "athlete": self.facts.athlete,
            "link": "up" if self.online else "down",
            "force_n": _rounded(self.force_n, FORCE_DECIMALS),
            "phase": self.phase,
            "set": self.set,
            "reps": self.reps,
            "tempo": self.tempo,
            "peak_n": _rounded(self.peak_n),
            "tut_s": _rounded(self.tut_s),
            "battery_percent": self.battery_percent,
            "gaps": self.gaps,
            "missing_samples": self.missing_samples,
        }

    def when(self) -> dict[str, Any]:
        """The time of the last event, told along with the summary."""
        return {"utc": utc_text(self.utc_us), "utc_us": self.utc_us}

    def _live(self, live: LiveState) -> None:
        self.force_n, self.phase = live.force_n, live.phase
        if live.set != self.set:
            self.tut_s = 0.0
        self.set, self.reps = live.set, live.reps
        self._note_tempo(live.tempo)

    def _note_tempo(self, tempo: str | None) -> None:
        """Keep a tempo that is complete: that of a rep is when the next one begins."""
        if tempo is not None and "?" not in tempo:
            self.tempo = tempo

    def _result(self, summary: SetSummary) -> dict[str, Any]:
        return {
            "session": self.facts.session,
            "exercise": self.facts.exercise,
            "side": self.facts.side,
            "athlete": self.facts.athlete,
            "set": summary.set,
            "reps": summary.reps,
            "peak_n": _rounded(summary.peak_n),
            "tut_s": _rounded(summary.tut_s),
            "rest_s": _rounded(summary.rest_s),
            **self.when(),
        }

    def _sum_up(self, set_number: int) -> None:
        self.set = set_number
        self.reps = len(self._open_reps_tut_s)
        self.tut_s = sum(self._open_reps_tut_s.values())


def _rounded(value: float | None, decimals: int = DECIMALS) -> float | None:
    return None if value is None else round(float(value), decimals)
