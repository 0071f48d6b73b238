"""Tindeq Progressor, and what speaks as it does: Crimpdeq, hangman and other boards people build.

Facts: tindeq.com/progressor_api. Records of tag, length, value; a clone adds bytes of zero, which
read as empty records. A reply does not name its command: only the battery is ever asked for.
"""

from __future__ import annotations

import math
import struct

from sensor.drivers.driver import (
    CUT,
    KGF_N,
    Capabilities,
    Decoded,
    Driver,
    Timing,
    Write,
    charge_percent,
    plausible,
)

SERVICE_UUID = "7e4e1701-1ea6-40c9-9dcc-13d34ffead57"
DATA_UUID = "7e4e1702-1ea6-40c9-9dcc-13d34ffead57"
CONTROL_UUID = "7e4e1703-1ea6-40c9-9dcc-13d34ffead57"
RESPONSE, WEIGHT, LOW_POWER, LAST_TAG = 0, 1, 4, 6
START, STOP, BATTERY = b"\x65", b"\x66", b"\x6f"
MOST_N = 1000 * KGF_N
"""The original carries 150 kg; an uncalibrated clone says anything."""
EMPTY_MV, FULL_MV = 3300, 4200
"""Of its one lithium cell."""
LOW = "its battery is low: it will turn itself off"

_SAMPLE = struct.Struct("<fI")


class ProgressorDecoder:
    """One notification, one list of records."""

    def __init__(self, scale: float = 1.0) -> None:
        self._newtons = scale * KGF_N

    def receive(self, payload: bytes) -> Decoded:
        out, at = Decoded(), 0
        while at < len(payload):
            tag = payload[at]
            length = payload[at + 1] if at + 1 < len(payload) else len(payload)
            value = payload[at + 2 : at + 2 + length]
            if tag > LAST_TAG:
                out.bad += 1
                break
            if len(value) < length:
                out.bad += 1
                out.said.append(CUT)
            if tag == WEIGHT:
                self._weights(value, out)
            elif tag == RESPONSE and length == 4 and len(value) == 4:
                millivolt = int.from_bytes(value, "little")
                out.battery_percent = charge_percent(millivolt, EMPTY_MV, FULL_MV)
            elif tag == LOW_POWER:
                out.said.append(LOW)
            at += 2 + length
        return out

    def _weights(self, value: bytes, out: Decoded) -> None:
        whole = len(value) - len(value) % _SAMPLE.size
        for kg, stamp in _SAMPLE.iter_unpack(value[:whole]):
            force_n = plausible(kg * self._newtons, MOST_N)
            out.bad += math.isnan(force_n)
            out.force_n.append(force_n)
            out.stamps.append(stamp)


DRIVER = Driver(
    "progressor",
    "Tindeq Progressor or a board that speaks like one",
    Capabilities(Timing.STAMPED, 80.0, own_tare=True),
    ProgressorDecoder,
    services=(SERVICE_UUID,),
    prefixes=("Progressor",),
    notify=(DATA_UUID,),
    start=(Write(CONTROL_UUID, BATTERY, then_s=0.2), Write(CONTROL_UUID, START)),
    stop=(Write(CONTROL_UUID, STOP),),
    min_mtu=133,
)
