"""The Tindeq Progressor's service, which climbing apps know: weight in kg with a time in µs.

Facts from the vendor's API page (tindeq.com/progressor_api). Commands that would overwrite a
calibration are taken and ignored, as other makers' devices with this service do.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from enum import IntEnum

import numpy as np

from firmware_sim.device.firmware import Firmware
from sensor.wire.profile import Command, Opcode

SERVICE_UUID = "7e4e1701-1ea6-40c9-9dcc-13d34ffead57"
DATA_UUID = "7e4e1702-1ea6-40c9-9dcc-13d34ffead57"
CONTROL_UUID = "7e4e1703-1ea6-40c9-9dcc-13d34ffead57"

KGF_N = 9.80665
MAX_SAMPLES = 16
"""In one notification: 130 bytes, the most that was seen from the original."""
BUNDLE_S = 0.1

_WEIGHT = np.dtype([("kg", "<f4"), ("us", "<u4")])


class Tag(IntEnum):
    """What a notification holds."""

    RESPONSE = 0
    WEIGHT = 1
    LOW_POWER = 4


class ProgressorOpcode(IntEnum):
    """The commands that this band carries out."""

    TARE = 0x64
    START = 0x65
    STOP = 0x66
    VERSION = 0x6B
    ERROR_INFORMATION = 0x6C
    SLEEP = 0x6E
    BATTERY = 0x6F
    ID = 0x70


class Progressor:
    """The service's state. `send` takes each notification's value."""

    def __init__(self, firmware: Firmware, serial: int, send: Callable[[bytes], None]) -> None:
        self._firmware = firmware
        self._serial = serial
        self._send = send
        self._next: int | None = None
        self._zero_us = 0
        self._warned = False

    def command(self, data: bytes) -> None:
        """Carry out what a client wrote; what is unknown is ignored."""
        try:
            opcode = ProgressorOpcode(data[0])
        except (IndexError, ValueError):
            return
        match opcode:
            case ProgressorOpcode.TARE:
                self._firmware.command(bytes(Command(Opcode.TARE)))
            case ProgressorOpcode.START:
                self._next = self._firmware.next_sample
                self._zero_us = -1
            case ProgressorOpcode.STOP:
                self._next = None
            case ProgressorOpcode.SLEEP:
                self._next = None
                self._firmware.command(bytes(Command(Opcode.SLEEP)))
            case ProgressorOpcode.VERSION:
                self._respond(self._firmware.config.firmware.encode())
            case ProgressorOpcode.ERROR_INFORMATION:
                self._respond(b"none")
            case ProgressorOpcode.BATTERY:
                millivolt = 3300 + 9 * self._firmware.battery_percent
                self._respond(struct.pack("<I", millivolt))
            case ProgressorOpcode.ID:
                self._respond(struct.pack("<Q", self._serial))

    def link_lost(self) -> None:
        """Nobody listens any more."""
        self._next = None

    def due_s(self) -> float:
        """When `pump` has something to send; inf while stopped."""
        if self._next is None:
            return np.inf
        return self._firmware.sample_time_s(self._next + self._bundle - 1)

    def pump(self) -> None:
        """Send what was sampled since, in bundles."""
        if self._next is None:
            return
        fresh = self._firmware.held(self._next)
        if self._zero_us < 0 and fresh.counts.size:
            self._zero_us = int(fresh.device_us[0])
        weights = np.empty(fresh.counts.size, _WEIGHT)
        weights["kg"] = self._firmware.newtons(fresh.counts) / KGF_N
        weights["us"] = (fresh.device_us - self._zero_us) % 2**32
        sent = weights.size - weights.size % self._bundle
        for at in range(0, sent, self._bundle):
            value = weights[at : at + self._bundle].tobytes()
            self._send(bytes([Tag.WEIGHT, len(value)]) + value)
        self._next = fresh.first + sent
        if self._firmware.battery_percent == 0 and not self._warned:
            self._warned = True
            self._send(bytes([Tag.LOW_POWER, 0]))

    @property
    def _bundle(self) -> int:
        return max(1, min(MAX_SAMPLES, round(self._firmware.rate_hz * BUNDLE_S)))

    def _respond(self, value: bytes) -> None:
        self._send(bytes([Tag.RESPONSE, len(value)]) + value)
