"""The live page's server: a LiveSink that pushes what happens to every browser looking on."""

from __future__ import annotations

import asyncio
import logging
import socket
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Self
from urllib.parse import quote

from aiohttp import WSCloseCode, WSMsgType, web

from pipeline.coach.cues import Cue, CueWithdrawn
from pipeline.coach.plain import cue_object, view_object
from pipeline.coach.view import View
from pipeline.coach.workout import CoachEvent
from pipeline.session.events import Emitted
from pipeline.session.facts import SessionFacts
from pipeline.sinks.loopback import is_loopback
from pipeline.sinks.page.address import page_url, qr_text, why_not
from pipeline.sinks.page.assets import page_assets, version
from pipeline.sinks.page.guard import Guard, add_headers, quiet_logger
from pipeline.sinks.page.messages import Message, curve_message, encode
from pipeline.sinks.page.state import PageState
from pipeline.sinks.page.viewer import MAX_QUESTION_CHARS, Allowance, Viewer, command_in
from pipeline.sinks.sink import CommandHandler
from sensor.errors import BandError

__all__ = ["WebSink", "qr_text"]

logger = logging.getLogger(__name__)

FRAMES_PER_S = 40.0
MAX_VIEWERS = 64
MAX_CONNECTIONS = 256
HEARTBEAT_S = 20.0
BEAT_S = 5.0
COMMAND_TIMEOUT_S = 10.0
CLOSE_TIMEOUT_S = 2.0
SEND_BUFFER_BYTES = 128 * 1024
COMMANDS = frozenset({"tare", "start", "stop", "mark", "coach"})
HANDSHAKE = frozenset({"connection", "upgrade"})
PUBLIC = frozenset({"/style.css", "/icon.svg"})


