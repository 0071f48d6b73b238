"""Frames in any order to samples in their place: what is double, late, missing or impossible.

The sample index makes a loss exact. Frames come late (a resend), twice (a stack's fault) or not at
all. `place` tells at once what is new; `settled` tells, in order and once, what is complete:
samples, and holes that nobody can fill any more.
"""

from __future__ import annotations

from bisect import insort
from dataclasses import dataclass, replace

import numpy as np

from sensor.samples import Ints
from sensor.timeline.pace import WRAP, Pace
from sensor.wire.frames import ForceFrame, FrameBatch

MARGIN_S = 5.0
"""A hole older than the band's memory by this much cannot be filled."""


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


@dataclass(frozen=True, slots=True)
class Hole:
    """Samples [first, end) that are lost for good."""

    first: int
    end: int


class Timeline:
    """The samples of one power-on of the band.

    Parameters
    ----------
    rate_hz
        Nominal rate; the true one is learnt from index and device time.
    ring_samples
        How many samples the band keeps for resending.
    """

    def __init__(self, rate_hz: float, ring_samples: int) -> None:
        self._ring = ring_samples
        self.duplicates = 0
        self._pace = Pace(rate_hz)
        self._next = 0
        self._first = 0
        self._start: int | None = None
        self._reached: int | None = None
        self._pending: list[Piece] = []
        self._given_up: list[tuple[int, int]] = []

    def set_rate(self, rate_hz: float, ring_samples: int | None = None) -> None:
        """From about the next frame on samples come at another nominal rate.

        Another rate mostly means another number of samples in the band's memory.
        """
        self._pace.set_rate(rate_hz)
        self._ring = self._ring if ring_samples is None else ring_samples

    def reached(self, index: int) -> None:
        """The band says that it has taken all samples before `index` (mod 2³²).

        Said before the first frame, it is where the session starts; what does not come of it is
        missing, as is what does not come after the last frame.
        """
        if self._pace.newest is None:
            self._start = index
        else:
            at = self._pace.unwrap(index)
            self._pace.reached(at)
            self._reached = max(at, self._reached or 0)

    @property
    def start(self) -> int:
        """Index of the first sample that the session can have; after the first frame."""
        return self._first

    @property
    def period_us(self) -> float:
        """Time between samples on the band's clock as measured so far."""
        return self._pace.period_us

    @property
    def impossible(self) -> int:
        """Frames whose index and clock contradict what came before."""
        return self._pace.doubted

    @property
    def restarted(self) -> bool:
        """Whether frames that agree with each other say that index and clock began anew."""
        return self._pace.restarted

    @property
    def began(self) -> int | None:
        """Where the band says that they begin, if it said so."""
        return self._pace.began

    @property
    def waiting(self) -> int:
        """Samples held back behind a hole that may still be filled."""
        return sum(int(piece.counts.size) for piece in self._pending)

    def place(self, frame: ForceFrame) -> list[Piece]:
        """The parts of a frame that are new, with index and device time unwrapped.

        An impossible frame (its index and its clock contradict what came before) is counted and
        left out; `restarted` is set when a run of such frames agrees with itself.
        """
        n = int(frame.counts.size)
        late = False
        if self._pace.newest is None:
            first, start_us = self._begin(frame)
        else:
            newest = self._pace.newest[0]
            judged = self._pace.judge(frame)
            if judged is None:
                return []
            first, start_us = judged
            late = first < newest
        period_us = self._pace.period_at_us(first)
        times = start_us + np.rint(np.arange(n) * period_us).astype(np.int64)
        piece = Piece(first, times, frame.counts, frame.calibration_id, int(frame.flags), late)
        new = self._unknown_parts(piece)
        self.duplicates += n - sum(int(part.counts.size) for part in new)
        for part in new:
            insort(self._pending, part, key=lambda held: held.first)
        return new

    def _begin(self, frame: ForceFrame) -> tuple[int, int]:
        """The first frame: where the session starts is what the band said, or here."""
        first = frame.first_sample
        lacking = 0 if self._start is None else (first - self._start) % WRAP
        if lacking > self._ring:  # nonsense, or long ago: nobody has those samples
            lacking = 0
        first += WRAP if lacking > first else 0
        self._first = self._next = first - lacking
        self._pace.start(first, frame.device_us)
        return first, frame.device_us

    def place_batch(self, batch: FrameBatch) -> Piece | None:
        """Frames that continue each other and the timeline without a hole, as one piece.

        None where anything is not plain; `place` them one by one then. The result is the same.
        """
        k, n = batch.counts.shape
        if self._pending or (batch.calibration_id != batch.calibration_id[0]).any():
            return None
        first = self._next + np.arange(k) * n
        if ((batch.first_sample - first) & (WRAP - 1)).any():
            return None
        judged = self._pace.judge_batch(first, batch.device_us)
        if judged is None:
            return None
        start_us, periods_us = judged
        times = np.empty((k, n), np.int64)
        for place in range(n):  # rows of a few samples would cost numpy more than they hold
            times[:, place] = start_us + np.rint(place * periods_us).astype(np.int64)
        self._next = int(first[-1]) + n
        flags = int(np.bitwise_or.reduce(batch.flags))
        return Piece(
            int(first[0]),
            times.ravel(),
            batch.counts.ravel(),
            int(batch.calibration_id[0]),
            flags,
        )

    def give_up(self, first: int, count: int) -> None:
        """Nobody will bring these samples: index (mod 2³²) of the first, and how many."""
        if self._pace.newest is not None and count > 0:
            start = self._pace.unwrap(first)
            self._given_up.append((start, start + count))

    def settled(self, *, end: bool = False) -> list[Piece | Hole]:
        """What became final, in order; with `end`, everything, as nothing more will come."""
        out: list[Piece | Hole] = []
        while self._pending:
            piece = self._pending[0]
            if piece.first > self._next:
                lost_until = piece.first if end else self._lost_until(piece.first)
                if lost_until <= self._next:
                    break
                out.append(Hole(self._next, lost_until))
                self._next = lost_until
                continue
            self._pending.pop(0)
            self._next = piece.end
            out.append(piece)
        if end and self._reached is not None and self._next < self._reached:
            out.append(Hole(self._next, self._reached))
            self._next = self._reached
        self._given_up = [span for span in self._given_up if span[1] > self._next]
        return out

    def _lost_until(self, end: int) -> int:
        """How far from the frontier on samples are lost for good, at most to `end`."""
        frontier = self._next
        newest = self._pending[-1].end
        too_old = newest - self._ring - round(MARGIN_S * self._pace.rate_hz)
        if too_old > frontier:
            frontier = min(too_old, end)
        for start, stop in sorted(self._given_up):
            if start <= frontier < stop:
                frontier = min(stop, end)
        return frontier

    def _unknown_parts(self, piece: Piece) -> list[Piece]:
        """The parts of a piece that are neither settled nor held."""
        parts, at = [], max(piece.first, self._next)
        for held in self._pending:
            if held.end <= at:
                continue
            if held.first >= piece.end:
                break
            if held.first > at:
                parts.append(piece.part(at, held.first))
            at = max(at, held.end)
        if at < piece.end:
            parts.append(piece.part(at, piece.end) if at > piece.first else piece)
        return parts
