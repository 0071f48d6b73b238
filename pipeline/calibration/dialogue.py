"""The way through a calibration: what to hang next, what came of it, and where it is kept."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from pipeline.calibration.hung import DRIFT_N, Hung, Line, line_through
from pipeline.calibration.keeping import write_setting
from pipeline.calibration.still import Level
from pipeline.config import Config, default_config_file
from pipeline.files.words import KG
from pipeline.sources.radio import open_radio
from sensor.ble.source import BleSource
from sensor.errors import BandError


async def calibrate(config: Config, known_kg: list[float], file: Path | None, yes: bool) -> int:
    """Lead through known weights, or through a tare where none are given; 0 if all went well."""
    band = config.band
    if known_kg and len(set(known_kg)) < 2:
        raise BandError("two different weights at least are needed")
    async with (
        open_radio(band.transport) as central,
        # A device of others is read as it is, whatever factor was found before.
        BleSource(band.address, central=central, pair=band.pair, scale=1.0) as source,
    ):
        hung = Hung(source)
        try:
            if not known_kg:
                return await _zero(hung, source, yes)
            return await _weights(hung, source, known_kg, file, yes)
        finally:
            await source.stop()


async def _zero(hung: Hung, source: BleSource, yes: bool) -> int:
    """Look at the zero alone, and offer a tare."""
    _say("leave the band without load, as it hangs when nobody pulls ...")
    level = await anext(hung.levels())
    calibration = hung.calibration()
    if hung.driver is not None or calibration is None:
        _say("its zero is set anew in each session: the page's button, or MQTT's tare")
        return 0
    off_n = (level.value - calibration.zero_counts) * calibration.newtons_per_count
    if abs(off_n) <= DRIFT_N:
        print(f"the zero is right: it reads {off_n:+.2f} N without load")
        return 0
    print(f"the zero has drifted: it reads {off_n:+.2f} N without load")
    if not await _agreed("take the present force as zero", yes):
        return 1
    await source.tare()
    print("the present force is zero now")
    return 0


async def _weights(
    hung: Hung, source: BleSource, known_kg: list[float], file: Path | None, yes: bool
) -> int:
    levels: list[Level] = []
    _ask_for(known_kg[0], first=True)
    async for level in hung.levels():
        kg = known_kg[len(levels)]
        if hung.saturated:
            raise BandError(f"{kg:g} kg is more than the band can tell: use a lighter weight")
        levels.append(level)
        print(f"{kg:g} kg: {level.value:.6g} counts", flush=True)
        _tell_drift(hung, kg, level)
        if len(levels) == len(known_kg):
            break
        _ask_for(known_kg[len(levels)])
    try:
        line = line_through(levels, [kg * KG for kg in known_kg])
    except ValueError as error:
        raise BandError(f"nothing was changed: {error}") from error
    _tell_line(line, known_kg)
    return await _keep(hung, source, line, file, yes)


def _ask_for(kg: float, *, first: bool = False) -> None:
    what = f"hang {kg:g} kg from it" if kg else "leave it without load"
    _say(f"{what}{' first' if first else ''}, and let it come to rest ...")


def _tell_drift(hung: Hung, kg: float, level: Level) -> None:
    calibration = hung.calibration()
    if kg or hung.driver is not None or calibration is None:
        return
    off_n = (level.value - calibration.zero_counts) * calibration.newtons_per_count
    if abs(off_n) > DRIFT_N:
        print(f"the zero had drifted by {off_n:+.2f} N; the new calibration takes that along")


def _tell_line(line: Line, known_kg: list[float]) -> None:
    factor = f"{line.newtons_per_value:.6g} newtons a count, zero at {line.zero:.6g}"
    if len(known_kg) == 2:
        print(f"{factor}; two weights lie on any line, three tell how good it is")
        return
    off = ", ".join(
        f"{kg:g} kg {each:+.2f} N" for kg, each in zip(known_kg, line.residuals_n, strict=True)
    )
    print(f"{factor}; off the line: {off}")


async def _keep(hung: Hung, source: BleSource, line: Line, file: Path | None, yes: bool) -> int:
    if hung.driver is None:
        if not await _agreed("write this calibration to the band", yes):
            return 1
        taken = await hung.keep(line)
        print(f"the band keeps it as calibration {taken.id}")
        return 0
    path = file or default_config_file()
    if not await _agreed(f"write scale = {line.newtons_per_value:.6g} to {path}", yes):
        return 1
    write_setting(path, "band", "scale", float(f"{line.newtons_per_value:.6g}"))
    print(f"{path}: scale = {line.newtons_per_value:.6g} under [band], for {source.address}")
    return 0


async def _agreed(question: str, yes: bool) -> bool:
    """Ask whoever sits there; where nobody does, --yes is the answer."""
    if yes:
        return True
    if not sys.stdin.isatty():
        _say(f"nothing was changed: --yes would {question}")
        return False
    print(f"{question}? [y/N] ", end="", file=sys.stderr, flush=True)
    answer = await asyncio.to_thread(sys.stdin.readline)
    return answer.strip().casefold() in ("y", "yes")


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
