"""What is final: samples through the grid, cut into stretches, judged, measured, made into sets.

The same steps whether samples come one by one or all at once, so a replay, a live session and a
file agree. What is told in between is in `live.py`.
"""

from __future__ import annotations

import math
from dataclasses import replace
from functools import partial
from itertools import pairwise

import numpy as np

from pipeline.analysis.absent import RATE_SECONDS, Axis
from pipeline.analysis.grid import GRID_HZ, Grid, GridPiece
from pipeline.analysis.judge import judge
from pipeline.analysis.medians import median
from pipeline.analysis.noise import detection_noise_of, noise_of
from pipeline.analysis.pulls import Pull
from pipeline.analysis.reps import build, half_span
from pipeline.analysis.result import Partial, Rep
from pipeline.analysis.sets import median_period_s, number_reps, part_sets, summarise
from pipeline.analysis.settings import Settings
from pipeline.analysis.signals import Run
from pipeline.analysis.stretches import LONE_WAIT_S, SLOW_FALL_S, Cutter, Stretch
from pipeline.analysis.verdict import Context, Found, Verdict, context_after, median_length_s
from pipeline.session.events import SetClosed
from sensor.samples import Floats, Gap
from sensor.wire.profile import BandCurve

MOST_STRAYS = 1000
RATE_MEMORY_S = 8


