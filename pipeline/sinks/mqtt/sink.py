"""Results over MQTT: every event acknowledged, the running session shown, commands heard."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from functools import cache
from importlib import metadata
from typing import Self

from pipeline.session.events import Emitted
from pipeline.session.facts import SessionFacts
from pipeline.sinks.mqtt.commands import CommandDesk, RateLimit
from pipeline.sinks.mqtt.feed import LiveFeed
from pipeline.sinks.mqtt.homeassistant import DeviceCard, discovery_message
from pipeline.sinks.mqtt.link import BrokerLink
from pipeline.sinks.mqtt.messages import (
    EVENTS,
    OFFLINE,
    ONLINE,
    Message,
    Topics,
    bridge_status,
    command_filter,
    event_message,
)
from pipeline.sinks.mqtt.settings import MqttSettings
from pipeline.sinks.sink import CommandHandler, Rejected, SinkUnavailableError

FAREWELL_WITHIN_S = 2.0
BORN_SPREAD_S = (0.1, 0.5)
"""Home Assistant's start is answered by every device it knows: not all at once."""
STATES_AFTER_S = 0.5
STALLED_RETRY_S = 1.0


class MqttSink:
    """A DurableSink and a LiveSink on one connection, as an async context manager.

    The context never waits for the broker: without one, `deliver` raises and `show` drops.

    Parameters
    ----------
    carry_out : CommandHandler or None
        Carries out commands that come over MQTT; None takes none.
    presence : bool
        Whether this program is the bridge of its base topic: says `online`, leaves a last will,
        shows live values. False only delivers, beside a bridge that may be running.

    Raises
    ------
    MqttConfigError
        If a certificate or key file cannot be used.
    """

    name = "mqtt"
    unit = "messages"
    durable: tuple[type, ...] = EVENTS

    def __init__(
        self,
        settings: MqttSettings,
        carry_out: CommandHandler | None = None,
        *,
        presence: bool = True,
    ) -> None:
        self.dropped = 0
        """Live messages that nobody got; events are never dropped."""
        self._settings = settings
        self._carry_out = carry_out if presence else None
        self._presence = presence
        self._status_topic = bridge_status(settings.base_topic)
        self._birth_topic = f"{settings.discovery_prefix}/status"
        self._births = RateLimit(burst=1.0, per_s=1.0)
        self._cards: dict[str, DeviceCard] = {}
        self._levels: set[str] = set()
        self._feeds: dict[str, LiveFeed] = {}
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks = AsyncExitStack()
        self._desk: CommandDesk | None = None
        subscriptions = [command_filter(settings.base_topic)] if self._carry_out else []
        if presence and settings.home_assistant:
            subscriptions.append(self._birth_topic)
        self._link = BrokerLink(
            settings,
            subscriptions=subscriptions,
            will=Message(self._status_topic, OFFLINE, retain=True) if presence else None,
            on_up=self._came_up,
            hear=self._hear,
        )

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        if self._carry_out is not None:
            self._desk = CommandDesk(
                self._settings.base_topic,
                self._carry_out,
                self._levels.__contains__,
                self._link.offer,
            )
            self._worker = asyncio.create_task(self._desk.work())
            self._tasks.push_async_callback(self._stop_worker)
        await self._tasks.enter_async_context(self._link)
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        for timer in self._timers.values():
            timer.cancel()
        self._timers.clear()
        try:
            await self._say_goodbye()
        finally:
            await self._tasks.aclose()

    @property
    def connected(self) -> bool:
        """Whether the broker is there now."""
        return self._link.up

    @property
    def trouble(self) -> str:
        """Why the broker is away, in a sentence; empty while it is there."""
        return self._link.trouble

    async def wait_connected(self) -> None:
        """Return when the broker is there, however long that takes."""
        await self._link.wait_up()

    async def check(self) -> None:
        """Return when the broker has welcomed us; SinkUnavailableError says why it does not."""
        await self._link.settled()

    def introduce(self, device: str, card: DeviceCard | None = None) -> None:
        """Make a device known, before it tells anything: commands and Home Assistant need it."""
        known = card or self._cards.get(device) or DeviceCard(_title(device))
        if self._presence and self._cards.get(device) != known:
            self._cards[device] = known
            self._levels.add(Topics(self._settings.base_topic, device).level)
            self._announce(device)

    async def deliver(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> list[Rejected]:
        """Return when the broker has acknowledged every event, or finds it too big to be taken.

        It is safe to repeat.

        Raises
        ------
        SinkUnavailableError
            If the broker is away, refuses or falls silent; the text is for the person.
        """
        await self._link.settled()  # before any work is done for nothing
        base = self._settings.base_topic
        messages = [event_message(base, facts, each) for each in emitted]
        too_big = await self._link.send([each for each in messages if each is not None])
        return [
            Rejected(f"{message.topic} {message.payload.decode()}", why) for message, why in too_big
        ]

    def show(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> None:
        """Show a running session; what the broker cannot take now is dropped and counted."""
        if not self._presence:
            return
        self.introduce(facts.device)
        feed = self._feeds.get(facts.device)
        if feed is None:
            base, home_assistant = self._settings.base_topic, self._settings.home_assistant
            feed = self._feeds[facts.device] = LiveFeed(base, facts, home_assistant)
        feed.take(facts, emitted)
        self._pump(facts.device)

    def _pump(self, device: str) -> None:
        """Publish what is due, and come back when more will be."""
        feed, now_s = self._feeds[device], self._loop.time()
        if timer := self._timers.pop(device, None):
            timer.cancel()
        if not self._link.up:
            self.dropped += feed.skip()
            return
        refused = sum(not self._link.offer(message) for message in feed.due(now_s))
        next_s = feed.next_due_s()
        if refused:
            self.dropped += refused
            feed.renew()
            next_s = now_s + STALLED_RETRY_S
        self._timers[device] = self._loop.call_at(next_s, self._pump, device)

    def _came_up(self) -> None:
        if not self._presence:
            return
        self._link.offer(Message(self._status_topic, ONLINE, retain=True))
        for device in self._cards:
            self._announce(device)
        self._show_again()

    def _announce(self, device: str) -> None:
        if self._settings.home_assistant:
            message = discovery_message(
                self._settings.discovery_prefix,
                self._settings.base_topic,
                device,
                self._cards[device],
                _version(),
                commands=self._carry_out is not None,
            )
            self._link.offer(message)

    def _show_again(self) -> None:
        for device, feed in self._feeds.items():
            feed.renew()
            self._pump(device)

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        """Sort what was published, in paho's thread. What is retained is old: it is not obeyed."""
        if retained:
            return
        if topic == self._birth_topic:
            if payload == ONLINE and self._births.admits(time.monotonic()):
                with suppress(RuntimeError):  # the loop has closed
                    self._loop.call_soon_threadsafe(self._home_assistant_born)
        elif self._desk is not None:
            with suppress(RuntimeError):
                self._desk.hear(topic, payload)

    def _home_assistant_born(self) -> None:
        delay_s = random.uniform(*BORN_SPREAD_S)
        for device in self._cards:
            self._later(f"announce {device}", delay_s, self._announce, device)
        self._later("states", delay_s + STATES_AFTER_S, self._show_again)

    def _later(self, key: str, delay_s: float, action: Callable[..., None], *args: object) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()
        self._timers[key] = self._loop.call_later(delay_s, action, *args)

    async def _say_goodbye(self) -> None:
        if not (self._presence and self._link.up):
            return
        goodbyes = [feed.farewell() for feed in self._feeds.values()]
        goodbyes.append(Message(self._status_topic, OFFLINE, retain=True))
        with suppress(SinkUnavailableError, TimeoutError):
            async with asyncio.timeout(FAREWELL_WITHIN_S):
                await self._link.send(goodbyes)

    async def _stop_worker(self) -> None:
        self._worker.cancel()
        with suppress(asyncio.CancelledError):
            await self._worker


def _title(device: str) -> str:
    return device.replace("-", " ").capitalize()


@cache
def _version() -> str:
    try:
        return metadata.version("forceband")
    except metadata.PackageNotFoundError:
        return "0"
