"""The firmware in C and the simulated one say the same bytes, whatever they are told."""

from __future__ import annotations

import ctypes
import random
import struct
import subprocess
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.device.firmware import RATES_HZ, Firmware, FirmwareConfig
from firmware_sim.device.gauge import Reading
from firmware_sim.device.sampler import ClockConfig
from sensor.samples import Floats
from sensor.wire.frames import Flag
from sensor.wire.profile import Calibration, Command, Opcode
from tests.firmware_sim.device.compiled import SOURCE, CompiledBand, compile_band
from tests.mosquitto_server import find_program


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return compile_band(tmp_path_factory.mktemp("c"))


class Pair:
    """Both, fed with the same conversions and commands."""

    def __init__(self, library: ctypes.CDLL, seed: int, first: int = 0, rate_hz: float = 80.0):
        rng = np.random.default_rng(seed)

        def adc(time_s: Floats) -> Reading:
            odd = rng.random((2, time_s.size)) < 0.02
            counts = rng.integers(-(2**23), 2**23, time_s.size)
            return Reading(counts, odd[0], odd[1])

        clock = ClockConfig(rate_hz=rate_hz, jitter_us=0.0, first_sample=first)
        self.twin = Firmware(FirmwareConfig(seed=seed, clock=clock, battery_percent=15.2), adc)
        rates_hz = sorted({*RATES_HZ, rate_hz})
        self.band = CompiledBand(library, self.twin.info, rates_hz, first)
        self._fed = first
        self.now_s = 0.0

    def pass_time(self, seconds: float) -> None:
        self.now_s += seconds
        packets = self.twin.advance(self.now_s)
        frames: list[bytes] = []
        fresh = self.twin.held(self._fed)
        assert fresh.first == self._fed
        rows = zip(
            fresh.counts.tolist(), fresh.device_us.tolist(), fresh.flags.tolist(), strict=True
        )
        for counts, time_us, flags in rows:
            self.band.sample(counts, time_us, flags)
            # Resends are let go at the end, when the twin counts them too.
            frames += self.band.frames(self._earlier_us())
        self._fed += fresh.counts.size
        frames += self.band.frames(self._us())
        told = [packet.payload for packet in packets]
        for resent in (0, int(Flag.RESENT)):
            ours = [frame for frame in frames if frame[0] & Flag.RESENT == resent]
            assert ours == [each for each in told if each[0] & Flag.RESENT == resent]
        self._last_us = self._us()

    _last_us = 0

    def _us(self) -> int:
        return round(self.now_s * 1e6)

    def _earlier_us(self) -> int:
        return self._last_us

    def tell(self, data: bytes) -> bytes:
        response = self.band.command(data, self._us())
        assert response == bytes(self.twin.command(data)), data.hex()
        assert self.band.info() == bytes(self.twin.info)
        return response


def some_command(rng: random.Random, around: int) -> bytes:
    """One that a client may give, or garbage."""
    match rng.randrange(9):
        case 0 | 1:
            return bytes([Opcode.START])
        case 2:
            return bytes([Opcode.STOP])
        case 3:
            return bytes([Opcode.TARE])
        case 4:
            return bytes(Command.set_rate(rng.choice([0.5, 7, 80, 81, 333.3, 1000, 1999, 2500])))
        case 5:
            scale = rng.choice([1e-4, -3e-3, 999.9, 1000.0, 0.0, float("nan"), float("inf"), 1e-42])
            zero = rng.choice([0, -5, 2**23 - 1, 2**23, -(2**23), -(2**23) - 1])
            return bytes([Opcode.SET_CALIBRATION]) + struct.pack("<Bif", 9, zero, scale)
        case 6 | 7:
            first = (around + rng.randint(-9000, 300)) % 2**32
            return bytes(Command.resend(first, rng.choice([1, 5, 200, 3000, 2**31])))
        case _:
            return rng.randbytes(rng.randint(0, 12)).replace(b"\x08", b"\x07")


