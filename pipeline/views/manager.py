"""What systemd is told of a service: that it is ready, what it does, that it is alive.

The protocol is one datagram of text; elsewhere than under systemd nothing is told.
"""

from __future__ import annotations

import asyncio
import os
import socket
from contextlib import suppress


def tell_manager(state: str) -> None:
    """Tell the manager of this service, such as `READY=1`; no error."""
    where = os.environ.get("NOTIFY_SOCKET", "")
    if not where.startswith(("/", "@")) or not hasattr(socket, "AF_UNIX"):
        return
    address = f"\0{where[1:]}" if where.startswith("@") else where
    with suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as plug:
        plug.sendto(state.encode(), address)


async def stay_alive() -> None:
    """Tell the manager that the loop turns, twice as often as it asks for, until cancelled."""
    asked_us = os.environ.get("WATCHDOG_USEC", "")
    meant_for = os.environ.get("WATCHDOG_PID", str(os.getpid()))
    if not asked_us.isdecimal() or int(asked_us) == 0 or meant_for != str(os.getpid()):
        return
    while True:
        tell_manager("WATCHDOG=1")
        await asyncio.sleep(int(asked_us) / 2e6)
