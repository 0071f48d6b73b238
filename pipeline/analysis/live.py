"""The analysis as samples come: what is known now, and at each set's end the answer."""

from __future__ import annotations

import math
from bisect import bisect_left

import numpy as np

from pipeline.analysis.answer import Answer
from pipeline.analysis.looks import Looks
from pipeline.analysis.provisional import Announcer, RepEvent
from pipeline.analysis.result import Partial, Rep
from pipeline.analysis.settings import Settings
from pipeline.analysis.tracker import Tracker
from pipeline.session.events import LiveState, Phase, RepAnnounced, SetClosed
from sensor.samples import Floats, ForceBlock, Gap
from sensor.wire.profile import BandCurve

AnalysisEvent = LiveState | RepEvent | SetClosed

PAGE = 1 << 16
"""Samples taken through the filters at once: few enough to stay in the processor's cache."""
WORTH_A_PUSH = 4 * PAGE
"""Without live events, fewer samples wait for more: small blocks would cost as much as great."""
PAGES_AT_ONCE = 32
"""After so many pages what was found is measured: bounds memory whatever the block."""
TICKS_PER_S = 12
"""So often it is asked what the phase is and whether a pull has ended: no news waits for more."""
TICKS_PER_STATE = 3
"""So seldom the state is told while the phase stays: four times a second."""
OFTEN_S, SELDOM_S = 2.0, 10.0
"""So often samples go on to the answer while a set may close, and while none can: many cost little
more than few. Where a pull ends they go on at once."""


