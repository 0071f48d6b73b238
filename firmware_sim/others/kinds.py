"""The kinds of devices: what each sends, byte by byte, and what it takes."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

import numpy as np

from firmware_sim.others.device import OtherDevice, Sent, during
from sensor.drivers import (
    chronojump,
    cts500,
    force_board,
    frez,
    motherboard,
    progressor,
    sig,
    wh_c06,
)
from sensor.drivers.driver import KGF_N, LBF_N
from sensor.samples import Floats

WRITE, NOTIFY = "write", "notify"


class ProgressorTwin(OtherDevice):
    """Records of tag, length, value; µs since the stream began."""

    def write(self, uuid: str, value: bytes, now_s: float) -> None:
        match value[:1]:
            case progressor.START:
                self.start(now_s)
            case progressor.STOP:
                self.stop()
            case progressor.BATTERY:
                self.answer(progressor.DATA_UUID, struct.pack("<BBI", 0, 4, 4012))

    def encode(self, index: int, time_s: Floats, force_n: Floats) -> list[Sent]:
        values = b""
        for k, force in enumerate(force_n.tolist()):
            count = self.counted(index + k, float(time_s[k]))
            stamp = round(count / self.true_hz * 1e6) + self.trouble.start_us
            values += struct.pack("<fI", force / KGF_N, stamp % 2**32)
        value = bytes([progressor.WEIGHT, len(values)]) + values + bytes(self.trouble.pad)
        return [(progressor.DATA_UUID, value)]

    def farewell(self) -> list[Sent]:
        return [(progressor.DATA_UUID, bytes([progressor.LOW_POWER, 0]))]


class ForceBoardTwin(OtherDevice):
    """Whole pounds, never below zero."""

    def write(self, uuid: str, value: bytes, now_s: float) -> None:
        if uuid == force_board.MODE_UUID and value == force_board.STREAM:
            self.start(now_s)
        elif uuid == force_board.MODE_UUID:
            self.stop()

    def encode(self, index: int, time_s: Floats, force_n: Floats) -> list[Sent]:
        pounds = np.rint(np.maximum(force_n, 0) / LBF_N).astype(int).tolist()
        value = len(pounds).to_bytes(2, "big")
        for each, at_s in zip(pounds, time_s.tolist(), strict=True):
            pushed = during(self.trouble.pushed_s, at_s)
            value += b"\xff\xff\xff" if pushed else bytes([each >> 15, each >> 8 & 127, each & 255])
        return [(force_board.FORCE_UUID, value)]


class SerialTwin(OtherDevice):
    """A serial line behind a radio: bytes are sent in chunks that mind no frame."""

    uuid = ""
    _line = b""

    def say(self, data: bytes) -> list[Sent]:
        """Put bytes on the line; the chunks that are full."""
        self._line += data
        size = max(self.trouble.chunk, 1)
        whole = len(self._line) - len(self._line) % size
        sent = [(self.uuid, self._line[at : at + size]) for at in range(0, whole, size)]
        self._line = self._line[whole:]
        return sent

    def reply(self, data: bytes) -> None:
        """Put an answer, and what waits on the line before it."""
        for uuid, value in self.say(data):
            self.answer(uuid, value)
        if self._line:
            self.answer(self.uuid, self._line)
            self._line = b""


class Cts500Twin(SerialTwin):
    """Frames with a sum, hundredths of a kg."""

    rate_hz, bundle = 40.0, 4
    uuid = cts500.NOTIFY_UUID

    def write(self, uuid: str, value: bytes, now_s: float) -> None:
        if value == cts500.START:
            self.reply(value)
            self.start(now_s)
        elif value == cts500.STOP:
            self.stop()
            self.reply(value)
        elif value == cts500.ASK_BATTERY:
            self.reply(bytes.fromhex("0580C4000163AD"))

    def encode(self, index: int, time_s: Floats, force_n: Floats) -> list[Sent]:
        frames = b""
        for hundredths in np.rint(np.maximum(force_n, 0) / KGF_N * 100).astype(int).tolist():
            body = b"\x05\x01" + hundredths.to_bytes(4, "big")
            frames += body + bytes([sum(body) & 255])
        return self.say(frames)


class FrezTwin(OtherDevice):
    """Raw counts with ms, nine at once; 0.01 kg a count."""

    rate_hz, bundle = 250.0, 9
    kg_per_count, zero_counts = 0.01, -1000

    def write(self, uuid: str, value: bytes, now_s: float) -> None:
        if value == frez.START:
            self.start(now_s)
        elif value == frez.STOP:
            self.stop()

    def encode(self, index: int, time_s: Floats, force_n: Floats) -> list[Sent]:
        counts = np.rint(force_n / KGF_N / self.kg_per_count).astype(int) + self.zero_counts
        value = frez.HEADER
        for k, each in enumerate(counts.tolist()):
            ms = round(self.counted(index + k, float(time_s[k])) / self.true_hz * 1000)
            value += struct.pack("<iI", each, (ms + self.trouble.start_us) % 2**32)
        return [(frez.NOTIFY_UUID, value)]


class MotherboardTwin(SerialTwin):
    """Lines of text; the load rests on the centre sensor, which is mounted upside down."""

    rate_hz, bundle = 30.0, 3
    uuid = motherboard.NOTIFY_UUID
    zero, raw_per_kg = 10_000, 5000.0

    def write(self, uuid: str, value: bytes, now_s: float) -> None:
        self.stop()
        if value == motherboard.ASK_CALIBRATION:
            rows = [
                f"{sensor},{row},{kg},{self.zero + kg * self.raw_per_kg:.0f}\r\n"
                for sensor in range(4)
                for row, kg in enumerate((0, 10, 50, 200))
            ]
            self.reply("".join(rows).encode())
        elif value == motherboard.START:
            self.start(now_s)

    def encode(self, index: int, time_s: Floats, force_n: Floats) -> list[Sent]:
        lines = b""
        for k, force in enumerate(force_n.tolist()):
            count = self.counted(index + k, float(time_s[k])) + self.trouble.start_us
            centre = round(self.zero - force / KGF_N * self.raw_per_kg)
            raw = (self.zero, centre, self.zero)
            data = struct.pack("<HH", count % 2**16, 300)
            data += b"".join(each.to_bytes(3, "little", signed=True) for each in raw) + bytes(3)
            lines += data.hex().upper().encode() + b"\r\n"
        return self.say(lines)


class SigTwin(OtherDevice):
    """The SIG's Force, from the first connection on."""

    rate_hz, bundle = 25.0, 1

    def encode(self, index: int, time_s: Floats, force_n: Floats) -> list[Sent]:
        millinewtons = round(float(force_n[0]) * 1000)
        return [(sig.FORCE_UUID, millinewtons.to_bytes(4, "little", signed=True))]


