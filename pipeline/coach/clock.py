"""The coach's clock: that of the band while samples come, else the host's; never back."""

from __future__ import annotations

from pipeline.analysis.types import Rep
from pipeline.session.events import (
    BatteryChanged,
    Emitted,
    ForceSamples,
    LinkChanged,
    Marked,
    SessionEnded,
    Tared,
)

TIMES = ("start_s", "top_start_s", "top_end_s", "end_s", "peak_s")
AT_ONCE = Marked | LinkChanged | BatteryChanged | Tared | SessionEnded
"""Events that become known as they happen; reps, sets and gaps are over by then."""


class Clock:
    """Events in, seconds since the coaching's log began out."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.zero_s = 0.0
        """When the session's own time axis began, on this clock."""
        self.has_band = False
        self._utc_us: int | None = None
        self._at_s = 0.0
        """This clock when it was `_utc_us`."""

    def take(self, emitted: Emitted) -> float:
        """The time of an event that has just become known."""
        event = emitted.event
        if isinstance(event, ForceSamples) and not event.late and event.time_s.size:
            time_s = float(event.time_s[-1])
            if not self.has_band:
                began_us = emitted.utc_us - round(time_s * 1e6)
                self.has_band = True
                self.zero_s = max(self._since(began_us), self.now_s - time_s)
            self._read(self.zero_s + time_s, emitted.utc_us)
        elif isinstance(event, AT_ONCE):
            self._read(self._since(emitted.utc_us), emitted.utc_us)
        return self.now_s

    def own_s(self, session_s: float) -> float:
        """A time of the session on this clock."""
        return session_s + self.zero_s

    def own(self, rep: Rep) -> Rep:
        """A rep of the session on this clock."""
        if not self.zero_s:
            return rep
        times_s = {name: getattr(rep, name) + self.zero_s for name in TIMES}
        return rep._replace(**times_s)

    def session_s(self, own_s: float) -> float:
        """A time of this clock on the session's axis; before the first sample, on this clock."""
        return own_s - self.zero_s

    def _since(self, utc_us: int) -> float:
        if self._utc_us is None:
            self._utc_us = utc_us
        return self._at_s + (utc_us - self._utc_us) / 1e6

    def _read(self, own_s: float, utc_us: int) -> None:
        if own_s >= self.now_s:
            self.now_s = self._at_s = own_s
            self._utc_us = utc_us
