"""Which samples of one power-on are there: each in its place and once, the missing ones by index.

The sample index makes a loss exact. Frames come late (a resend), twice (a stack's fault) or not at
all. `place` gives at once what is new; `settled` gives, in order and once, what is complete:
samples, and missing ones that nobody can bring any more.
"""

from __future__ import annotations

from bisect import bisect, bisect_right
from dataclasses import dataclass, replace

import numpy as np

from sensor.samples import Ints
from sensor.timeline.pace import WRAP, Pace, signed
from sensor.wire.frames import ForceFrame, FrameBatch

MARGIN_S = 5.0
"""What is missing and older than the band's memory by this much cannot be had."""
APART_US = 2
"""Samples are at least so far apart, so that UTC, which may be slewed, is another µs for each."""


@dataclass(frozen=True, slots=True, eq=False)
class Piece:
    """Consecutive samples: unwrapped index of the first, device time of each, counts as sent."""

    first: int
    device_us: Ints
    counts: Ints
    calibration_id: int
    flags: int
    late: bool = False

    @property
    def end(self) -> int:
        """Index after the last sample."""
        return self.first + int(self.counts.size)

    def part(self, first: int, end: int) -> Piece:
        """The samples with an index in [first, end)."""
        cut = slice(first - self.first, end - self.first)
        return replace(self, first=first, device_us=self.device_us[cut], counts=self.counts[cut])


@dataclass(slots=True)
class Missing:
    """Samples [first, end) that did not come."""

    first: int
    end: int
    given_up: bool = False
    """Nobody will bring them, says the log."""
    asked: int = 0
    """How often the client asked the band for them."""
    abandoned: bool = False
    """The client asks no more; the log learns of it by a mark."""

    @property
    def count(self) -> int:
        return self.end - self.first


