"""InfluxDB 2's write path in front of a real InfluxDB 1.x, with faults on demand.

Debian's InfluxDB 1.6 is the engine: it parses, stores and answers InfluxQL. It lacks only
`/api/v2/write`, which this maps onto its `/write`, with the answers that InfluxDB 2 gives.
"""

from __future__ import annotations

import asyncio
import gzip
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

from aiohttp import ClientSession, web

Fault = Callable[[web.Request, bytes], Awaitable[web.StreamResponse]]

PRECISIONS = {None: "n", "ns": "n", "us": "u", "ms": "ms", "s": "s"}
"""InfluxDB 1.6 takes a precision that it does not know, such as `us`, silently for ns."""


@dataclass(slots=True)
class InfluxDouble:
    """Serves on a free loopback port as an async context manager; `url` is where.

    A fault holds for the next `count` writes, or until `heal`.
    """

    upstream: str
    token: str = "secret-token"
    url: str = ""
    writes: int = 0
    """Requests to write, faults included."""
    acknowledged_lines: int = 0
    _fault: Fault | None = None
    _left: int = 0
    _healed: asyncio.Event = field(default_factory=asyncio.Event)
    _written: asyncio.Condition = field(default_factory=asyncio.Condition)
    _runner: web.AppRunner | None = None
    _session: ClientSession | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=64 * 2**20)
        app.router.add_post("/api/v2/write", self._write)
        app.router.add_route("*", "/query", self._query)
        app.router.add_get("/ping", self._ping)
        self._session = ClientSession(auto_decompress=False)
        # requests stay compressed: the engine behind understands gzip
        self._runner = web.AppRunner(app, access_log=None, auto_decompress=False)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        assert self._runner is not None
        assert self._session is not None
        self.heal()
        await self._runner.cleanup()
        await self._session.close()

    def heal(self) -> None:
        """End the fault, and what hangs because of it."""
        self._fault = None
        self._healed.set()

    def answer(
        self,
        status: int,
        body: str = '{"code":"injected","message":"injected"}',
        headers: dict[str, str] | None = None,
        count: int = 2**31,
    ) -> None:
        """Answer with this status and write nothing."""

        async def fault(_request: web.Request, _body: bytes) -> web.StreamResponse:
            return web.Response(
                status=status, text=body, headers=headers, content_type="application/json"
            )

        self._inject(fault, count)

    def reset(self, count: int = 2**31) -> None:
        """Reset the connection and write nothing."""

        async def fault(request: web.Request, _body: bytes) -> web.StreamResponse:
            return _abort(request)

        self._inject(fault, count)

    def hang(self, count: int = 2**31) -> None:
        """Take the request and say nothing until healed."""

        async def fault(request: web.Request, _body: bytes) -> web.StreamResponse:
            await self._healed.wait()
            return _abort(request)

        self._inject(fault, count)

    def lose_acknowledgement(self, count: int = 2**31) -> None:
        """Write, then reset the connection before the answer."""

        async def fault(request: web.Request, body: bytes) -> web.StreamResponse:
            await self._forward(request, body)
            return _abort(request)

        self._inject(fault, count)

    async def until(self, writes: int) -> None:
        """Wait for this many requests to write, counted from the start."""
        async with self._written:
            await self._written.wait_for(lambda: self.writes >= writes)

    def _inject(self, fault: Fault, count: int) -> None:
        self._fault, self._left = fault, count
        self._healed.clear()

    async def _write(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        async with self._written:
            self.writes += 1
            self._written.notify_all()
        if self._fault is not None and self._left > 0:
            self._left -= 1
            return await self._fault(request, body)
        if (refused := self._unauthorized(request)) is not None:
            return refused
        return await self._forward(request, body)

    async def _forward(self, request: web.Request, body: bytes) -> web.StreamResponse:
        assert self._session is not None
        bucket, precision = request.query.get("bucket"), request.query.get("precision")
        if not bucket or precision not in PRECISIONS:
            return _refuse(400, "invalid", f"bucket {bucket}, precision {precision}")
        headers = {
            name: value for name, value in request.headers.items() if name == "Content-Encoding"
        }
        async with self._session.post(
            f"{self.upstream}/write",
            params={"db": bucket, "precision": PRECISIONS[precision]},
            data=body,
            headers=headers,
        ) as response:
            status, text = response.status, await response.text()
        if status == 204 and not body:
            return _refuse(400, "invalid", "writing requires points")
        if status == 204:
            plain = gzip.decompress(body) if headers else body
            self.acknowledged_lines += len(plain.splitlines())
            return web.Response(status=204)
        said = json.loads(text)["error"]
        if status == 404:
            return _refuse(404, "not found", f'bucket "{bucket}" not found')
        if "partial write" in said:
            return _refuse(
                422, "unprocessable entity", f"failure writing points to database: {said}"
            )
        return _refuse(400, "invalid", said)

    async def _query(self, request: web.Request) -> web.StreamResponse:
        assert self._session is not None
        if (refused := self._unauthorized(request)) is not None:
            return refused
        async with self._session.request(
            request.method,
            f"{self.upstream}/query",
            params=request.query,
            data=await request.read() or None,
            headers={
                "Content-Type": request.headers.get("Content-Type", "text/plain"),
                "Accept-Encoding": "identity",
            },
        ) as response:
            return web.Response(
                body=await response.read(),
                status=response.status,
                headers={"Content-Type": response.headers["Content-Type"]},
            )

    async def _ping(self, _request: web.Request) -> web.StreamResponse:
        return web.Response(status=204, headers={"X-Influxdb-Version": "v2-double"})

    def _unauthorized(self, request: web.Request) -> web.Response | None:
        if request.headers.get("Authorization") == f"Token {self.token}":
            return None
        return _refuse(401, "unauthorized", "unauthorized access")


def _refuse(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"code": code, "message": message}, status=status)


def _abort(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response()
