"""The analysis as samples come: what is known now, and at each set's end the answer.

The answer is made by the same steps whether samples come one by one or all at once, so a replay and
a live session agree.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np

from pipeline.analysis.grid import GRID_HZ, Grid, GridPiece
from pipeline.analysis.judge import judge
from pipeline.analysis.noise import detection_noise_of, noise_of
from pipeline.analysis.provisional import ENDED_SHARE, Announcer, has_ended, why_not
from pipeline.analysis.pulls import Pull
from pipeline.analysis.reps import Axis, Draft, build, half_span
from pipeline.analysis.result import Partial
from pipeline.analysis.sets import median_period_s, number_reps, part_sets, summarise
from pipeline.analysis.settings import Settings
from pipeline.analysis.signals import Run
from pipeline.analysis.stretches import LONE_WAIT_S, SLOW_FALL_S, Cutter, Stretch
from pipeline.analysis.tracker import Tracker
from pipeline.analysis.verdict import Context, Found, Verdict, slack_n
from pipeline.events import LiveState, Phase, RepAnnounced, RepCorrected, RepWithdrawn, SetClosed
from sensor.profile import BandCurve
from sensor.samples import Floats, ForceBlock, Gap

AnalysisEvent = LiveState | RepAnnounced | RepCorrected | RepWithdrawn | SetClosed

PAGE = 1 << 16
"""Samples taken through the filters at once: few enough to stay in the processor's cache."""
WORTH_A_PUSH = 4096
"""Without live events, fewer samples wait for more: small blocks would cost as much as great."""
PAGES_AT_ONCE = 32
"""After so many pages what was found is measured: bounds memory whatever the block."""
MOST_STRAYS = 1000
RATE_MEMORY_S = 8
RATE_SECONDS = 5
STATES_PER_S = 4
TICKS_PER_S = 12
"""So often it is asked whether a pull has ended: a rep waits for no more than one of them."""
LOOKS = (0, 1, 2, 4, 10)
"""So many ticks after a pull ended it is looked at, until it is told; then once more at rest."""


