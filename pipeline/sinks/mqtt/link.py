"""A broker as asyncio sees it: up or down, acknowledged or not.

Nothing of an old connection is ever sent on a new one, so a stale status cannot overtake a new
one; and paho's queue, which knows no bound, is given nothing while the broker is away.
"""

from __future__ import annotations

import asyncio
import logging
import random
import secrets
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Self

from paho.mqtt.client import MQTTMessageInfo
from paho.mqtt.enums import MQTTErrorCode

from pipeline.sinks.mqtt.connection import MOST_IN_FLIGHT, Connection, Hear
from pipeline.sinks.mqtt.messages import Message
from pipeline.sinks.mqtt.settings import MqttSettings
from pipeline.sinks.mqtt.suspect import Suspect
from pipeline.sinks.mqtt.trouble import why_hung_up
from pipeline.sinks.sink import SinkUnavailableError

logger = logging.getLogger(__name__)

ACKNOWLEDGE_WITHIN_S = 30.0
LEAVE_WITHIN_S = 3.0
FIRST_DELAY_S = 0.5
STEADY_AFTER_S = 10.0
"""After a connection that lasted this long, the next is tried at once."""
MOST_OFFERED = 64
"""Messages shown live that the network has not taken yet; more are dropped."""


def _no_action() -> None:
    pass


def _deaf(_topic: str, _payload: bytes, _retained: bool) -> None:
    pass


