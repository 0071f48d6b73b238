"""Chronojump's force sensor on an ESP32: two characteristics of text, the force and then its time.

Facts: the firmware's source (EncoderForce). The force is in N with a decimal point or, from version
0.2 on, in hundredths as a whole number; the time is in µs. A capture begins over its USB line: some
versions send nothing over Bluetooth. Known from one implementation that still changes.
"""

from __future__ import annotations

import math

from sensor.drivers.driver import Capabilities, Decoded, Driver, Timing, plausible

SERVICE_UUID = "786d20ea-6fdb-4fd0-bd18-b592fe179ec5"
FORCE_UUID = "3bf2da15-f408-414f-a8dd-8cf1590b4a4a"
TIME_UUID = "8021dd36-f7bf-40f8-b448-9438b33eca1b"
FORCE, TIME = 0, 1
MOST_N = 20_000.0
MOST_DIGITS = 16


class ChronojumpDecoder:
    """Texts behind a byte that says which: a time belongs to the force before it."""

    def __init__(self, scale: float = 1.0) -> None:
        self._scale = scale
        self._force_n: float | None = None
        self._paired = False
        """Until a pair came, one of the two characteristics may not be heard yet."""

    def receive(self, payload: bytes) -> Decoded:
        out = Decoded()
        text = payload[1:].decode("ascii", "replace").rstrip("\0").strip()
        if not payload or payload[0] not in (FORCE, TIME) or not 0 < len(text) <= MOST_DIGITS:
            out.bad += 1
        elif payload[0] == FORCE:
            out.bad += self._paired and self._force_n is not None
            self._force_n = _force_n(text)
            out.bad += self._force_n is None
        elif not text.isdecimal() or not text.isascii():
            out.bad += 1
            self._force_n = None
        elif self._force_n is None:
            out.bad += self._paired
        else:
            self._paired = True
            out.force_n.append(self._force_n * self._scale)
            out.stamps.append(int(text) % 2**32)
            self._force_n = None
        return out


def _force_n(text: str) -> float | None:
    """Newtons of a text; None for one that is no number."""
    try:
        value = float(text) if "." in text else int(text) / 100
    except ValueError:
        return None
    force_n = plausible(value, MOST_N)
    return None if math.isnan(force_n) else force_n


DRIVER = Driver(
    "chronojump",
    "Chronojump force sensor (ESP32)",
    Capabilities(Timing.STAMPED, 160.0, 0.01, verified=False),
    ChronojumpDecoder,
    services=(SERVICE_UUID,),
    names=("EncForce",),
    notify=(FORCE_UUID, TIME_UUID),
    patience_s=60.0,
)
