"""A simulated band for whoever joins the pieces: switched on by entering, off by leaving."""

from __future__ import annotations

from typing import Self

import numpy as np
from bumble.transport import open_transport
from bumble.transport.common import Transport

from firmware_sim.band import Band, BandSetup
from firmware_sim.device.gatt import Peripheral
from firmware_sim.person.truth import RepTruth


class SimulatedBand:
    """A band on the air, in this process; an async context manager.

    Parameters
    ----------
    transport
        HCI to a controller: that of a virtual air, or bumble's name of one (`usb:0`,
        `serial:/dev/ttyACM0,1000000`, `tcp-client:HOST:PORT`, `unix-client:PATH`).
    setup
        Which band, and who pulls it how.
    name
        What its advert says, at most 8 bytes; by default `FB-` and four digits of the seed's.
    speed
        How much faster than real time it lives.
    require_pairing
        Tell force to bonded clients only.

    Attributes
    ----------
    band
        The simulated hardware, with its `firmware`.
    """

    def __init__(
        self,
        transport: Transport | str,
        setup: BandSetup | None = None,
        *,
        name: str | None = None,
        speed: float = 1.0,
        require_pairing: bool = False,
    ) -> None:
        self.band = Band(setup)
        self.name = name or f"FB-{self.band.serial}"
        self._transport = transport
        self._speed = speed
        self._require_pairing = require_pairing
        self._opened: Transport | None = None
        self._peripheral: Peripheral | None = None

    async def __aenter__(self) -> Self:
        transport = self._transport
        if isinstance(transport, str):
            transport = self._opened = await open_transport(transport)
        try:
            peripheral = Peripheral(
                transport,
                self.band.firmware,
                serial=self.band.serial,
                name=self.name,
                speed=self._speed,
                require_pairing=self._require_pairing,
            )
            self._peripheral = await peripheral.__aenter__()
        except BaseException:
            await self._close()
            raise
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        try:
            await self._on_air.__aexit__(*exc_info)
        finally:
            await self._close()

    @property
    def address(self) -> str:
        return self._on_air.address

    @property
    def connected(self) -> bool:
        return self._on_air.connected

    @property
    def dropped(self) -> int:
        """Values that the radio could not take; a client asks for their samples again."""
        return self._on_air.outbox.dropped

    def truth(self, until_s: float | None = None) -> list[RepTruth]:
        """Every pull that ended by `until_s`, by default by now; s of the band's time.

        The band's time began when it was switched on; sample k, counted through from the first
        power-on, is taken at `band.firmware.sample_time_s(k)`.
        """
        return self.band.truth(self._on_air.now_s() if until_s is None else until_s)

    @property
    def end_s(self) -> float:
        """When the workout is over, in the band's time; inf while that is not known."""
        return np.inf if self.band.end_s is None else self.band.end_s

    async def power_cycle(self, off_s: float = 0.0) -> None:
        """Take the battery out and, after `off_s` of the band's time, put it back."""
        await self._on_air.power_cycle(off_s)

    @property
    def _on_air(self) -> Peripheral:
        if self._peripheral is None:
            raise RuntimeError("the simulated band is not switched on: use it in `async with`")
        return self._peripheral

    async def _close(self) -> None:
        if self._opened is not None:
            await self._opened.close()
            self._opened = None
