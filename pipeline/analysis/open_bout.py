"""The samples of the bout that goes on: kept, cleaned and binned once each."""

from __future__ import annotations

import numpy as np

from pipeline.analysis.offline import AROUND_S, Samples
from pipeline.analysis.preprocess import (
    BIN_HZ,
    GAP_INTERVALS,
    SPIKE_REACH,
    Bins,
    binned,
    despike,
    find_gaps,
)
from sensor.samples import Floats, Gap


class OpenBout:
    """Samples since the last bout ended and a little before: cleaned and binned once each."""

    def __init__(self) -> None:
        self.gaps: list[Gap] = []
        self._raw, self._clean, self._bins = _Rows(), _Rows(), _Rows()
        self._settled = 0
        """So many samples are clean for good."""
        self._binned = 0
        """So many are in bins that are full."""
        self._asked = 0
        """So many were asked whether a gap precedes them."""

    def push(self, time_s: Floats, force_n: Floats) -> None:
        """Take samples in the order of time."""
        self._raw.append(time_s, force_n)

    def settle(self, *, last: bool = False) -> None:
        """Take out spikes, fill bins and find gaps as far as the samples allow; with `last` all."""
        time_s, force_n = self._raw.view()
        history = max(self._asked - 1 - GAP_INTERVALS, 0)
        self.gaps += find_gaps(time_s[history:], max(self._asked - 1 - history, 0))
        self._asked = time_s.size
        context = min(SPIKE_REACH, self._settled)
        clean_n = despike(force_n[self._settled - context :])[context:]
        self._clean.cut(self._settled)
        self._clean.append(time_s[self._settled :], clean_n)
        if last or time_s.size > SPIKE_REACH + 1:
            self._settled = time_s.size - (0 if last else SPIKE_REACH)
        time_s, clean_n = (row[self._binned : self._settled] for row in self._clean.view())
        if time_s.size:
            # The last bin may still get samples.
            bin_ = np.floor(time_s * BIN_HZ)
            full = time_s.size if last else int(np.searchsorted(bin_, bin_[-1]))
            if full:
                bins = binned(time_s[:full], clean_n[:full])
                self._bins.append(bins.time_s, bins.force_n)
                self._binned += full

    def bins(self, *, provisional: bool = False) -> Bins:
        """Full bins of the bout, perhaps with what there is of the rest."""
        full = Bins(*self._bins.view())
        if not provisional:
            return full
        rest = binned(*(row[self._binned :] for row in self._clean.view()))
        return Bins(np.r_[full.time_s, rest.time_s], np.r_[full.force_n, rest.force_n])

    def samples(self) -> Samples:
        """All samples that are kept."""
        return Samples(*self._clean.view(), self.gaps)

    def drop(self, bins: int) -> None:
        """Forget so many bins, and samples long before the others."""
        self._bins.drop(bins)
        time_s, _ = self._raw.view()
        left_s, _ = self._bins.view()
        start_s = left_s[0] if left_s.size else time_s[-1]
        count = int(np.searchsorted(time_s, start_s - AROUND_S))
        count = max(min(count, self._binned - GAP_INTERVALS - 1, self._settled - SPIKE_REACH), 0)
        self.gaps = [gap for gap in self.gaps if gap.end_s >= start_s - AROUND_S]
        self._raw.drop(count)
        self._clean.drop(count)
        self._settled, self._binned = self._settled - count, self._binned - count
        self._asked -= count


class _Rows:
    """Two rows of numbers, of time and force, that grow at one end and are dropped at the other."""

    def __init__(self) -> None:
        self._data = np.empty((2, 1024))
        self._first, self._stop = 0, 0

    def view(self) -> tuple[Floats, Floats]:
        """The rows, (n,) each, until the next change."""
        return self._data[0, self._first : self._stop], self._data[1, self._first : self._stop]

    def append(self, time_s: Floats, force_n: Floats) -> None:
        size = self._stop - self._first
        if self._stop + time_s.size > self._data.shape[1]:
            grown = np.empty((2, 2 * (size + time_s.size)))
            grown[:, :size] = self._data[:, self._first : self._stop]
            self._data, self._first, self._stop = grown, 0, size
        self._data[0, self._stop : self._stop + time_s.size] = time_s
        self._data[1, self._stop : self._stop + time_s.size] = force_n
        self._stop += time_s.size

    def cut(self, size: int) -> None:
        """Keep the first so many."""
        self._stop = self._first + size

    def drop(self, count: int) -> None:
        """Forget the first so many."""
        self._first += count
