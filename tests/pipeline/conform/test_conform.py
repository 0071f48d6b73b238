"""`forceband conform` and `doctor` against real ATT: each broken promise is named as such."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from firmware_sim.band import BandSetup
from firmware_sim.device.defects import DEFECTS
from firmware_sim.others.peripheral import OtherPeripheral
from firmware_sim.radio.air import Air
from firmware_sim.source import SimulatedBand
from pipeline.checkup import _measure
from pipeline.config import load
from pipeline.conform.conform import promises
from pipeline.conform.promise import Kept, Promise
from sensor.bumble_backend import BumbleCentral
from sensor.errors import LinkError

WORDS = {
    "cut-20": "cuts its notifications: {n} of {n} end after 20 bytes",
    "cut-30": "cuts its notifications: {n} of {n} end after 30 bytes",
    "rate": "another rate than it says: {x} samples come in a second, Info says 160",
    "repeats": "repeats sample indices",
    "counts-frames": "the index runs on by 7 less than the frame before holds",
    "counts-bytes": "the index runs ahead of the samples: by 16 more than each frame holds",
    "checksum": "have a wrong checksum",
    "clock": "the device time is wrong",
    "calibration": "frames name calibration 7, which Info lacks: it has 0",
    "forgets": "{n} of {n} samples did not come",
    "alters": "{n} of {n} samples came with other counts",
    "mumbles": "did not answer START",
    "naps": "samples in {x} s; {x} were to be expected",
    "goes-on": "frames came in a second",
}


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.conform.trials.STREAM_S", 4.0)
    monkeypatch.setattr("pipeline.conform.trials.PAUSE_S", 0.5)
    monkeypatch.setattr("pipeline.conform.probe.ANSWER_S", 2.0)
    monkeypatch.setattr("pipeline.conform.probe.RESENT_S", 1.5)


async def _tried(setup: BandSetup, *, changing: bool = False) -> list[Promise]:
    air = Air()
    async with (
        await BumbleCentral.open(air.transport("host")) as central,
        SimulatedBand(air.transport("band"), setup),
    ):
        tried = promises(None, central=central, changing=changing)
        return [each async for each in tried]


def _pattern(words: str) -> str:
    return re.escape(words).replace(r"\{n\}", r"\d+").replace(r"\{x\}", r"[\d.]+")


def test_a_good_band_keeps_every_promise_and_each_defect_breaks_its_own(quick: None) -> None:
    """All at once, each on an air of its own."""

    async def test() -> list[list[Promise]]:
        good = _tried(BandSetup(seed=3), changing=True)
        bad = [_tried(BandSetup(seed=3, defect=defect)) for defect in DEFECTS]
        return await asyncio.gather(good, *bad)

    good, *bad = asyncio.run(test())
    assert [each for each in good if each.kept is not Kept.YES] == []
    assert len(good) > 25
    for defect, tried in zip(DEFECTS, bad, strict=True):
        broken = " | ".join(each.seen for each in tried if each.kept is Kept.NO)
        assert re.search(_pattern(WORDS[defect]), broken), (defect, broken)
        if defect in ("forgets", "alters", "calibration", "clock", "rate"):
            wrong = [each.what for each in tried if each.kept is Kept.NO]
            assert len(wrong) <= 2, (defect, broken)  # and nothing else is blamed


def test_a_device_of_others_is_named_and_promises_nothing(quick: None) -> None:
    async def test() -> list[Promise]:
        air = Air()
        async with (
            await BumbleCentral.open(air.transport("host")) as central,
            OtherPeripheral(air.transport("band"), "progressor", BandSetup(seed=3)) as band,
        ):
            return [each async for each in promises(band.address, central=central)]

    (only,) = asyncio.run(test())
    assert only.kept is Kept.NO
    assert "is a Tindeq Progressor" in only.seen


@pytest.mark.parametrize(
    ("defect", "words"),
    [
        ("cut-20", "cuts its frames to 20 bytes, though the link carries"),
        ("cut-30", "frame of 30 bytes says 8"),
        ("rate", "sends at another rate than it says"),
        ("repeats", "repeats sample indices"),
    ],
)
def test_doctor_blames_the_firmware_for_what_no_radio_does(
    defect: str, words: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.checkup.MEASURE_S", 4.0)

    async def test() -> str:
        air = Air()
        async with (
            await BumbleCentral.open(air.transport("host")) as central,
            SimulatedBand(air.transport("band"), BandSetup(seed=3, defect=defect)),
        ):
            config = load(None, flags={"data_dir": tmp_path})
            try:
                found = [each async for each in _measure(config, central)]
            except LinkError as error:
                return str(error)
            return " ".join(f"{each.what} {each.remedy}" for each in found if not each.ok)

    told = asyncio.run(test())
    assert words in told
    assert "nearer" not in told
    assert "adapter" not in told
