"""Where the signal is cut for the final answer: at pauses, and in time.

A stretch is closed when the band has been let go for long enough that no set goes on; what is found
in it then never changes. Whether samples come one by one or all at once, the cuts are the same:
they follow from the turns and from fixed waits after them.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from pipeline.analysis.grid import GRID_HZ
from pipeline.analysis.pulls import Pull, find_pulls
from pipeline.analysis.settings import Settings
from pipeline.analysis.signals import DETECT_STEP, Run
from pipeline.analysis.swings import Turn
from pipeline.analysis.verdict import Found

SLOW_FALL_S = 3.0
"""Added to a pause that counts from half the fall, for the rest of the fall."""
LONE_WAIT_S = 90.0
"""One or two reps wait so long for others."""
IDLE_WAIT_S = 30.0
"""So long does a stretch without reps wait for them."""
LONGEST_STRETCH_S = 300.0
"""A stretch that goes on is cut in a valley after this, between two pulls; its set goes on."""
LOOK_BACK_S = 15.0
"""Force before the first rise that belongs to a stretch."""


class Stretch(NamedTuple):
    """Turns between two cuts, in [first, stop) of the grid."""

    turns: list[Turn]
    first: int
    stop: int
    run_starts: bool
    run_ends: bool
    set_goes_on: bool
    found: Found | None = None
    """What was found when its end was decided."""

    def pulls(self, dip_share: float) -> list[Pull]:
        return find_pulls(self.turns, dip_share, run_starts=self.run_starts, run_ends=self.run_ends)


Judge = Callable[[Stretch, list[Pull]], tuple[Found, float | None]]


class Cutter:
    """Follows one run's turns and cuts it into stretches.

    Parameters
    ----------
    judge
        Says of a draft of the open stretch and its pulls what is in it, and how long a pause of its
        set may be: None if there is no set yet.
    """

    def __init__(self, run: Run, settings: Settings, judge: Judge) -> None:
        self._run = run
        self._settings = settings
        self._judge = judge
        self.turns: list[Turn] = []
        self.first = run.first
        self._longest_rep = int(settings.longest_rep_s * GRID_HZ)
        self.longest = self._longest_rep + int(IDLE_WAIT_S * GRID_HZ)
        """Force that is up for so many steps lies there; it is cut off."""
        self._pause = settings.set_pause_s * GRID_HZ
        self._closing: tuple[int, int, Stretch, Found] | None = None
        """Last turn, when to close if nothing follows it, and with what."""

    def ahead(self, run: Run, turns: list[Turn]) -> Stretch | None:
        """The open stretch as it would be if the run ended now."""
        other = Cutter(run, self._settings, self._judge)
        other.turns, other.first, other._closing = list(self.turns), self.first, self._closing
        closed: list[Stretch] = []
        for turn in turns:
            closed += other.add(turn)
        closed += other.end()
        return closed[0] if closed else None

    def add(self, turn: Turn) -> list[Stretch]:
        """Take the next turn; return the stretches that end before it."""
        closed = self.check(turn.seen)
        if not self.turns:
            if turn.high:
                low = self._low_before(turn)
                if low is None:
                    return closed
                self.first = max(self.first, low.at - int(LOOK_BACK_S * GRID_HZ))
                self.turns.append(low)
            else:
                self.first = max(self.first, turn.seen - int(LOOK_BACK_S * GRID_HZ))
                turn = self._low_since(self.first, turn)
        elif not turn.high and self._is_cut([*self.turns, turn]):
            closed.append(self._close([*self.turns, turn], turn.at, goes_on=True))
        self.turns.append(turn)
        return closed

    def _is_cut(self, turns: list[Turn]) -> bool:
        """Whether the stretch is so long that it is cut in its last low, which is no dip."""
        length = turns[-1].seen - self.first
        longest = LONGEST_STRETCH_S * GRID_HZ
        if length <= longest:
            return False
        last = find_pulls(turns, self._settings.dip_share, run_starts=self._starts, run_ends=True)
        # What has been held for longer than any rep is a load that swings.
        return last[-1].after_n is not None or length > longest + self._longest_rep

    def extend(self, turns: list[Turn]) -> list[Turn]:
        """Take the turns that only go on with the open stretch; return the rest for `add`."""
        if not self.turns or not turns:
            return turns
        before, taken = self.turns[-1].seen, 0
        most, until = min(self._pause, self.longest), self.first + LONGEST_STRETCH_S * GRID_HZ
        for _, _, _, seen in turns:
            if seen - before > most or seen > until:
                break
            before = seen
            taken += 1
        self.turns += turns[:taken]
        return turns[taken:]

    def check(self, now: int) -> list[Stretch]:
        """Close the stretch if its time came before grid index `now`."""
        if not self.turns:
            return []
        last = self.turns[-1]
        if not last.high:
            at = last.seen + self.longest
            if now <= at:
                return []
            # What is up for so long is a load, but a pull may stand on it: the next begins lower.
            low = self._extreme(at - self._longest_rep, at, high=False)
            high = self._extreme(last.seen, low.at, high=True)
            load = [*self.turns, high, Turn(at, low.force_n, False, at)]
            closed = self._close(load, at, goes_on=False)
            self.first = low.at
            return [closed]
        if now - last.seen <= self._pause:
            return []
        at = self._close_time(last, now)
        if now <= at:
            return []
        if self._closing is not None and self._closing[0] == last.at:
            _, _, draft, found = self._closing
            return [self._close(draft.turns, at, goes_on=False, found=found)]
        return [self._close([*self.turns, self._edge(at)], at, goes_on=False)]

    @property
    def needed(self) -> int:
        """Grid index before which nothing is looked at any more."""
        settled = self._run.settled
        if self.turns or (self._starts and settled - self.first <= self.longest):
            return self.first
        up = self.longest if self._run.rising else 0
        return max(self.first, settled - up - int((LOOK_BACK_S + 5) * GRID_HZ))

    def end(self) -> list[Stretch]:
        """The run is over: return what is left of it."""
        closed = self.check(self._run.settled)
        turn = self._run.end_turn()
        if turn is not None:
            closed += self.add(turn)
        stop = self._run.measure.end
        if self.turns and self.turns[-1].high:
            self.turns.append(self._edge(stop - 1))
        if len(self.turns) > 1:
            closed.append(Stretch(self.turns, self.first, stop, self._starts, True, False))
        self.turns = []
        return closed

    @property
    def _starts(self) -> bool:
        return self.first == self._run.first

    def _close(
        self, turns: list[Turn], stop: int, *, goes_on: bool, found: Found | None = None
    ) -> Stretch:
        stretch = Stretch(turns, self.first, stop, self._starts, False, goes_on, found)
        self.turns, self.first, self._closing = [], stop, None
        return stretch

    def _close_time(self, last: Turn, now: int) -> int:
        """Index at which the stretch closes if nothing happens; far off while it cannot be told."""
        if self._closing is not None and self._closing[0] == last.at:
            return self._closing[1]
        never = 1 << 62
        # Everything is asked of fixed indices, so that it does not matter when it is asked.
        drafted_at = last.seen + int(self._settings.set_pause_s * GRID_HZ)
        draft = self._draft(drafted_at)
        pulls = draft.pulls(self._settings.dip_share)
        pull = pulls[-1]
        base = pull.before_n
        if base is None:
            base = min(low.force_n for low in draft.turns[::2])
        half = pull.peak_n - self._settings.dip_share * (pull.peak_n - base)
        since = last.seen // DETECT_STEP
        force = self._run.detect.view(since, now // DETECT_STEP)
        fallen = (force <= half).nonzero()[0]
        up_until = max(pull.id, self.first) + self.longest
        let_go = (since + int(fallen[0])) * DETECT_STEP if fallen.size else up_until
        if let_go >= up_until:
            # Still up: a hold, or a load at rest.
            return up_until
        judged_at = let_go + int((self._settings.set_pause_s + SLOW_FALL_S) * GRID_HZ)
        if now <= judged_at:
            return never
        if let_go > drafted_at:
            draft = self._draft(judged_at)
            pulls = draft.pulls(self._settings.dip_share)
        found, pause_s = self._judge(draft, pulls)
        wait_s = IDLE_WAIT_S if pause_s is None else pause_s + SLOW_FALL_S
        at = max(let_go + int(wait_s * GRID_HZ), judged_at)
        self._closing = last.at, at, draft, found
        return at

    def _draft(self, now: int) -> Stretch:
        low = self._extreme(self.turns[-1].at, now, high=False)
        return Stretch([*self.turns, low], self.first, now, self._starts, False, False)

    def _extreme(self, first: int, stop: int, *, high: bool) -> Turn:
        begin = -(-first // DETECT_STEP)
        force = self._run.detect.view(begin, stop // DETECT_STEP + 1)
        at = int(force.argmax() if high else force.argmin()) if force.size else 0
        value = float(force[at]) if force.size else 0.0
        return Turn((begin + at) * DETECT_STEP, value, high, stop)

    def _edge(self, index: int) -> Turn:
        """The force where a run starts or ends, in the place of the low that was not recorded."""
        force = self._run.measure.view(index, index + 1)
        return Turn(index, float(force[0]), False, index)

    def _low_before(self, high: Turn) -> Turn | None:
        """Where the pull of a stretch's first high begins, if that is no load taken off."""
        if self._starts and high.seen - self.first <= self.longest:
            return self._edge(self.first)
        since = max(self.first, high.seen - self.longest)
        if self._starts or since >= high.at:
            return None
        low = self._extreme(since, high.at, high=False)
        step = low.at // DETECT_STEP
        rise = self._run.detect.view(step, high.at // DETECT_STEP + 1) - low.force_n
        risen = np.flatnonzero(rise >= self._settings.floor_n)
        if not risen.size:
            return None
        return Turn(low.at, low.force_n, False, (step + int(risen[0])) * DETECT_STEP)

    def _low_since(self, first: int, turn: Turn) -> Turn:
        if turn.at >= first:
            return turn
        low = self._extreme(first, turn.seen, high=False)
        return Turn(low.at, low.force_n, False, turn.seen)
