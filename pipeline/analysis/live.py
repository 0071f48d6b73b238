"""Samples as they come: reps are announced as they end, and are final when their bout has ended.

The samples of the open bout are kept and analysed again whenever a pull may have ended; what
differs from what was announced is an event. No sample is filtered or judged in any other way than
in `offline`, so what is final is the same to the last bit.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from pipeline.analysis.classify import Label
from pipeline.analysis.offline import (
    INVERTED,
    NOTHING,
    Context,
    Found,
    Rules,
    find_reps,
    first_bout,
    last_bout,
)
from pipeline.analysis.open_bout import OpenBout
from pipeline.analysis.phase_tracker import PhaseTracker
from pipeline.analysis.segmentation import Cycles
from pipeline.analysis.sets import OpenSets, close_sets, number_reps, part_sets
from pipeline.analysis.types import (
    AnalysisEvent,
    Expect,
    Expectations,
    LiveState,
    Phase,
    Remarked,
    Rep,
    RepAnnounced,
    RepCorrected,
    RepWithdrawn,
    SetClosed,
    Settings,
)
from sensor.samples import ForceBlock
from sensor.wire.profile import BandCurve

TICKS_PER_S = 12
"""So often it is asked what the phase is and whether a pull has ended: no news waits for longer."""
TICKS_PER_STATE = 3
"""So seldom the state is reported while the phase stays: four times a second."""
LOOKS = (0, 1, 2, 4, 10)
"""So many ticks after a pull may have ended the bout is analysed, until the rep is announced; and
once more, when the force is at rest and the rep's end is known to the ms."""
RESTS_SHARE, ENDED_SHARE = 0.5, 0.7
"""Parts of its rise that a pull has fallen by when it is over: at rest, and as it falls on."""
WORTH_TELLING_S, WORTH_TELLING_SHARE = 0.005, 0.002
"""Nobody sees smaller corrections of a time, or of the peak."""
PAGE_S = 60.0
"""Without live events, so much is taken at once: few samples cost as much as many."""
SURELY_NONE = (Label.PARTIAL, Label.KNOCK, Label.HANDLING)
"""What is one of these is withdrawn at once; anything else when it has ended, or with its bout."""
WHY_NOT = {
    Label.REP: "it is part of the rep around it",
    Label.PARTIAL: "it is small beside the reps around it",
    Label.KNOCK: "it is a knock",
    Label.LOAD: "it is a load at rest",
    Label.NOISE: "it does not stand clear of the noise",
    Label.HANDLING: "it stayed alone, beside greater reps",
}


