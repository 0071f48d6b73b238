"""docs/firmware.md: its conversation is what both firmwares say, and its bytes are right."""

from __future__ import annotations

import ctypes
import re
from pathlib import Path

import numpy as np
import pytest

from firmware_sim.device.firmware import RATES_HZ, Firmware, FirmwareConfig
from firmware_sim.device.gauge import Reading
from firmware_sim.device.sampler import ClockConfig
from sensor.samples import Floats
from sensor.wire.frames import crc8
from sensor.wire.profile import Calibration
from tests.firmware_sim.device.compiled import CompiledBand, compile_band

DOCUMENT = Path(__file__).parents[3] / "docs" / "firmware.md"
LINE = re.compile(r"^    ([<>=!]) ((?:[0-9a-f]{2} ?)+)", re.MULTILINE)
RATE_HZ, FIRST_COUNTS, STEP = 80.0, 84_000, 10
ADC_BYTES = re.compile(r"`([0-9a-f]{2}(?: [0-9a-f]{2}){2})` is (−?[0-9]+)")


def said() -> list[tuple[str, bytes]]:
    """The lines of the conversation: what is written, indicated, read and notified."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return [(sign, bytes.fromhex(hexes)) for sign, hexes in LINE.findall(text)]


def twin() -> Firmware:
    """Switched on a second ago; the weight on it grows by ten counts a sample."""

    def adc(time_s: Floats) -> Reading:
        counts = FIRST_COUNTS + STEP * np.rint(time_s * RATE_HZ).astype(np.int64)
        none = np.zeros(time_s.size, bool)
        return Reading(counts, none, none)

    config = FirmwareConfig(
        seed=1,
        clock=ClockConfig(rate_hz=RATE_HZ, jitter_us=0.0),
        calibration=Calibration(0, FIRST_COUNTS, 1e-4),
        model="mine",
        firmware="0.1",
    )
    band = Firmware(config, adc)
    band.advance(1.0)
    return band


class OfC:
    """The compiled firmware behind the same three calls, fed with the twin's samples."""

    def __init__(self, library: ctypes.CDLL, band: Firmware) -> None:
        self._twin = band
        self._fed = 0
        self.compiled = CompiledBand(library, band.info, list(RATES_HZ), 0)
        self.feed()

    def feed(self) -> None:
        fresh = self._twin.held(self._fed)
        for counts, time_us in zip(fresh.counts.tolist(), fresh.device_us.tolist(), strict=True):
            self.compiled.sample(counts, time_us, 0)
        self._fed += fresh.counts.size


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> ctypes.CDLL:
    return compile_band(tmp_path_factory.mktemp("c"))


def test_the_conversation_is_what_both_firmwares_say(library: ctypes.CDLL) -> None:
    band = twin()
    portable = OfC(library, band)
    now_s, lines = 1.0, said()
    frames: list[bytes] = []
    assert {sign for sign, _ in lines} == set("<>=!")
    response, of_c = b"", b""
    for sign, payload in lines:
        match sign:
            case "=":
                assert payload == bytes(band.info) == portable.compiled.info()
            case ">":
                response = bytes(band.command(payload))
                of_c = portable.compiled.command(payload, round(now_s * 1e6))
            case "<":
                assert payload == response == of_c
            case _:
                while not frames:
                    now_s += 0.0125
                    frames = [packet.payload for packet in band.advance(now_s)]
                    portable.feed()
                    ours = portable.compiled.frames(round(now_s * 1e6) + 10)
                    assert ours == frames
                assert payload == frames.pop(0)


def test_counts_of_each_adc_are_read_as_the_page_says() -> None:
    examples = ADC_BYTES.findall(DOCUMENT.read_text(encoding="utf-8"))
    assert len(examples) >= 4
    for hexes, number in examples:
        counts = int.from_bytes(bytes.fromhex(hexes), "big", signed=True)
        assert counts == int(number.replace("−", "-"))


def test_the_checksum_of_the_page_is_that_of_the_frames() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    found = re.search(r"CRC-8 of `([0-9a-f ]+)` is `([0-9a-f]{2})`", text)
    assert found is not None
    assert crc8(bytes.fromhex(found[1])) == int(found[2], 16)
    for sign, payload in said():
        if sign == "!":
            assert crc8(payload[:3] + payload[4:]) == payload[3]
