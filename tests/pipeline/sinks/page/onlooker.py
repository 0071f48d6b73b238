"""A page without a browser, and requests byte by byte, for tests of the live page's server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import aiohttp

from pipeline.sinks.page.web import WebSink

Message = dict[str, Any]


class Onlooker:
    """A page without a browser: all messages in order, and the curve that they draw."""

    def __init__(self, channel: aiohttp.ClientWebSocketResponse) -> None:
        self.channel = channel
        self.messages: list[Message] = []
        self.curve: list[tuple[float, float | None]] = []

    async def until(self, done: Callable[[Message], bool]) -> Message:
        """Take frames in until a message is what is looked for."""
        async with asyncio.timeout(60):
            while True:
                frame: list[Message] = await self.channel.receive_json()
                found = None
                for message in frame:
                    self.take(message)
                    if found is None and done(message):
                        found = message
                if found is not None:
                    return found

    async def until_type(self, kind: str) -> Message:
        return await self.until(lambda message: message["type"] == kind)

    def take(self, message: Message) -> None:
        self.messages.append(message)
        if message["type"] == "snapshot":
            self.curve = []
            self.draw(message["curve"])
        elif message["type"] == "curve":
            self.draw(message)

    def draw(self, patch: Message) -> None:
        after, before = patch["after"], patch["before"]
        left = [p for p in self.curve if after is not None and p[0] <= after]
        right = [p for p in self.curve if before is not None and p[0] >= before]
        self.curve = [*left, *zip(patch["t"], patch["n"], strict=True), *right]
        while self.curve and self.curve[0][0] < self.curve[-1][0] - 60:
            del self.curve[: len(self.curve) // 8 + 1]


def origin(sink: WebSink) -> str:
    return sink.url.rstrip("/")


@asynccontextmanager
async def looking(
    sink: WebSink, client: aiohttp.ClientSession | None = None
) -> AsyncIterator[Onlooker]:
    async with aiohttp.ClientSession() as own:
        url = sink.url + "socket"
        async with (client or own).ws_connect(url, origin=origin(sink)) as channel:
            yield Onlooker(channel)


async def raw(sink: WebSink, sent: bytes, patience_s: float = 20.0) -> bytes:
    """What the server answers to these very bytes; nothing if it hangs up or waits for more."""
    port = int(origin(sink).rpartition(":")[2])
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    answer = b""
    try:
        writer.write(sent)
        async with asyncio.timeout(patience_s):
            while part := await reader.read(65536):
                answer += part
    except (TimeoutError, ConnectionError):
        pass
    finally:
        writer.close()
    return answer


def request(path: str = "/", *lines: str, method: str = "GET") -> bytes:
    return "\r\n".join([f"{method} {path} HTTP/1.1", *lines, "Connection: close", "", ""]).encode()


def status(answer: bytes) -> int:
    return int(answer.split(b" ", 2)[1])
