"""Frez Dyno: raw counts at 250 Hz with a clock in ms; the maker keeps each device's coefficient.

A notification is `01 00` and pairs of `i32` counts and `u32` ms. Zero is the mean of the first 100
samples, which have to be without load.
"""

from __future__ import annotations

import struct

from sensor.drivers.driver import CUT, Capabilities, Decoded, Driver, Timing, Write

SERVICE_UUID = "da8a6c41-154b-4b9a-9b00-2f84dfcebfe9"
NOTIFY_UUID = "da8a6c42-154b-4b9a-9b00-2f84dfcebfe9"
WRITE_UUID = "da8a6c43-154b-4b9a-9b00-2f84dfcebfe9"
HEADER = b"\x01\x00"
START, STOP = b"\x01\x00", b"\x02\x00"
BASELINE_SAMPLES = 100

_PAIR = struct.Struct("<iI")


class FrezDecoder:
    """One notification, its pairs; the first ones wait until zero is known."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._baseline: float | None = None
        self._first: list[tuple[int, int]] = []

    def receive(self, payload: bytes) -> Decoded:
        out = Decoded()
        if payload[:2] != HEADER:
            out.bad += 1
            return out
        whole = len(payload) - (len(payload) - 2) % _PAIR.size
        if whole != len(payload):
            out.bad += 1
            out.said.append(CUT)
        pairs = list(_PAIR.iter_unpack(payload[2:whole]))
        if self._baseline is None:
            self._first += pairs
            if len(self._first) < BASELINE_SAMPLES:
                return out
            zero = self._first[:BASELINE_SAMPLES]
            self._baseline = sum(counts for counts, _ in zero) / len(zero)
            pairs, self._first = self._first, []
        for counts, stamp in pairs:
            out.force_n.append((counts - self._baseline) * self._scale)
            out.stamps.append(stamp)
        return out


DRIVER = Driver(
    "frez",
    "Frez Dyno",
    Capabilities(Timing.STAMPED, 250.0, in_counts=True),
    FrezDecoder,
    services=(SERVICE_UUID,),
    prefixes=("FrezDyno-",),
    notify=(NOTIFY_UUID,),
    start=(Write(WRITE_UUID, START, with_response=True),),
    stop=(Write(WRITE_UUID, STOP, with_response=True),),
    tick_us=1000,
    min_mtu=77,
)
