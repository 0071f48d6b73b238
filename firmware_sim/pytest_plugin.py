"""A pytest plugin for programs that read force over Bluetooth: no radio, no device.

    def test_mine(simulated_band):
        async def test():
            async with simulated_band("progressor"):
                assert max(await my_program.measure()) > 20
        asyncio.run(test())

Within the block plain bleak, with no backend named, finds and connects to the device.
docs/testing.md says more.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from firmware_sim.others.peripheral import OtherPeripheral
    from firmware_sim.replayed import Tape
    from firmware_sim.source import SimulatedBand


@pytest.fixture
def simulated_band() -> Callable[..., AbstractAsyncContextManager[SimulatedBand | OtherPeripheral]]:
    """`async with simulated_band(kind, faults, setup=..., speed=...) as device`: on the air."""

    def make(*args: Any, **options: Any) -> AbstractAsyncContextManager[Any]:
        from firmware_sim.virtual import simulated

        return simulated(*args, **options)

    return make


@pytest.fixture
def replay() -> Callable[..., AbstractAsyncContextManager[Tape]]:
    """`async with replay(path, speed=...) as tape`: a recording's device is on the air again.

    `await tape.played.wait()` waits until all of it was sent.
    """

    def make(*args: Any, **options: Any) -> AbstractAsyncContextManager[Any]:
        from firmware_sim.replayed import replayed

        return replayed(*args, **options)

    return make
