"""`forceband calibrate` with a band on the air from which known weights hang."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from firmware_sim.band import BandSetup
from firmware_sim.device.gauge import GaugeConfig
from firmware_sim.others.peripheral import OtherPeripheral
from firmware_sim.radio.air import Air
from firmware_sim.source import SimulatedBand
from pipeline.calibration.dialogue import calibrate
from pipeline.calibration.hung import line_through
from pipeline.calibration.keeping import write_setting
from pipeline.calibration.still import Level
from pipeline.config import ConfigError, load
from sensor.bumble_backend import BumbleCentral
from sensor.errors import BandError

MASSES_KG = (0.0, 5.0, 10.0)
SPEED = 5.0


@pytest.fixture
def air(monkeypatch: pytest.MonkeyPatch) -> Air:
    """What `calibrate` opens in place of a radio."""
    air = Air()

    @asynccontextmanager
    async def radio(transport: str | None) -> AsyncIterator[BumbleCentral]:
        async with await BumbleCentral.open(air.transport("host")) as central:
            yield central

    monkeypatch.setattr("pipeline.calibration.dialogue.open_radio", radio)
    monkeypatch.setattr("pipeline.calibration.still.STILL_S", 2.0 / SPEED)
    return air


def test_our_band_gets_its_scale_and_zero_of_three_weights(
    air: Air, capsys: pytest.CaptureFixture[str]
) -> None:
    setup = BandSetup(seed=5, waits=True, weights_kg=MASSES_KG, gauge=GaugeConfig(tare_error_n=1.5))

    async def test() -> tuple[float, float]:
        async with SimulatedBand(air.transport("band"), setup, speed=SPEED) as band:
            firmware = band.band.firmware
            true = firmware.config.calibration
            spoilt = bytes([5, 0]) + bytes(4) + bytes.fromhex("0ad7233c")  # 0.01 N a count
            firmware.command(spoilt)
            assert await calibrate(load(None), list(MASSES_KG), None, yes=True) == 0
            found = firmware.info.calibrations[-1]
            return (
                found.newtons_per_count / true.newtons_per_count,
                (found.zero_counts - true.zero_counts) * true.newtons_per_count,
            )

    scale, zero_n = asyncio.run(test())
    assert scale == pytest.approx(1.0, abs=0.01)
    out = capsys.readouterr()
    assert zero_n == pytest.approx(1.5, abs=0.4)  # the gauge's own error is taken along
    assert "hang 5 kg from it" in out.err
    assert re.search(r"off the line: 0 kg [+-]0\.\d\d N, 5 kg", out.out)
    assert "the band keeps it as calibration" in out.out


def test_a_device_of_others_gets_its_scale_in_the_configuration(air: Air, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text("# mine\n[band]\nname = 'left'  # hand\n")
    setup = BandSetup(seed=5, weights_kg=MASSES_KG)

    async def test() -> int:
        async with OtherPeripheral(air.transport("band"), "frez", setup, speed=SPEED) as band:
            config = load(file, flags={"band.address": band.address})
            return await calibrate(config, list(MASSES_KG), file, yes=True)

    assert asyncio.run(test()) == 0
    config = load(file)
    assert config.band.scale == pytest.approx(0.0980665, rel=0.01)
    assert config.band.name == "left"
    assert "# mine" in file.read_text()
    assert "# hand" in file.read_text()


@pytest.mark.parametrize("yes", [True, False])
def test_a_tare_is_offered_where_the_zero_has_drifted(
    air: Air, yes: bool, capsys: pytest.CaptureFixture[str]
) -> None:
    async def test() -> tuple[int, int]:
        setup = BandSetup(seed=5, waits=True, weights_kg=(2.0,))
        async with SimulatedBand(air.transport("band"), setup, speed=SPEED) as band:
            before = len(band.band.firmware.info.calibrations)
            code = await calibrate(load(None), [], None, yes=yes)
            return code, len(band.band.firmware.info.calibrations) - before

    code, made = asyncio.run(test())
    assert (code, made) == ((0, 1) if yes else (1, 0))
    said = capsys.readouterr()
    assert re.search(r"the zero has drifted: it reads \+\d", said.out)
    assert yes or "--yes would take the present force as zero" in said.err


def test_weights_in_the_wrong_order_change_nothing(air: Air) -> None:
    setup = BandSetup(seed=5, waits=True, weights_kg=(0.0, 10.0, 5.0))

    async def test() -> None:
        async with SimulatedBand(air.transport("band"), setup, speed=SPEED) as band:
            with pytest.raises(BandError, match=r"nothing was changed: .*hang them again"):
                await calibrate(load(None), list(MASSES_KG), None, yes=True)
            assert len(band.band.firmware.info.calibrations) == 1

    asyncio.run(test())


def test_the_residual_is_the_lines_force_minus_the_weights() -> None:
    levels = [Level(value, 1.0) for value in (100.0, 1101.0, 2100.0)]
    line = line_through(levels, [0.0, 50.0, 100.0])
    assert line.newtons_per_value == pytest.approx(0.05, rel=1e-3)
    assert sum(line.residuals_n) == pytest.approx(0.0, abs=1e-6)
    assert line.worst_n == pytest.approx(0.033, abs=0.002)


@pytest.mark.parametrize("text", ["[band\n", "band = 3\n", "\xff"])
def test_a_broken_configuration_is_left_as_it_is(text: str, tmp_path: Path) -> None:
    file = tmp_path / "config.toml"
    file.write_text(text, "latin-1")
    with pytest.raises(ConfigError, match=r"config\.toml"):
        write_setting(file, "band", "scale", 2.0)
    assert file.read_text("latin-1") == text
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]


def test_a_missing_configuration_is_made(tmp_path: Path) -> None:
    file = tmp_path / "new" / "config.toml"
    write_setting(file, "band", "scale", 0.5)
    assert load(file).band.scale == 0.5
