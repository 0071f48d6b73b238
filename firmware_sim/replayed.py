"""A recording as the device that it was made of: on the air again, byte for byte."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import numpy as np

from firmware_sim.device.firmware import FirmwareConfig
from firmware_sim.device.gatt import Peripheral
from firmware_sim.device.outbox import MAX_WAITING
from firmware_sim.device.sending import Packet
from firmware_sim.others.device import OtherDevice, Sent
from firmware_sim.others.kinds import KINDS
from firmware_sim.others.peripheral import OtherPeripheral
from firmware_sim.virtual import virtual_air
from sensor.drivers.attached import Attached
from sensor.drivers.driver import Driver
from sensor.errors import RecordingError
from sensor.recording.log import Recording
from sensor.samples import Channel, Floats, Notification
from sensor.wire.frames import HEADER
from sensor.wire.profile import Info, Opcode, Response, Status

AS = {"sig-force": "sig", "sig-weight": "weight-scale"}
"""Kinds whose twin has another name than their driver."""


class Tape:
    """What a device sent, as time goes on from START."""

    def __init__(self, rows: list[Notification]) -> None:
        first_us = rows[0].received_us
        self.rows = [((row.received_us - first_us) / 1e6, row) for row in rows]
        self.began_s: float | None = None
        self.at = 0
        self.played = asyncio.Event()
        """Set when all of it was sent."""

    def start(self, now_s: float) -> None:
        """Begin, or go on where it was stopped."""
        self.began_s = now_s - (self.rows[self.at][0] if self.at < len(self.rows) else 0.0)

    def stop(self) -> None:
        self.began_s = None

    def due_s(self) -> float:
        if self.began_s is None or self.at >= len(self.rows):
            return np.inf
        return self.began_s + self.rows[self.at][0]

    def take(self, now_s: float, most: int = 1000) -> list[tuple[float, Notification]]:
        """What was sent by now, as far as there is room for it, with its time."""
        found: list[tuple[float, Notification]] = []
        while self.due_s() <= now_s and len(found) < most:
            found.append((self.due_s(), self.rows[self.at][1]))
            self.at += 1
        if self.at >= len(self.rows):
            self.played.set()
        return found


class RecordedFirmware:
    """Our band's firmware as far as a recording has it: it streams, and remembers nothing."""

    def __init__(self, rows: list[Notification]) -> None:
        infos = [row for row in rows if row.channel is Channel.INFO]
        frames = [row for row in rows if row.channel is Channel.FORCE]
        if not infos or not frames:
            raise ValueError("the recording holds no force of a band")
        self.info = Info.from_bytes(infos[0].payload)
        self.config = FirmwareConfig(model=self.info.model, firmware=self.info.firmware)
        self.tape = Tape([row for row in rows if row.channel in (Channel.FORCE, Channel.INFO)])
        self.battery_percent = next(
            (row.payload[0] for row in rows if row.channel is Channel.BATTERY and row.payload), 100
        )
        self.asleep = False
        self.room: Callable[[], int] = lambda: MAX_WAITING
        """How many notifications the radio takes now: none is to be lost here."""
        self._now_s = 0.0

    def advance(self, now_s: float) -> list[Packet]:
        self._now_s = now_s
        packets = []
        for time_s, row in self.tape.take(now_s, self.room()):
            if row.channel is Channel.INFO:
                self.info = Info.from_bytes(row.payload)
            else:
                packets.append(Packet(time_s, row.payload))
        return packets

    def command(self, data: bytes) -> Response:
        opcode = data[0] if data else 0
        if opcode == Opcode.START:
            self.tape.start(self._now_s)
            return Response(opcode, Status.OK, self._next_index())
        if opcode == Opcode.STOP:
            self.tape.stop()
            return Response(opcode, Status.OK, self._next_index())
        if opcode == Opcode.IDENTIFY:
            return Response(opcode, Status.OK)
        known = opcode in set(Opcode)
        return Response(opcode, Status.NOT_AVAILABLE if known else Status.UNKNOWN_COMMAND)

    def _next_index(self) -> bytes:
        """Of the next frame that is to come; after the last one nothing."""
        for _, row in self.tape.rows[self.tape.at :]:
            if row.channel is Channel.FORCE and len(row.payload) >= HEADER.size:
                return row.payload[4:8]
        return b""

    def link_lost(self) -> None:
        self.tape.stop()

    def next_due_s(self) -> float:
        return self.tape.due_s()

    def force_n(self) -> None:
        """Not known: a recording is not reckoned with."""


def _recorded_twin(kind: str, driver: Driver, tape: Tape) -> OtherDevice:
    """The twin of a kind, which takes its commands and sends what is on the tape."""

    class Recorded(KINDS[kind].twin):  # type: ignore[misc]
        def start(self, now_s: float) -> None:
            super().start(now_s)
            tape.start(now_s)

        def stop(self) -> None:
            super().stop()
            tape.stop()

        def due_s(self) -> float:
            return 0.0 if self._queue else tape.due_s()

        def pump(self, now_s: float) -> list[Sent]:
            out: list[Sent] = self._queue
            self._queue: list[Sent] = []
            return out + [_sent(driver, row.payload) for _, row in tape.take(now_s)]

    def none(time_s: Floats) -> Floats:
        return np.zeros(time_s.size)

    twin: OtherDevice = Recorded(none)
    return twin


def _sent(driver: Driver, payload: bytes) -> Sent:
    """Where it was heard: of several characteristics a byte before it tells."""
    if driver.company is not None:
        return "", payload
    if len(driver.notify) > 1:
        return driver.notify[payload[0]], payload[1:]
    return driver.notify[0], payload


@asynccontextmanager
async def replayed(path: Path | str, *, speed: float = 1.0) -> AsyncIterator[Tape]:
    """The device of a recording on a virtual air; it sends what it sent when it is started.

    Raises
    ------
    RecordingError
        If the file is no recording, or holds no force.
    """
    path = Path(path)
    with Recording.open(path) as recording:
        rows = [row for _, row in recording.rows()]
        attached = next((row for row in rows if row.channel is Channel.DRIVER), None)
    async with virtual_air() as air:
        transport = air.transport("recorded")
        device: Any
        if attached is None:
            try:
                firmware: Any = RecordedFirmware(rows)
            except ValueError as error:
                raise RecordingError(str(error), path) from error
            tape = firmware.tape
            device = peripheral = Peripheral(transport, firmware, speed=speed)
            firmware.room = lambda: MAX_WAITING - len(peripheral.outbox)
        else:
            driver = Attached.from_bytes(attached.payload).driver
            kind = AS.get(driver.name, driver.name)
            payloads = [row for row in rows if row.channel is Channel.FORCE]
            if kind not in KINDS or not payloads:
                raise RecordingError(f"no {driver.title} can be played", path)
            tape = Tape(payloads)
            device = OtherPeripheral(transport, kind, speed=speed)
            device.device = _recorded_twin(kind, driver, tape)
        async with device:
            yield tape
