"""A toy band and a central on one air, and waiting for things to happen."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from firmware_sim.radio.air import Air
from sensor.bumble_backend import BumbleCentral
from tests.sensor.ble.toy_band import ToyBand

PATIENCE_S = 60.0
"""Long enough for a busy machine; nothing waits for as long when all is well."""


@dataclass
class World:
    air: Air
    band: ToyBand
    central: BumbleCentral


@asynccontextmanager
async def toy_world(air: Air | None = None, **band_options: Any) -> AsyncIterator[World]:
    air = air or Air()
    band = ToyBand(air.transport("band"), **band_options)
    await band.start()
    async with await BumbleCentral.open(air.transport("central")) as central:
        yield World(air, band, central)


async def until(condition: Callable[[], Any]) -> None:
    """Return once the condition holds; fail if that takes too long."""
    async with asyncio.timeout(PATIENCE_S):
        while not condition():  # noqa: ASYNC110 - bumble has no event for it
            await asyncio.sleep(0.005)
