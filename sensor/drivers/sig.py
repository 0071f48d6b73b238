"""The Bluetooth SIG's own: Force of an Industrial Measurement Device, and the Weight Scale.

Facts: the SIG's assigned numbers and characteristic descriptions. Force is `i32` mN; a weight is a
byte of flags (bit 0: pounds) and `u16` in 0.005 kg or 0.01 lb, said once for each weighing. Makers
of boards use it as a stream.
"""

from __future__ import annotations

import math

from sensor.drivers.driver import KGF_N, LBF_N, Capabilities, Decoded, Driver, Timing

FORCE_SERVICE_UUID = "0000185a-0000-1000-8000-00805f9b34fb"
FORCE_UUID = "00002c07-0000-1000-8000-00805f9b34fb"
WEIGHT_SERVICE_UUID = "0000181d-0000-1000-8000-00805f9b34fb"
WEIGHT_UUID = "00002a9d-0000-1000-8000-00805f9b34fb"
FORCE_UNKNOWN = 2**31 - 1
WEIGHT_UNKNOWN = 0xFFFF
POUNDS = 0x01


class ForceDecoder:
    """One notification, one force."""

    def __init__(self, scale: float = 1.0) -> None:
        self._newtons = scale / 1000

    def receive(self, payload: bytes) -> Decoded:
        out = Decoded()
        if len(payload) < 4:
            out.bad += 1
            return out
        mn = int.from_bytes(payload[:4], "little", signed=True)
        out.force_n.append(math.nan if mn == FORCE_UNKNOWN else mn * self._newtons)
        return out


class WeightDecoder:
    """One indication, one weight."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale

    def receive(self, payload: bytes) -> Decoded:
        out = Decoded()
        if len(payload) < 3:
            out.bad += 1
            return out
        steps = int.from_bytes(payload[1:3], "little")
        step_n = 0.01 * LBF_N if payload[0] & POUNDS else 0.005 * KGF_N
        unknown = steps == WEIGHT_UNKNOWN
        out.force_n.append(math.nan if unknown else steps * step_n * self._scale)
        return out


FORCE = Driver(
    "sig-force",
    "Bluetooth force sensor (Industrial Measurement Device)",
    Capabilities(Timing.ARRIVAL, None, 0.001),
    ForceDecoder,
    services=(FORCE_SERVICE_UUID,),
    notify=(FORCE_UUID,),
    patience_s=30.0,
)
WEIGHT = Driver(
    "sig-weight",
    "Bluetooth weight scale",
    Capabilities(Timing.ARRIVAL, None, 0.005 * KGF_N, signed=False),
    WeightDecoder,
    services=(WEIGHT_SERVICE_UUID,),
    notify=(WEIGHT_UUID,),
    patience_s=120.0,
    automatic=False,
)
