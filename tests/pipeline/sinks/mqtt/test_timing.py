"""When the sink tries again, waits and gives up, on a clock that leaps and with made-up brokers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any

import pytest
from paho.mqtt.enums import MQTTErrorCode

from pipeline.sinks.mqtt import link as link_module
from pipeline.sinks.mqtt.connection import MOST_IN_FLIGHT
from pipeline.sinks.mqtt.link import MOST_OFFERED, BrokerLink
from pipeline.sinks.mqtt.messages import Message
from pipeline.sinks.mqtt.settings import MqttSettings
from pipeline.sinks.mqtt.sink import MqttSink
from pipeline.sinks.sink import SinkUnavailableError
from tests.example_session import FACTS, session
from tests.leaping import leap

MESSAGES = [Message("topic", b"%d" % number) for number in range(450)]


@dataclass
class Info:
    """What paho says of a message that was handed over."""

    mid: int
    rc: MQTTErrorCode = MQTTErrorCode.MQTT_ERR_SUCCESS
    sent: bool = False

    def is_published(self) -> bool:
        return self.sent


@dataclass(eq=False)
class Line:
    """A connection to a broker that does what the test says."""

    broker: Broker
    welcomed: Callable[[Line], None]
    acknowledged: Callable[[Line, int, str | None], None]
    ended: asyncio.Future[str]
    began_s: float
    published: list[tuple[Message, Info]] = field(default_factory=list)
    waiting: int = 0
    most_waiting: int = 0
    left: bool = False
    broken_off: str = ""

    def start(self) -> None:
        asyncio.get_running_loop().call_soon(self.broker.begins, self)

    def publish(self, message: Message, qos: int) -> Info:
        info = Info(len(self.published) + 1)
        self.published.append((message, info))
        if qos:
            self.waiting += 1
            self.most_waiting = max(self.most_waiting, self.waiting)
            asyncio.get_running_loop().call_later(0.01, self.broker.takes, self, info.mid)
        return info

    def acknowledge(self, mid: int, refusal: str | None = None) -> None:
        self.waiting -= 1
        self.acknowledged(self, mid, refusal)

    def end(self, trouble: str = "it went away") -> None:
        if not self.ended.done():
            self.ended.set_result(trouble)

    def leave(self) -> None:
        self.left = True
        if self.broker.lets_go:
            self.end("left")

    def break_off(self, trouble: str) -> None:
        self.broken_off = trouble
        self.end(trouble)


@dataclass
class Broker:
    """Makes lines; by default it welcomes everybody and acknowledges everything."""

    begins: Callable[[Line], None] = lambda line: line.welcomed(line)
    takes: Callable[[Line, int], None] = Line.acknowledge
    lets_go: bool = True
    lines: list[Line] = field(default_factory=list)

    def line(self, _settings: MqttSettings, **of: Any) -> Line:
        loop = asyncio.get_running_loop()
        made = Line(self, of["welcomed"], of["acknowledged"], loop.create_future(), loop.time())
        self.lines.append(made)
        return made

    @property
    def tries_s(self) -> list[float]:
        return [line.began_s for line in self.lines]


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    made = Broker()
    monkeypatch.setattr(link_module, "Connection", made.line)
    return made


@asynccontextmanager
async def linked(**settings: Any) -> AsyncIterator[BrokerLink]:
    async with BrokerLink(MqttSettings(**settings)) as link:
        yield link


def now_s() -> float:
    return asyncio.get_running_loop().time()


def test_a_broker_that_is_away_is_tried_ever_more_seldom(broker: Broker) -> None:
    broker.begins = lambda line: line.end("nobody listens")

    async def main() -> None:
        async with linked(reconnect_max_s=20.0) as link:
            with pytest.raises(SinkUnavailableError, match="nobody listens") as raised:
                await link.settled()
            assert raised.value.retry_after_s is not None
            assert 0.25 <= raised.value.retry_after_s <= 0.5
            await asyncio.sleep(200)

    leap(main())
    pauses_s = [later - sooner for sooner, later in pairwise(broker.tries_s)]
    assert len(pauses_s) > 10
    for number, pause_s in enumerate(pauses_s):
        longest_s = min(0.5 * 2**number, 20.0)
        assert longest_s / 2 <= pause_s <= longest_s


@pytest.mark.parametrize(("lasts_s", "at_once"), [(9.0, False), (11.0, True)])
def test_only_after_a_connection_that_lasted_the_next_is_tried_at_once(
    broker: Broker, lasts_s: float, at_once: bool
) -> None:
    def begins(line: Line) -> None:
        if len(broker.lines) % 4:
            line.end("nobody listens")
        else:
            line.welcomed(line)
            asyncio.get_running_loop().call_later(lasts_s, line.end)

    broker.begins = begins

    async def main() -> None:
        async with linked():
            while len(broker.lines) < 9:  # noqa: ASYNC110
                await asyncio.sleep(0.1)

    leap(main())
    pauses_s = [later - sooner for sooner, later in pairwise(broker.tries_s)]
    if at_once:
        assert pauses_s[3] == pauses_s[7] == pytest.approx(lasts_s)
        assert pauses_s[4] <= 0.5
    else:
        assert pauses_s[3] >= lasts_s + 2.0
        assert pauses_s[4] >= 4.0


def test_what_is_not_acknowledged_in_half_a_minute_breaks_the_line_off(broker: Broker) -> None:
    broker.takes = lambda line, mid: None

    async def main() -> None:
        async with linked() as link:
            await link.wait_up()
            began_s = now_s()
            with pytest.raises(SinkUnavailableError, match="did not acknowledge within 30 s"):
                await link.send(MESSAGES[:3])
            assert now_s() - began_s == pytest.approx(30)
            assert "did not acknowledge" in broker.lines[0].broken_off
            await asyncio.sleep(0.01)
            assert broker.tries_s == pytest.approx([0, 30])
            assert link.up
            assert link.trouble == ""

    leap(main())


def test_the_first_goes_alone_and_then_many_but_never_more_than_the_broker_takes(
    broker: Broker,
) -> None:
    most_waiting: list[int] = []

    def takes(line: Line, mid: int) -> None:
        most_waiting.append(line.most_waiting)
        line.acknowledge(mid)

    broker.takes = takes

    async def main() -> None:
        async with linked() as link:
            assert await link.send(MESSAGES) == []
            (line,) = broker.lines
            assert [message for message, _ in line.published] == MESSAGES
            assert line.waiting == 0
            assert most_waiting[0] == 1
            assert most_waiting[-1] == MOST_IN_FLIGHT
            assert now_s() < 0.2  # one by one it takes 4.5 s
            line.most_waiting = 0
            assert await link.send(MESSAGES[:2]) == []
            assert line.most_waiting == 2

    leap(main())


def test_a_refusal_is_passed_on_and_an_old_lines_answer_is_nobodys(broker: Broker) -> None:
    broker.takes = lambda line, mid: line.acknowledge(mid, "not allowed")

    async def main() -> None:
        async with linked() as link:
            with pytest.raises(SinkUnavailableError, match="not allowed"):
                await link.send(MESSAGES[:1])
            broker.takes = lambda line, mid: None
            sending = asyncio.create_task(link.send(MESSAGES[:1]))
            await asyncio.sleep(1)
            old = broker.lines[0]
            old.end("it went away")
            with pytest.raises(SinkUnavailableError, match="it went away"):
                await sending
            await link.wait_up()
            sending = asyncio.create_task(link.send(MESSAGES[:1]))
            await asyncio.sleep(1)
            for mid in (1, 2, 3):
                old.acknowledge(mid)
            broker.lines[-1].acknowledge(77)
            await asyncio.sleep(1)
            assert not sending.done()
            broker.lines[-1].acknowledge(1)
            assert await sending == []

    leap(main())


def test_what_is_offered_is_dropped_rather_than_piled_up(broker: Broker) -> None:
    async def main() -> None:
        async with linked() as link:
            assert not link.offer(MESSAGES[0])
            await link.wait_up()
            (line,) = broker.lines
            taken = [link.offer(message) for message in MESSAGES[: MOST_OFFERED + 3]]
            assert taken == [True] * MOST_OFFERED + [False] * 3
            assert len(line.published) == MOST_OFFERED
            line.published[1][1].sent = True
            assert not link.offer(MESSAGES[0])  # the first of them still waits
            line.published[0][1].sent = True
            assert [link.offer(MESSAGES[0]) for _ in range(3)] == [True, True, False]
            line.end()
            await asyncio.sleep(0.1)
            assert not link.up
            assert not link.offer(MESSAGES[0])
            await link.wait_up()
            assert link.offer(MESSAGES[0])
            dead = broker.lines[-1]
            dead.publish = lambda message, qos: Info(1, MQTTErrorCode.MQTT_ERR_NO_CONN)  # type: ignore[method-assign]
            assert not link.offer(MESSAGES[0])

    leap(main())


def test_leaving_waits_a_moment_for_the_broker_and_then_cuts_the_line(broker: Broker) -> None:
    async def main(lets_go: bool) -> float:
        broker.lets_go = lets_go
        async with linked() as link:
            await link.wait_up()
            began_s = now_s()
        assert broker.lines[-1].left
        assert not link.up
        with pytest.raises(SinkUnavailableError, match="was closed"):
            await link.send(MESSAGES[:1])
        return now_s() - began_s

    assert leap(main(True)) == 0
    assert broker.lines[-1].broken_off == ""
    assert leap(main(False)) == pytest.approx(3)
    assert broker.lines[-1].broken_off == "left"


def test_a_line_that_takes_no_more_is_offered_the_state_again_after_a_second(
    broker: Broker,
) -> None:
    async def main() -> None:
        async with MqttSink(MqttSettings(), device="band-left") as sink:
            await sink.wait_connected()
            sink.show(FACTS, session()[:3])
            (line,) = broker.lines
            shown = len(line.published)
            assert shown >= 2
            offered_s: list[float] = []
            publish = line.publish

            def full(message: Message, qos: int) -> Info:
                offered_s.append(now_s())
                return Info(1, MQTTErrorCode.MQTT_ERR_QUEUE_SIZE)

            line.publish = full  # type: ignore[method-assign]
            sink.show(FACTS, session()[-1:])
            dropped = sink.dropped
            assert dropped == len(offered_s) > 0
            await asyncio.sleep(10.5)
            moments = sorted(set(offered_s))
            assert [round(later - sooner, 2) for sooner, later in pairwise(moments)] == [1.0] * 10
            assert sink.dropped == len(offered_s)
            line.publish = publish  # type: ignore[method-assign]
            await asyncio.sleep(1)
            topics = [message.topic for message, _ in line.published[shown:]]
            assert {"forceband/band-left/state", "forceband/band-left/status"} <= set(topics)

    leap(main())
