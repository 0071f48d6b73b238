"""The radio that a command uses: the system's own, or bumble's host stack on any transport."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from sensor.ble.explain import BLUETOOTH_ERRORS, link_error
from sensor.errors import LinkError

if TYPE_CHECKING:
    from sensor.bumble_backend import BumbleCentral

TRANSPORT_HELP = (
    "radio to use instead of the system's: unix:PATH or tcp:HOST:PORT of `forceband sim`, "
    "usb:0, serial:/dev/..., hci-socket:0"
)


@asynccontextmanager
async def open_radio(transport: str | None) -> AsyncIterator[BumbleCentral | None]:
    """The radio of a transport; None, for the system's own, without one.

    Raises
    ------
    LinkError
        If the radio cannot be opened; the sentence says what to do.
    """
    if transport is None:
        yield None
        return
    from sensor.bumble_backend import BumbleCentral

    try:
        central = await BumbleCentral.open(_client_name(transport))
    except BLUETOOTH_ERRORS as error:
        if "unknown transport scheme" in str(error):
            raise LinkError(f"there is no transport {transport!r}: {TRANSPORT_HELP}") from error
        if transport.startswith(("unix", "tcp")):
            raise LinkError(
                f"nobody answers at {transport}: start `forceband sim --transport {transport}`"
            ) from error
        raise link_error(error, f"the radio {transport}") from error
    async with central:
        yield central


def _client_name(transport: str) -> str:
    """bumble's name of a transport; people give sockets the same name on both sides."""
    for ours, bumbles in (("unix:", "unix-client:"), ("tcp:", "tcp-client:")):
        if transport.startswith(ours):
            return bumbles + transport.removeprefix(ours)
    return transport
