"""What leaves the band: samples cut into frames, fresh ones at once, resent ones paced."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from firmware_sim.device.ring import Ring, Samples
from firmware_sim.device.sampler import Sampler
from sensor.wire.frames import MAX_SAMPLES, Flag, ForceFrame

FRAMES_PER_S = 10
"""Aimed at; more where a frame would not hold the samples."""
RESEND_FRAMES_PER_S = 50
"""2800 samples a second: faster than any rate at which samples fall out of the memory."""


@dataclass(frozen=True, slots=True)
class Packet:
    """A force frame for the radio, and when the band had it ready."""

    time_s: float
    payload: bytes


def samples_per_frame(rate_hz: float) -> int:
    """How many fresh samples make a frame."""
    return max(1, min(MAX_SAMPLES, round(rate_hz / FRAMES_PER_S)))


class LiveFrames:
    """Cuts fresh samples into frames. `next` is the first sample not yet in one."""

    def __init__(self, sampler: Sampler) -> None:
        self._sampler = sampler
        self._ready_s = -np.inf
        self.next = sampler.ring.next

    def skip(self) -> None:
        """Let go of what is not yet in a frame."""
        self.next = self._sampler.ring.next

    def due_s(self) -> float:
        """When the next frame will be full."""
        sampler = self._sampler
        return sampler.time_s(self.next + samples_per_frame(sampler.rate_hz) - 1)

    def packets(self, now_s: float) -> list[Packet]:
        """The frames that are full, and those that a tare or another rate cut short."""
        ring = self._sampler.ring
        fresh = ring.read(max(self.next, ring.first), ring.next)
        size = samples_per_frame(self._sampler.rate_hz)
        found = []
        at, total = 0, fresh.counts.size
        for end in [*(np.flatnonzero(np.diff(fresh.segment)) + 1).tolist(), total]:
            while end - at >= size or at < end < total:
                part = fresh[at : min(at + size, end)]
                at += part.counts.size
                last_s = self._sampler.time_s(fresh.first + at - 1)
                self._ready_s = max(self._ready_s, min(last_s, now_s))
                found.append(Packet(self._ready_s, encode(part)))
        self.next = fresh.first + at
        return found


class Resends:
    """Ranges of samples that were asked for again, oldest first.

    In that order, and faster than sampling, each sample is sent before it falls out of the memory.
    """

    def __init__(self, now_s: float) -> None:
        self._ranges: list[tuple[int, int]] = []
        self._due_s = now_s

    def __bool__(self) -> bool:
        return bool(self._ranges)

    def add(self, first: int, end: int, now_s: float) -> None:
        if not self._ranges:
            self._due_s = max(self._due_s, now_s)
        self._ranges = _union([*self._ranges, (first, end)])

    def due_s(self) -> float:
        """When the next frame may go."""
        return self._due_s

    def clear(self) -> None:
        self._ranges = []

    def forget_before(self, first: int) -> None:
        """The memory no longer holds what lies before `first`."""
        self._ranges = [(max(a, first), b) for a, b in self._ranges if b > first]

    def packets(self, ring: Ring, now_s: float) -> list[Packet]:
        """The frames whose turn has come by `now_s`."""
        found = []
        while self._ranges and self._due_s <= now_s:
            first, end = self._ranges[0]
            part = ring.read(first, min(end, first + MAX_SAMPLES))
            turns = np.flatnonzero(np.diff(part.segment))
            if turns.size:
                part = part[: int(turns[0]) + 1]
            found.append(Packet(self._due_s, encode(part, Flag.RESENT)))
            first += part.counts.size
            self._ranges[:1] = [(first, end)] if first < end else []
            self._due_s += 1 / RESEND_FRAMES_PER_S
        return found


def encode(part: Samples, extra: int = 0) -> bytes:
    """The frame of samples of one segment, at most 56 of them."""
    flags = Flag(int(np.bitwise_or.reduce(part.flags)) | extra)
    return bytes(
        ForceFrame(
            part.first, int(part.device_us[0]), int(part.calibration_id[0]), flags, part.counts
        )
    )


def _union(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """The same ranges in order, where they overlap or touch joined."""
    joined: list[tuple[int, int]] = []
    for first, end in sorted(ranges):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], end))
        else:
            joined.append((first, end))
    return joined