class Answer:
    """Force in, closed sets out.

    `push` takes samples, `digest` finds in them what is final, `catch_up` measures that; each may
    be called as often or as seldom as one likes.
    """

    def __init__(self, settings: Settings, curve: BandCurve | None) -> None:
        self._settings = settings
        self._curve = curve
        self.grid = Grid()
        self.run: Run | None = None
        self.cutter: Cutter | None = None
        self.open: list[Rep] = []
        """Reps of closed stretches whose set goes on."""
        self.partials: list[Partial] = []
        """Those since the last set."""
        self.sets = 0
        """How many are closed."""
        self.gaps: list[Gap] = []
        """Holes in the time of the samples, in order."""
        self._near_gaps: list[Gap] = []
        self._pieces: list[GridPiece] = []
        self.context = Context()
        self.usual_s: float | None = None
        """How long the last reps rose and were held, their median."""
        self._found: list[tuple[Found, bool]] = []
        self._previous_end_s: float | None = None

    @property
    def quiet_until_s(self) -> float:
        """Until then no set closes, whatever comes; infinite while none is open."""
        if self.cutter is not None and self.cutter.turns:
            return self.grid.time_s(self.cutter.turns[-1].seen) + self._settings.set_pause_s
        return -math.inf if self.open else math.inf

    def push(self, time_s: Floats, force_n: Floats, *, last: bool = False) -> None:
        """Take samples; with `last` the run ends after them."""
        self._pieces += self.grid.push(time_s, force_n, last=last)
        self.gaps += self.grid.gaps
        self._near_gaps += self.grid.gaps
        self.grid.gaps.clear()

    def digest(self) -> list[SetClosed]:
        """Take what has come on the grid through filters, turns and cuts."""
        closed: list[SetClosed] = []
        for piece in _joined(self._pieces):
            if piece.new_run or self.run is None or self.cutter is None:
                if self.run is not None:
                    closed += self._end_run(goes_on=True)
                self.run = Run(piece.first, self._settings.floor_n)
                self.cutter = Cutter(self.run, self._settings, self._look_at)
            turns = self.cutter.extend(self.run.push(piece.force_n))
            while turns:
                closed += self._late_close(turns[0].seen)
                closed += self._settle(self.cutter.add(turns[0]))
                turns = self.cutter.extend(turns[1:])
            closed += self._settle(self.cutter.check(self.run.settled))
            closed += self._late_close(self.run.settled)
        self._pieces = []
        return closed

    def catch_up(self) -> list[SetClosed]:
        """Measure what was found, and forget the samples behind it."""
        closed = self._resolve()
        self._forget()
        return closed

    def flush(self) -> list[SetClosed]:
        """The samples are over: close what is open."""
        closed = self.digest()
        if self.run is not None:
            closed += self._end_run(goes_on=False)
        return closed + self._close_sets()

    def judged(
        self, run: Run, stretch: Stretch, pulls: list[Pull], *, alone: bool = False
    ) -> Found:
        """What the pulls of a stretch are; `alone` as if there had been no reps before."""
        context = Context(slack_n=self.context.slack_n) if alone else self.context
        first, stop = stretch.first, stretch.stop
        noise_n = noise_of(run, first, stop)
        among_n = detection_noise_of(run, first, stop, self._rate_hz(first, stop), noise_n)
        judged = judge(pulls, partial(half_span, run), self._settings, among_n, context)
        return Found(judged, first, stop, noise_n)

    def measured(self, run: Run, found: list[Found]) -> list[tuple[list[Rep], list[Partial]]]:
        """Reps and partials of each stretch."""
        axis = Axis(self.grid.time_s(0.0), self.grid.counts, run.first / GRID_HZ, self._near_gaps)
        return build(run, found, axis, self._settings, self._curve)

    def _end_run(self, *, goes_on: bool) -> list[SetClosed]:
        assert self.run is not None
        assert self.cutter is not None
        closed: list[SetClosed] = []
        for turn in self.run.push(np.empty(0), last=True):
            closed += self._settle(self.cutter.add(turn))
        closed += self._settle(self.cutter.end(), last_goes_on=goes_on)
        closed += self._resolve()
        self.run = self.cutter = None
        return closed

    def _settle(self, stretches: list[Stretch], *, last_goes_on: bool = False) -> list[SetClosed]:
        """Judge closed stretches at once, since the next depends on them; measure them together."""
        closed: list[SetClosed] = []
        for stretch in stretches:
            assert self.run is not None
            pulls = [] if stretch.found else stretch.pulls(self._settings.dip_share)
            found = stretch.found or self.judged(self.run, stretch, pulls)
            goes_on = stretch.set_goes_on or (stretch.run_ends and last_goes_on)
            self.context = context_after(self.context, found, same_set=goes_on)
            self.usual_s = median_length_s(found.judged) or self.usual_s
            self._found.append((found, goes_on))
            if goes_on or self.open:
                closed += self._resolve()
        return closed

    def _resolve(self) -> list[SetClosed]:
        """The answer about closed stretches of the run."""
        run = self.run
        if run is None or not self._found:
            return []
        found = [part for part, _ in self._found]
        goes_on = [on for _, on in self._found]
        self._found = []
        closed: list[SetClosed] = []
        for (reps, partials), on in zip(self.measured(run, found), goes_on, strict=True):
            self.open += reps
            self.partials += partials
            if not on:
                closed += self._close_sets()
        del self.partials[:-MOST_STRAYS]
        return closed

    def _rate_hz(self, first: int, stop: int) -> float:
        """Most samples in one of the first whole seconds between two grid indices."""
        since, until = int(first / GRID_HZ) + 1, int(stop / GRID_HZ)
        return self.grid.counts.most(since, min(until, since + RATE_SECONDS))

    def _look_at(self, stretch: Stretch, pulls: list[Pull]) -> tuple[Found, float | None]:
        """What is in this open stretch, and how long a pause its set allows; None without one."""
        assert self.run is not None
        found = self.judged(self.run, stretch, pulls)
        return found, self._pause_s(found)

    def _pause_s(self, found: Found) -> float | None:
        starts = [rep.start_s * GRID_HZ for rep in self.open]
        origin, rep = self.grid.time_s(0.0) * GRID_HZ, Verdict.REP
        # A fall at the samples' beginning may be a rep's: what comes tells.
        starts += [
            origin + j.pull.id
            for j in found.judged
            if j.verdict is rep or (j.verdict is Verdict.STEP and j.pull.before_n is None)
        ]
        if not starts:
            return None
        if len(starts) <= 2:
            return LONE_WAIT_S
        return self._longest_pause_s(median(b - a for a, b in pairwise(starts)) / GRID_HZ)

    def _longest_pause_s(self, period_s: float) -> float:
        settings = self._settings
        return min(
            max(settings.set_pause_s, settings.set_pause_periods * period_s),
            settings.longest_rep_s * 2,
        )

    def _late_close(self, now: int) -> list[SetClosed]:
        """Close a set that a cut left open, if nothing follows."""
        if not self.open or (self.cutter is not None and self.cutter.turns):
            return []
        last = self.open[-1]
        wait_s = self._longest_pause_s(median_period_s(self.open)) + SLOW_FALL_S
        if self.grid.time_s(now) <= last.end_s + wait_s:
            return []
        self.context = replace(self.context, same_set=False)
        return self._close_sets()

    def _close_sets(self) -> list[SetClosed]:
        closed: list[SetClosed] = []
        parts = part_sets(self.open, self._settings)
        for number, part in enumerate(parts, 1):
            self.sets += 1
            reps = number_reps(part, self.sets)
            summary = summarise(self.sets, reps, self._previous_end_s)
            self._previous_end_s = summary.end_s
            until = summary.end_s if number < len(parts) else np.inf
            partials = tuple(p for p in self.partials if p.start_s <= until)
            self.partials = [p for p in self.partials if p.start_s > until]
            closed.append(SetClosed(summary, reps, partials))
        self.open = []
        return closed

    def _forget(self) -> None:
        run, cutter = self.run, self.cutter
        if run is None or cutter is None:
            return
        keep = cutter.needed
        run.forget_before(keep)
        self.grid.counts.forget_before(int(keep / GRID_HZ) - RATE_MEMORY_S)
        start_s = self.grid.time_s(keep) - RATE_MEMORY_S
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
