"""The embedded broker: where it listens, whom it admits, what it survives."""

from __future__ import annotations

import asyncio
import logging
import random
import socket

import pytest

from pipeline import broker as broker_module
from pipeline.broker import BrokerStartError, EmbeddedBroker
from pipeline.sinks.mqtt.settings import MqttSettings
from tests.pipeline.sinks.mqtt.ear import Ear

CONNECT = bytes.fromhex("100d00044d5154540402003c000161")
"""Client id `a`, clean session, MQTT 3.1.1."""
WELCOME = bytes.fromhex("20020000")


async def answer_to(broker: EmbeddedBroker, sent: bytes, *, close: bool = True) -> bytes:
    """What the broker sends until it closes the connection."""
    reader, writer = await asyncio.open_connection(broker.host, broker.port)
    writer.write(sent)
    if close:
        writer.write_eof()
    try:
        return await asyncio.wait_for(reader.read(), 60)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()
        await asyncio.gather(writer.wait_closed(), return_exceptions=True)


async def still_serves(broker: EmbeddedBroker) -> None:
    async with Ear(MqttSettings(port=broker.port), "a/#") as ear:
        ear.say("a/b", b"hello")
        await ear.message("a/b", b"hello")


def test_port_0_picks_a_free_port_and_tells_it() -> None:
    async def main() -> None:
        async with EmbeddedBroker() as one, EmbeddedBroker() as other:
            assert 0 < one.port != other.port
            await still_serves(one)
            await still_serves(other)

    asyncio.run(main())


def test_a_port_in_use_is_explained_and_harms_nobody() -> None:
    async def main() -> None:
        async with EmbeddedBroker() as one:
            with pytest.raises(BrokerStartError, match=rf"port {one.port} on 127.0.0.1 is in use"):
                async with EmbeddedBroker(port=one.port):
                    pass
            await still_serves(one)

    asyncio.run(main())


@pytest.mark.parametrize(("host", "port"), [("203.0.113.7", 0), ("127.0.0.1", 99999)])
def test_an_address_that_is_not_ours_is_explained(host: str, port: int) -> None:
    async def main() -> None:
        async with EmbeddedBroker(host, port, "ann", "secret"):
            pass

    with pytest.raises(BrokerStartError, match=rf"cannot listen on {host}:{port}"):
        asyncio.run(main())


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.4", "broker.local", ""])
def test_a_broker_that_others_can_reach_demands_a_password(host: str) -> None:
    with pytest.raises(ValueError, match="give it a username and a password"):
        EmbeddedBroker(host)
    with pytest.raises(ValueError, match="give it a username and a password"):
        EmbeddedBroker(host, username="ann", password="")


def test_username_and_password_belong_together() -> None:
    with pytest.raises(ValueError, match="belong together"):
        EmbeddedBroker(username="ann")


def test_a_port_can_be_used_again_at_once() -> None:
    async def main() -> None:
        async with EmbeddedBroker() as one:
            await still_serves(one)
        async with EmbeddedBroker(port=one.port) as again:
            await still_serves(again)

    asyncio.run(main())


def test_it_closes_with_clients_connected_and_is_quiet(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with EmbeddedBroker() as one:
            reader, writer = await asyncio.open_connection(one.host, one.port)
            writer.write(CONNECT)
            assert await reader.readexactly(4) == WELCOME
            idle = await asyncio.open_connection(one.host, one.port)
        assert await reader.read() == b""
        for each in (writer, idle[1]):
            each.close()
            await asyncio.gather(each.wait_closed(), return_exceptions=True)

    with caplog.at_level(logging.DEBUG):
        asyncio.run(main(), debug=False)
    assert {r.name for r in caplog.records} <= {"pipeline.broker", "asyncio"}
    assert not [r for r in caplog.records if r.levelno >= logging.WARNING]


def test_a_huge_packet_is_refused_before_it_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "MAX_PACKET_BYTES", 1000)
    publish = bytes.fromhex("30ff7f") + b"\x00\x01a" + b"x" * 500

    async def main() -> None:
        async with EmbeddedBroker() as one:
            assert await answer_to(one, CONNECT + publish, close=False) == WELCOME
            await still_serves(one)

    asyncio.run(main())


