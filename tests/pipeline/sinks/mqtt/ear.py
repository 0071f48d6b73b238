"""A subscriber that keeps what it hears, for tests."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from pipeline.sinks.mqtt.settings import MqttSettings
from pipeline.sinks.mqtt.sink import MqttSink

PATIENCE_S = 60.0


class Ear:
    """Subscribes below `topic` with a plain paho client; reconnects by itself.

    `heard` holds the messages in the order of arrival.
    """

    def __init__(self, settings: MqttSettings, topic: str = "#", qos: int = 1) -> None:
        self.heard: list[mqtt.MQTTMessage] = []
        self._settings = settings
        self._topic = topic
        self._qos = qos
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2)
        self._client.reconnect_delay_set(1, 1)
        if settings.username is not None:
            self._client.username_pw_set(settings.username, settings.password)
        if context := settings.tls_context():
            self._client.tls_set_context(context)

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        self._news = asyncio.Event()
        self._subscribed = asyncio.Event()
        self._lost = asyncio.Event()
        self._client.on_connect = lambda client, *_: client.subscribe(self._topic, self._qos)
        self._client.on_subscribe = lambda *_: self._hop(self._subscribed.set)
        self._client.on_disconnect = lambda *_: self._hop(self._lose)
        self._client.on_message = lambda _client, _data, message: self._hop(self._take, message)
        self._client.connect_async(self._settings.host, self._settings.port)
        self._client.loop_start()
        await self.subscribed()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._client.disconnect()
        await asyncio.to_thread(self._client.loop_stop)
        await asyncio.sleep(0)  # let what paho's thread said last arrive

    async def subscribed(self) -> None:
        """Return when the broker has confirmed the subscription."""
        await asyncio.wait_for(self._subscribed.wait(), PATIENCE_S)
        self._lost.clear()

    async def lost(self) -> None:
        """Return when the connection is gone."""
        await asyncio.wait_for(self._lost.wait(), PATIENCE_S)

    def say(self, topic: str, payload: bytes | str, *, retain: bool = False) -> None:
        """Publish at QoS 1."""
        self._client.publish(topic, payload, 1, retain)

    async def until(self, enough: Callable[[list[mqtt.MQTTMessage]], object]) -> None:
        """Return when what was heard is enough."""

        async def listen() -> None:
            while not enough(self.heard):
                self._news.clear()
                await self._news.wait()

        try:
            await asyncio.wait_for(listen(), PATIENCE_S)
        except TimeoutError:
            heard = [(m.topic, bytes(m.payload)[:200]) for m in self.heard[-20:]]
            raise AssertionError(f"not heard within {PATIENCE_S:g} s; heard: {heard}") from None

    async def message(self, topic: str, payload: bytes | None = None) -> mqtt.MQTTMessage:
        """The first message on `topic`, perhaps with that payload."""

        def found(heard: list[mqtt.MQTTMessage]) -> list[mqtt.MQTTMessage]:
            return [m for m in heard if m.topic == topic and payload in (None, m.payload)]

        await self.until(found)
        return found(self.heard)[0]

    def on(self, topic: str) -> list[dict[str, Any]]:
        """JSON payloads heard on `topic`."""
        return [json.loads(m.payload) for m in self.heard if m.topic == topic]

    def events(self) -> list[dict[str, Any]]:
        """JSON payloads of all event messages, but not those made for Home Assistant."""
        return [
            json.loads(m.payload)
            for m in self.heard
            if "/event/" in m.topic and not m.topic.endswith(("/ha", "/command"))
        ]

    def _hop(self, callback: Callable[..., None], *args: Any) -> None:
        self._loop.call_soon_threadsafe(callback, *args)

    def _lose(self) -> None:
        self._subscribed.clear()
        self._lost.set()

    def _take(self, message: mqtt.MQTTMessage) -> None:
        self.heard.append(message)
        self._news.set()


async def connected(sink: MqttSink) -> None:
    """Return when the sink has its broker."""
    await asyncio.wait_for(sink.wait_connected(), PATIENCE_S)
