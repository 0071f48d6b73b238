"""The band's GATT profile, version 1: identifiers, Info, commands and responses.

Every integer is little-endian. docs/protocol.md has the tables and worked bytes.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from enum import IntEnum

from sensor.errors import FrameError

SERVICE_UUID = "96151035-c26f-45da-b770-8d3c195fc2db"
FORCE_UUID = "96151035-c26f-45db-b770-8d3c195fc2db"
CONTROL_UUID = "96151035-c26f-45dc-b770-8d3c195fc2db"
INFO_UUID = "96151035-c26f-45dd-b770-8d3c195fc2db"

BATTERY_SERVICE_UUID = "0000180f-0000-1000-8000-00805f9b34fb"
BATTERY_LEVEL_UUID = "00002a19-0000-1000-8000-00805f9b34fb"
DEVICE_INFORMATION_UUID = "0000180a-0000-1000-8000-00805f9b34fb"
MODEL_NUMBER_UUID = "00002a24-0000-1000-8000-00805f9b34fb"
SERIAL_NUMBER_UUID = "00002a25-0000-1000-8000-00805f9b34fb"
FIRMWARE_REVISION_UUID = "00002a26-0000-1000-8000-00805f9b34fb"
HARDWARE_REVISION_UUID = "00002a27-0000-1000-8000-00805f9b34fb"
MANUFACTURER_NAME_UUID = "00002a29-0000-1000-8000-00805f9b34fb"
INDUSTRIAL_MEASUREMENT_UUID = "0000185a-0000-1000-8000-00805f9b34fb"
FORCE_MILLINEWTON_UUID = "00002c07-0000-1000-8000-00805f9b34fb"

VERSION = 1
MAX_CALIBRATIONS = 16
MIN_RATE_HZ, MAX_RATE_HZ = 1.0, 2000.0


@dataclass(frozen=True, slots=True)
class Calibration:
    """Counts to newtons: `(counts - zero_counts) * newtons_per_count`.

    A frame names its calibration by `id`, so that a recording can be computed again.
    """

    id: int
    zero_counts: int
    newtons_per_count: float

    _LAYOUT = struct.Struct("<Bif")

    def __post_init__(self) -> None:
        if not 0 <= self.id <= 255:
            raise ValueError(f"id not in 0..255: {self.id}")
        if not -(2**23) <= self.zero_counts < 2**23:
            raise ValueError(f"zero_counts not in 24 bits: {self.zero_counts}")
        if not 0 < abs(self.newtons_per_count) < 1e3:
            raise ValueError(f"newtons_per_count not in (0, 1000): {self.newtons_per_count}")

    def __bytes__(self) -> bytes:
        return self._LAYOUT.pack(self.id, self.zero_counts, self.newtons_per_count)

    @classmethod
    def from_bytes(cls, data: bytes) -> Calibration:
        """Decode 9 bytes; FrameError if they are none."""
        try:
            return cls(*cls._LAYOUT.unpack(data))
        except (struct.error, ValueError) as error:
            raise FrameError(f"not a calibration: {error}", bytes(data)) from error

    SIZE = _LAYOUT.size


@dataclass(frozen=True, slots=True)
class BandCurve:
    """Force of the elastic at elongation, Mooney-Rivlin: F = 2 (λ - λ⁻²)(a + b/λ), N.

    `rest_length_m` is the unstretched length, `relative_sd` the curve's standard uncertainty as a
    part of the force. Zeros mean that the band does not know its elastic.
    """

    a_n: float
    b_n: float
    rest_length_m: float
    relative_sd: float


@dataclass(frozen=True, slots=True)
class Info:
    """What the band says of itself; read once after each connect.

    `boot_id` is drawn at power-on: another one means that sample index and device time began again
    and that the memory for resends is gone.
    """

    boot_id: int
    rate_hz: float
    ring_samples: int
    adc_bits: int
    active_calibration: int
    calibrations: tuple[Calibration, ...]
    curve: BandCurve | None
    model: str
    firmware: str

    _HEAD = struct.Struct("<BIIIBBB")
    _CURVE = struct.Struct("<ffff")

    def __post_init__(self) -> None:
        if not MIN_RATE_HZ <= self.rate_hz <= MAX_RATE_HZ:
            raise ValueError(f"rate_hz not in {MIN_RATE_HZ}..{MAX_RATE_HZ}: {self.rate_hz}")
        if not 8 <= self.adc_bits <= 24:
            raise ValueError(f"adc_bits not in 8..24: {self.adc_bits}")
        if not 1 <= len(self.calibrations) <= MAX_CALIBRATIONS:
            raise ValueError(f"calibrations not in 1..{MAX_CALIBRATIONS}: {len(self.calibrations)}")

    def __bytes__(self) -> bytes:
        curve = self.curve or BandCurve(0.0, 0.0, 0.0, 0.0)
        model, firmware = self.model.encode()[:255], self.firmware.encode()[:255]
        return b"".join(
            (
                self._HEAD.pack(
                    VERSION,
                    self.boot_id,
                    round(self.rate_hz * 1000),
                    self.ring_samples,
                    self.adc_bits,
                    self.active_calibration,
                    len(self.calibrations),
                ),
                *map(bytes, self.calibrations),
                self._CURVE.pack(curve.a_n, curve.b_n, curve.rest_length_m, curve.relative_sd),
                bytes([len(model)]),
                model,
                bytes([len(firmware)]),
                firmware,
            )
        )

    @classmethod
    def from_bytes(cls, data: bytes) -> Info:
        """Decode an Info value. Bytes after the last field are ignored: later versions add there.

        Raises
        ------
        FrameError
            If a field is missing, out of range, or the version is not 1.
        """
        data = bytes(data)
        try:
            version, boot_id, rate_mhz, ring, adc_bits, active, count = cls._HEAD.unpack_from(data)
            if version != VERSION:
                raise ValueError(f"version {version} is not {VERSION}")
            at = cls._HEAD.size
            if count > MAX_CALIBRATIONS:
                raise ValueError(f"{count} calibrations")
            calibrations = []
            for _ in range(count):
                calibrations.append(Calibration.from_bytes(data[at : at + Calibration.SIZE]))
                at += Calibration.SIZE
            curve = BandCurve(*cls._CURVE.unpack_from(data, at))
            at += cls._CURVE.size
            known = curve.rest_length_m > 0 and curve.a_n > 0 and curve.b_n >= 0
            if known and not (curve.rest_length_m < 100 and curve.a_n < 1e5 and curve.b_n < 1e5):
                raise ValueError("band curve out of range")
            model, at = _text(data, at)
            firmware, at = _text(data, at)
            return cls(
                boot_id,
                rate_mhz / 1000,
                ring,
                adc_bits,
                active,
                tuple(calibrations),
                curve if known else None,
                model,
                firmware,
            )
        except (struct.error, ValueError) as error:
            raise FrameError(f"not an Info value: {error}", data) from error


def _text(data: bytes, at: int) -> tuple[str, int]:
    if at >= len(data) or at + 1 + data[at] > len(data):
        raise ValueError("text cut short")
    end = at + 1 + data[at]
    return data[at + 1 : end].decode("utf-8", "replace"), end


class Opcode(IntEnum):
    """Commands, written with response to the control characteristic."""

    START = 0x01
    STOP = 0x02
    TARE = 0x03
    SET_RATE = 0x04
    SET_CALIBRATION = 0x05
    RESEND = 0x06
    IDENTIFY = 0x07
    SLEEP = 0x08


class Status(IntEnum):
    """How a command went; the second byte of its response."""

    OK = 0
    UNKNOWN_COMMAND = 1
    BAD_ARGUMENT = 2
    NOT_AVAILABLE = 3
    """Resend: none of the range is in memory any more."""
    BUSY = 4


_RANGE = struct.Struct("<II")


@dataclass(frozen=True, slots=True)
class Command:
    """One command: the opcode and its argument as bytes."""

    opcode: Opcode
    argument: bytes = b""

    def __bytes__(self) -> bytes:
        return bytes([self.opcode]) + self.argument

    @classmethod
    def set_rate(cls, rate_hz: float) -> Command:
        return cls(Opcode.SET_RATE, struct.pack("<I", round(rate_hz * 1000)))

    @classmethod
    def set_calibration(cls, calibration: Calibration) -> Command:
        return cls(Opcode.SET_CALIBRATION, bytes(calibration))

    @classmethod
    def resend(cls, first_sample: int, count: int) -> Command:
        """Ask for `count` samples from index `first_sample` (mod 2³²) on."""
        return cls(Opcode.RESEND, _RANGE.pack(first_sample % 2**32, count))


@dataclass(frozen=True, slots=True)
class Response:
    """What the band indicates after a command: which one, how it went, and its result."""

    opcode: int
    status: Status
    result: bytes = b""

    def __bytes__(self) -> bytes:
        return bytes([self.opcode, self.status]) + self.result

    @classmethod
    def from_bytes(cls, data: bytes) -> Response:
        """Decode an indication; FrameError if it is shorter than two bytes or of unknown status."""
        data = bytes(data)
        try:
            return cls(data[0], Status(data[1]), data[2:])
        except (IndexError, ValueError) as error:
            raise FrameError(f"not a response: {error}", data) from error

    def calibration(self) -> Calibration:
        """The calibration now in force, from the response to TARE or SET_CALIBRATION."""
        return Calibration.from_bytes(self.result)

    def rate_hz(self) -> float:
        """The rate that the band took, from the response to SET_RATE."""
        if len(self.result) != 4:
            raise FrameError("not a rate", self.result)
        return float(int.from_bytes(self.result, "little")) / 1000

    def next_sample(self) -> int | None:
        """Index (mod 2³²) of the sample after all taken so far, from START's and STOP's response.

        It makes a loss exact where no frame follows or goes before. None if the band does not say.
        """
        return int.from_bytes(self.result, "little") if len(self.result) == 4 else None

    def resend_range(self) -> tuple[int, int]:
        """First index (mod 2³²) and count of the samples that will come, from RESEND's response."""
        if len(self.result) != _RANGE.size:
            raise FrameError("not a range of samples", self.result)
        first, count = _RANGE.unpack(self.result)
        return int(first), int(count)