def test_one_who_never_says_who_he_is_is_sent_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "CONNECT_WITHIN_S", 0.1)

    async def main() -> None:
        async with EmbeddedBroker() as one:
            for sent in (b"", CONNECT[:5], bytes.fromhex("10ffff7f0004")):
                assert await answer_to(one, sent, close=False) == b""
            await still_serves(one)

    asyncio.run(main())


def test_more_clients_than_allowed_are_turned_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(broker_module, "MAX_CLIENTS", 1)

    async def main() -> None:
        async with EmbeddedBroker() as one:
            reader, writer = await asyncio.open_connection(one.host, one.port)
            writer.write(CONNECT)
            assert await reader.readexactly(4) == WELCOME
            assert await answer_to(one, CONNECT) == b""
            writer.close()
            await writer.wait_closed()

    asyncio.run(main())


def test_random_bytes_do_not_stop_it() -> None:
    chance = random.Random(1)

    async def main() -> None:
        async with EmbeddedBroker() as one:
            for number in range(150):
                noise = chance.randbytes(chance.randrange(64))
                await answer_to(one, (CONNECT if number % 2 else b"") + noise)
            await still_serves(one)

    asyncio.run(main())


async def subscriber(broker: EmbeddedBroker, qos: int) -> socket.socket:
    """A client that keeps its session, has subscribed to all, and has a small buffer to read."""
    loop, raw = asyncio.get_running_loop(), socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    raw.setblocking(False)
    await loop.sock_connect(raw, (broker.host, broker.port))
    await loop.sock_sendall(raw, bytes.fromhex("101300044d51545404c0003c000164000175000170"))
    assert await loop.sock_recv(raw, 4) == WELCOME
    await loop.sock_sendall(raw, bytes.fromhex("82060001000123") + bytes([qos]))
    assert (await loop.sock_recv(raw, 5))[0] == 0x90
    return raw


@pytest.mark.parametrize("kind", ["reads nothing", "acknowledges nothing", "is away"])
def test_subscribers_that_do_not_listen_cost_no_more_than_a_little_memory(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    monkeypatch.setattr(broker_module, "DEAF_S", 1.0)
    monkeypatch.setattr(broker_module, "MOST_UNANSWERED", 20)

    async def main() -> None:
        async with EmbeddedBroker(username="u", password="p") as one:
            deaf = await subscriber(one, 0 if kind == "reads nothing" else 1)
            settings = MqttSettings(port=one.port, username="u", password="p")
            async with Ear(settings, "a/#") as ear:
                reading = asyncio.create_task(drained(deaf if kind.startswith("ack") else None))
                if kind == "is away":
                    deaf.close()
                for number in range(60):
                    ear.say("a/b", b"%d" % number + bytes(20_000))
                    await ear.message("a/b", b"%d" % number + bytes(20_000))
                async with asyncio.timeout(30):
                    while not is_bounded(one, kind):  # noqa: ASYNC110 - the broker has no event
                        await asyncio.sleep(0.05)
                reading.cancel()
                deaf.close()
            assert kind == "is away" or "it was sent away" in caplog.text

    with caplog.at_level(logging.WARNING):
        asyncio.run(main())


def is_bounded(broker: EmbeddedBroker, kind: str) -> bool:
    """Whether nothing waits for the deaf one any more, or no more than is allowed."""
    if kind == "is away":
        session, _ = broker._broker._sessions["d"]
        return bool(0 < session.retained_messages.qsize() <= 20)
    return len(broker._clients) == 1


async def drained(raw: socket.socket | None) -> None:
    while raw is not None and await asyncio.get_running_loop().sock_recv(raw, 65536):
        pass
