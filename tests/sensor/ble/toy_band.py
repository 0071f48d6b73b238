"""A band as small as can be: our profile on bumble, samples on demand, and a memory of them."""

from __future__ import annotations

import asyncio
import struct
from typing import Any

import numpy as np
from bumble import att, hci
from bumble.core import UUID, AdvertisingData
from bumble.device import Device, DeviceConfiguration
from bumble.gatt import Characteristic, CharacteristicValue, Service
from bumble.transport.common import Transport

from sensor.wire.frames import MAX_SAMPLES, Flag, ForceFrame
from sensor.wire.profile import (
    BATTERY_LEVEL_UUID,
    BATTERY_SERVICE_UUID,
    CONTROL_UUID,
    FORCE_UUID,
    INFO_UUID,
    SERVICE_UUID,
    Calibration,
    Info,
    Opcode,
    Response,
    Status,
)

ADDRESS = "F0:F1:F2:F3:00:01"
SAMPLES_PER_FRAME = 8


class ToyBand:
    """Sample number i has i counts, so that a test sees at once which samples came."""

    def __init__(
        self,
        transport: Transport,
        *,
        name: str = "TOY",
        address: str = ADDRESS,
        rate_hz: float = 80.0,
        ring_samples: int = 9600,
        demands_pairing: bool = False,
        tells_next_sample: bool = True,
        max_mtu: int | None = None,
        keystore: str | None = None,
    ) -> None:
        self.name = name
        self.boot_id = 1
        self.rate_hz = rate_hz
        self.ring_samples = ring_samples
        self.tells_next_sample = tells_next_sample
        self.next_sample = 0
        self.streaming = False
        self.mute = False
        self.connection: Any = None
        self.commands: list[bytes] = []
        self.refuse: dict[int, Status] = {}
        self.controller = transport.source
        self._tasks: set[asyncio.Task[None]] = set()
        configuration = DeviceConfiguration(
            name=name,
            address=hci.Address(address),
            advertising_interval_min=20,
            advertising_interval_max=20,
            keystore=keystore,
        )
        self.device = Device.from_config_with_hci(configuration, transport.source, transport.sink)
        if max_mtu is not None:
            self.device.gatt_server.max_mtu = max_mtu
        readable, kinds = Characteristic.READABLE, Characteristic.Properties
        if demands_pairing:
            readable = readable | Characteristic.READ_REQUIRES_ENCRYPTION
        self.force = Characteristic(FORCE_UUID, kinds.NOTIFY, Characteristic.READABLE, b"")
        self.control = Characteristic(
            CONTROL_UUID,
            kinds.WRITE | kinds.INDICATE,
            Characteristic.WRITEABLE,
            CharacteristicValue(read=self._refuse_to_read, write=self._on_command),
        )
        info = Characteristic(
            INFO_UUID, kinds.READ, readable, CharacteristicValue(read=lambda _: bytes(self.info))
        )
        self.battery = Characteristic(
            BATTERY_LEVEL_UUID, kinds.READ | kinds.NOTIFY, Characteristic.READABLE, b"\x5a"
        )
        self.device.add_services(
            [
                Service(SERVICE_UUID, [self.force, self.control, info]),
                Service(UUID(BATTERY_SERVICE_UUID), [self.battery]),
            ]
        )
        self.device.on("connection", self._on_connection)

    @property
    def info(self) -> Info:
        calibrations = tuple(Calibration(i, 1000 * i, 1e-4) for i in range(16))
        return Info(
            self.boot_id,
            self.rate_hz,
            self.ring_samples,
            24,
            0,
            calibrations,
            None,
            "toy " * 60,
            "0.1",
        )

    async def start(self) -> None:
        await self.device.power_on()
        advert = AdvertisingData(
            [
                (AdvertisingData.FLAGS, b"\x06"),
                (
                    AdvertisingData.COMPLETE_LIST_OF_128_BIT_SERVICE_CLASS_UUIDS,
                    bytes(UUID(SERVICE_UUID)),
                ),
            ]
        )
        response = AdvertisingData([(AdvertisingData.COMPLETE_LOCAL_NAME, self.name.encode())])
        await self.device.start_advertising(
            advertising_data=bytes(advert), scan_response_data=bytes(response), auto_restart=True
        )

    async def power_cycle(self) -> None:
        """Lose all: link, memory, index."""
        self.controller.drop_links()
        self.streaming, self.next_sample = False, 0
        self.boot_id += 1

    async def take_frames(self, frames: int) -> None:
        """Sample so many frames; send them if somebody listens."""
        for _ in range(frames):
            first, self.next_sample = self.next_sample, self.next_sample + SAMPLES_PER_FRAME
            if self.streaming and not self.mute:
                await self._send(first, SAMPLES_PER_FRAME, Flag(0))

    async def run(self, frames_per_s: float = 100.0) -> None:
        """Sample until cancelled."""
        while True:
            await self.take_frames(1)
            await asyncio.sleep(1 / frames_per_s)

    async def set_battery(self, percent: int) -> None:
        await self.device.notify_subscribers(self.battery, bytes([percent]))

    async def send_raw(self, payload: bytes) -> None:
        if self.connection is not None:
            await self.device.notify_subscriber(self.connection, self.force, payload)

    async def _send(self, first: int, n: int, flags: Flag) -> None:
        counts = np.arange(first, first + n, dtype=np.int64)
        frame = ForceFrame(first, round(first * 1e6 / self.rate_hz), 0, flags, counts)
        await self.send_raw(bytes(frame))

    def _on_connection(self, connection: Any) -> None:
        self.connection = connection
        connection.on("disconnection", self._on_disconnection)

    def _on_disconnection(self, _: int) -> None:
        self.connection = None

    def _refuse_to_read(self, _: Any) -> bytes:
        # Without a reader bumble's server never answers.
        raise att.ATT_Error(att.ErrorCode.READ_NOT_PERMITTED)

    def _on_command(self, connection: Any, value: bytes) -> None:
        self.commands.append(bytes(value))
        task = asyncio.create_task(self._answer(connection, bytes(value)))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _answer(self, connection: Any, value: bytes) -> None:
        opcode, status, result = value[0], Status.OK, b""
        resend: list[tuple[int, int]] = []
        if self.refuse.get(opcode) is not None:
            status = self.refuse[opcode]
        elif opcode in (Opcode.START, Opcode.STOP):
            self.streaming = opcode == Opcode.START
            if self.tells_next_sample:
                result = struct.pack("<I", self.next_sample)
        elif opcode == Opcode.TARE:
            result = bytes(Calibration(1, 42, 1e-4))
        elif opcode == Opcode.SET_RATE:
            self.rate_hz = int.from_bytes(value[1:5], "little") / 1000
            result = value[1:5]
        elif opcode == Opcode.RESEND:
            first, count = struct.unpack("<II", value[1:9])
            begin = max(first, self.next_sample - self.ring_samples)
            end = min(first + count, self.next_sample)
            if begin >= end:
                status = Status.NOT_AVAILABLE
            else:
                result = struct.pack("<II", begin, end - begin)
                resend = [(at, min(MAX_SAMPLES, end - at)) for at in range(begin, end, MAX_SAMPLES)]
        answer = bytes(Response(opcode, status, result))
        await self.device.indicate_subscriber(connection, self.control, answer)
        for first, n in resend:
            await self._send(first, n, Flag.RESENT)
