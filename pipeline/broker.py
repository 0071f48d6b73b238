"""The embedded MQTT broker: amqtt in our process, for people who have no broker of their own.

It speaks MQTT 3.1.1, keeps nothing on disk and listens on loopback unless told otherwise. The
listening socket is ours, so that port 0 works, sizes are limited and errors speak to the person.
"""

from __future__ import annotations

import asyncio
import hmac
import logging
import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Self

from amqtt.adapters import StreamReaderAdapter, StreamWriterAdapter
from amqtt.broker import Broker
from amqtt.contexts import BrokerConfig, ListenerConfig, ListenerType
from amqtt.errors import AMQTTError, MQTTError, NoDataError
from amqtt.plugins.base import BaseAuthPlugin
from amqtt.session import Session

from pipeline.sinks.loopback import is_loopback
from sensor.errors import BandError

logger = logging.getLogger(__name__)

MAX_PACKET_BYTES = 1 << 20
MAX_CLIENTS = 100
CONNECT_WITHIN_S = 10.0
DEAF_S = 10.0
"""A client that takes nothing of what waits for it within this time is sent away."""
MOST_UNREAD_BYTES = 512 * 1024
MOST_UNANSWERED = 500
"""Messages that wait for a client's acknowledgement, or for its return."""
SEND_BUFFER_BYTES = 64 * 1024
"""Of the system, for each client; by itself it would grow to megabytes."""
LOOK_S = 0.5
LAST_WORDS_S = 0.3
"""What was published last is still handed on to those who listen: a session's last set."""
# amqtt logs every connection at INFO, and at ERROR with a traceback what a stranger's bytes cause
LIBRARY_LOGGERS = ("amqtt", "transitions")


class BrokerStartError(BandError):
    """The embedded broker cannot listen where it was told to."""


class PasswordAuth(BaseAuthPlugin):  # type: ignore[misc]  # amqtt is untyped
    """Admits everybody when no user is configured, else the one user with the password."""

    @dataclass
    class Config:
        """Filled by amqtt from the plugin's configuration."""

        username: str | None = None
        password: str | None = field(default=None, repr=False)

    async def authenticate(self, *, session: Session) -> bool:
        """Whether the client may connect; compares in constant time."""
        if self.config.username is None:
            session.is_anonymous = True
            return True
        given = f"{session.username or ''}\0{session.password or ''}"
        wanted = f"{self.config.username}\0{self.config.password or ''}"
        return hmac.compare_digest(given.encode(), wanted.encode())


class GuardedReader(StreamReaderAdapter):  # type: ignore[misc]  # amqtt is untyped
    """Refuses what no client of ours sends, before memory or patience is spent on it."""

    def __init__(self, reader: asyncio.StreamReader, welcomed: asyncio.Event) -> None:
        super().__init__(reader)
        self._welcomed = welcomed
        self._refused = False
        self._connect_by_s = asyncio.get_running_loop().time() + CONNECT_WITHIN_S

    async def read(self, n: int = -1) -> bytes:
        """Read exactly `n` bytes; after a refusal the stream is over, as amqtt would read on."""
        if self._refused or not 0 <= n <= MAX_PACKET_BYTES:
            self._refused = True
            raise asyncio.IncompleteReadError(b"", n)
        try:
            async with asyncio.timeout_at(None if self._welcomed.is_set() else self._connect_by_s):
                data: bytes = await super().read(n)
        except TimeoutError:
            self._refused = True
            raise asyncio.IncompleteReadError(b"", n) from None
        return data


class NotingWriter(StreamWriterAdapter):  # type: ignore[misc]  # amqtt is untyped
    """Notes the broker's first answer, which is its CONNACK, and whether the client listens."""

    def __init__(self, writer: asyncio.StreamWriter, welcomed: asyncio.Event) -> None:
        super().__init__(writer)
        self._transport = writer.transport
        self._welcomed = welcomed
        self._written = self._taken = self._largest = 0
        self._moments = 0

    def write(self, data: bytes) -> None:
        """Write, and tell the reader that the client has been welcomed."""
        self._welcomed.set()
        self._written += len(data)
        self._largest = max(self._largest, len(data))
        super().write(data)

    def is_deaf(self) -> bool:
        """Whether the client leaves what it was sent unread; to be asked each `LOOK_S`."""
        unread = self._transport.get_write_buffer_size()
        taken = self._written - unread
        # counted, not by the clock: the computer may have stood still
        self._moments = self._moments + 1 if unread and taken == self._taken else 0
        self._taken = taken
        return self._moments * LOOK_S > DEAF_S or unread > MOST_UNREAD_BYTES + 2 * self._largest

    def abort(self) -> None:
        """End the connection now; what waits is thrown away."""
        self._transport.abort()


