"""Griptonite Motherboard: lines of hexadecimal text with three sensors and their table.

`C` makes it say the table (`sensor,index,force,raw` a line), `S30` lets it stream: 32 digits a
line, `u16` index, `u16` battery, three `i24`. Known from one implementation.
"""

from __future__ import annotations

import math
from bisect import bisect_right

from sensor.drivers.driver import KGF_N, Capabilities, Decoded, Driver, Timing, Write

SERVICE_UUID = "6e400001-b5a3-f393-e0a9-e50e24dcca9e"
WRITE_UUID = "6e400002-b5a3-f393-e0a9-e50e24dcca9e"
NOTIFY_UUID = "6e400003-b5a3-f393-e0a9-e50e24dcca9e"
ASK_CALIBRATION, START, STOP = b"C", b"S30", b"#"
LINE_DIGITS = 32
MOST_LINE_BYTES = 400
"""A line that long is none: what lacks a line's end would be kept for ever."""
SIGNS = (1, -1, -1)
"""Of left, centre and right: the last two are mounted the other way round."""
MOST_ROWS = 64
BEYOND = "a sensor is loaded beyond its calibration: those samples are left out"
UNCALIBRATED = "it has not said its calibration: no force without it"

Row = tuple[float, float]
"""Raw value and force in kg."""


class MotherboardDecoder:
    """A stream of lines."""

    def __init__(self, scale: float = 1.0) -> None:
        self._newtons = scale * KGF_N
        self._line = b""
        self._rows: list[list[Row]] = [[], [], [], []]

    def receive(self, payload: bytes) -> Decoded:
        out = Decoded()
        *lines, self._line = (self._line + payload).split(b"\n")
        for line in lines:
            self._take(line.rstrip(b"\r"), out)
        if len(self._line) > MOST_LINE_BYTES:
            self._line = b""
            out.bad += 1
        return out

    def _take(self, line: bytes, out: Decoded) -> None:
        if len(line) == LINE_DIGITS:
            try:
                data = bytes.fromhex(line.decode("ascii"))
            except ValueError:
                data = b""
            if len(data) * 2 == LINE_DIGITS:
                self._sample(data, out)
                return
        if line.count(b",") == 3:
            self._row(line, out)
        elif line and not line.isascii():
            out.bad += 1

    def _row(self, line: bytes, out: Decoded) -> None:
        try:
            sensor, index, force, raw = (float(part) for part in line.split(b","))
        except ValueError:
            out.bad += 1
            return
        fits = sensor in (0, 1, 2, 3) and math.isfinite(force) and math.isfinite(raw)
        if not fits or (len(self._rows[int(sensor)]) >= MOST_ROWS and index != 0):
            out.bad += 1
            return
        rows = self._rows[int(sensor)]
        if index == 0:
            rows.clear()
        if rows and raw <= rows[-1][0]:
            out.bad += 1
        else:
            rows.append((raw, force))

    def _sample(self, data: bytes, out: Decoded) -> None:
        out.stamps.append(int.from_bytes(data[:2], "little"))
        total = 0.0
        for sensor, sign in enumerate(SIGNS):
            raw = int.from_bytes(data[4 + 3 * sensor : 7 + 3 * sensor], "little", signed=True)
            total += sign * _force_kg(raw, self._rows[sensor])
        if math.isnan(total):
            known = all(len(self._rows[sensor]) >= 2 for sensor in range(len(SIGNS)))
            out.said.append(BEYOND if known else UNCALIBRATED)
        out.force_n.append(total * self._newtons)


def _force_kg(raw: float, rows: list[Row]) -> float:
    """Piecewise linear between rows, the same below zero the other way; NaN beyond them."""
    if len(rows) < 2:
        return math.nan
    zero = rows[0][0]
    if raw < zero:
        return -_force_kg(2 * zero - raw, rows)
    place = bisect_right(rows, raw, key=lambda row: row[0])
    if place == len(rows):
        return rows[-1][1] if raw == rows[-1][0] else math.nan
    (raw0, force0), (raw1, force1) = rows[place - 1], rows[place]
    return force0 + (raw - raw0) / (raw1 - raw0) * (force1 - force0)


DRIVER = Driver(
    "motherboard",
    "Griptonite Motherboard",
    Capabilities(Timing.COUNTED, None, verified=False),
    MotherboardDecoder,
    names=("Motherboard",),
    notify=(NOTIFY_UUID,),
    start=(
        Write(WRITE_UUID, ASK_CALIBRATION, then_s=2.5),
        Write(WRITE_UUID, START),
    ),
    stop=(Write(WRITE_UUID, STOP),),
    wrap=2**16,
    patience_s=6.0,
)