class LiveAnalysis:
    """Force in, events out; however the samples are cut, the same events.

    Parameters
    ----------
    settings, curve, expect
        Rules, the band's force-elongation curve where it is known, and what is expected so far.
    live
        Whether to report what is provisional: the state, and reps as they end. Without, only
        `SetClosed` is reported, and blocks of any size are taken fast.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        curve: BandCurve | None = None,
        *,
        expect: Expectations | None = None,
        live: bool = True,
    ) -> None:
        self._rules = Rules(settings or Settings(), curve, expect or Expectations())
        self._live = live
        self._open = OpenBout()
        self._context = Context()
        self._measured: dict[tuple[int, ...], Rep] = {}
        """Reps of the open bout by the places of their cycles: each is measured once."""
        self._announced: dict[int, Rep] = {}
        self._last: tuple[int, int, str | None] = (0, 0, None)
        """Place and tempo of the last rep of the set that closed last."""
        self._tracker = PhaseTracker(self._rules.settings)
        self._due: list[int] = []
        """Ticks at which the open bout is to be analysed."""
        self._tick: int | None = None
        self._next_tick_s = -math.inf
        self._next_page_s = -math.inf
        self._next_check = 0
        self._shown, self._next_state = Phase.REST, 0
        self._remarked = False

    def push(self, block: ForceBlock, /) -> list[AnalysisEvent]:
        """Take the next samples; return what they make known."""
        known = np.isfinite(block.force_n)
        time_s, force_n = block.time_s[known], block.force_n[known]
        events: list[AnalysisEvent] = []
        if not self._live:
            self._open.push(time_s, force_n)
            if time_s.size and time_s[-1] >= self._next_page_s:
                self._next_page_s = time_s[-1] + PAGE_S
                events += self._close_bouts()
            return events
        times = time_s.tolist()
        begin = 0
        while begin < time_s.size:
            stop = bisect_left(times, self._next_tick_s, begin)
            # The first sample of the next tick ends this one.
            self._open.push(time_s[begin:stop], force_n[begin:stop])
            self._tracker.push(times[begin:stop], force_n[begin:stop].tolist())
            if stop < time_s.size:
                if self._tick is not None:
                    events += self._end_tick(self._tick, times[stop])
                self._tick = math.floor(times[stop] * TICKS_PER_S)
                self._next_tick_s = (self._tick + 1) / TICKS_PER_S
                self._open.push(time_s[stop : stop + 1], force_n[stop : stop + 1])
                self._tracker.push([times[stop]], [float(force_n[stop])])
                stop += 1
            begin = stop
        return events

    def expect(self, from_s: float, expect: Expect) -> None:
        """From that time on, not before the last sample, the person does something else."""
        self._rules = replace(self._rules, expect=self._rules.expect.then(from_s, expect))

    def flush(self) -> list[AnalysisEvent]:
        """The samples are over: close what is open."""
        events = self._close_bouts(last=True)
        closed, sets = close_sets(self._context.sets, [], [], math.inf, self._rules.settings)
        self._context = Context(sets=sets)
        return events + self._sets_closed(closed, NOTHING, 0.0, -math.inf)

    def _end_tick(self, tick: int, now_s: float) -> list[AnalysisEvent]:
        events: list[AnalysisEvent] = []
        if self._tracker.ended:
            self._due = [tick + later for later in LOOKS]
        elif self._tracker.stopped and not self._due:
            self._due = [tick, tick + LOOKS[-1]]
        self._tracker.ended = self._tracker.stopped = False
        if self._due and tick >= self._due[0]:
            last_look = len(self._due) == 1
            self._due = [due for due in self._due if due > tick]
            # When the next pull has begun, its own end is soon enough for corrections.
            if not last_look or self._tracker.phase is Phase.REST:
                events += self._look(now_s)
                if any(isinstance(event, RepAnnounced) for event in events):
                    self._due = self._due[-1:]
        if tick >= self._next_check:
            self._next_check = tick + TICKS_PER_S
            events += self._close_bouts()
        phase = self._tracker.phase
        if tick >= self._next_state or phase is not self._shown:
            self._next_state = (tick // TICKS_PER_STATE + 1) * TICKS_PER_STATE
            self._shown = phase
            events.append(self._state(now_s))
        return events

    def _state(self, now_s: float) -> LiveState:
        last = next(reversed(self._announced.values()), None)
        place = (last.set, last.rep, last.tempo) if last else self._last
        return LiveState(now_s, self._tracker.force_n, self._tracker.phase, *place)

    def _look(self, now_s: float) -> list[AnalysisEvent]:
        """Compare the reps of the open bout, as if the samples ended now, with those announced."""
        self._open.settle()
        found = find_reps(
            self._open.bins(provisional=True), self._open.samples(), self._context, self._rules,
            more_may_come=True, measured=self._measured,
        )  # fmt: skip
        reps = found.reps
        if reps:
            last = found.cycles[found.labels == Label.REP][-1:]
            if last.even[0] and not math.isnan(last.after_n[0]):
                self._tracker.stand_on(float(last.after_n[0]))
            if not self._is_over(last):
                reps = reps[:-1]
        reps = sorted([*reps, *self._kept(reps, found)], key=lambda rep: rep.peak_s)
        remarks = self._remarks(found, now_s)
        return remarks + self._differences(self._numbered(self._context.sets, reps), now_s, found)

    def _kept(self, reps: Sequence[Rep], found: Found) -> list[Rep]:
        """What was announced of the open bout, is missing now, and may come back.

        A look in mid-pull may join it with the pull that still goes on, or take it for a load.
        """
        sets = self._context.sets
        known = {rep.id for rep in (*reps, *sets.reps)}
        return [
            rep
            for rep in self._announced.values()
            if rep.id not in known
            and rep.set > sets.closed
            and not any(other.start_s <= rep.peak_s <= other.end_s for other in reps)
            and _label(rep, found) not in SURELY_NONE
        ]

    def _remarks(self, found: Found, now_s: float) -> list[AnalysisEvent]:
        """What the person should know of the sensor, once."""
        if found.sign > 0 or self._remarked:
            return []
        self._remarked = True
        return [Remarked(now_s, INVERTED)]

    def _is_over(self, cycle: Cycles) -> bool:
        """Whether a rep has fallen far, or less and rests."""
        before_n, peak_n, after_n = (
            float(each[0]) for each in (cycle.before_n, cycle.peak_n, cycle.after_n)
        )
        resting = self._tracker.phase in (Phase.REST, Phase.CONCENTRIC)
        if math.isnan(before_n):
            return resting
        share = RESTS_SHARE if resting else ENDED_SHARE
        low_n = min(self._tracker.force_n, np.inf if math.isnan(after_n) else after_n)
        return peak_n - low_n >= share * (peak_n - before_n)

    def _numbered(self, sets: OpenSets, reps: Sequence[Rep]) -> list[Rep]:
        """The reps of the sets that may go on, and these, with their places."""
        parts = part_sets([*sets.reps, *reps], self._rules.settings)
        return [
            rep for k, part in enumerate(parts, sets.closed + 1) for rep in number_reps(part, k)
        ]

    def _differences(self, reps: Sequence[Rep], now_s: float, found: Found) -> list[AnalysisEvent]:
        """Report what is not as announced, and remember these reps as announced."""
        now = {rep.id: rep for rep in reps}
        events: list[AnalysisEvent] = [
            RepWithdrawn(id_, now_s, WHY_NOT[_label(rep, found)])
            for id_, rep in self._announced.items()
            if id_ not in now
        ]
        for id_, rep in now.items():
            before = self._announced.get(id_)
            if before is None:
                events.append(RepAnnounced(rep))
            elif _differs(before, rep):
                events.append(RepCorrected(rep))
            else:
                now[id_] = before
        self._announced = now
        return events

    def _close_bouts(self, *, last: bool = False) -> list[AnalysisEvent]:
        """End the bouts that are over, with `last` all; report the sets that are over with them."""
        events: list[AnalysisEvent] = []
        self._open.settle(last=last)
        while (bins := self._open.bins()).size:
            samples = self._open.samples()
            bout = first_bout(bins, samples, self._context, self._rules)
            if bout is None and last:
                bout = last_bout(bins, samples, self._context, self._rules)
            if bout is None:
                break
            now_s = float(bins.time_s[-1])
            end_s = float(bins.time_s[bout.size]) if bout.size < bins.size else math.inf
            self._open.drop(bout.size)
            self._context, self._measured = bout.context, {}
            events += self._remarks(bout.found, now_s)
            events += self._sets_closed(bout.closed, bout.found, now_s, end_s)
        return events

    def _sets_closed(
        self, closed: list[SetClosed], found: Found, now_s: float, end_s: float
    ) -> list[AnalysisEvent]:
        """Report sets that are over, and before them what was announced otherwise."""
        if not self._live:
            return list(closed)
        final = [rep for event in closed for rep in event.reps]
        still_open = [rep for rep in self._announced.values() if rep.peak_s >= end_s]
        going_on = self._numbered(self._context.sets, [])
        events = self._differences([*final, *going_on, *still_open], now_s, found)
        for rep in final:
            del self._announced[rep.id]
        if final:
            self._last = final[-1].set, final[-1].rep, final[-1].tempo
        return [*events, *closed]


def _label(rep: Rep, found: Found) -> Label:
    """What is found where a rep was announced."""
    for cycle, label in zip(found.spans_s, found.labels, strict=True):
        if cycle[0] <= rep.peak_s <= cycle[1]:
            return Label(label)
    return Label.REP


def _differs(one: Rep, other: Rep) -> bool:
    """Whether a person should be told of the other in place of the one."""
    times_s = (
        (one.start_s, other.start_s),
        (one.top_start_s, other.top_start_s),
        (one.top_end_s, other.top_end_s),
        (one.end_s, other.end_s),
    )
    return (
        (one.set, one.rep) != (other.set, other.rep)
        or any(abs(a - b) > WORTH_TELLING_S for a, b in times_s)
        or abs(one.peak_n - other.peak_n) > WORTH_TELLING_SHARE * abs(other.peak_n)
        or (one.bottom_s is None) != (other.bottom_s is None)
    )
