"""A stretch of equally spaced values that grows at its end and is forgotten at its start."""

from __future__ import annotations

import numpy as np

from sensor.samples import Floats


class Tape:
    """Values at consecutive grid indices; memory follows what is kept, not what has passed.

    `start` is the grid index of the first value kept, `end` one beyond the last.
    """

    def __init__(self, start: int) -> None:
        self._values: Floats = np.empty(0)
        self._offset = 0
        self._used = 0
        self.start = start

    @property
    def end(self) -> int:
        return self.start + self._used - self._offset

    def append(self, values: Floats) -> None:
        needed = self._used + values.size
        if needed > self._values.size:
            kept = self._values[self._offset : self._used]
            room = np.empty(max(1024, 2 * (kept.size + values.size)))
            room[: kept.size] = kept
            self._values, self._offset, self._used = room, 0, kept.size
        self._values[self._used : self._used + values.size] = values
        self._used += values.size

    def copy(self, since: int) -> Tape:
        """The values from grid index `since` on, in a tape of their own."""
        other = Tape(max(since, self.start))
        other.append(self.view(since, self.end))
        return other

    def view(self, first: int, stop: int) -> Floats:
        """Values of the grid indices in [first, stop), cut to what is kept."""
        low = max(first - self.start, 0) + self._offset
        high = min(stop - self.start + self._offset, self._used)
        return self._values[low : max(high, low)]

    def forget_before(self, index: int) -> None:
        dropped = min(max(index - self.start, 0), self._used - self._offset)
        self.start += dropped
        self._offset += dropped
