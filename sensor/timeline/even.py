"""When samples of a device were taken that come evenly, by when they arrive.

A device may count them, so that a loss is exact; where it does not, a long silence is taken for a
loss unless what follows makes up for it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from statistics import median_low

import numpy as np

from sensor.samples import Floats, Ints
from sensor.timeline.foreign import Run

FOLLOW = 0.1
"""How much of an arrival's lateness moves the line: it may be the radio's, or the device's rate."""
MOST_INTERVALS = 9
"""The middle one of the last so many between arrivals is usual."""
HOLD_S, HOLD_ARRIVALS = 0.3, 4
"""What is later than this, and than so many usual arrivals, follows a loss or a burst ..."""
DECIDE_S = 0.25
"""... and what arrives in this time tells which: a burst makes up for the silence."""
GUESS_US = 25_000.0
PRIOR_S = 2.0
"""What is known of a rate counts as much as so many seconds of it."""
ANCHOR_S, ANCHOR_PRIOR_S = 30.0, 10.0
RATE_SHARE = 0.5
"""The true rate is so near the nominal one, and no arrival says otherwise."""


class EvenClock:
    """Samples come at an even rate, which their arrivals tell; the device may count them.

    The last sample of an arrival is on a line that follows arrivals slowly. Of what comes after a
    long silence it is waited whether it makes up for it.

    Parameters
    ----------
    rate_hz
        Nominal; None where nobody knows.
    wrap
        Where the device's count begins again; None if it counts nothing.
    """

    def __init__(self, rate_hz: float | None, wrap: int | None = None) -> None:
        self.doubted = 0
        self._wrap = wrap
        self._nominal_us = None if rate_hz is None else 1e6 / rate_hz
        self.period_us = self._nominal_us or GUESS_US
        self._prior_us = (PRIOR_S * 1e6 / self.period_us if rate_hz else 2) * self.period_us
        self._prior = self._prior_us / self.period_us
        self._count = 0
        self._index = 0
        self._line: tuple[int, int] | None = None
        """Index and time of the last sample that was placed, µs."""
        self._anchor = (0, 0)
        """Index and arrival that the rate is measured from."""
        self._intervals_us: deque[int] = deque(maxlen=MOST_INTERVALS)
        self._arrived_us = 0
        self._waiting: list[tuple[int, Sequence[int], int]] = []
        self._doubt: int | None = None
        self._offset = 0
        """Added to the device's count, so that it goes on where it began again."""

    def place(self, count: int, stamps: Ints | None, received_us: int) -> list[Run]:
        """Where samples belong. None yet after a long silence; more than these when it is over."""
        if not count:
            return []
        first = self._count
        self._count += count
        if self._wrap is None or stamps is None:
            return self._arrived(first, range(first, self._count), received_us)
        kept: list[tuple[int, int]] = []
        for ordinal, stamp in enumerate(stamps.tolist(), first):
            index = self._unwrapped(stamp)
            if index is not None:
                kept.append((ordinal, index))
        if not kept:
            return []
        before = kept[0][1] - 1 if self._line is None else self._line[0]
        times = self._arrived(first, [index for _, index in kept], received_us)[0].times_us
        return _runs(kept, times, before)

    def flush(self) -> list[Run]:
        """Place what waits: nothing more will come."""
        return self._decided() if self._waiting else []

    def _unwrapped(self, stamp: int) -> int | None:
        """Index of a count; None for a sample that came twice, late, or says nonsense."""
        assert self._wrap is not None
        if self._line is None and not self._index:
            self._index = stamp
        ahead = (stamp + self._offset - self._index) % self._wrap
        doubt, self._doubt = self._doubt, None
        if ahead == self._wrap - 1:
            return None
        if ahead >= self._wrap // 2:
            if doubt is None or (stamp - doubt) % self._wrap != 1:
                self.doubted += 1
                self._doubt = stamp
                return None
            self._offset, ahead = (self._index - stamp) % self._wrap, 0
        self._index += ahead + 1
        return self._index - 1

    def _arrived(self, ordinal: int, indices: Sequence[int], received_us: int) -> list[Run]:
        if self._line is None:
            self._anchor = (indices[-1], received_us)
            self._arrived_us = received_us
            times = received_us - (indices[-1] - np.array(indices)) * self.period_us
            return [self._placed(ordinal, indices, times)]
        self._intervals_us.append(received_us - self._arrived_us)
        self._arrived_us = received_us
        late_us = received_us - self._predicted_us(indices[-1])
        hold_us = max(HOLD_S * 1e6, HOLD_ARRIVALS * median_low(self._intervals_us))
        if self._wrap is None and (self._waiting or late_us > hold_us):
            self._waiting.append((ordinal, indices, received_us))
            if late_us < hold_us / 2:
                return self._made_up()
            long = received_us - self._waiting[0][2] >= DECIDE_S * 1e6
            return self._decided() if long and len(self._waiting) > 1 else []
        self._learn(indices[-1], received_us)
        return [self._on_line(ordinal, indices, FOLLOW * late_us)]

    def _predicted_us(self, index: int) -> float:
        assert self._line is not None
        return self._line[1] + (index - self._line[0]) * self.period_us

    def _on_line(self, ordinal: int, indices: Sequence[int], shift_us: float) -> Run:
        """Spread from the last sample to where the line ends, moved by `shift_us`."""
        assert self._line is not None
        last, last_us = self._line
        steps = np.array(indices) - last
        end_us = self._predicted_us(indices[-1]) + shift_us
        return self._placed(ordinal, indices, last_us + steps / steps[-1] * (end_us - last_us))

    def _made_up(self) -> list[Run]:
        """It was a burst: nothing is missing."""
        waiting, self._waiting = self._waiting, []
        return [self._on_line(ordinal, indices, 0.0) for ordinal, indices, _ in waiting]

    def _decided(self) -> list[Run]:
        """The silence was a loss: begin again with those that arrived the earliest."""
        assert self._line is not None
        waiting, self._waiting = self._waiting, []
        last = waiting[-1][1][-1]
        end_us = min(
            arrived + (last - indices[-1]) * self.period_us for _, indices, arrived in waiting
        )
        self._set_anchor(last, waiting[-1][2])
        runs: list[Run] = []
        for ordinal, indices, _ in waiting:
            times = end_us - (last - np.array(indices)) * self.period_us
            run = self._placed(ordinal, indices, times)
            runs.append(run if runs else Run(run.first, run.times_us, None))
        return runs

    def _placed(self, ordinal: int, indices: Sequence[int], times: Floats) -> Run:
        # time goes on, also where the line went back
        order = np.arange(len(indices))
        whole = np.maximum.accumulate(np.rint(times).astype(np.int64) - order) + order
        if self._line is not None:
            whole = np.maximum(whole, self._line[1] + 1 + order)
        self._line = (indices[-1], int(whole[-1]))
        return Run(ordinal, whole)

    def _learn(self, index: int, received_us: int) -> None:
        """The rate, from all that arrived since the anchor and what was known before."""
        steps, took_us = index - self._anchor[0], received_us - self._anchor[1]
        if steps <= 0:
            return
        period_us = (self._prior_us + took_us) / (self._prior + steps)
        if self._nominal_us is not None:
            most = 1 + RATE_SHARE
            period_us = min(max(period_us, self._nominal_us / most), self._nominal_us * most)
        self.period_us = max(period_us, 100.0)
        if took_us > ANCHOR_S * 1e6:
            self._set_anchor(index, received_us)

    def _set_anchor(self, index: int, received_us: int) -> None:
        self._anchor = (index, received_us)
        self._prior_us = ANCHOR_PRIOR_S * 1e6
        self._prior = self._prior_us / self.period_us


def _runs(kept: list[tuple[int, int]], times: Ints, before: int) -> list[Run]:
    """Runs of samples given by place and index, cut where an index is missing."""
    runs: list[Run] = []
    start = 0
    for k in range(1, len(kept) + 1):
        whole = k < len(kept) and kept[k] == (kept[k - 1][0] + 1, kept[k - 1][1] + 1)
        if not whole:
            first, index = kept[start]
            runs.append(Run(first, times[start:k], index - before - 1))
            before, start = kept[k - 1][1], k
    return runs
