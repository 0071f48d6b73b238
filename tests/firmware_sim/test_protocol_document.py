"""docs/protocol.md says what the code does."""

from __future__ import annotations

import re
from pathlib import Path
from typing import SupportsBytes

import numpy as np
import pytest

from firmware_sim.device import progressor
from firmware_sim.device.firmware import IDENTIFY_S, LOW_BATTERY_PERCENT, TARE_S
from firmware_sim.device.sending import RESEND_FRAMES_PER_S, samples_per_frame
from firmware_sim.device.services import force_value
from sensor.wire import profile
from sensor.wire.frames import MAX_FRAME_BYTES, MAX_SAMPLES, Flag, ForceFrame
from sensor.wire.profile import (
    BandCurve,
    Calibration,
    Command,
    Info,
    Opcode,
    Response,
    Status,
)

DOCUMENT = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text(encoding="utf-8")

TARED = Calibration(3, 84120, 1e-4)
INFO = Info(
    0xC0FFEE01,
    80.0,
    11520,
    24,
    3,
    (Calibration(0, 84000, 1e-4), TARED),
    BandCurve(5.78, 1.19, 0.5, 0.05),
    "forceband green",
    "1.0.0",
)
FRAME = ForceFrame(1000, 12_500_000, 2, Flag(0), np.array([84000, 84001, -1, 2**23 - 1, -(2**23)]))
RESENT = ForceFrame(4294967294, 4294942296, 2, Flag.RESENT | Flag.LOW_BATTERY, np.array([0, 1, 2]))
MEANT: dict[str, SupportsBytes] = {
    "frame": FRAME,
    "resent": RESENT,
    "info": INFO,
    "command start": Command(Opcode.START),
    "command set_rate": Command.set_rate(320.0),
    "command set_calibration": Command.set_calibration(TARED),
    "command resend": Command.resend(4000, 160),
    "response start": Response(Opcode.START, Status.OK, (4160).to_bytes(4, "little")),
    "response tare": Response(Opcode.TARE, Status.OK, bytes(TARED)),
    "response set_rate": Response(Opcode.SET_RATE, Status.OK, (320_000).to_bytes(4, "little")),
    "response resend": Response(Opcode.RESEND, Status.OK, Command.resend(4040, 120).argument),
    "response nothing": Response(Opcode.RESEND, Status.NOT_AVAILABLE),
    "response unknown": Response(0x7F, Status.UNKNOWN_COMMAND),
    "force 181.4": force_value(181.4),
    "force -2.5": force_value(-2.5),
    "force unknown": force_value(None),
}


def examples() -> dict[str, bytes]:
    found = re.findall(r"<!-- (.+?) -->\n((?: {4}[0-9a-f ]+\n)+)", DOCUMENT)
    return {name: bytes.fromhex(text) for name, text in found}


def test_every_example_has_its_meaning_and_every_meaning_its_example() -> None:
    assert examples().keys() == MEANT.keys()


@pytest.mark.parametrize("name", MEANT)
def test_each_example_is_what_the_code_encodes(name: str) -> None:
    assert examples()[name] == bytes(MEANT[name])


def test_each_example_decodes_to_what_the_text_says() -> None:
    hexes = examples()
    frame = ForceFrame.from_bytes(hexes["frame"])
    assert frame.counts.tolist() == FRAME.counts.tolist()
    assert (frame.first_sample, frame.device_us, frame.calibration_id) == (1000, 12_500_000, 2)
    assert ForceFrame.from_bytes(hexes["resent"]).flags == Flag.RESENT | Flag.LOW_BATTERY
    info = Info.from_bytes(hexes["info"])
    assert (info.rate_hz, info.ring_samples, info.active_calibration) == (80.0, 11520, 3)
    assert info.curve is not None
    assert info.curve.a_n == pytest.approx(5.78)
    assert Response.from_bytes(hexes["response start"]).next_sample() == 4160
    assert Response.from_bytes(hexes["response tare"]).calibration().zero_counts == 84120
    assert Response.from_bytes(hexes["response set_rate"]).rate_hz() == 320.0
    assert Response.from_bytes(hexes["response resend"]).resend_range() == (4040, 120)


def test_the_tables_name_the_codes_numbers() -> None:
    for opcode in Opcode:
        assert f"| 0x{opcode:02X} | {opcode.name} |" in DOCUMENT
    for status in Status:
        assert f"\n| {status.value} | " in DOCUMENT
    for flag in Flag:
        assert f"| 0x{flag.value:02X} | " in DOCUMENT
    for uuid in (
        profile.SERVICE_UUID,
        profile.FORCE_UUID,
        profile.CONTROL_UUID,
        profile.INFO_UUID,
        progressor.SERVICE_UUID,
    ):
        assert uuid in DOCUMENT
    for known in progressor.ProgressorOpcode:
        assert f"`{known:02x}`" in DOCUMENT


def test_the_stated_behaviour_is_the_codes() -> None:
    assert f"at most {MAX_FRAME_BYTES} bytes" in DOCUMENT
    assert f"1 to {MAX_SAMPLES} |" in DOCUMENT
    assert [samples_per_frame(rate) for rate in (80.0, 320.0, 1000.0)] == [8, 32, 56]
    assert f"at most {RESEND_FRAMES_PER_S} a second" in DOCUMENT
    assert f"below {LOW_BATTERY_PERCENT} %" in DOCUMENT
    assert TARE_S == 0.5
    assert f"for {IDENTIFY_S:.0f} s" in DOCUMENT
    assert "sixteen newest" in DOCUMENT
    assert profile.MAX_CALIBRATIONS == 16