@pytest.mark.parametrize("seed", range(12))
def test_any_session_gives_the_same_bytes(seed: int, library: ctypes.CDLL) -> None:
    rng = random.Random(seed)
    first = rng.choice([0, 0, 2**32 - 2000])
    pair = Pair(library, seed, first, rng.choice([80.0, 10.0, 92.8, 320.0]))
    for _ in range(120):
        if rng.random() < 0.5:
            pair.tell(some_command(rng, pair.twin.next_sample))
        if rng.random() < 0.05:
            pair.twin.link_lost()
            pair.band.link_lost()
        pair.pass_time(rng.uniform(0.003, 0.9))


def test_two_minutes_are_remembered_and_no_more(library: ctypes.CDLL) -> None:
    pair = Pair(library, 1)
    for _ in range(200):
        pair.pass_time(0.9)
    response = pair.tell(bytes(Command.resend(0, 2**31)))
    first, count = struct.unpack("<II", response[2:])
    assert count == pair.twin.info.ring_samples == 144 * 80
    assert first + count == pair.twin.next_sample
    for _ in range(9):
        pair.pass_time(0.9003)  # no frame is due just now, by one reckoning or the other


def test_a_tare_takes_the_mean_of_half_a_second(library: ctypes.CDLL) -> None:
    pair = Pair(library, 3)
    assert pair.tell(bytes([Opcode.TARE])) == bytes([Opcode.TARE, 3])
    pair.pass_time(0.7)
    taken = Calibration.from_bytes(pair.tell(bytes([Opcode.TARE]))[2:])
    assert taken.id == 1
    assert taken.zero_counts == round(float(pair.twin.held(0).counts[-40:].mean()))


def test_the_memory_of_another_size_fits_what_info_says(tmp_path: Path) -> None:
    check = tmp_path / "check.c"
    check.write_text(
        '#include "band.h"\n#include <stdio.h>\n'
        "static band b;\n"
        "int main(void) {\n"
        "  const uint32_t rates[] = {80000, 320000};\n"
        '  band_config c = {1, 80000, rates, 2, 24, {0, 0, 0, 0}, "m", "1"};\n'
        "  band_calibration t = {0, 0, 0x38D1B717};\n"
        "  uint8_t out[BAND_INFO_BYTES], frame[BAND_FRAME_BYTES];\n"
        "  band_init(&b, &c, &t, 1);\n"
        "  for (uint32_t i = 0; i < 9000; i++) band_sample(&b, (int32_t)i, i * 12500, 0);\n"
        "  band_info(&b, out);\n"
        "  uint32_t ring = out[9] | out[10] << 8 | (uint32_t)out[11] << 16;\n"
        "  uint8_t ask[9] = {6, 0, 0, 0, 0, 0, 0, 0, 0x80};\n"
        "  size_t n = band_command(&b, ask, 9, 0, out);\n"
        "  uint32_t first = out[2] | out[3] << 8, count = out[6] | out[7] << 8, got = 0, now = 0;\n"
        "  while (b.ranges) {\n"
        "    size_t size = band_frame(&b, now, frame);\n"
        "    if (size) got += frame[1];\n"
        "    else now += 20000;\n"
        "  }\n"
        '  printf("%u %u %u %u %u\\n", ring, (unsigned)n, first, count, got);\n'
        "}\n"
    )
    program = tmp_path / "check"
    command = [find_program("cc", "gcc"), f"-I{SOURCE.parent}", "-DBAND_RING_SAMPLES=2000",
               "-fsanitize=undefined,address", "-fno-sanitize-recover=all",
               str(SOURCE), str(check), "-o", str(program)]  # fmt: skip
    subprocess.run(command, check=True, capture_output=True)
    told = subprocess.run([str(program)], check=True, capture_output=True, text=True).stdout
    ring, size, first, count, got = map(int, told.split())
    assert ring == count == got == 2000 - 4 * 80
    assert (size, first) == (10, 9000 - ring)
