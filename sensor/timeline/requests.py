"""Which missing samples to ask a band for, and when; no clock, no Bluetooth.

The band keeps its last samples and sends a range of them again when asked: one request at a time,
the oldest first, as those are forgotten first.
"""

from __future__ import annotations

import math

from sensor.errors import FrameError
from sensor.timeline.ledger import Ledger, Missing
from sensor.timeline.pace import WRAP, signed
from sensor.wire.frames import MAX_SAMPLES
from sensor.wire.profile import Response, Status

ATTEMPTS = 8
"""At 20 % loss and 10 frames/s this leaves one frame in 50 hours; five would leave two an hour."""
QUIET_S = 1.0
"""A resend is over when none of its samples came for so long, or its last one came."""
BUSY_S = 0.5
JOIN_SAMPLES = 2 * MAX_SAMPLES
"""Missing ranges that are closer together than this are asked for as one."""


class Requests:
    """What to ask for of that which a ledger misses.

    Parameters
    ----------
    ledger
        Somebody else keeps it up to date; what it misses is noted in it as asked for or abandoned.
    attempts
        How often a sample is asked for before it is given up.
    """

    def __init__(self, ledger: Ledger, attempts: int = ATTEMPTS) -> None:
        self.ledger = ledger
        self._attempts = attempts
        self._asked: tuple[int, int] | None = None
        self._open = 0
        self._wait_until_s = -math.inf
        self._able = ledger.ring_samples > 0
        self._abandoned: list[tuple[int, int]] = []

    @property
    def missing(self) -> int:
        """How many samples may still be had."""
        return _count(self._wanted())

    def request(self, now_s: float) -> tuple[int, int] | None:
        """First index (mod 2³²) and count to ask for now; None if there is nothing to ask.

        To be called whenever samples came, too: what comes of a resend prolongs the wait for it.
        """
        self._watch(now_s)
        if now_s < self._wait_until_s:
            return None
        ring = self.ledger.ring_samples
        self._abandon(0, self.ledger.end - ring)
        for each in self._wanted():
            if each.asked >= self._attempts or not self._able:
                self._abandon(each.first, each.end)
        wanted = self._wanted()
        if not wanted:
            return None
        first, end = wanted[0].first, wanted[0].end
        for each in wanted:
            if each.first - end > JOIN_SAMPLES or each.end - first > ring:
                break
            each.asked += 1
            end = each.end
        end = min(end, first + ring)
        self._expect(first, end)
        self._wait_until_s = math.inf
        return first % WRAP, end - first

    def answered(self, response: Response, now_s: float) -> None:
        """Take note of how the band answered the last request."""
        if self._asked is None:
            return
        first, end = self._asked
        if response.status == Status.BUSY:
            self._uncount(first, end)
            self._asked, self._wait_until_s = None, now_s + BUSY_S
        elif response.status in (Status.OK, Status.NOT_AVAILABLE):
            try:
                named, count = (
                    response.resend_range() if response.status == Status.OK else (first, 0)
                )
            except FrameError:
                self.unanswered(now_s)
                return
            coming = first + signed(named - first)
            if count and not first <= coming < coming + count <= end:
                # The response to an earlier request, whose wait had ended.
                self.unanswered(now_s)
                return
            # What START alone reported may not be in a frame yet, and comes by itself.
            final = min(end, self.ledger.framed)
            self._abandon(first, coming if count else final)
            self._abandon(coming + count, final)
            self._uncount(final, end)
            quiet = self._expect(coming, coming + count) or final < end
            self._wait_until_s = now_s + QUIET_S if quiet else now_s
        else:
            self._able = False
            self.unanswered(now_s)

    def unanswered(self, now_s: float) -> None:
        """The last request got no response."""
        self._asked, self._wait_until_s = None, now_s

    def wait_s(self, now_s: float) -> float | None:
        """Time until `request` may have something; None: not before a loss, or a response."""
        if not self._wanted() or self._wait_until_s == math.inf:
            return None
        return max(self._wait_until_s - now_s, 0.0)

    def take_abandoned(self) -> list[tuple[int, int]]:
        """First index (mod 2³²) and count of what was given up since the last call."""
        lost, self._abandoned = self._abandoned, []
        return [(first % WRAP, end - first) for first, end in lost]

    def _wanted(self) -> list[Missing]:
        return [each for each in self.ledger.missing if not each.abandoned]

    def _expect(self, first: int, end: int) -> bool:
        """What is missing of [first, end) is on its way; whether anything is."""
        coming = self.ledger.missing_in(first, end)
        self._open = _count(coming)
        self._asked = (coming[0].first, coming[-1].end) if coming else None
        return bool(coming)

    def _watch(self, now_s: float) -> None:
        """See what came of the last request."""
        if self._asked is None:
            return
        left = self.ledger.missing_in(*self._asked)
        if not left or left[-1].end < self._asked[1]:
            self._asked, self._wait_until_s = None, now_s
        elif (count := _count(left)) < self._open:
            self._open, self._wait_until_s = count, now_s + QUIET_S

    def _abandon(self, first: int, end: int) -> None:
        for each in self.ledger.missing_in(first, end):
            if each.abandoned or each.given_up:
                continue
            each.abandoned = True
            if self._abandoned and self._abandoned[-1][1] == each.first:
                self._abandoned[-1] = (self._abandoned[-1][0], each.end)
            else:
                self._abandoned.append((each.first, each.end))

    def _uncount(self, first: int, end: int) -> None:
        """An attempt that was none."""
        for each in self.ledger.missing_in(first, end):
            each.asked -= 1


def _count(missing: list[Missing]) -> int:
    return sum(each.count for each in missing)