class WebSink:
    """Serves the live page and shows it each event; an async context manager.

    Parameters
    ----------
    host, port : str, int
        Where to listen; port 0 takes a free one, which `url` tells.
    token : str or None
        Asked for on any address but this machine's own; made where none is given.
    commands : CommandHandler or None
        Carries out what the page's buttons ask for; without it the page has none.
    hosts : iterable of str
        Further names by which browsers may call this server.

    Raises
    ------
    BandError
        On entering, if the address cannot be listened on.
    """

    def __init__(
        self,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        token: str | None = None,
        commands: CommandHandler | None = None,
        hosts: Iterable[str] = (),
    ) -> None:
        # These names mean two addresses, and with port 0 each of them would get its own port.
        self._host = {"localhost": "127.0.0.1", "": "0.0.0.0"}.get(host, host)  # noqa: S104
        self._port = port
        self._commands = commands
        self._assets = page_assets()
        self._version = version(self._assets)
        locked = self._assets["/locked.html"].body
        self._names = tuple(hosts)
        self._guard = Guard(self._host, token, self._names, locked, PUBLIC)
        self._page = PageState()
        self._coached: Message | None = None
        self._choices: list[Message] = []
        self._viewers: set[Viewer] = set()
        self._news: list[str] = []
        self._stir = asyncio.Event()
        self._ticker: asyncio.Task[None] | None = None
        self._server: asyncio.Server | None = None
        self._runner: web.AppRunner | None = None

    async def __aenter__(self) -> Self:
        app = web.Application(middlewares=[self._guard.check], client_max_size=1024)
        app.on_response_prepare.append(add_headers)
        for path, asset in self._assets.items():
            app.router.add_get(path, asset.answer)
        app.router.add_get("/access", _access)
        app.router.add_get("/socket", self._look_on)
        self._runner = web.AppRunner(
            app,
            access_log=None,
            logger=quiet_logger(f"{__name__}.http"),
            keepalive_timeout=30.0,
            shutdown_timeout=CLOSE_TIMEOUT_S,
        )
        await self._runner.setup()
        try:
            self._server = await asyncio.get_running_loop().create_server(
                self._connection, self._host, self._port
            )
        except OSError as error:
            await self._runner.cleanup()
            raise BandError(why_not(self._host, self._port, error)) from error
        self._port = self._server.sockets[0].getsockname()[1]
        self._guard.cookie = f"forceband_{self._port}"
        self._ticker = asyncio.create_task(self._tick())
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        assert self._runner is not None
        assert self._server is not None
        assert self._ticker is not None
        self._server.close()
        self._ticker.cancel()
        with suppress(asyncio.CancelledError):
            await self._ticker
        self._flush()
        with suppress(TimeoutError):
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                for viewer in list(self._viewers):
                    await viewer.drained()
                for viewer in list(self._viewers):
                    await viewer.socket.close(code=WSCloseCode.GOING_AWAY)
        for viewer in list(self._viewers):
            viewer.drop()
        await self._runner.cleanup()

    @property
    def url(self) -> str:
        """The page's address: of this machine, on its network if bound so, or of its proxy."""
        if self._names and is_loopback(self._host):
            return f"https://{self._names[0]}/"
        return page_url(self._host, self._port)

    @property
    def entry_url(self) -> str:
        """`url` with the token, where one is needed. For the person's eyes, not for logs."""
        token = self._guard.token
        return self.url if token is None else f"{self.url}?token={quote(token, safe='')}"

    @property
    def viewers(self) -> int:
        """How many browsers look on."""
        return len(self._viewers)

    def show(self, facts: SessionFacts, emitted: Sequence[Emitted]) -> None:
        """Take events at once; call it on the loop that the sink was entered on."""
        if self._page.switch(facts):
            self._begin_again()
        for one in emitted:
            message = self._page.take_in(one)
            if message is not None:
                self._emit(message)
        self._wake()

    def begin(
        self, facts: SessionFacts, commands: CommandHandler, choices: Sequence[Message] = ()
    ) -> None:
        """A session begins: show it, and nothing of the one before.

        `commands` carries out what the page's buttons ask for, the coach leads one of `choices`.
        """
        self._commands, self._choices, self._coached = commands, list(choices), None
        self._page.clear()
        self._page.switch(facts)
        self._begin_again()

    def wait(self, text: str) -> None:
        """Between sessions: the last one stays to be seen, and `text` says what is waited for."""
        self._commands, self._choices, self._coached = None, [], None
        self._page.waiting = text
        self._begin_again()

    def _begin_again(self) -> None:
        """All who look on get a snapshot next."""
        self._news.clear()
        for viewer in self._viewers:
            viewer.backlog.begin_again()
            viewer.wake()

    def coach(self, facts: SessionFacts, events: Sequence[CoachEvent]) -> None:
        """Show what the coach gives; a page that comes later gets the screen."""
        for event in events:
            match event:
                case View():
                    self._coached = {"type": "coach", **view_object(event)}
                    self._emit(self._coached)
                case Cue():
                    self._emit({"type": "cue", **cue_object(event)})
                case CueWithdrawn():
                    self._emit({"type": "uncue", "id": event.id})
                case _:
                    pass
        self._wake()

    def notice(self, level: str, text: str, about: str = "session") -> None:
        """Show a banner: level `info`, `warning` or `error`; `ok` takes the one `about` it away."""
        if level not in ("ok", "info", "warning", "error"):
            raise ValueError(f"level not ok, info, warning or error: {level}")
        self._emit(self._page.notice(level, text, about))
        self._wake()

    def delivery(self, to: str, waiting: int, problem: str | None = None) -> None:
        """Show how many events wait for a durable sink, and why if they cannot go."""
        self._emit(self._page.delivery(to, waiting, problem))
        self._wake()

    def _emit(self, message: Message) -> None:
        if self._viewers:
            self._news.append(encode(message))

    def _wake(self) -> None:
        if self._viewers:
            self._stir.set()

    async def _tick(self) -> None:
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(BEAT_S):
                    await self._stir.wait()
            if not self._stir.is_set():
                # A page that hears nothing for long thinks that the server is gone.
                self._emit({"type": "beat"})
            self._stir.clear()
            self._flush()
            await asyncio.sleep(1 / FRAMES_PER_S)

    def _flush(self) -> None:
        """Hand what is new to each viewer; encoded once, however many look on."""
        curve = ",".join(encode(curve_message(patch)) for patch in self._page.curve.take())
        state = ",".join(self._news)
        self._news.clear()
        for viewer in self._viewers:
            if curve:
                viewer.backlog.curve(curve)
            if state:
                viewer.backlog.state(state)
            if viewer.backlog:
                viewer.wake()

    def _snapshot(self) -> str:
        # What is new goes out first: the snapshot holds it, and marks must not come twice.
        self._flush()
        snapshot = self._page.snapshot()
        commands = sorted(COMMANDS) if self._commands is not None else []
        more: Message = {"coach": self._coached, "choices": self._choices}
        return encode({**snapshot, "version": self._version, "commands": commands, **more})

    async def _look_on(self, request: web.Request) -> web.StreamResponse:
        if not self._guard.origin_allowed(request):
            raise web.HTTPForbidden(text="Only the live page itself may look on.")
        if not all(
            value.isascii()
            for name, value in request.headers.items()
            if name.lower() in HANDSHAKE or name.lower().startswith("sec-websocket-")
        ):  # aiohttp would fail on them, and fill the log
            raise web.HTTPBadRequest(text="No browser asks for a WebSocket like this.")
        if len(self._viewers) >= MAX_VIEWERS:
            raise web.HTTPServiceUnavailable(text=f"{MAX_VIEWERS} viewers look on already.")
        channel = web.WebSocketResponse(
            heartbeat=HEARTBEAT_S,
            max_msg_size=MAX_QUESTION_CHARS,
            compress=False,
            timeout=CLOSE_TIMEOUT_S,
        )
        transport = request.transport
        if transport is not None and (plug := transport.get_extra_info("socket")) is not None:
            # What waits in the kernel is old when it arrives; our own backlog can drop it instead.
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)
        try:
            await channel.prepare(request)
        except ConnectionError as gone:  # nobody hears this, and nothing fills the log
            raise web.HTTPBadRequest(text="The viewer left before it was answered.") from gone
        viewer = Viewer(channel, transport)
        if not self._viewers:
            self._page.curve.skip()
        self._viewers.add(viewer)
        sender = asyncio.create_task(viewer.send_on(self._snapshot))
        try:
            await self._listen(viewer)
        finally:
            self._viewers.discard(viewer)
            sender.cancel()
            await asyncio.gather(sender, return_exceptions=True)
        return channel

    async def _listen(self, viewer: Viewer) -> None:
        clock = asyncio.get_running_loop()
        allowance = Allowance(clock.time())
        async for asked in viewer.socket:
            if not allowance.spend(clock.time()):
                await viewer.socket.close(code=WSCloseCode.POLICY_VIOLATION, message=b"too many")
                return
            text = asked.data if asked.type is WSMsgType.TEXT else ""
            viewer.backlog.state(encode(await self._answer(text)))
            viewer.wake()

    async def _answer(self, text: str) -> Message:
        command = None
        try:
            command = command_in(text, COMMANDS)
            if self._commands is None:
                raise BandError("Nothing here takes commands: this session is only shown.")
            async with asyncio.timeout(COMMAND_TIMEOUT_S):
                answer = await self._commands(command)
        except BandError as error:
            return {"type": "answer", "command": command, "ok": False, "text": str(error)}
        except TimeoutError:
            late = f"The band did not answer within {COMMAND_TIMEOUT_S:g} s. Try again."
            return {"type": "answer", "command": command, "ok": False, "text": late}
        return {"type": "answer", "command": command, "ok": True, "text": answer}

    def _connection(self) -> asyncio.Protocol:
        assert self._runner is not None
        server = self._runner.server
        assert server is not None
        return server() if len(server.connections) < MAX_CONNECTIONS else _Refusal()


class _Refusal(asyncio.Protocol):
    """Ends a connection that is one too many."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        transport.close()


async def _access(_request: web.Request) -> web.StreamResponse:
    """Tells a page that lost its connection whether it may come back: 204, or the guard's 401."""
    return web.Response(status=204)
