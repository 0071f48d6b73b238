"""A virtual air for programs that use bleak: within it, plain bleak hears what is on the air.

Nothing of such a program is changed: where it names no backend, it gets ours.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from unittest import mock

from bumble.transport.common import Transport

from firmware_sim.band import BandSetup
from firmware_sim.others.device import Trouble
from firmware_sim.others.kinds import KINDS
from firmware_sim.others.peripheral import OtherPeripheral
from firmware_sim.radio.air import Air
from firmware_sim.radio.faults import Chances, Faults
from firmware_sim.source import SimulatedBand
from sensor.bumble_backend import BumbleCentral, BumbleClient, BumbleScanner

OURS = "forceband"


@asynccontextmanager
async def virtual_air(faults: Chances | None = None, seed: int = 1) -> AsyncIterator[Air]:
    """An air of one's own; until it is left, bleak's own backends are those on it."""
    air = Air(Faults(faults, seed) if faults is not None else None)
    async with await BumbleCentral.open(air.transport("host")) as central:
        with (
            mock.patch("bleak.get_platform_client_backend_type", _bound(BumbleClient, central)),
            mock.patch("bleak.get_platform_scanner_backend_type", _bound(BumbleScanner, central)),
        ):
            yield air


def _bound(backend: type, central: BumbleCentral) -> Callable[[], tuple[type, str]]:
    """What bleak asks for its platform's backend."""

    class Bound(backend):  # type: ignore[misc]
        def __init__(self, *args: Any, **options: Any) -> None:
            options.setdefault("central", central)
            super().__init__(*args, **options)

    Bound.__name__ = backend.__name__
    return lambda: (Bound, "bumble")


@asynccontextmanager
async def simulated(
    kind: str = OURS,
    faults: Trouble | Chances | str | None = None,
    *,
    setup: BandSetup | None = None,
    speed: float = 1.0,
) -> AsyncIterator[SimulatedBand | OtherPeripheral]:
    """A band or a device of others on a virtual air, for as long as the block lasts.

    Parameters
    ----------
    kind
        `forceband`, or one of `firmware_sim.others.kinds.KINDS`.
    faults
        `Chances` of the radio; for a device of others its own `Trouble`; for our band the name of a
        promise that its firmware breaks (`firmware_sim.device.defects.DEFECTS`).
    setup
        Who pulls which elastic how.
    speed
        How much faster than real time it lives.

    Raises
    ------
    ValueError
        If there is no such kind, or the faults are of another.
    """
    setup = setup or BandSetup()
    if kind != OURS and kind not in KINDS:
        raise ValueError(f"no kind {kind!r}; there are {OURS}, {', '.join(KINDS)}")
    if isinstance(faults, Trouble) and kind == OURS:
        raise ValueError("Trouble is of devices of others; our band has defects, by name")
    if isinstance(faults, str) and kind != OURS:
        raise ValueError("defects are of our own band; a device of others has Trouble")
    chances = faults if isinstance(faults, Chances) else None
    async with AsyncExitStack() as stack:
        air = await stack.enter_async_context(virtual_air(chances, setup.seed))
        device = _device(air.transport(kind), kind, faults, setup, speed)
        yield await stack.enter_async_context(device)


def _device(
    transport: Transport,
    kind: str,
    faults: Trouble | Chances | str | None,
    setup: BandSetup,
    speed: float,
) -> SimulatedBand | OtherPeripheral:
    if kind == OURS:
        from dataclasses import replace

        if isinstance(faults, str):
            setup = replace(setup, defect=faults)
        return SimulatedBand(transport, setup, speed=speed)
    trouble = faults if isinstance(faults, Trouble) else None
    return OtherPeripheral(transport, kind, setup, trouble, speed=speed)
