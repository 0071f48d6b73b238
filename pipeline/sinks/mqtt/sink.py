"""Results over MQTT: every event acknowledged, the running session shown, commands heard."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import secrets
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from functools import cache
from importlib import metadata
from typing import Self

from pipeline.coach.cues import Cue
from pipeline.coach.plain import view_object
from pipeline.coach.view import View
from pipeline.coach.workout import CoachEvent
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
    event_message,
    to_json,
)
from pipeline.sinks.mqtt.settings import MqttSettings
from pipeline.sinks.sink import CommandHandler, Rejected, SinkUnavailableError
from sensor.source import About

logger = logging.getLogger(__name__)

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
    device : str or None
        The band that this program is there for: its status is told, `offline` is our last will, and
        `show` shows it. None only delivers, beside a program that may be showing the band.
    page_url : str or None
        Of the live page, which Home Assistant links to.
    warn : callable
        Gets a sentence for the person when another program goes by the same name.

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
        device: str | None = None,
        page_url: str | None = None,
        warn: Callable[[str], None] = logger.warning,
    ) -> None:
        self.dropped = 0
        """Live messages that nobody got; events are never dropped."""
        self._settings = settings
        self._cue = ""
        self._coached: Message | None = None
        self._device = device
        self._carry_out = carry_out if device is not None else None
        self._warn = warn
        self._topics = Topics(settings.base_topic, device or "")
        self._card = DeviceCard(_title(device or ""), configuration_url=page_url)
        self._program = secrets.token_hex(4)
        self._birth_topic = f"{settings.discovery_prefix}/status"
        self._births = RateLimit(burst=1.0, per_s=1.0)
        self._feed: LiveFeed | None = None
        self._timers: dict[str, asyncio.TimerHandle] = {}
        self._tasks = AsyncExitStack()
        self._desk: CommandDesk | None = None
        self._has_namesake = False
        self._link = BrokerLink(
            settings,
            subscriptions=self._subscriptions(),
            will=None if device is None else self._offline(),
            on_up=self._came_up,
            hear=self._hear,
        )

    def _subscriptions(self) -> list[str]:
        if self._device is None:
            return []
        topics = [self._topics.state]  # to hear of another program of this name
        if self._carry_out is not None:
            topics.append(self._topics.command("+"))
        if self._settings.home_assistant:
            topics.append(self._birth_topic)
        return topics

    async def __aenter__(self) -> Self:
        self._loop = asyncio.get_running_loop()
        if self._carry_out is not None:
            self._desk = CommandDesk(
                self._settings.base_topic,
                self._carry_out,
                lambda device: device == self._device,
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

    def introduce(self, about: About) -> None:
        """Say more of the band than its name, now that it is known."""
        self._card = replace(
            self._card,
            address=about.address,
            model=about.model,
            manufacturer=about.manufacturer,
            serial_number=about.serial,
            sw_version=about.firmware,
            hw_version=about.hardware,
        )
        self._announce()

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
        if self._device is None:
            return
        if self._feed is None:
            base, home_assistant = self._settings.base_topic, self._settings.home_assistant
            self._feed = LiveFeed(base, facts, home_assistant, self._program)
        self._feed.take(facts, emitted)
        self._pump()

    def coach(self, facts: SessionFacts, events: Sequence[CoachEvent]) -> None:
        """Show the exercise, the set and the last cue; again when the broker is back."""
        views = [each for each in events if isinstance(each, View)]
        for cue in (each for each in events if isinstance(each, Cue)):
            self._cue = cue.say or cue.text or self._cue
        if views:
            shown = view_object(views[-1])
            keys = ("screen", "programme", "exercise", "title", "set", "sets", "side", "grip",
                    "count", "least", "most")  # fmt: skip
            body = {**{key: shown[key] for key in keys}, "cue": self._cue}
            topic = Topics(self._settings.base_topic, facts.device).coach
            self._coached = Message(topic, to_json(body), qos=0, retain=True)
            self._link.offer(self._coached)

    def _pump(self) -> None:
        """Publish what is due, and come back when more will be."""
        feed, now_s = self._feed, self._loop.time()
        if feed is None:
            return
        if timer := self._timers.pop("pump", None):
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
        self._timers["pump"] = self._loop.call_at(next_s, self._pump)

    def _came_up(self) -> None:
        if self._device is None:
            return
        if self._feed is None:  # a session that was killed may have left `online` behind
            self._link.offer(self._offline())
        self._announce()
        self._show_again()
        if self._coached is not None:
            self._link.offer(self._coached)

    def _offline(self) -> Message:
        return Message(self._topics.status, OFFLINE, retain=True)

    def _announce(self) -> None:
        if self._device is None or not self._settings.home_assistant or not self._link.up:
            return
        message = discovery_message(
            self._settings.discovery_prefix,
            self._settings.base_topic,
            self._device,
            self._card,
            _version(),
            commands=self._carry_out is not None,
        )
        self._link.offer(message)

    def _show_again(self) -> None:
        if self._feed is not None:
            self._feed.renew()
            self._pump()

    def _hear(self, topic: str, payload: bytes, retained: bool) -> None:
        """Sort what was published, in paho's thread. What is retained is old: it is not obeyed."""
        if retained:
            return
        with suppress(RuntimeError):  # the loop has closed
            if topic == self._birth_topic:
                if payload == ONLINE and self._births.admits(time.monotonic()):
                    self._loop.call_soon_threadsafe(self._home_assistant_born)
            elif topic == self._topics.state:
                if not self._has_namesake and _program_of(payload) not in (None, self._program):
                    self._has_namesake = True
                    self._loop.call_soon_threadsafe(self._warn, self._namesake())
            elif self._desk is not None:
                self._desk.hear(topic, payload)

    def _namesake(self) -> str:
        return (
            f"another program tells of a band named {self._device} on the MQTT broker at "
            f"{self._settings.address}: their results mix, and the end of one says offline for "
            "both. Give one another name (--name)"
        )

    def _home_assistant_born(self) -> None:
        delay_s = random.uniform(*BORN_SPREAD_S)
        self._later("announce", delay_s, self._announce)
        self._later("states", delay_s + STATES_AFTER_S, self._show_again)

    def _later(self, key: str, delay_s: float, action: Callable[[], None]) -> None:
        if timer := self._timers.pop(key, None):
            timer.cancel()
        self._timers[key] = self._loop.call_later(delay_s, action)

    async def _say_goodbye(self) -> None:
        if self._device is None or not self._link.up:
            return
        with suppress(SinkUnavailableError, TimeoutError):
            async with asyncio.timeout(FAREWELL_WITHIN_S):
                await self._link.send([self._offline()])

    async def _stop_worker(self) -> None:
        self._worker.cancel()
        with suppress(asyncio.CancelledError):
            await self._worker


def _program_of(state: bytes) -> str | None:
    """Who published a state; None where that is not to be seen."""
    try:
        body = json.loads(state)
    except (ValueError, RecursionError):
        return None
    program = body.get("program") if isinstance(body, dict) else None
    return program if isinstance(program, str) else None


def _title(device: str) -> str:
    return device.replace("-", " ").capitalize()


@cache
def _version() -> str:
    try:
        return metadata.version("forceband")
    except metadata.PackageNotFoundError:
        return "0"
