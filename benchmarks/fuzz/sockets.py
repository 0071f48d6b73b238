"""Raw bytes at the live page's socket; it answers or hangs up, and still serves afterwards."""

from __future__ import annotations

import asyncio
import socket
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator
from itertools import islice
from typing import Self

from benchmarks.fuzz.mutator import Mutator
from pipeline.sinks.page.web import WebSink

AT_ONCE = 32
"""Connections; most of what is cut short makes the server wait for the rest."""
A_SERVER = 10_000
"""Inputs for a server, which then has to serve a plain request."""
PATIENCE_S, UPGRADE_S, SERVES_S = 0.1, 10.0, 60.0

_HOST = b"Host: 127.0.0.1\r\n"
_UPGRADE = (
    b"GET /socket HTTP/1.1\r\n" + _HOST + b"Connection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
    b"Origin: http://127.0.0.1\r\n\r\n"
)
_REQUESTS = [
    b"GET / HTTP/1.1\r\n" + _HOST + b"\r\n",
    b"GET /access HTTP/1.1\r\n" + _HOST + b"Connection: close\r\n\r\n",
    b"POST /../../etc/passwd?token=a HTTP/1.1\r\n" + _HOST + b"Content-Length: 3\r\n\r\nabc",
    b"GET /app.js HTTP/1.1\r\n" + _HOST + b"Cookie: forceband=a\r\nRange: bytes=0-9\r\n\r\n",
    _UPGRADE,
]


def _masked(head: int, text: bytes) -> bytes:
    """A WebSocket frame as browsers send it, with a mask of zeros."""
    size = bytes([0x80 | len(text)]) if len(text) < 126 else b"\xfe" + len(text).to_bytes(2, "big")
    return bytes([head]) + size + bytes(4) + text


_ALIVE = b"alive, are you?"
_PING = _masked(0x89, _ALIVE)
_FRAMES = [
    _masked(0x81, b'{"command":"tare"}'),
    _masked(0x81, b"[" * 200),
    _masked(0x01, b'{"command":') + _masked(0x80, b'"stop"}'),
    _masked(0x82, bytes(16)),
    _masked(0x8A, b"pong"),
    _masked(0x88, b"\x03\xe8"),
]


class _Plug:
    """A connection without ceremony: a million of them are to be made."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._plug = socket.socket()
        self._plug.setblocking(False)

    async def __aenter__(self) -> Self:
        await asyncio.get_running_loop().sock_connect(self._plug, ("127.0.0.1", self._port))
        return self

    async def __aexit__(self, *_: object) -> None:
        self._plug.close()

    async def ask(
        self, data: bytes, until: bytes = b"", patience_s: float = PATIENCE_S
    ) -> bytes | None:
        """What it says, up to a word; nothing if it hangs up, None if it waits for more."""
        loop, said = asyncio.get_running_loop(), b""
        try:
            await loop.sock_sendall(self._plug, data)
            async with asyncio.timeout(patience_s):
                while part := await loop.sock_recv(self._plug, 65536):
                    said += part
                    if until in said:
                        return said
        except ConnectionError:
            return b""
        except TimeoutError:
            return None
        return b""


async def _request(port: int, drawn: Iterator[bytes], found: Counter[str]) -> bool:
    """One hostile request on a connection of its own; False if there is none left."""
    data = next(drawn, None)
    if data is None:
        return False
    async with _Plug(port) as plug:
        said = await plug.ask(data)
    if said is None:
        found["waits for more"] += 1
    elif said.startswith(b"HTTP/1"):
        found[said.split(b" ", 2)[1].decode("latin-1")] += 1
    else:
        found["hung up"] += 1
    return True


async def _frames(port: int, drawn: Iterator[bytes], found: Counter[str]) -> bool:
    """Hostile frames on a WebSocket, each followed by a ping, until the server closes it."""
    async with _Plug(port) as plug:
        if not await plug.ask(_UPGRADE, b"HTTP/1.1 101", UPGRADE_S):
            return True  # too many look on as long as those before are not gone
        for data in drawn:
            said = await plug.ask(data + _PING, _ALIVE)
            if said:
                found["goes on"] += 1
            else:
                found["waits for more" if said is None else "closed"] += 1
                return True
    return False


Ask = Callable[[int, Iterator[bytes], Counter[str]], Awaitable[bool]]


def _run(inputs: int, draw: Callable[[], bytes], ask: Ask) -> Iterator[str]:
    async def main(inputs: int) -> Counter[str]:
        found: Counter[str] = Counter()
        drawn = islice(iter(draw, None), inputs)

        async def work(port: int) -> None:
            while await ask(port, drawn, found):
                pass

        async with WebSink() as page:
            port = int(page.url.rstrip("/").rpartition(":")[2])
            async with asyncio.TaskGroup() as group:
                for _ in range(AT_ONCE):
                    group.create_task(work(port))
            async with _Plug(port) as plug:
                assert await plug.ask(_REQUESTS[0], b"HTTP/1.1 200", SERVES_S), "it serves no more"
        return found

    for start in range(0, inputs, A_SERVER):
        yield from asyncio.run(main(min(A_SERVER, inputs - start))).elements()


def http_requests(inputs: int, seed: int) -> Iterator[str]:
    return _run(inputs, Mutator(_REQUESTS, seed).draw, _request)


def websocket_frames(inputs: int, seed: int) -> Iterator[str]:
    """Three in four are whole frames with hostile texts, so that what lies behind is reached."""
    frames = Mutator(_FRAMES, seed)
    texts = Mutator([b'{"command":"tare"}', b'{"command":["stop"]}', b"[" * 300], seed + 1)

    def draw() -> bytes:
        if frames.random.random() < 0.25:
            return frames.draw()
        text = texts.draw().decode("utf-8", "replace").encode()
        return _masked(0x81, text[: len(text) if text.isascii() else 0])

    return _run(inputs, draw, _frames)
