"""All drivers, and which of them an advertisement or a recording asks for."""

from __future__ import annotations

from sensor.drivers import (
    chronojump,
    cts500,
    force_board,
    frez,
    motherboard,
    progressor,
    sig,
    wh_c06,
)
from sensor.drivers.driver import Driver, Heard

DRIVERS: tuple[Driver, ...] = (
    progressor.DRIVER,
    force_board.DRIVER,
    frez.DRIVER,
    wh_c06.DRIVER,
    chronojump.DRIVER,
    motherboard.DRIVER,
    cts500.DRIVER,
    sig.FORCE,
    sig.WEIGHT,
)
"""The plainer ones first: a device may offer the SIG's service beside its own."""

_BY_NAME = {driver.name: driver for driver in DRIVERS}


def driver_named(name: str) -> Driver | None:
    """The driver of that name, if there is one."""
    return _BY_NAME.get(name)


def recognised(heard: Heard) -> Driver | None:
    """The driver for what was heard, if any knows it."""
    return next((driver for driver in DRIVERS if driver.knows(heard)), None)
