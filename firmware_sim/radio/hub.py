"""Sockets through which other processes put a host on the air: one connection, one controller.

bumble's own server transports take a single client and keep its links when it dies.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import ipaddress
import itertools
import logging
import socket
import stat
from pathlib import Path
from typing import Any

from bumble.core import InvalidPacketError
from bumble.transport.common import StreamPacketSource

from firmware_sim.radio.air import Air
from firmware_sim.radio.controller import VirtualController

logger = logging.getLogger(__name__)

MAX_UNREAD_BYTES = 4 * 2**20
"""A client that lets more than this pile up has stopped reading and is cut off."""


class Inbound:
    """Packets from a client to its controller."""

    def __init__(self, port: Port) -> None:
        self.port = port

    def on_packet(self, packet: bytes) -> None:
        controller = self.port.controller
        if controller is None:
            return
        try:
            controller.on_packet(packet)
        except Exception as error:  # noqa: BLE001 - hostile bytes can raise anything in bumble
            self.port.cut_off(f"sent what no controller takes: {error!r}")


class Port(StreamPacketSource):  # type: ignore[misc]
    """One client: HCI in and out of a controller of its own."""

    def __init__(self, hub: Hub) -> None:
        super().__init__()
        self.hub = hub
        self.transport: Any = None
        self.controller: VirtualController | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        peer = transport.get_extra_info("socket")
        if peer.family in (socket.AF_INET, socket.AF_INET6):
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.transport = transport
        name = f"hub{next(self.hub.numbers)}"
        self.controller = VirtualController(name, self.hub.air, host_sink=self)
        self.parser.set_packet_sink(Inbound(self))
        self.hub.ports.add(self)

    def data_received(self, data: bytes) -> None:
        """HCI from the client; one that sends anything else is cut off."""
        try:
            self.parser.feed_data(data)
        except InvalidPacketError as error:
            self.cut_off(f"does not speak HCI: {error}")

    def on_packet(self, packet: bytes) -> None:
        """A packet from the controller."""
        if self.transport.is_closing():
            return
        self.transport.write(packet)
        if self.transport.get_write_buffer_size() > MAX_UNREAD_BYTES:
            self.cut_off("does not read")

    def cut_off(self, reason: str) -> None:
        """End the connection at once."""
        logger.warning("cut off a client of the virtual radio that %s", reason)
        self.transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Take the client's controller off the air, with its links."""
        del exc
        self.hub.ports.discard(self)
        if self.controller is not None:
            self.controller.silence()
            self.hub.air.remove_controller(self.controller)
            self.controller = None


class Hub:
    """Listens for hosts of other processes; an async context manager."""

    def __init__(self, air: Air) -> None:
        self.air = air
        self.ports: set[Port] = set()
        self.numbers = itertools.count(1)
        self._servers: list[asyncio.Server] = []
        self._paths: list[Path] = []

    async def __aenter__(self) -> Hub:
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        await self.close()

    async def listen(self, where: str) -> str:
        """Listen at `unix:PATH` or `tcp:HOST:PORT`; the answer is the transport for clients.

        Port 0 takes a free one. HCI has no protection of its own: only loopback is accepted.

        Raises
        ------
        ValueError
            If `where` is neither, or not on loopback.
        OSError
            If the socket cannot be had.
        """
        kind, _, rest = where.partition(":")
        if kind == "unix" and rest:
            return await self.listen_unix(Path(rest))
        host, _, port = rest.rpartition(":")
        if kind == "tcp" and host and port.isdecimal() and int(port) < 2**16:
            return await self.listen_tcp(host.strip("[]"), int(port))
        raise ValueError(f"not unix:PATH or tcp:HOST:PORT: {where}")

    async def listen_unix(self, path: Path) -> str:
        """Listen at a socket that only this user can open."""
        listener = _bind(path)
        loop = asyncio.get_running_loop()
        self._servers.append(await loop.create_unix_server(lambda: Port(self), sock=listener))
        self._paths.append(path)
        return f"unix-client:{path}"

    async def listen_tcp(self, host: str = "127.0.0.1", port: int = 0) -> str:
        """Listen on a loopback address."""
        if host != "localhost" and not ipaddress.ip_address(host).is_loopback:
            raise ValueError(f"the virtual radio listens on loopback only, not on {host}")
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Port(self), host, port)
        self._servers.append(server)
        return f"tcp-client:{host}:{server.sockets[0].getsockname()[1]}"

    async def close(self) -> None:
        """Stop listening and cut off all clients."""
        for server in self._servers:
            server.close()
        for port in list(self.ports):
            port.transport.abort()
        for server in self._servers:
            await server.wait_closed()
        for path in self._paths:
            with contextlib.suppress(FileNotFoundError):
                path.unlink()
        self._servers.clear()
        self._paths.clear()


def _bind(path: Path) -> socket.socket:
    """A socket at `path`, replacing one that a dead process left there."""
    if not hasattr(socket, "AF_UNIX"):
        raise OSError(errno.EAFNOSUPPORT, "this system has no such sockets: use tcp:127.0.0.1:PORT")
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        if _is_stale(path):
            path.unlink()
        listener.bind(str(path))
        path.chmod(0o600)
    except OSError:
        listener.close()
        raise
    return listener


def _is_stale(path: Path) -> bool:
    if not path.exists() or not stat.S_ISSOCK(path.lstat().st_mode):
        return False
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as client:
        return client.connect_ex(str(path)) == errno.ECONNREFUSED