class EmbeddedBroker:
    """A broker as an async context manager; `host` and `port` say where it listens.

    Parameters
    ----------
    host : str
        Address to listen on. Anything but loopback demands `username` and `password`.
    port : int
        0 picks a free one.

    Raises
    ------
    ValueError
        If a broker that others can reach would have no password.
    BrokerStartError
        On entering, if the port is taken or the address is not this machine's.
    """

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        username: str | None = None,
        password: str | None = None,
    ) -> None:
        if (username is None) != (password is None):
            raise ValueError("username and password of the broker belong together")
        if not is_loopback(host) and not (username and password):
            raise ValueError(
                f"a broker on {host} can be reached by others: give it a username and a password"
            )
        self.host = host
        self.port = port
        self._auth = {"username": username, "password": password}
        self._clients: dict[asyncio.Task[None], NotingWriter] = {}

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.host!r}, {self.port})"

    async def __aenter__(self) -> Self:
        for name in LIBRARY_LOGGERS:
            logging.getLogger(name).setLevel(logging.CRITICAL)
        # `external` makes amqtt serve connections without listening itself
        self._broker = Broker(
            BrokerConfig(
                listeners={"default": ListenerConfig(type=ListenerType.EXTERNAL)},
                plugins={f"{PasswordAuth.__module__}.{PasswordAuth.__name__}": self._auth},
            )
        )
        try:
            self._server = await asyncio.start_server(self._serve, self.host, self.port)
        except (OSError, OverflowError) as error:
            raise BrokerStartError(_why_not(self.host, self.port, error)) from error
        self.port = self._server.sockets[0].getsockname()[1]
        await self._broker.start()
        self._looking = asyncio.create_task(self._look_for_deaf())
        logger.info("embedded MQTT broker on %s:%d", self.host, self.port)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._server.close()
        await asyncio.sleep(LAST_WORDS_S)
        self._looking.cancel()
        await asyncio.gather(self._looking, return_exceptions=True)
        await self._broker.shutdown()
        for task in self._clients:
            task.cancel()
        await asyncio.gather(*self._clients, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task: asyncio.Task[None] | None = asyncio.current_task()
        if task is None or len(self._clients) >= MAX_CLIENTS:
            logger.warning("more than %d MQTT clients: one was turned away", MAX_CLIENTS)
            writer.close()
            return
        writer.get_extra_info("socket").setsockopt(
            socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES
        )
        welcomed = asyncio.Event()
        self._clients[task] = noting = NotingWriter(writer, welcomed)
        try:
            await self._broker.external_connected(
                GuardedReader(reader, welcomed), noting, "default"
            )
        except asyncio.CancelledError:
            pass  # the broker is closing; asyncio would log the cancellation of a stream handler
        except (AMQTTError, MQTTError, NoDataError, OSError, EOFError, ValueError) as problem:
            logger.debug("an MQTT client was dropped: %r", problem)
        finally:
            self._clients.pop(task, None)
            writer.close()
            with suppress(OSError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _look_for_deaf(self) -> None:
        """Send those away who do not take, or do not acknowledge, what they subscribed to."""
        while True:
            await asyncio.sleep(LOOK_S)
            for writer in list(self._clients.values()):
                if writer.is_deaf():
                    self._send_away(writer, "does not read what it subscribed to")
            for session, handler in list(self._broker._sessions.values()):
                if len(session.inflight_out) > MOST_UNANSWERED and handler is not None:
                    session.inflight_out.clear()
                    self._send_away(handler.writer, "acknowledges nothing")
                while session.retained_messages.qsize() > MOST_UNANSWERED:
                    session.retained_messages.get_nowait()

    def _send_away(self, writer: NotingWriter | None, why: str) -> None:
        if writer is not None:
            logger.warning("an MQTT client %s: it was sent away", why)
            writer.abort()


def _why_not(host: str, port: int, error: Exception) -> str:
    reason: Any = getattr(error, "strerror", None) or error
    if isinstance(error, OSError) and error.errno is not None and "in use" in str(reason).lower():
        return (
            f"port {port} on {host} is in use, perhaps by another MQTT broker: "
            "use that one, or choose another port (0 picks a free one)"
        )
    return f"the MQTT broker cannot listen on {host}:{port}: {reason}"