class WeightScaleTwin(OtherDevice):
    """The SIG's Weight Scale, used as a stream: steps of 0.005 kg, or of 0.01 lb."""

    rate_hz, bundle = 10.0, 1

    def encode(self, index: int, time_s: Floats, force_n: Floats) -> list[Sent]:
        pounds = float(time_s[0]) >= self.trouble.pounds_at_s
        step_n = 0.01 * LBF_N if pounds else 0.005 * KGF_N
        steps = min(round(max(float(force_n[0]), 0) / step_n), sig.WEIGHT_UNKNOWN - 1)
        if during(self.trouble.pushed_s, float(time_s[0])):
            steps = sig.WEIGHT_UNKNOWN
        flags = bytes([sig.POUNDS if pounds else 0])
        return [(sig.WEIGHT_UUID, flags + steps.to_bytes(2, "little"))]


class ChronojumpTwin(OtherDevice):
    """Texts: the force, and then its time in µs, each on a characteristic of its own."""

    rate_hz, bundle = 160.0, 1

    def encode(self, index: int, time_s: Floats, force_n: Floats) -> list[Sent]:
        count = self.counted(index, float(time_s[0]))
        stamp = (round(count / self.true_hz * 1e6) + self.trouble.start_us) % 2**32
        hundredths = round(float(force_n[0]) * 100)
        text = str(hundredths) if self.trouble.hundredths else f"{hundredths / 100:.2f}"
        return [
            (chronojump.FORCE_UUID, text.encode()),
            (chronojump.TIME_UUID, str(stamp).encode()),
        ]


