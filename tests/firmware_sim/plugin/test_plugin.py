"""The pytest plugin as others use it: their test, their bleak program, none of our code in it."""

from __future__ import annotations

import asyncio
import re
import struct
from pathlib import Path

import bleak
import pytest
from bleak import BleakClient, BleakScanner

from firmware_sim.band import BandSetup
from firmware_sim.others.device import Trouble
from firmware_sim.replayed import replayed
from firmware_sim.virtual import simulated
from sensor.errors import RecordingError
from sensor.recording.log import Recording
from sensor.samples import Channel, Notification
from sensor.wire.profile import CONTROL_UUID, FORCE_UUID, SERVICE_UUID
from tests.data.make_golden import GOLDEN
from tests.sensor.ble.toy_world import until

pytest_plugins = ["pytester"]

DOCUMENT = Path(__file__).parents[3] / "docs" / "testing.md"


def blocks() -> dict[str, str]:
    """The files of the documentation's example, by name."""
    text = DOCUMENT.read_text(encoding="utf-8")
    return dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", text, re.DOTALL))


def test_somebody_elses_bleak_program_is_tested_as_the_page_says(
    pytester: pytest.Pytester,
) -> None:
    """In a process of its own, as their tests run."""
    files = blocks()
    assert set(files) == {"dynamometer.py", "test_dynamometer.py"}
    assert "forceband" not in files["dynamometer.py"]
    for name, text in files.items():
        pytester.path.joinpath(name).write_text(text)
    pytester.path.joinpath("climb.forceband").write_bytes(recorded(pytester.path).read_bytes())
    done = pytester.runpytest_subprocess("-p", "firmware_sim.pytest_plugin", "-v")
    done.assert_outcomes(passed=text_tests(files["test_dynamometer.py"]))


def text_tests(text: str) -> int:
    return len(re.findall(r"^def test_", text, re.MULTILINE))


def recorded(folder: Path) -> Path:
    """A recording of a Progressor: two notifications of two samples each."""
    path = folder / "recorded.forceband"
    rows = [Notification(1, b'{"driver": "progressor", "scale": 1.0}', Channel.DRIVER)]
    for number, kg in enumerate((1.0, 12.5, 3.0, 2.0)):
        value = b"\x01\x08" + struct.pack("<fI", kg, 12_500 * number)
        rows.append(Notification(10_000 + 12_500 * number, value))
    with Recording.create(path, {"session": "climb"}) as recording:
        recording.extend(rows)
    return path


def test_a_recording_of_our_band_is_sent_again_byte_for_byte() -> None:
    with Recording.open(GOLDEN) as recording:
        frames = [row.payload for _, row in recording.rows() if row.channel is Channel.FORCE]
    got: list[bytes] = []

    async def test() -> None:
        async with asyncio.timeout(60), replayed(GOLDEN, speed=60.0) as tape:
            found = await BleakScanner.find_device_by_filter(
                lambda _, advert: SERVICE_UUID in advert.service_uuids
            )
            assert found is not None
            async with BleakClient(found) as client:
                await client.start_notify(CONTROL_UUID, lambda *_: None)
                await client.start_notify(FORCE_UUID, lambda _, value: got.append(bytes(value)))
                await client.write_gatt_char(CONTROL_UUID, b"\x01", response=True)
                await tape.played.wait()
                await until(lambda: len(got) >= len(frames))

    asyncio.run(test())
    assert got == frames


def test_what_cannot_be_is_said(tmp_path: Path) -> None:
    async def enter(kind: str, faults: object) -> None:
        async with simulated(kind, faults):  # type: ignore[arg-type]
            pass

    for kind, faults, words in (
        ("yoga", None, "no kind"),
        ("forceband", Trouble(), "defects, by name"),
        ("frez", "cut-20", "has Trouble"),
        ("forceband", "yoga", "no defect"),
    ):
        with pytest.raises(ValueError, match=words):
            asyncio.run(enter(kind, faults))
    path = tmp_path / "empty.forceband"
    Recording.create(path, {}).close()

    async def play() -> None:
        async with replayed(path):
            pass

    with pytest.raises(RecordingError, match="no force"):
        asyncio.run(play())


def test_bleak_is_its_own_again_afterwards() -> None:
    def backends() -> list[object]:
        names = ("get_platform_client_backend_type", "get_platform_scanner_backend_type")
        return [vars(bleak)[name] for name in names]

    before = backends()

    async def test() -> None:
        async with simulated("sig", setup=BandSetup(seed=2)):
            assert backends() != before

    asyncio.run(test())
    assert backends() == before
