"""Which samples are missing, and which to ask for next; no clock, no Bluetooth.

The sample index of each frame tells what did not come. The band keeps its last samples and sends a
range of them again when asked: one request at a time, the oldest first, as those are forgotten
first.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from sensor.errors import FrameError
from sensor.timeline.pace import WRAP, Pace
from sensor.wire.frames import MAX_SAMPLES, Flag, ForceFrame
from sensor.wire.profile import Answer, Status

ATTEMPTS = 8
"""At 20 % loss and 10 frames/s this leaves one frame in 50 hours; five would leave two an hour."""
QUIET_S = 1.0
"""A resend is over when none of its frames came for so long, or its last one came."""
BUSY_S = 0.5
JOIN_SAMPLES = 2 * MAX_SAMPLES
"""Missing ranges that are closer together than this are asked for as one."""


@dataclass(slots=True)
class Missing:
    """Samples [first, end) that were asked for `asked` times."""

    first: int
    end: int
    asked: int = 0


class Repair:
    """The missing samples of one power-on of the band. Indices are unwrapped inside.

    Parameters
    ----------
    rate_hz
        Nominal rate: index and device time of a frame have to agree with it, else it is left out.
    ring_samples
        How many samples the band keeps.
    attempts
        How often a sample is asked for before it is given up.
    """

    def __init__(self, rate_hz: float, ring_samples: int, attempts: int = ATTEMPTS) -> None:
        self._ring = ring_samples
        self._attempts = attempts
        self._next: int | None = None
        self._framed = -WRAP
        self._pace = Pace(rate_hz)
        self._missing: list[Missing] = []
        self._lost: list[tuple[int, int]] = []
        self._asked: tuple[int, int] | None = None
        self._wait_until_s = -math.inf
        self._able = ring_samples > 0

    def set_rate(self, rate_hz: float, ring_samples: int | None = None) -> None:
        """Samples come at another rate from now on, and the band keeps another number of them."""
        self._pace.set_rate(rate_hz)
        self._ring = self._ring if ring_samples is None else ring_samples

    @property
    def missing(self) -> int:
        """How many samples may still be had."""
        return sum(gap.end - gap.first for gap in self._missing)

    def reached(self, index: int) -> None:
        """The band says that it has taken all samples before `index` (mod 2³²).

        Said first of all, it is where the session starts.
        """
        at = self._unwrap(index)
        self._advance(at)
        self._pace.reached(at)

    def receive(self, frame: ForceFrame, now_s: float) -> None:
        """Take note of a frame."""
        first = self._place(frame)
        if first is None:
            return
        end = first + int(frame.counts.size)
        self._advance(first)
        if self._next is None or end > self._next:
            self._next = end
        self._framed = max(self._framed, end)
        self._found(first, end)
        if frame.flags & Flag.RESENT and self._asked is not None:
            if self._asked[0] < end < self._asked[1]:
                self._wait_until_s = now_s + QUIET_S
            elif end >= self._asked[1] > first:
                self._asked = None
                self._wait_until_s = now_s

    def request(self, now_s: float) -> tuple[int, int] | None:
        """First index (mod 2³²) and count to ask for now; None if there is nothing to ask."""
        if now_s < self._wait_until_s:
            return None
        self._forget_unavailable()
        if not self._missing:
            return None
        first, end = self._missing[0].first, self._missing[0].end
        for gap in self._missing:
            if gap.first - end > JOIN_SAMPLES or gap.end - first > self._ring:
                break
            gap.asked += 1
            end = gap.end
        end = min(end, first + self._ring)
        self._asked = (first, end)
        self._wait_until_s = math.inf
        return first % WRAP, end - first

    def answered(self, answer: Answer, now_s: float) -> None:
        """Take note of how the band answered the last request."""
        if self._asked is None:
            return
        first, end = self._asked
        if answer.status == Status.BUSY:
            self._change_attempts(first, end, -1)
            self._asked, self._wait_until_s = None, now_s + BUSY_S
        elif answer.status in (Status.OK, Status.NOT_AVAILABLE):
            try:
                told, count = answer.resend_range() if answer.status == Status.OK else (first, 0)
            except FrameError:
                self.unanswered(now_s)
                return
            coming = self._unwrap(told)
            if count and not first <= coming < coming + count <= end:
                # The answer to an earlier request, whose wait had ended.
                self.unanswered(now_s)
                return
            # What START alone told of may not be in a frame yet, and comes by itself.
            final = min(end, self._framed)
            self._give_up(first, coming if count else final)
            self._give_up(coming + count, final)
            self._change_attempts(final, end, -1)
            self._asked = (coming, coming + count) if count else None
            self._wait_until_s = now_s + QUIET_S if count or final < end else now_s
        else:
            self._able = False
            self._asked, self._wait_until_s = None, now_s

    def unanswered(self, now_s: float) -> None:
        """The last request got no answer."""
        self._asked, self._wait_until_s = None, now_s

    def wait_s(self, now_s: float) -> float | None:
        """Time until `request` may have something; None: not before another frame or answer."""
        if not self._missing or self._wait_until_s == math.inf:
            return None
        return max(self._wait_until_s - now_s, 0.0)

    def take_given_up(self) -> list[tuple[int, int]]:
        """First index (mod 2³²) and count of what was given up since the last call."""
        lost, self._lost = self._lost, []
        return [(first % WRAP, end - first) for first, end in lost]

    def give_up_all(self) -> None:
        """Nothing more will come: the band lost its memory, or the session ends."""
        for gap in self._missing:
            self._note_lost(gap.first, gap.end)
        self._missing.clear()
        self._asked, self._wait_until_s = None, -math.inf

    def _unwrap(self, index: int) -> int:
        if self._next is None:
            return index
        return self._next + (index - self._next + WRAP // 2) % WRAP - WRAP // 2

    def _place(self, frame: ForceFrame) -> int | None:
        """Index of a frame's first sample; None if it contradicts what came before.

        A few frames that contradict the past but not each other are believed.
        """
        if self._pace.newest is not None:
            judged = self._pace.judge(frame)
            if judged is not None:
                return judged[0]
            if not self._pace.restarted:
                return None
            self.give_up_all()
            self._next = self._pace.began
            self._framed = -WRAP
            self._pace = Pace(self._pace.rate_hz)
        first = self._unwrap(frame.first_sample)
        self._pace.start(first, frame.device_us)
        return first

    def _advance(self, first: int) -> None:
        """All before `first` was taken; what did not come is missing."""
        if self._next is None:
            self._next = first
        elif first > self._next:
            self._missing.append(Missing(self._next, first))
            self._next = first

    def _found(self, first: int, end: int) -> None:
        if not self._missing or first >= self._missing[-1].end:
            return
        kept = []
        for gap in self._missing:
            if gap.end <= first or gap.first >= end:
                kept.append(gap)
                continue
            if gap.first < first:
                kept.append(Missing(gap.first, first, gap.asked))
            if gap.end > end:
                kept.append(Missing(end, gap.end, gap.asked))
        self._missing = kept

    def _forget_unavailable(self) -> None:
        """Give up what was asked for often enough, or is older than the band's memory."""
        if self._next is not None:
            self._give_up(-WRAP, self._next - self._ring)
        for gap in list(self._missing):
            if gap.asked >= self._attempts or not self._able:
                self._give_up(gap.first, gap.end)

    def _give_up(self, first: int, end: int) -> None:
        for gap in list(self._missing):
            if gap.first < end and first < gap.end:
                self._note_lost(max(gap.first, first), min(gap.end, end))
        if first < end:
            self._found(first, end)

    def _note_lost(self, first: int, end: int) -> None:
        if self._lost and self._lost[-1][1] == first:
            self._lost[-1] = (self._lost[-1][0], end)
        else:
            self._lost.append((first, end))

    def _change_attempts(self, first: int, end: int, by: int) -> None:
        for gap in self._missing:
            if gap.first < end and first < gap.end:
                gap.asked += by
