"""A band whose firmware breaks one promise of the profile: what makers get wrong, on demand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from firmware_sim.device.firmware import Firmware, FirmwareConfig
from firmware_sim.device.gauge import Reading
from firmware_sim.device.sending import Packet
from sensor.samples import Floats
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Info, Opcode, Response, Status

DEFECTS = {
    "cut-20": "notifications end after 20 bytes, as on a link of the smallest MTU",
    "cut-30": "notifications end after 30 bytes, as in a buffer that is too small",
    "rate": "Info says twice the rate at which samples are taken",
    "repeats": "every fourth frame has the index of the frame before",
    "counts-frames": "the index counts frames, not samples",
    "counts-bytes": "the index counts bytes, not samples",
    "checksum": "the checksum is 0",
    "clock": "the device time runs a quarter fast",
    "calibration": "frames name a calibration that Info lacks",
    "forgets": "RESEND is accepted, and nothing comes",
    "alters": "resent samples are all 0",
    "mumbles": "responses name another command",
    "naps": "samples are taken only while somebody listens",
    "goes-on": "frames come after STOP",
}


class DefectiveFirmware(Firmware):
    """`defect` is a name of `DEFECTS`; all else is as it should be."""

    def __init__(
        self, defect: str, config: FirmwareConfig, adc: Callable[[Floats], Reading]
    ) -> None:
        if defect not in DEFECTS:
            raise ValueError(f"no defect {defect!r}; there are {', '.join(DEFECTS)}")
        self._defect = defect
        self._frames = 0
        self._index = 0
        """Of the frame before."""
        self._napped, self._stopped_at = 0, 0
        super().__init__(config, adc)

    @property
    def info(self) -> Info:
        told = super().info
        return replace(told, rate_hz=2 * told.rate_hz) if self._defect == "rate" else told

    def advance(self, now_s: float) -> list[Packet]:
        return [
            Packet(packet.time_s, self._spoilt(packet.payload)) for packet in super().advance(now_s)
        ]

    def _spoilt(self, payload: bytes) -> bytes:
        if self._defect.startswith("cut-"):
            return payload[: int(self._defect.removeprefix("cut-"))]
        if self._defect == "checksum":
            return payload[:3] + b"\0" + payload[4:]
        frame = ForceFrame.from_bytes(payload)
        self._frames += 1
        match self._defect:
            case "repeats":
                index = self._index if self._frames % 4 == 0 else frame.first_sample
                self._index = frame.first_sample
                frame = replace(frame, first_sample=index)
            case "counts-frames":
                frame = replace(frame, first_sample=self._frames)
            case "counts-bytes":
                frame = replace(frame, first_sample=3 * frame.first_sample)
            case "clock":
                frame = replace(frame, device_us=frame.device_us * 5 // 4)
            case "calibration":
                frame = replace(frame, calibration_id=(frame.calibration_id + 7) % 256)
            case "alters" if frame.flags & Flag.RESENT:
                frame = replace(frame, counts=frame.counts * 0)
            case "naps":
                frame = replace(frame, first_sample=frame.first_sample - self._napped)
        return bytes(frame)

    def command(self, data: bytes) -> Response:
        if self._defect == "naps":
            return self._napping(data)
        response = super().command(data)
        if self._defect == "mumbles":
            return replace(response, opcode=0x55)
        if self._defect == "forgets" and response.opcode == Opcode.RESEND:
            self._resends.clear()
        if self._defect == "goes-on" and response.opcode == Opcode.STOP:
            self.streaming = True
        return response

    def _napping(self, data: bytes) -> Response:
        """As if no samples were taken from STOP to START: they are not counted."""
        opcode = data[0] if data else 0
        if opcode == Opcode.START and not self.streaming:
            self._napped += self.next_sample - self._stopped_at
        response = super().command(data)
        if response.status == Status.OK and opcode in (Opcode.START, Opcode.STOP):
            if opcode == Opcode.STOP:
                self._stopped_at = self.next_sample
            index = (self.next_sample - self._napped) % 2**32
            return replace(response, result=index.to_bytes(4, "little"))
        return response
