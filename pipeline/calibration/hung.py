"""A band with weights on it: its values in the units that are to be calibrated, and a line."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass

import numpy as np

from pipeline.calibration.still import Hanging, Level
from pipeline.files.calibrations import fit
from sensor.ble.source import BleSource
from sensor.drivers.attached import Attached
from sensor.drivers.driver import Decoder, Driver
from sensor.errors import BandError, FrameError
from sensor.samples import Channel, Floats
from sensor.wire.frames import Flag, ForceFrame
from sensor.wire.profile import Calibration, Command

DRIFT_N = 0.5
"""A zero that is off by more is worth a tare."""


@dataclass(frozen=True, slots=True)
class Line:
    """Newtons are (value - zero) × newtons_per_value."""

    zero: float
    newtons_per_value: float
    residuals_n: tuple[float, ...]
    """Of each weight, the line's force minus the true one."""

    @property
    def worst_n(self) -> float:
        return max(map(abs, self.residuals_n))


class Hung:
    """What a source brings while weights hang from its band."""

    def __init__(self, source: BleSource) -> None:
        self._source = source
        self._decoder: Decoder | None = None
        self.driver: Driver | None = None
        """Of a device of others; its values are what it sends, uncorrected."""
        self.saturated = False

    async def levels(self) -> AsyncIterator[Level]:
        """The level of each weight as soon as it hangs still."""
        hanging, loop = Hanging(), asyncio.get_running_loop()
        async for notification in self._source:
            if notification.channel is Channel.DRIVER:
                attached = Attached.from_bytes(notification.payload)
                self.driver, self._decoder = attached.driver, attached.driver.decoder(1.0)
            elif notification.channel is Channel.FORCE:
                level = hanging.receive(loop.time(), self._values(notification.payload))
                if level is not None:
                    yield level

    def _values(self, payload: bytes) -> Floats:
        if self._decoder is not None:
            return self._decoder.receive(payload).arrays()[0]
        try:
            frame = ForceFrame.from_bytes(payload)
        except FrameError:
            return np.zeros(0)
        if frame.flags & Flag.RESENT:
            return np.zeros(0)
        self.saturated = bool(frame.flags & Flag.SATURATED)
        return frame.counts.astype(np.float64)

    def calibration(self) -> Calibration | None:
        """What is in force in our own band."""
        info = self._source.info
        if info is None:
            return None
        table = {each.id: each for each in info.calibrations}
        return table.get(info.active_calibration)

    async def keep(self, line: Line) -> Calibration:
        """Give our own band its calibration; what it took.

        Raises
        ------
        BandError
            If it cannot be, or the band refuses it.
        """
        try:
            wanted = Calibration(0, round(line.zero), line.newtons_per_value)
        except ValueError as error:
            raise BandError(f"the band cannot keep such a calibration: {error}") from error
        response = await self._source.command(Command.set_calibration(wanted))
        try:
            taken = response.calibration()
        except FrameError as error:
            raise BandError(
                f"the band did not take the calibration ({response.status.name}): update its "
                "firmware; `forceband conform` says what it can"
            ) from error
        if taken.zero_counts != wanted.zero_counts:
            raise BandError("the band took another calibration than it was given")
        return taken


def line_through(levels: list[Level], known_n: list[float]) -> Line:
    """The line through weights; ValueError, with a sentence, where they lie on none."""
    values, forces = np.array([level.value for level in levels]), np.array(known_n)
    zero, scale, _ = fit(values, forces)
    residuals = tuple(float(each) for each in (values - zero) * scale - forces)
    return Line(zero, scale, residuals)