class BrokerLink:
    """Keeps a connection to the broker for as long as the context lasts.

    Parameters
    ----------
    subscriptions : sequence of str
        Topic filters, subscribed at QoS 1 on every connection.
    will : Message or None
        What the broker tells in our place if we vanish.
    on_up : callable
        Called on the event loop after each connect.
    hear : callable
        Gets what is published to `subscriptions`, in paho's thread.

    Raises
    ------
    MqttConfigError
        If a file that the settings name cannot be used.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        subscriptions: Sequence[str] = (),
        will: Message | None = None,
        on_up: Callable[[], None] = _no_action,
        hear: Hear = _deaf,
    ) -> None:
        self.trouble = ""
        """Why the broker is away, in a sentence; empty while it is up."""
        self._settings = settings
        self._tls = settings.tls_context()
        self._client_id = settings.client_id or f"forceband{secrets.token_hex(5)}"
        self._subscriptions = tuple(subscriptions)
        self._will = will
        self._on_up = on_up
        self._hear = hear
        self._connection: Connection | None = None
        self._obliging: Connection | None = None
        """The connection on which the broker took a message."""
        self._pending: dict[int, asyncio.Future[None]] = {}
        self._offered: deque[MQTTMessageInfo] = deque()
        self._retry_at_s = 0.0
        self._suspect = Suspect()
        self._reconnect_max_s = settings.reconnect_max_s

    async def __aenter__(self) -> Self:
        if self._settings.shows_password:
            logger.warning(
                "MQTT: the password for %s crosses the network unencrypted; set tls",
                self._settings.address,
            )
        self._loop = asyncio.get_running_loop()
        self._settled = asyncio.Event()
        self._welcomed = asyncio.Event()
        self._keeper = asyncio.create_task(self._keep_connected())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        self._keeper.cancel()
        with suppress(asyncio.CancelledError):
            await self._keeper
        self._went_down(f"the connection to {self._settings.address} was closed", 0.0)

    @property
    def up(self) -> bool:
        """Whether the broker has welcomed us and the connection stands."""
        return self._connection is not None

    async def wait_up(self) -> None:
        """Return when the broker has welcomed us, however long that takes."""
        await self._welcomed.wait()

    async def settled(self) -> None:
        """Return when the attempt under way has succeeded.

        Raises
        ------
        SinkUnavailableError
            If it failed, or the next one is not due yet; the text says why.
        """
        await self._settled.wait()
        if not self.up:
            raise self._unavailable()

    def offer(self, message: Message) -> bool:
        """Publish without waiting; False if the message was dropped."""
        while self._offered and self._offered[0].is_published():
            self._offered.popleft()
        if self._connection is None or len(self._offered) >= MOST_OFFERED:
            return False
        info = self._connection.publish(message, message.qos)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            return False
        self._offered.append(info)
        return True

    async def send(self, messages: Sequence[Message]) -> list[tuple[Message, str]]:
        """Return when the broker has acknowledged all of `messages`, sent in order at QoS 1.

        Returned are those that it finds too big, time and again, and the sentence that says so.

        Raises
        ------
        SinkUnavailableError
            If the broker is away, refuses a message or falls silent.
        """
        await self.settled()
        suspect = self._suspect
        if suspect.alone:
            shortest = min(messages, key=lambda message: len(message.payload), default=None)
            if suspect.unproven and shortest is not None:
                await self._send_together([shortest])
            for message in messages:
                if not suspect.guilty(message):
                    await self._send_together([message])
        else:
            # one that refuses says so of a single message; under many it may hang up before
            connection = self._connection
            tried = 0 if self._obliging is connection else 1
            await self._send_together(messages[:tried])
            self._obliging = connection
            await self._send_together(messages[tried:])
        too_big = [message for message in messages if suspect.guilty(message)]
        suspect.done()
        return [(message, why_hung_up(self._settings, len(message.payload))) for message in too_big]

    async def _send_together(self, messages: Sequence[Message]) -> None:
        """Send all of `messages`, many at a time; tell the suspect what came of it."""
        connection = self._connection
        waiting: deque[asyncio.Future[None]] = deque()
        try:
            for message in messages:
                if len(waiting) == MOST_IN_FLIGHT:
                    await self._taken(waiting, MOST_IN_FLIGHT // 2)
                waiting.append(self._publish(message))
            await self._taken(waiting, 0)
        except SinkUnavailableError:
            if connection is not None and connection is not self._connection:
                self._suspect.lost(messages[0])
            raise
        for message in messages:
            self._suspect.taken(message)

    async def _taken(self, waiting: deque[asyncio.Future[None]], leave: int) -> None:
        """Wait for all but the last `leave` of `waiting`, and take them out."""
        first = [waiting.popleft() for _ in range(len(waiting) - leave)]
        if not first:
            return
        _, late = await asyncio.wait(first, timeout=ACKNOWLEDGE_WITHIN_S)
        if late:
            trouble = (
                f"the MQTT broker at {self._settings.address} did not acknowledge "
                f"within {ACKNOWLEDGE_WITHIN_S:g} s"
            )
            if self._connection is not None:
                # repeating on this connection would pile messages up in it
                self._connection.break_off(trouble)
            raise SinkUnavailableError(trouble)
        for future in first:
            future.result()

    def _publish(self, message: Message) -> asyncio.Future[None]:
        future: asyncio.Future[None] = self._loop.create_future()
        if self._connection is None:
            self._fail(future)
        else:
            # acknowledgements hop onto this loop, so none comes before this line; if the line
            # is dead already, `_went_down` is about to say why
            self._pending[self._connection.publish(message, 1).mid] = future
        return future

    def _fail(self, future: asyncio.Future[None]) -> None:
        future.set_exception(self._unavailable())
        future.exception()  # seen: whoever waited may have been cancelled

    def _unavailable(self) -> SinkUnavailableError:
        return SinkUnavailableError(self.trouble, max(0.0, self._retry_at_s - self._loop.time()))

    async def _keep_connected(self) -> None:
        failures = 0
        while True:
            self._settled.clear()
            began_s = self._loop.time()
            trouble = await self._one_connection()
            if self.up and self._suspect.size_bytes:
                trouble = why_hung_up(self._settings, self._suspect.size_bytes)
            if self.up and self._loop.time() - began_s > STEADY_AFTER_S:
                failures, delay_s = 0, 0.0
            else:
                longest_s = min(FIRST_DELAY_S * 2.0 ** min(failures, 16), self._reconnect_max_s)
                failures, delay_s = failures + 1, random.uniform(0.5, 1.0) * longest_s
            if trouble != self.trouble:
                logger.warning("MQTT: %s; results wait in the recording", trouble)
            self._went_down(trouble, delay_s)
            await asyncio.sleep(delay_s)

    async def _one_connection(self) -> str:
        """One connection from its start to its end; returns why it ended."""
        connection = Connection(
            self._settings,
            tls=self._tls,
            client_id=self._client_id,
            will=self._will,
            subscriptions=self._subscriptions,
            welcomed=self._came_up,
            acknowledged=self._acknowledged,
            hear=self._hear,
        )
        connection.start()
        try:
            await asyncio.wait([connection.ended])
            return connection.ended.result()
        finally:
            connection.leave()
            _, still_there = await asyncio.wait([connection.ended], timeout=LEAVE_WITHIN_S)
            if still_there:
                connection.break_off("left")

    def _came_up(self, connection: Connection) -> None:
        self._connection, self.trouble = connection, ""
        logger.info("MQTT: connected to the broker at %s", self._settings.address)
        self._on_up()
        self._settled.set()
        self._welcomed.set()

    def _acknowledged(self, connection: Connection, mid: int, refusal: str | None) -> None:
        if connection is not self._connection:
            return
        future = self._pending.pop(mid, None)
        if future is None or future.done():
            return
        if refusal is None:
            future.set_result(None)
            return
        future.set_exception(SinkUnavailableError(refusal))
        future.exception()

    def _went_down(self, trouble: str, delay_s: float) -> None:
        self._connection, self.trouble = None, trouble
        self._retry_at_s = self._loop.time() + delay_s
        self._welcomed.clear()
        self._settled.set()
        self._offered.clear()
        pending, self._pending = self._pending, {}
        for future in pending.values():
            if not future.done():
                self._fail(future)