class LiveAnalysis:
    """Force in, events out; the last word on each set is `SetClosed`.

    Parameters
    ----------
    settings, curve
        Rules, and the band's force-elongation curve where it is known.
    live
        Whether to tell what is provisional: four states a second and reps as they end. Without,
        only `SetClosed` is told, and blocks of any size are taken fast.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        curve: BandCurve | None = None,
        *,
        live: bool = True,
    ) -> None:
        self._settings = settings or Settings()
        self._curve = curve
        self._live = live
        self._grid = Grid()
        self._run: Run | None = None
        self._cutter: Cutter | None = None
        self._context = Context()
        self._open: list[Draft] = []
        self._found: list[tuple[Found, bool]] = []
        self._partials: list[Partial] = []
        self._sets = 0
        self._previous_end_s: float | None = None
        self.gaps: list[Gap] = []
        """Holes in the time of the samples, in order."""
        self._near_gaps: list[Gap] = []
        self._origin_s: float | None = None
        self._next_tick_s = -math.inf
        self._next_state_s = -math.inf
        self._tracker = Tracker(self._settings)
        self._announcer = Announcer()
        self._looks: list[int] = []
        """In how many ticks to analyse the open stretch."""
        self._ticks = 0
        self._pieces: list[GridPiece] = []
        self._waiting: list[tuple[Floats, Floats]] = []
        self._held = 0
        self._last: tuple[int, int, str | None] = (0, 0, None)

    @property
    def stray_partials(self) -> list[Partial]:
        """Partials after the last set, which no `SetClosed` tells."""
        return list(self._partials)

    def push(self, block: ForceBlock, /) -> list[AnalysisEvent]:
        """Take the next samples; return what they make known."""
        events: list[AnalysisEvent] = []
        if self._live:
            return self._push_live(block.time_s, block.force_n)
        self._waiting.append((block.time_s, block.force_n))
        self._held += block.time_s.size
        if self._held < WORTH_A_PUSH:
            return []
        self._held = 0
        time_s, force_n = self._gathered()
        for number, at in enumerate(range(0, time_s.size, PAGE), 1):
            events += self._advance(time_s[at : at + PAGE], force_n[at : at + PAGE])
            if number % PAGES_AT_ONCE == 0:
                events += self._catch_up()
        return events + self._catch_up()

    def flush(self) -> list[AnalysisEvent]:
        """The samples are over: close what is open."""
        self._held = 0
        events = self._advance(*self._gathered(), last=True)
        if self._run is not None:
            events += self._end_run(goes_on=False)
        return events + self._close_sets()

    def _push_live(self, time_s: Floats, force_n: Floats) -> list[AnalysisEvent]:
        """Up to each sample that passes a tick; there, say what is known."""
        events: list[AnalysisEvent] = []
        if not time_s.size:
            return events
        if self._origin_s is None:
            self._origin_s = float(time_s[0])
        while time_s.size:
            due = int(np.searchsorted(time_s, self._next_tick_s))
            self._waiting.append((time_s[: due + 1], force_n[: due + 1]))
            if due >= time_s.size:
                break
            now_s = float(time_s[due])
            events += self._advance(*self._gathered())
            self._next_tick_s = self._after(now_s, TICKS_PER_S)
            events += self._tell(now_s)
            time_s, force_n = time_s[due + 1 :], force_n[due + 1 :]
        return events

    def _after(self, now_s: float, per_s: int) -> float:
        """The next of so many regular times a second."""
        origin_s = self._origin_s or 0.0
        return origin_s + (math.floor((now_s - origin_s) * per_s) + 1) / per_s

    def _gathered(self) -> tuple[Floats, Floats]:
        """The samples that wait, as one piece."""
        if len(self._waiting) < 2:
            return self._waiting.pop() if self._waiting else (np.empty(0), np.empty(0))
        times, forces = zip(*self._waiting, strict=True)
        self._waiting = []
        return np.concatenate(times), np.concatenate(forces)

    def _tell(self, now_s: float) -> list[AnalysisEvent]:
        """Reps that ended or look otherwise now; each quarter of a second the state."""
        events: list[AnalysisEvent] = []
        if self._tracker.ended:
            self._tracker.ended = False
            self._looks = list(LOOKS)
        self._looks = [left - 1 for left in self._looks]
        look = bool(self._looks) and self._looks[0] < 0
        self._ticks += 1
        if look or self._ticks % TICKS_PER_S == 0:
            events += self._digest() + self._catch_up()
        if look:
            events += self._take_look(now_s)
        if now_s < self._next_state_s:
            return events
        self._next_state_s = self._after(now_s, STATES_PER_S)
        reps = self._announcer.reps
        if reps:
            last = reps[-1]
            self._last = last.set, last.rep, last.tempo
        set_number, count, tempo = self._last
        state = LiveState(
            now_s, self._tracker.force_n, self._tracker.phase, set_number, count, tempo
        )
        return [*events, state]

    def _take_look(self, now_s: float) -> list[AnalysisEvent]:
        """At an ended pull, more if it was too soon to be told, and once when it rests."""
        del self._looks[0]
        if not self._looks and self._tracker.phase is not Phase.REST:
            # Once the next pull has begun, its own end is soon enough for corrections.
            return []
        events = self._look(now_s)
        if any(isinstance(event, RepAnnounced) for event in events):
            self._looks = self._looks[-1:]
        return events

    def _look(self, now_s: float) -> list[AnalysisEvent]:
        """Analyse the open stretch as if the samples ended here."""
        if self._run is None or self._cutter is None:
            return []
        grid = self._grid.copy()
        pieces = grid.push(np.empty(0), np.empty(0), last=True)
        tail = np.concatenate([piece.force_n for piece in pieces] or [np.empty(0)])
        since = max(self._cutter.first, self._run.measure.start)
        run, turns = self._run.ahead(tail, since)
        stretch = self._cutter.ahead(run, turns)
        if stretch is None:
            return []
        found = self._judge(run, stretch, self._pulls(stretch))
        resting = self._tracker.phase in (Phase.REST, Phase.CONCENTRIC)
        share = self._settings.dip_share if resting else ENDED_SHARE
        judged = [j for j in found.judged if j.verdict is Verdict.REP]
        if judged and judged[-1] is found.judged[-1] and not has_ended(judged[-1].pull, share):
            judged.pop()
        fresh = [j for j in judged if self._announcer.known(j) is None]
        axis = Axis(self._grid.time_s(0.0), self._grid.second_counts, self._near_gaps)
        part = Found(fresh, found.first, found.stop, found.noise_n)
        [(drafts, _)] = build(run, [part], axis, self._settings, self._curve)
        for j, draft in zip(fresh, drafts, strict=True):
            self._announcer.remember(j, draft)
        known = [self._announcer.known(j) for j in judged]
        return list(
            self._announcer.tell(
                [*self._open, *(draft for draft in known if draft is not None)],
                self._sets,
                self._settings,
                now_s,
                why_not(found.judged),
            )
        )

    def _advance(
        self, time_s: Floats, force_n: Floats, *, last: bool = False
    ) -> list[AnalysisEvent]:
        pieces = self._grid.push(time_s, force_n, last=last)
        self.gaps += self._grid.gaps
        self._near_gaps += self._grid.gaps
        self._grid.gaps.clear()
        if self._live:
            for piece in pieces:
                if piece.new_run:
                    self._tracker.restart()
                self._tracker.push(piece.force_n)
        self._pieces += pieces
        return [] if self._live and not last else self._digest()

    def _digest(self) -> list[AnalysisEvent]:
        """Take what has come on the grid through filters, turns and cuts."""
        events: list[AnalysisEvent] = []
        for piece in _joined(self._pieces):
            if piece.new_run or self._run is None or self._cutter is None:
                if self._run is not None:
                    events += self._end_run(goes_on=True)
                self._run = Run(piece.first, self._settings.floor_n)
                self._cutter = Cutter(self._run, self._settings, self._look_at)
            for turn in self._run.push(piece.force_n):
                events += self._late_close(turn.seen)
                events += self._settle(self._cutter.add(turn))
            events += self._settle(self._cutter.check(self._run.settled))
            events += self._late_close(self._run.settled)
        self._pieces = []
        return events

    def _catch_up(self) -> list[AnalysisEvent]:
        """Measure what was found, and forget the samples behind it."""
        events = self._resolve()
        self._forget()
        return events

    def _end_run(self, *, goes_on: bool) -> list[AnalysisEvent]:
        assert self._run is not None
        assert self._cutter is not None
        events: list[AnalysisEvent] = []
        for turn in self._run.push(np.empty(0), last=True):
            events += self._settle(self._cutter.add(turn))
        events += self._settle(self._cutter.end(), last_goes_on=goes_on)
        events += self._resolve()
        self._run = self._cutter = None
        return events

    def _settle(
        self, stretches: list[Stretch], *, last_goes_on: bool = False
    ) -> list[AnalysisEvent]:
        """Judge closed stretches at once, since the next depends on them; measure them together."""
        events: list[AnalysisEvent] = []
        for stretch in stretches:
            assert self._run is not None
            found = stretch.found or self._judge(self._run, stretch, self._pulls(stretch))
            goes_on = stretch.set_goes_on or (stretch.run_ends and last_goes_on)
            self._context = _context_after(self._context, found, same_set=goes_on)
            self._found.append((found, goes_on))
            if goes_on or self._open:
                events += self._resolve()
        return events

    def _resolve(self) -> list[AnalysisEvent]:
        """The answer about closed stretches of the run."""
        run = self._run
        if run is None or not self._found:
            return []
        found = [part for part, _ in self._found]
        goes_on = [on for _, on in self._found]
        self._found = []
        axis = Axis(self._grid.time_s(0.0), self._grid.second_counts, self._near_gaps)
        events: list[AnalysisEvent] = []
        built = build(run, found, axis, self._settings, self._curve)
        for (drafts, partials), on in zip(built, goes_on, strict=True):
            self._open += drafts
            self._partials += partials
            if not on:
                events += self._close_sets()
        del self._partials[:-MOST_STRAYS]
        return events

    def _pulls(self, stretch: Stretch) -> list[Pull]:
        return stretch.pulls(self._settings.dip_share)

    def _judge(self, run: Run, stretch: Stretch, pulls: list[Pull]) -> Found:
        first, stop = stretch.first, stretch.stop
        noise_n = noise_of(run, first, stop)
        among_n = detection_noise_of(run, first, stop, self._rate_hz(first, stop), noise_n)
        judged = judge(pulls, partial(half_span, run), self._settings, among_n, self._context)
        return Found(judged, first, stop, noise_n)

    def _rate_hz(self, first: int, stop: int) -> float:
        """Most samples in one of the first whole seconds between two grid indices."""
        since, until = int(first / GRID_HZ) + 1, int(stop / GRID_HZ)
        seconds = range(since, min(until, since + RATE_SECONDS))
        return float(max((self._grid.second_counts.get(at, 0) for at in seconds), default=0))

    def _look_at(self, stretch: Stretch, pulls: list[Pull]) -> tuple[Found, float | None]:
        """What is in this open stretch, and how long a pause its set allows; None without one."""
        assert self._run is not None
        found = self._judge(self._run, stretch, pulls)
        return found, self._pause_s(found)

    def _pause_s(self, found: Found) -> float | None:
        starts = [draft.start_s * GRID_HZ for draft in self._open]
        origin = self._grid.time_s(0.0) * GRID_HZ
        starts += [origin + j.pull.id for j in found.judged if j.verdict is Verdict.REP]
        if not starts:
            return None
        if len(starts) <= 2:
            return LONE_WAIT_S
        periods = sorted(b - a for a, b in pairwise(starts))
        return self._longest_pause_s(periods[len(periods) // 2] / GRID_HZ)

    def _longest_pause_s(self, period_s: float) -> float:
        settings = self._settings
        return min(
            max(settings.set_pause_s, settings.set_pause_periods * period_s),
            settings.longest_rep_s * 2,
        )

    def _late_close(self, now: int) -> list[AnalysisEvent]:
        """Close a set that a cut left open, if nothing follows."""
        if not self._open or (self._cutter is not None and self._cutter.turns):
            return []
        last = self._open[-1]
        wait_s = self._longest_pause_s(median_period_s(self._open)) + SLOW_FALL_S
        if self._grid.time_s(now) <= last.end_s + wait_s:
            return []
        self._context = replace(self._context, same_set=False)
        return self._close_sets()

    def _close_sets(self) -> list[AnalysisEvent]:
        events: list[AnalysisEvent] = []
        parts = part_sets(self._open, self._settings)
        for number, drafts in enumerate(parts, 1):
            self._sets += 1
            reps = number_reps(drafts, self._sets)
            summary = summarise(self._sets, reps, self._previous_end_s)
            self._previous_end_s = summary.end_s
            until = summary.end_s if number < len(parts) else np.inf
            partials = tuple(p for p in self._partials if p.start_s <= until)
            self._partials = [p for p in self._partials if p.start_s > until]
            events.append(SetClosed(summary, reps, partials))
        if self._live and events:
            closed = [event for event in events if isinstance(event, SetClosed)]
            final = [rep for event in closed for rep in event.reps]
            events = [*self._announcer.close(final, final[-1].end_s), *events]
            self._last = closed[-1].summary.set, closed[-1].summary.reps, final[-1].tempo
        self._open = []
        return events

    def _forget(self) -> None:
        run, cutter = self._run, self._cutter
        if run is None or cutter is None:
            return
        keep = cutter.needed
        run.forget_before(keep)
        second = int(keep / GRID_HZ) - RATE_MEMORY_S
        counts = self._grid.second_counts
        for old in [at for at in counts if at < second]:
            del counts[old]
        start_s = self._grid.time_s(keep) - RATE_MEMORY_S
        self._near_gaps = [gap for gap in self._near_gaps if gap.end_s >= start_s]


def _joined(pieces: list[GridPiece]) -> list[GridPiece]:
    """Pieces of one run made one."""
    joined: list[list[GridPiece]] = []
    for piece in pieces:
        if piece.new_run or not joined:
            joined.append([])
        joined[-1].append(piece)
    return [
        GridPiece(run[0].first, np.concatenate([p.force_n for p in run]), run[0].new_run)
        if len(run) > 1
        else run[0]
        for run in joined
    ]


def _context_after(context: Context, found: Found, *, same_set: bool) -> Context:
    reps = [judged for judged in found.judged if judged.verdict is Verdict.REP]
    slack = slack_n([judged.pull for judged in found.judged], context.slack_n)
    if not reps:
        return replace(context, same_set=same_set and context.same_set, slack_n=slack)
    before = context.amplitudes_n if context.same_set else ()
    amplitudes = (*before, *(judged.amplitude_n for judged in reps))[-8:]
    last = reps[-1].pull
    return Context(amplitudes, last.fell, same_set, slack)