class Ledger:
    """The samples of one power-on of the band. Indices are unwrapped inside.

    Parameters
    ----------
    rate_hz
        Nominal rate; the true one is learnt from index and device time.
    ring_samples
        How many samples the band keeps for resending.
    """

    def __init__(self, rate_hz: float, ring_samples: int) -> None:
        self.ring_samples = ring_samples
        self.start = 0
        """Index of the first sample that the session can have; after the first frame."""
        self.framed = 0
        """Index after the last sample that came in a frame."""
        self.pace = Pace(rate_hz)
        """What it doubts is left out; when it says `restarted`, all began again."""
        self._end: int | None = None
        self._pieces: list[Piece] = []
        self._past = 0, -(2**62)
        """Index after the last sample that is final, and its device time."""
        self._missing: list[Missing] = []

    def set_rate(self, rate_hz: float, ring_samples: int | None = None) -> None:
        """From about the next frame on samples come at another nominal rate.

        Another rate mostly means another number of samples in the band's memory.
        """
        self.pace.set_rate(rate_hz)
        self.ring_samples = self.ring_samples if ring_samples is None else ring_samples

    @property
    def end(self) -> int:
        """Index after the last sample that the band is known to have taken."""
        return self._end or 0

    @property
    def missing(self) -> list[Missing]:
        """What did not come and may still come, in order."""
        return [each for each in self._missing if not each.given_up]

    @property
    def waiting(self) -> int:
        """Samples held back behind missing ones."""
        return sum(int(piece.counts.size) for piece in self._pieces)

    def reached(self, index: int) -> None:
        """The band says that it has taken all samples before `index` (mod 2³²).

        Said first of all, it is where the session starts; what does not come of it is missing, as
        is what does not come after the last frame.
        """
        if self.pace.newest is not None:
            at = self.pace.unwrap(index)
            self.pace.reached(at)
        else:
            at = index if self._end is None else self._end + signed(index - self._end)
            if self._end is None or at < self._end:
                self._start_at(index)
        self._miss_until(at)

    def place(self, frame: ForceFrame) -> list[Piece]:
        """The parts of a frame that are new, with index and device time unwrapped.

        An impossible frame (its index and its clock contradict what came before) is counted and
        left out; `pace.restarted` is set when a run of such frames agrees with itself.
        """
        late = False
        if self.pace.newest is None:
            first, start_us = self._begin(frame), frame.device_us
        else:
            newest = self.pace.newest[0]
            judged = self.pace.judge(frame)
            if judged is None:
                return []
            first, start_us = judged
            late = first < newest
        n = int(frame.counts.size)
        period_us = self.pace.period_at_us(first)
        times = start_us + np.rint(np.arange(n) * period_us).astype(np.int64)
        piece = Piece(first, times, frame.counts, frame.calibration_id, int(frame.flags), late)
        new = [
            piece if part == (first, first + n) else piece.part(*part)
            for part in self._fill(first, first + n)
        ]
        return [self._kept(each) for each in new]

    def _kept(self, piece: Piece) -> Piece:
        """Held, with its times between those of its neighbours.

        Where the rate changes a frame may seem to last into the next one, and two samples of one
        time would be one point in a database.
        """
        place = bisect(self._pieces, piece.first, key=lambda held: held.first)
        times = piece.device_us
        if place < len(self._pieces):
            later = self._pieces[place]
            times = _before(times, int(later.device_us[0]) - APART_US * (later.first - piece.end))
        sooner = self._pieces[place - 1] if place else None
        end, past_us = (sooner.end, int(sooner.device_us[-1])) if sooner else self._past
        times = _after(times, past_us + APART_US * (piece.first - end))
        if times is not piece.device_us:
            piece = replace(piece, device_us=times)
        self._pieces.insert(place, piece)
        return piece

    def place_batch(self, batch: FrameBatch) -> Piece | None:
        """Frames that continue each other and the ledger with nothing missing, as one piece.

        None where anything is not plain; `place` them one by one then. The result is the same.
        """
        k, n = batch.counts.shape
        if self._pieces or self._missing or (batch.calibration_id != batch.calibration_id[0]).any():
            return None
        first = self.end + np.arange(k) * n
        if ((batch.first_sample - first) & (WRAP - 1)).any():
            return None
        judged = self.pace.judge_batch(first, batch.device_us)
        if judged is None:
            return None
        start_us, periods_us = judged
        times = np.empty((k, n), np.int64)
        for place in range(n):  # rows of a few samples would cost numpy more than they hold
            times[:, place] = start_us + np.rint(place * periods_us).astype(np.int64)
        past_us = self._past[1] + APART_US * (int(first[0]) - self._past[0])
        if times[0, 0] < past_us + APART_US or (times[1:, 0] < times[:-1, -1] + APART_US).any():
            for row in times:
                row[:] = _after(row, past_us)
                past_us = int(row[-1])
        self._end = self.framed = int(first[-1]) + n
        self._past = self._end, int(times[-1, -1])
        return Piece(
            int(first[0]),
            times.ravel(),
            batch.counts.ravel(),
            int(batch.calibration_id[0]),
            int(np.bitwise_or.reduce(batch.flags)),
        )

    def give_up(self, first: int, count: int) -> None:
        """Nobody will bring these samples: index (mod 2³²) of the first, and how many."""
        if self.pace.newest is not None:
            start = self.pace.unwrap(first)
            for each in self.missing_in(start, start + count):
                each.given_up = True

    def missing_in(self, first: int, end: int) -> list[Missing]:
        """What is missing of the samples [first, end), cut to them."""
        return self._missing[self._cut(first, end)]

    def _cut(self, first: int, end: int) -> slice:
        """Where in the list of missing ones those of [first, end) are; it is cut at both ends."""
        missing, places = self._missing, []
        if first >= end or not missing or first >= missing[-1].end:
            return slice(0, 0)
        for at in (first, end):
            place = bisect_right(missing, at, key=_end_of)
            if place < len(missing) and missing[place].first < at:
                missing.insert(place + 1, replace(missing[place], first=at))
                missing[place].end = at
                place += 1
            places.append(place)
        return slice(*places)

    def settled(self, *, end: bool = False) -> list[Piece | Missing]:
        """What became final, in order; with `end`, everything, as nothing more will come."""
        if self.pace.newest is None or not (self._pieces or end):
            return []
        if self._missing:
            margin = self.ring_samples + round(MARGIN_S * self.pace.rate_hz)
            too_old = self.end if end else self._pieces[-1].end - margin
            for each in self.missing_in(self._missing[0].first, too_old):
                each.given_up = True
        out: list[Piece | Missing] = []
        while self._pieces or (end and self._missing):
            if not self._missing or (
                self._pieces and self._pieces[0].first < self._missing[0].first
            ):
                piece = self._pieces.pop(0)
                self._past = piece.end, int(piece.device_us[-1])
                out.append(piece)
            elif self._missing[0].given_up:
                out.append(self._missing.pop(0))
            else:
                break
        return out

    def _begin(self, frame: ForceFrame) -> int:
        """The first frame: where the session starts is what the band said, or here."""
        lacking = (frame.first_sample - self.start) % WRAP
        if self._end is None or lacking > self.ring_samples:
            # nothing was said, or nonsense, or long ago: nobody has those samples
            self._start_at(frame.first_sample)
            lacking = 0
        self.pace.start(self.start + lacking, frame)
        return self.start + lacking

    def _start_at(self, index: int) -> None:
        self.start = self._end = index
        self._missing.clear()

    def _miss_until(self, at: int) -> None:
        """Samples were taken up to `at`; those beyond the last one known are missing so far."""
        if at > self.end:
            self._missing.append(Missing(self.end, at))
            self._end = at

    def _fill(self, first: int, end: int) -> list[tuple[int, int]]:
        """Samples [first, end) came; the parts of them that are new."""
        self._miss_until(end)
        new: list[tuple[int, int]] = []
        place = self._cut(first, end)
        for each in self._missing[place]:
            if new and new[-1][1] == each.first:
                new[-1] = new[-1][0], each.end
            else:
                new.append((each.first, each.end))
        del self._missing[place]
        self.framed = max(self.framed, end)
        return new


def _after(times: Ints, before_us: int) -> Ints:
    """Times apart from each other, those moved that are not apart from a moment before."""
    if times[0] >= before_us + APART_US:
        return times
    return np.maximum(times, before_us + APART_US * np.arange(1, times.size + 1))


def _before(times: Ints, after_us: int) -> Ints:
    """Times apart from each other, those moved that are not apart from a moment after."""
    if times[-1] <= after_us - APART_US:
        return times
    return np.minimum(times, after_us - APART_US * np.arange(times.size, 0, -1))


def _end_of(missing: Missing) -> int:
    return missing.end
