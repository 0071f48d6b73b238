"""WH-C06 crane scale: it advertises what hangs from it, and nobody can connect.

Payload behind the company number: `02 03 11`, six bytes like an address, a byte, big-endian `u16`
hundredths of the unit on its display, `01 F4`, a byte of state (high nibble: A while HOLD is on)
and unit (low nibble: 1 kg, 2 lb; sources contradict each other on the rest), and a counter that
nobody trusts.
"""

from __future__ import annotations

import math

from sensor.drivers.driver import KGF_N, LBF_N, Capabilities, Decoded, Driver, Timing

COMPANY = 0x0100
SIZE = 17
HOLD = 0xA
UNITS_N = {1: KGF_N, 2: LBF_N}
HELD = "HOLD is on, so that its display stands still: press its button"
TWO = "two scales share the address: only the first one heard is followed"


def is_ours(data: bytes) -> bool:
    """Whether data of the company are of this scale: the number belongs to somebody else."""
    return len(data) == SIZE and data[:3] == b"\x02\x03\x11" and data[12:14] == b"\x01\xf4"


class WhC06Decoder:
    """One advertisement, one force."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._who: bytes | None = None

    def receive(self, payload: bytes) -> Decoded:
        out = Decoded()
        if not is_ours(payload):
            out.bad += 1
            return out
        if self._who is None:
            self._who = payload[3:9]
        if payload[3:9] != self._who:
            out.bad += 1
            out.said.append(TWO)
            return out
        state, unit = payload[14] >> 4, payload[14] & 0x0F
        force_n = math.nan
        if state == HOLD:
            out.said.append(HELD)
        elif unit not in UNITS_N:
            out.said.append(f"it shows a unit that is not known (number {unit}): set it to kg")
        else:
            hundredths = int.from_bytes(payload[10:12], "big")
            force_n = hundredths / 100 * UNITS_N[unit] * self._scale
        out.force_n.append(force_n)
        return out


DRIVER = Driver(
    "wh-c06",
    "WH-C06 crane scale",
    Capabilities(Timing.ARRIVAL, 8.0, 0.01 * LBF_N, signed=False),
    WhC06Decoder,
    names=("IF_B7",),
    company=COMPANY,
    is_own=is_ours,
    patience_s=12.0,
)
