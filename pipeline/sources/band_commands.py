"""What the page's buttons and MQTT commands do to a band."""

from __future__ import annotations

from typing import Protocol

from sensor.errors import BandError
from sensor.wire.profile import Calibration


class CommandedBand(Protocol):
    """The part of a band's source that takes commands."""

    async def tare(self) -> Calibration | None: ...
    async def pause(self) -> None: ...
    async def resume(self) -> None: ...
    async def identify(self) -> None: ...


class BandCommands:
    """A CommandHandler: `tare`, `start`, `stop` and `identify`."""

    def __init__(self, band: CommandedBand) -> None:
        self._band = band

    async def __call__(self, name: str) -> str:
        """Carry out one command; BandError says why it could not be."""
        match name:
            case "tare":
                await self._band.tare()
                return "the present force is zero now"
            case "stop":
                await self._band.pause()
                return "the band pauses; start goes on"
            case "start":
                await self._band.resume()
                return "the band streams"
            case "identify":
                await self._band.identify()
                return "the band shows itself"
            case _:
                raise BandError(f"there is no command {name[:40]!r}")
