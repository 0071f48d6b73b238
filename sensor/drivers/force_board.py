"""PitchSix Force Board: whole pounds, with neither clock nor count.

Facts: the maker's "Force Board Public API 1.0". A notification is a big-endian `u16` number of
samples and three bytes for each, worth 32768, 256 and 1 pounds as published. Compression shows as
absurdly large numbers.
"""

from __future__ import annotations

import math

from sensor.drivers.driver import CUT, LBF_N, Capabilities, Decoded, Driver, Timing, Write

SERVICE_UUID = "9a88d67f-8df2-4afe-9e0d-c2bbbe773dd0"
FORCE_UUID = "9a88d682-8df2-4afe-9e0d-c2bbbe773dd0"
TARE_UUID = "9a88d683-8df2-4afe-9e0d-c2bbbe773dd0"
MODE_SERVICE_UUID = "467a8516-6e39-11eb-9439-0242ac130002"
MODE_UUID = "467a8517-6e39-11eb-9439-0242ac130002"
STREAM, IDLE = b"\x04", b"\x07"
MOST_LB = 1100
PUSHED = "it is pushed, not pulled, which it cannot measure: hang it the right way"


class ForceBoardDecoder:
    """One notification, all its samples."""

    def __init__(self, scale: float = 1.0) -> None:
        self._newtons = scale * LBF_N

    def receive(self, payload: bytes) -> Decoded:
        out = Decoded()
        count = int.from_bytes(payload[:2], "big")
        whole = min(count, max(len(payload) - 2, 0) // 3)
        if len(payload) < 2 + 3 * max(count, 1):
            out.bad += 1
            if whole:
                out.said.append(CUT)
        for at in range(2, 2 + 3 * whole, 3):
            pounds = payload[at] * 32768 + payload[at + 1] * 256 + payload[at + 2]
            if pounds > MOST_LB:
                out.said.append(PUSHED)
            out.force_n.append(pounds * self._newtons if pounds <= MOST_LB else math.nan)
        return out


DRIVER = Driver(
    "force-board",
    "PitchSix Force Board",
    Capabilities(Timing.EVEN, 80.0, LBF_N, signed=False, own_tare=True),
    ForceBoardDecoder,
    services=(SERVICE_UUID,),
    names=("Force Board",),
    notify=(FORCE_UUID,),
    start=(Write(MODE_UUID, STREAM, with_response=True),),
    stop=(Write(MODE_UUID, IDLE, with_response=True),),
    min_mtu=32,
)
