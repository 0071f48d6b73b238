"""Single samples that the ADC got wrong give way to what is beside them."""

from __future__ import annotations

import numpy as np

from sensor.samples import Floats

SPIKE_N = 2.0
"""A spike stands out by more than this, beyond what the samples around it differ by."""
QUICK_S = 0.05
"""Between samples further apart a person can let go: then one neighbour says too little."""


class Despiker:
    """Samples in, the same without spikes out, one sample late.

    A spike stands alone, far above or below both neighbours and the line through the two samples
    before. The first sample of all and the last have one neighbour and the line on that side.
    Whatever the blocks, the answer is the same.
    """

    def __init__(self) -> None:
        self._time_s: Floats = np.empty(0)
        self._raw: Floats = np.empty(0)
        self._clean: Floats = np.empty(0)
        """Of the samples held, those given out already: two at the most."""

    def copy(self) -> Despiker:
        other = Despiker.__new__(Despiker)
        other.__dict__.update(self.__dict__)
        return other

    def push(self, time_s: Floats, force_n: Floats, *, last: bool = False) -> tuple[Floats, Floats]:
        """Take samples, shape (n,) each; return those whose successor is known; all if `last`."""
        time_s = np.concatenate((self._time_s, time_s))
        raw = np.concatenate((self._raw, force_n))
        given = self._clean.size
        stop = raw.size if last else raw.size - 1
        if raw.size < 3 and not last:
            stop = 0  # the first sample needs two more
        if stop <= given:
            self._time_s, self._raw = time_s, raw
            return time_s[:0], raw[:0]
        alone = _alone(raw, given)
        clean = raw
        if alone or last or not given or (raw[:given] != self._clean).any():
            clean = raw.copy()
            clean[:given] = self._clean
        if not given and raw.size > 2:
            # The first sample is held against the second, which has to be right before.
            if alone[:1] == [1]:
                _mend(raw, clean, alone.pop(0))
            if _ends_in_spike(time_s[2::-1], np.array([raw[2], clean[1], raw[0]])):
                clean[0] = clean[1]
        for i in alone:
            _mend(raw, clean, i)
        if last and _ends_in_spike(time_s[-3:], clean[-3:]):
            clean[-1] = clean[-2]
        keep = raw.size if last else max(stop - 2, 0)
        self._time_s, self._raw, self._clean = time_s[keep:], raw[keep:], clean[keep:stop]
        return time_s[given:stop], clean[given:stop]


def _alone(raw: Floats, given: int) -> list[int]:
    """Samples, not given out yet, that stand alone above or below both neighbours."""
    low = max(given, 1) - 1
    steps = raw[low + 1 :] - raw[low:-1]
    at = (steps[:-1] * steps[1:] < -(SPIKE_N**2)).nonzero()[0]
    if not at.size:
        return []
    before, after = steps[at], steps[at + 1]
    # Of the two steps, up and down again, the lesser one exceeds the difference of the neighbours.
    alone = np.minimum(np.abs(before), np.abs(after)) > np.abs(before + after) + SPIKE_N
    return (at[alone] + low + 1).tolist()  # type: ignore[no-any-return]


def _mend(raw: Floats, clean: Floats, i: int) -> None:
    ahead = 2 * clean[i - 1] - clean[max(i - 2, 0)]
    if _stands_out(raw[i], clean[i - 1], raw[i + 1], ahead):
        clean[i] = (clean[i - 1] + raw[i + 1]) / 2


def _ends_in_spike(time_s: Floats, force_n: Floats) -> bool:
    if time_s.size < 3 or abs(time_s[2] - time_s[1]) > QUICK_S:
        return False
    return _stands_out(force_n[2], force_n[1], 2 * force_n[1] - force_n[0])


def _stands_out(here: float, *around: float) -> bool:
    top, bottom = max(around), min(around)
    return max(here - top, bottom - here) > top - bottom + SPIKE_N
