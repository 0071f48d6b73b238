"""The band's memory: the last samples, by their index since power-on."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sensor.samples import Ints


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Consecutive samples from index `first` on; every array is (n,).

    `device_us` is not wrapped. `segment` changes where a frame must not go across: at another
    calibration and at another rate.
    """

    first: int
    counts: Ints
    device_us: Ints
    calibration_id: Ints
    segment: Ints
    flags: Ints

    def columns(self) -> tuple[Ints, ...]:
        return (self.counts, self.device_us, self.calibration_id, self.segment, self.flags)

    def __getitem__(self, part: slice) -> Samples:
        """The samples in `part`, which counts from 0 and has no step."""
        start, _, _ = part.indices(self.counts.size)
        return Samples(self.first + start, *(column[part] for column in self.columns()))


class Ring:
    """Holds the last `capacity` samples. `next` is the index that the next sample will have."""

    def __init__(self, capacity: int, first: int = 0) -> None:
        self.capacity = capacity
        self.next = first
        self._origin = first
        self._columns = np.zeros((5, capacity), np.int64)

    @property
    def first(self) -> int:
        """Index of the oldest sample still held."""
        return max(self._origin, self.next - self.capacity)

    def append(self, samples: Samples) -> None:
        """Take samples that start at `next`; the oldest ones fall out."""
        if samples.first != self.next:
            raise ValueError(f"samples from {samples.first} on, not from {self.next}")
        size = samples.counts.size
        kept = min(size, self.capacity)
        places = np.arange(self.next + size - kept, self.next + size) % self.capacity
        for row, column in zip(self._columns, samples.columns(), strict=True):
            row[places] = column[size - kept :]
        self.next += size

    def read(self, first: int, end: int) -> Samples:
        """The samples `first` ... `end` - 1, which must be held."""
        if not self.first <= first <= end <= self.next:
            raise ValueError(f"samples {first}..{end} are not within {self.first}..{self.next}")
        places = np.arange(first, end) % self.capacity
        return Samples(first, *self._columns[:, places])

    def resized(self, capacity: int) -> Ring:
        """A ring of another capacity with as many of the newest samples as fit."""
        ring = Ring(capacity, self.next)
        kept = min(capacity, self.next - self.first)
        ring.next = ring._origin = self.next - kept
        ring.append(self.read(self.next - kept, self.next))
        return ring
