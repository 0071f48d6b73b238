"""One connection to a broker: a paho client in paho's own thread, used once.

`BrokerLink` makes a new one for every attempt. Unless said otherwise, methods are called on the
event loop, and callbacks are made there.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion

from pipeline.sinks.mqtt.messages import Message
from pipeline.sinks.mqtt.settings import MqttSettings
from pipeline.sinks.mqtt.trouble import (
    why_lost,
    why_not_taken,
    why_refused,
    why_silent,
    why_unreachable,
)

logger = logging.getLogger(__name__)

KEEP_ALIVE_S = 30
MOST_IN_FLIGHT = 100
"""Messages that wait for their acknowledgement at the same time."""
CONNECT_WITHIN_S = 5.0
WELCOME_WITHIN_S = 10.0

Hear = Callable[[str, bytes, bool], None]
"""Topic, payload, retained; called in paho's thread."""


class _Client(mqtt.Client):
    """Tells when paho's thread is over, also when a broker's bytes made paho raise."""

    over: Callable[[Exception | None], None]

    def loop_forever(
        self, timeout: float = 1.0, retry_first_connection: bool = False
    ) -> MQTTErrorCode:
        """Connect, serve, end; paho's thread runs this and nothing else."""
        error: Exception | None = None
        try:
            return super().loop_forever(timeout)
        except Exception as raised:  # noqa: BLE001  # told to the person, and tried again
            error = raised
            return MQTTErrorCode.MQTT_ERR_UNKNOWN
        finally:
            self.over(error)


class Connection:
    """From `start` until `ended`, a future whose result is the sentence why.

    Parameters
    ----------
    welcomed : callable
        Called with this connection when the broker has accepted it.
    acknowledged : callable
        Called with this connection, the number of a message, and why it was refused, or None.
    hear : callable
        Called in paho's thread with what is published to `subscriptions`.
    """

    def __init__(
        self,
        settings: MqttSettings,
        *,
        tls: ssl.SSLContext | None,
        client_id: str,
        will: Message | None,
        subscriptions: Sequence[str],
        welcomed: Callable[[Connection], None],
        acknowledged: Callable[[Connection, int, str | None], None],
        hear: Hear,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self.ended: asyncio.Future[str] = self._loop.create_future()
        self._settings = settings
        self._subscriptions = subscriptions
        self._on_welcome = welcomed
        self._on_acknowledged = acknowledged
        self._hear = hear
        self._welcomed = False
        self._left = False
        self._acknowledgements: deque[tuple[int, str | None]] = deque()
        self._trouble: str | None = None
        self._refusal: str | None = None
        v5 = settings.protocol == "5"
        client = self._client = _Client(
            CallbackAPIVersion.VERSION2,
            client_id,
            # nothing is kept for us: a command given while we were away must not be obeyed later
            clean_session=None if v5 else True,
            protocol=MQTTProtocolVersion.MQTTv5 if v5 else MQTTProtocolVersion.MQTTv311,
            reconnect_on_failure=False,
        )
        client.connect_timeout = CONNECT_WITHIN_S
        if not v5:  # whose brokers may allow fewer than paho's default of 20, but seldom do
            client.max_inflight_messages = MOST_IN_FLIGHT
        client.over = self._over
        client.on_connect = self._connected
        client.on_disconnect = self._disconnected
        client.on_publish = self._published
        client.on_subscribe = self._subscribed
        client.on_message = self._message
        if settings.username is not None:
            client.username_pw_set(settings.username, settings.password)
        if tls is not None:
            client.tls_set_context(tls)
        if will is not None:
            client.will_set(will.topic, will.payload, will.qos, will.retain)

    def start(self) -> None:
        """Connect and serve, in a thread that ends with the connection."""
        self._client.connect_async(self._settings.host, self._settings.port, KEEP_ALIVE_S)
        self._client.loop_start()
        self._patience = self._loop.call_later(
            CONNECT_WITHIN_S + WELCOME_WITHIN_S,
            self.break_off,
            why_silent(self._settings, WELCOME_WITHIN_S),
        )

    def publish(self, message: Message, qos: int) -> mqtt.MQTTMessageInfo:
        """Hand a message over; `rc` tells whether the line is alive as far as known."""
        return self._client.publish(message.topic, message.payload, qos, message.retain)

    def leave(self) -> None:
        """Say goodbye; the broker keeps the will to itself."""
        self._left = True
        self._client.disconnect()

    def break_off(self, trouble: str) -> None:
        """Cut the line, as a stalled broker takes no goodbye."""
        self._trouble = trouble
        self._left = True
        line = self._client.socket()
        if isinstance(line, socket.socket):
            with suppress(OSError):
                line.shutdown(socket.SHUT_RDWR)

    def _emit(self, callback: Callable[..., None], *args: Any) -> None:
        """Call on the event loop, from paho's thread."""
        with suppress(RuntimeError):  # the loop has closed: nobody is left to tell
            self._loop.call_soon_threadsafe(callback, *args)

    # below: in paho's thread

    def _connected(
        self, client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any
    ) -> None:
        if code.is_failure:
            self._trouble = why_refused(self._settings, str(code))
        elif self._left:
            client.disconnect()
        else:
            if self._subscriptions:
                client.subscribe([(topic, 1) for topic in self._subscriptions])
            self._emit(self._welcome)

    def _disconnected(
        self, _client: mqtt.Client, _data: Any, _flags: Any, code: Any, _properties: Any
    ) -> None:
        if self._trouble is None:
            # some brokers hang up after refusing a message: the refusal is the better reason
            lost = why_lost(self._settings, str(code), self._welcomed)
            self._trouble = self._refusal or lost

    def _published(
        self, _client: mqtt.Client, _data: Any, mid: int, code: Any, _properties: Any
    ) -> None:
        refusal = why_not_taken(self._settings, str(code)) if code.is_failure else None
        self._refusal = refusal or self._refusal
        self._acknowledgements.append((mid, refusal))
        if len(self._acknowledgements) == 1:  # else the loop has been told already
            self._emit(self._acknowledge)

    def _subscribed(
        self, _client: mqtt.Client, _data: Any, _mid: int, codes: Sequence[Any], _properties: Any
    ) -> None:
        if any(code.is_failure for code in codes):
            logger.warning(
                "MQTT: the broker at %s lets us hear no commands: may %s subscribe below %s?",
                self._settings.address,
                self._settings.username or "everybody",
                self._settings.base_topic,
            )

    def _message(self, _client: mqtt.Client, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            topic = message.topic
        except UnicodeDecodeError:
            return
        self._hear(topic, bytes(message.payload), message.retain)

    def _over(self, error: Exception | None) -> None:
        trouble = self._trouble
        if trouble is None and error is not None:
            trouble = why_unreachable(self._settings, error)
        if error is not None and not isinstance(error, OSError):
            logger.warning("MQTT: the client stopped on an unforeseen answer", exc_info=error)
        self._emit(
            self._end, trouble or why_lost(self._settings, "no reason given", self._welcomed)
        )

    # on the event loop again

    def _acknowledge(self) -> None:
        while self._acknowledgements:
            mid, refusal = self._acknowledgements[0]
            self._on_acknowledged(self, mid, refusal)
            # only now, so that whoever finds it empty afterwards tells us again
            self._acknowledgements.popleft()

    def _welcome(self) -> None:
        self._welcomed = True
        self._patience.cancel()
        if not self._left:
            self._on_welcome(self)

    def _end(self, trouble: str) -> None:
        self._patience.cancel()
        if not self.ended.done():
            self.ended.set_result(trouble)