class WhC06Twin(OtherDevice):
    """Advertises what hangs from it, from when it is switched on."""

    rate_hz, bundle = 10.0, 1
    shown = 0

    def encode(self, index: int, time_s: Floats, force_n: Floats) -> list[Sent]:
        at_s = float(time_s[0])
        pounds = at_s >= self.trouble.pounds_at_s
        if not during(self.trouble.hold_s, at_s):
            unit_n = LBF_N if pounds else KGF_N
            self.shown = min(round(max(float(force_n[0]), 0) / unit_n * 100), 65535)
        state = (wh_c06.HOLD if during(self.trouble.hold_s, at_s) else 0) << 4
        unit = 2 if pounds else 1
        head = b"\x02\x03\x11\x2a\xc0\x19\x11\x22\xe2" + bytes([not pounds])
        tail = b"\x01\xf4" + bytes([state | unit]) + (index % 2**16).to_bytes(2, "big")
        return [("", head + self.shown.to_bytes(2, "big") + tail)]


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of device: its twin, what it advertises, and its services."""

    twin: type[OtherDevice]
    name: str
    advertised: tuple[str, ...] = ()
    table: dict[str, dict[str, str]] = field(default_factory=dict)
    """Characteristic to WRITE or NOTIFY, by service."""
    streams_by_itself: bool = False


KINDS: dict[str, Kind] = {
    "progressor": Kind(
        ProgressorTwin,
        "Progressor_1234",
        (progressor.SERVICE_UUID,),
        {progressor.SERVICE_UUID: {progressor.DATA_UUID: NOTIFY, progressor.CONTROL_UUID: WRITE}},
    ),
    "wh-c06": Kind(WhC06Twin, "IF_B7", streams_by_itself=True),
    "force-board": Kind(
        ForceBoardTwin,
        "Force Board",
        (),
        {
            force_board.SERVICE_UUID: {
                force_board.FORCE_UUID: NOTIFY,
                force_board.TARE_UUID: WRITE,
            },
            force_board.MODE_SERVICE_UUID: {force_board.MODE_UUID: WRITE},
        },
    ),
    "cts500": Kind(
        Cts500Twin,
        "CTS500",
        (),
        {cts500.SERVICE_UUID: {cts500.NOTIFY_UUID: NOTIFY, cts500.WRITE_UUID: WRITE}},
    ),
    "frez": Kind(
        FrezTwin,
        "FrezDyno-0001",
        (),
        {frez.SERVICE_UUID: {frez.NOTIFY_UUID: NOTIFY, frez.WRITE_UUID: WRITE}},
    ),
    "motherboard": Kind(
        MotherboardTwin,
        "Motherboard",
        (),
        {
            motherboard.SERVICE_UUID: {
                motherboard.WRITE_UUID: WRITE,
                motherboard.NOTIFY_UUID: NOTIFY,
            }
        },
    ),
    "sig": Kind(
        SigTwin,
        "Force 1",
        (sig.FORCE_SERVICE_UUID,),
        {sig.FORCE_SERVICE_UUID: {sig.FORCE_UUID: NOTIFY}},
        streams_by_itself=True,
    ),
    "weight-scale": Kind(
        WeightScaleTwin,
        "Scale 1",
        (sig.WEIGHT_SERVICE_UUID,),
        {sig.WEIGHT_SERVICE_UUID: {sig.WEIGHT_UUID: NOTIFY}},
        streams_by_itself=True,
    ),
    "chronojump": Kind(
        ChronojumpTwin,
        "EncForce",
        (chronojump.SERVICE_UUID,),
        {
            chronojump.SERVICE_UUID: {
                chronojump.FORCE_UUID: NOTIFY,
                chronojump.TIME_UUID: NOTIFY,
            }
        },
        streams_by_itself=True,
    ),
}
