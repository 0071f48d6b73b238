"""Faults of the radio on demand: notifications lost, damaged or held up, as often as asked for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

HANDLE_VALUE_NOTIFICATION = 0x1B
ATT_CHANNEL = b"\x04\x00"
ATT_HEADER = 7
"""L2CAP length and channel, ATT opcode, attribute handle."""


@dataclass(frozen=True, slots=True)
class Chances:
    """How likely each fault is for each notification, 0 to 1."""

    drop: float = 0.0
    corrupt: float = 0.0
    """One bit is flipped."""
    stall: float = 0.0
    """The link stands still for `stall_s`; what is sent meanwhile arrives in a burst."""
    stall_s: float = 0.5

    def __post_init__(self) -> None:
        if not all(0 <= chance <= 1 for chance in (self.drop, self.corrupt, self.stall)):
            raise ValueError(f"chances not in 0..1: {self}")
        if self.stall_s < 0:
            raise ValueError(f"stall_s below 0: {self.stall_s}")


class Faults:
    """Draws the fate of one notification after the other, the same for the same seed.

    An instance is the `fault` hook of the virtual air as well: only notifications are touched.
    """

    def __init__(self, chances: Chances, seed: int = 0) -> None:
        self.chances = chances
        self.dropped = self.corrupted = self.stalled = 0
        self._rng = np.random.default_rng((seed, 0xFA17))

    def fate(self, payload: bytes) -> tuple[float, bytes] | None:
        """How long a notification is held up, in s, and what arrives of it; None if it is lost."""
        drop, corrupt, stall, place = self._rng.random(4)
        if drop < self.chances.drop:
            self.dropped += 1
            return None
        if corrupt < self.chances.corrupt and payload:
            self.corrupted += 1
            bit = int(place * len(payload) * 8)
            damaged = bytearray(payload)
            damaged[bit // 8] ^= 1 << bit % 8
            payload = bytes(damaged)
        if stall < self.chances.stall:
            self.stalled += 1
            return self.chances.stall_s, payload
        return 0.0, payload

    def __call__(
        self, source: Any, destination: Any, pdu: bytes
    ) -> bytes | tuple[float, bytes] | None:
        del source, destination
        if pdu[2:4] != ATT_CHANNEL or pdu[4:5] != bytes([HANDLE_VALUE_NOTIFICATION]):
            return pdu
        fate = self.fate(pdu[ATT_HEADER:])
        if fate is None:
            return None
        delay_s, value = fate
        return (delay_s, pdu[:ATT_HEADER] + value) if delay_s else pdu[:ATT_HEADER] + value
