"""The force frame: some samples in one notification.

Little-endian: `u8` version (low nibble) and flags (high nibble), `u8` number of samples n, `u8`
calibration id, `u8` CRC-8 of all other bytes, `u32` index of the first sample since power-on, `u32`
device time of the first sample in µs, then n `i24` raw counts. At most 180 bytes, so that every
phone's MTU carries it. docs/protocol.md has worked bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntFlag

import numpy as np
from numpy.typing import NDArray

from sensor.errors import FrameError
from sensor.samples import Ints
from sensor.wire.profile import VERSION

HEADER = struct.Struct("<BBBBII")
MAX_FRAME_BYTES = 180
MAX_SAMPLES = (MAX_FRAME_BYTES - HEADER.size) // 3


class Flag(IntFlag):
    """State of the band while the frame was filled; the high nibble of its first byte."""

    RESENT = 0x10
    SATURATED = 0x20
    LOW_BATTERY = 0x40
    ADC_FAULT = 0x80


def _crc_table() -> bytes:
    table = np.arange(256, dtype=np.uint8)
    for _ in range(8):
        table = np.where(table & 0x80, (table << 1) ^ 0x07, table << 1).astype(np.uint8)
    return table.tobytes()


_CRC_TABLE = _crc_table()


def crc8(data: bytes) -> int:
    """CRC-8/SMBUS (polynomial 0x07, start 0) of `data`."""
    crc = 0
    for byte in data:
        crc = _CRC_TABLE[crc ^ byte]
    return crc


@dataclass(frozen=True, slots=True, eq=False)
class ForceFrame:
    """Samples of one notification. `counts` (n,) are raw ADC counts of 24 bits."""

    first_sample: int
    device_us: int
    calibration_id: int
    flags: Flag
    counts: Ints

    def __bytes__(self) -> bytes:
        n = self.counts.size
        if not 1 <= n <= MAX_SAMPLES:
            raise ValueError(f"a frame has 1..{MAX_SAMPLES} samples, not {n}")
        if self.counts.min() < -(2**23) or self.counts.max() >= 2**23:
            raise ValueError("counts do not fit 24 bits")
        head = HEADER.pack(
            VERSION | self.flags,
            n,
            self.calibration_id,
            0,
            self.first_sample % 2**32,
            self.device_us % 2**32,
        )
        raw = self.counts.astype("<i4").view(np.uint8).reshape(n, 4)[:, :3].tobytes()
        return head[:3] + bytes([crc8(head[:3] + head[4:] + raw)]) + head[4:] + raw

    @classmethod
    def from_bytes(cls, payload: bytes) -> ForceFrame:
        """Decode one notification; FrameError says what is wrong with it."""
        payload = bytes(payload)
        if len(payload) < HEADER.size:
            raise FrameError(f"frame of {len(payload)} bytes is shorter than its header", payload)
        first, n, calibration_id, crc, index, device_us = HEADER.unpack_from(payload)
        if first & 0x0F != VERSION:
            raise FrameError(f"frame of version {first & 0x0F}, not {VERSION}", payload)
        if not 1 <= n <= MAX_SAMPLES or len(payload) != HEADER.size + 3 * n:
            raise FrameError(f"frame of {len(payload)} bytes says {n} samples", payload)
        if crc8(payload[:3] + payload[4:]) != crc:
            raise FrameError("frame with a wrong checksum", payload)
        counts = _i24(payload, n, len(payload))[0]
        return cls(index, device_us, calibration_id, Flag(first & 0xF0), counts)


def _i24(data: bytes, n: int, size: int) -> Ints:
    """The counts in frames of `size` bytes and n samples each, shape (k, n).

    Each is read with the byte before it as the low one of a word of four, and that shifted out.
    """
    shape = len(data) // size, n
    words = np.ndarray(shape, "<i4", data, offset=HEADER.size - 1, strides=(size, 3))
    return (words >> 8).astype(np.int64)


def _crc8_of_rows(rows: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """CRC-8 of each row without its byte 3."""
    crc = np.zeros(len(rows), np.uint8)
    for column in np.ascontiguousarray(np.delete(rows, 3, axis=1).T):
        crc = np.frombuffer((crc ^ column).tobytes().translate(_CRC_TABLE), np.uint8)
    return crc


@dataclass(frozen=True, slots=True, eq=False)
class FrameBatch:
    """Many frames of equal size at once, as arrays of shape (k,) and counts of shape (k, n)."""

    first_sample: Ints
    device_us: Ints
    calibration_id: Ints
    flags: Ints
    counts: Ints


def decode_equal_frames(joined: bytes, size: int) -> FrameBatch | None:
    """Decode frames of `size` bytes each in one go: what replay at full speed needs.

    Returns None where any of them is no valid frame; decode them one by one then. The result is
    that of `ForceFrame.from_bytes`.
    """
    n = (size - HEADER.size) // 3
    if not 1 <= n <= MAX_SAMPLES or size != HEADER.size + 3 * n or len(joined) % size:
        return None
    rows = np.frombuffer(joined, np.uint8).reshape(-1, size)
    if (rows[:, 0] & 0x0F != VERSION).any() or (rows[:, 1] != n).any():
        return None
    if (_crc8_of_rows(rows) != rows[:, 3]).any():
        return None
    words = np.ascontiguousarray(rows[:, 4:12]).view("<u4").astype(np.int64)
    return FrameBatch(
        words[:, 0],
        words[:, 1],
        rows[:, 2].astype(np.int64),
        (rows[:, 0] & 0xF0).astype(np.int64),
        _i24(joined, n, size),
    )