class LiveAnalysis:
    """Force in, events out; the last word on each set is `SetClosed`.

    Parameters
    ----------
    settings, curve
        Rules, and the band's force-elongation curve where it is known.
    live
        Whether to tell what is provisional: the state, and reps as they end. Without,
        only `SetClosed` is told, and blocks of any size are taken fast.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        curve: BandCurve | None = None,
        *,
        live: bool = True,
    ) -> None:
        settings = settings or Settings()
        self._live = live
        self._answer = Answer(settings, curve)
        self._waiting: list[tuple[Floats, Floats]] = []
        self._held = 0
        self._times_s: list[float] = []
        self._forces_n: list[float] = []
        """Live samples that wait for the answer to be asked."""
        self._followed = 0
        """So many of them has the tracker seen."""
        self._tracker = Tracker(settings)
        self._announcer = Announcer()
        self._looks = Looks(self._answer, self._announcer, settings)
        self._origin_s: float | None = None
        self._next_tick, self._next_tick_s = 0, -math.inf
        self._next_state = self._next_answer = 0
        self._shown = Phase.REST
        self._newest_s = 0.0
        self._last: tuple[int, int, str | None] = (0, 0, None)
        self._told: Rep | None = None
        """The rep whose place and tempo these are."""

    @property
    def gaps(self) -> list[Gap]:
        """Holes in the time of the samples, in order."""
        return self._answer.gaps

    @property
    def stray_partials(self) -> list[Partial]:
        """Partials after the last set, which no `SetClosed` tells."""
        return list(self._answer.partials)

    def push(self, block: ForceBlock, /) -> list[AnalysisEvent]:
        """Take the next samples; return what they make known."""
        if self._live:
            return self._push_live(block.time_s.tolist(), block.force_n.tolist())
        self._waiting.append((block.time_s, block.force_n))
        self._held += block.time_s.size
        if self._held < WORTH_A_PUSH:
            return []
        return self._pages() + self._answer.catch_up()

    def _pages(self) -> list[AnalysisEvent]:
        """The samples that wait, page by page."""
        self._held = 0
        time_s, force_n = self._gathered()
        events: list[AnalysisEvent] = []
        for number, at in enumerate(range(0, time_s.size, PAGE), 1):
            self._answer.push(time_s[at : at + PAGE], force_n[at : at + PAGE])
            events += self._answer.digest()
            if number % PAGES_AT_ONCE == 0:
                events += self._answer.catch_up()
        return events

    def flush(self) -> list[AnalysisEvent]:
        """The samples are over: close what is open."""
        events = self._pages()
        self._feed()
        self._answer.push(np.empty(0), np.empty(0), last=True)
        events += self._closed(self._answer.flush())
        return events + list(self._announcer.close([], self._newest_s))

    def _gathered(self) -> tuple[Floats, Floats]:
        """The samples that wait, as one piece."""
        if len(self._waiting) < 2:
            return self._waiting.pop() if self._waiting else (np.empty(0), np.empty(0))
        times, forces = zip(*self._waiting, strict=True)
        self._waiting = []
        return np.concatenate(times), np.concatenate(forces)

    def _push_live(self, times_s: list[float], forces_n: list[float]) -> list[AnalysisEvent]:
        """Up to each sample that passes a tick; there, say what is known."""
        events: list[AnalysisEvent] = []
        begin = 0
        while begin < len(times_s):
            if self._origin_s is None:
                self._origin_s = times_s[0]
            stop = bisect_left(times_s, self._next_tick_s, begin) + 1
            self._times_s += times_s[begin:stop]
            self._forces_n += forces_n[begin:stop]
            if stop <= len(times_s):
                self._follow()
                events += self._tick(times_s[stop - 1], self._origin_s)
            begin = stop
        return events

    def _follow(self) -> None:
        """Let the tracker see what live samples came since the last tick."""
        self._tracker.push(self._times_s[self._followed :], self._forces_n[self._followed :])
        self._followed = len(self._times_s)

    def _feed(self) -> None:
        """Give the answer what live samples came since; the tracker has seen them."""
        self._followed = 0
        self._answer.push(np.array(self._times_s), np.array(self._forces_n))
        self._times_s, self._forces_n = [], []

    def _tick(self, now_s: float, origin_s: float) -> list[AnalysisEvent]:
        """Reps that ended or look otherwise now, and the state where it is due."""
        self._newest_s = now_s
        tick = max(math.floor((now_s - origin_s) * TICKS_PER_S), self._next_tick)
        events: list[AnalysisEvent] = []
        tracker, looks = self._tracker, self._looks
        if tracker.ended:
            tracker.ended = False
            looks.plan(tick, small=tracker.small)
        look = looks.due(tick, tracker.phase)
        if look or tick >= self._next_answer:
            self._feed()
            events += self._closed(self._answer.digest() + self._answer.catch_up())
            quiet_s = self._answer.quiet_until_s - now_s
            self._next_answer = tick + int(min(max(quiet_s, OFTEN_S), SELDOM_S) * TICKS_PER_S)
            if not look and quiet_s == math.inf:
                events += self._announcer.close([], now_s)
        if look:
            news = looks.take(tick, now_s, tracker.phase)
            for rep in [new.rep for new in news if isinstance(new, RepAnnounced)]:
                tracker.learn(rep.peak_n - max(rep.valley_before_n, rep.valley_after_n))
            events += news
        if tick >= self._next_state or tracker.phase is not self._shown:
            self._next_state = (tick // TICKS_PER_STATE + 1) * TICKS_PER_STATE
            self._shown = tracker.phase
            events.append(self._state(now_s))
        self._next_tick = tick + 1
        self._next_tick_s = origin_s + self._next_tick / TICKS_PER_S
        return events

    def _state(self, now_s: float) -> LiveState:
        last = self._announcer.last
        if last is not self._told:
            self._told = last
            if last is not None:
                self._last = last.set, last.rep, last.tempo
        return LiveState(now_s, self._tracker.force_n, self._tracker.phase, *self._last)

    def _closed(self, closed: list[SetClosed]) -> list[AnalysisEvent]:
        """Sets that closed, and before them what was told and is not among their reps."""
        if not self._live or not closed:
            return list(closed)
        final = [rep for event in closed for rep in event.reps]
        self._last = closed[-1].summary.set, closed[-1].summary.reps, final[-1].tempo
        return [*self._announcer.close(final, final[-1].end_s), *closed]
