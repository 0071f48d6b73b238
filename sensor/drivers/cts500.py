"""Jlyscales CTS500 and CTS-300: the frames of a serial line, split and joined by the radio.

A frame begins with 05 and ends with the sum of all bytes before: 6 bytes repeat a command, 7 bytes
are `05 80 opcode ...`, an answer, or `05 xx` and a big-endian `u32` in hundredths of a kg. Known
from one implementation; nobody has seen how it tells a push.
"""

from __future__ import annotations

from sensor.drivers.driver import (
    KGF_N,
    Capabilities,
    Decoded,
    Driver,
    Timing,
    Write,
    charge_percent,
)

SERVICE_UUID = "0000ffe0-0000-1000-8000-00805f9b34fb"
NOTIFY_UUID = "0000ffe1-0000-1000-8000-00805f9b34fb"
WRITE_UUID = "0000ffe2-0000-1000-8000-00805f9b34fb"
HEADER, ANSWER, BATTERY = 0x05, 0x80, 0xC4
OPCODES = frozenset(
    (*range(0x81, 0x87), 0xA1, 0xA2, 0xA4, 0xA6, 0xA7, 0xA9, 0xAA, 0xAB, *range(0xC0, 0xC8), 0xCA)
) | frozenset(range(0xD1, 0xD5))
ECHO_BYTES, DATA_BYTES = 6, 7
MOST_KG = 2000.0
EMPTY_V, FULL_V = 3.3, 4.2


def frame(opcode: int, *parameters: int) -> bytes:
    """A command of three parameters, with its sum."""
    body = bytes([HEADER, opcode, *parameters])
    return body + bytes([sum(body) & 0xFF])


START, STOP, ASK_BATTERY = frame(0xAA, 0, 0, 0), frame(0xAB, 0, 0, 0), frame(BATTERY, 0, 0, 0)


class Cts500Decoder:
    """A stream of bytes; what is no frame is skipped to the next header."""

    def __init__(self, scale: float = 1.0) -> None:
        self._newtons = scale * KGF_N
        self._waiting = b""

    def receive(self, payload: bytes) -> Decoded:
        out = Decoded()
        data = self._waiting + payload
        at, skipping = 0, False
        while at < len(data):
            size = _frame_size(data, at)
            if size is None:
                break
            if size:
                self._take(data[at : at + size], out)
            elif not skipping:
                out.bad += 1
            skipping = not size
            at += size or 1
        self._waiting = data[at:]
        return out

    def _take(self, found: bytes, out: Decoded) -> None:
        if len(found) == ECHO_BYTES:
            return
        if found[1] == ANSWER:
            if found[2] == BATTERY:
                volt = int.from_bytes(found[4:6], "big") / 100
                out.battery_percent = charge_percent(volt, EMPTY_V, FULL_V)
            return
        kg = int.from_bytes(found[2:6], "big") / 100
        if kg <= MOST_KG:
            out.force_n.append(kg * self._newtons)
        else:
            out.bad += 1
            out.said.append("it says a weight that cannot be; is it pushed instead of pulled?")


def _frame_size(data: bytes, at: int) -> int | None:
    """Bytes of the frame there; 0 if there is none, None if more bytes are needed to tell."""
    if data[at] != HEADER:
        return 0
    if len(data) < at + ECHO_BYTES:
        return None
    if data[at + 1] in OPCODES and _sums(data[at : at + ECHO_BYTES]):
        return ECHO_BYTES
    if len(data) < at + DATA_BYTES:
        return None
    return DATA_BYTES if _sums(data[at : at + DATA_BYTES]) else 0


def _sums(found: bytes) -> bool:
    return sum(found[:-1]) & 0xFF == found[-1]


DRIVER = Driver(
    "cts500",
    "Jlyscales CTS500 crane scale",
    Capabilities(Timing.EVEN, None, 0.01 * KGF_N, own_tare=True, signed=False, verified=False),
    Cts500Decoder,
    names=("CTS500", "CTS-300"),
    notify=(NOTIFY_UUID,),
    start=(Write(WRITE_UUID, ASK_BATTERY, then_s=0.2), Write(WRITE_UUID, START)),
    stop=(Write(WRITE_UUID, STOP),),
)
