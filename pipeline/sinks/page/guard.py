"""Who may see the live page: Host and Origin are checked, and on a network a token is asked for.

A page on this machine is safe from other sites by Host (no DNS rebinding) and Origin (no foreign
WebSocket). Anywhere else the token comes once in the address, is exchanged for a cookie, and the
browser is sent to the address without it. SECURITY.md has the threat model.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
import logging
import secrets
import socket
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from pipeline.sinks.loopback import is_loopback
from sensor.errors import BandError

MIN_TOKEN_CHARS = 16
COOKIE_AGE_S = 30 * 24 * 3600

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; manifest-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Server": "forceband",
}

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


async def add_headers(_request: web.Request, response: web.StreamResponse) -> None:
    """Signal handler: what every answer tells the browser about its limits."""
    response.headers.update(HEADERS)


def host_name(header: str) -> str:
    """The name in a Host header, without port and brackets, in lower case."""
    if header.startswith("["):
        return header[1:].partition("]")[0].lower()
    return header.partition(":")[0].lower()


class Guard:
    """Decides over each request before anything else sees it.

    Parameters
    ----------
    bound_to : str
        The address that the server listens on; a token is needed unless it is this machine's own.
    token : str or None
        The secret, of at least 16 characters; None makes one of 128 random bits where needed:
        on a network, and behind a proxy.
    hosts : iterable of str
        Further names by which the page may be called, such as that of a reverse proxy.
    locked : bytes
        The page for those who have no token yet, and
    public : iterable of str
        the paths of what it is made of, which need none.
    """

    def __init__(
        self,
        bound_to: str,
        token: str | None = None,
        hosts: Iterable[str] = (),
        locked: bytes = b"",
        public: Iterable[str] = (),
    ) -> None:
        if token is not None and len(token) < MIN_TOKEN_CHARS:
            raise BandError(
                f"the token of the live page is too short: give {MIN_TOKEN_CHARS} characters or "
                "more, or none to have one made"
            )
        self._loopback = is_loopback(bound_to)
        named = {host.lower() for host in hosts}
        # a further name means that others than this machine can call
        alone = self._loopback and not named
        self.token = token or (None if alone else secrets.token_urlsafe(16))
        self._hosts = {"localhost", *named}
        if not self._loopback:
            name = socket.gethostname().lower()
            self._hosts |= {name, f"{name}.local"}
        self._locked = locked
        self._public = frozenset(public)
        self.cookie = "forceband"
        self._pass = b"" if self.token is None else _digest(self.token)

    def host_allowed(self, header: str) -> bool:
        """Whether a browser that names this Host was not led here by somebody else's DNS."""
        name = host_name(header)
        if name in self._hosts:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._loopback

    def origin_allowed(self, request: web.Request) -> bool:
        """Whether our own page makes this request."""
        host = request.headers.get("Host", "").lower()
        return request.headers.get("Origin", "").lower() in (f"http://{host}", f"https://{host}")

    def _known(self, request: web.Request) -> bool:
        shown = request.cookies.get(self.cookie, "").encode("utf-8", "replace")
        return self.token is None or hmac.compare_digest(shown, self._pass)

    def _refusal(self) -> web.Response:
        return web.Response(
            status=401, body=self._locked, content_type="text/html", charset="utf-8"
        )

    def _exchange(self, shown: str) -> web.Response:
        if not hmac.compare_digest(_digest(shown), self._pass):
            return self._refusal()
        answer = web.Response(status=303, headers={"Location": "/"})
        answer.set_cookie(
            self.cookie,
            self._pass.decode("ascii"),
            max_age=COOKIE_AGE_S,
            path="/",
            httponly=True,
            samesite="Strict",
        )
        return answer

    @web.middleware
    async def check(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Middleware: pass the request on, or refuse it with a sentence."""
        hosts = request.headers.getall("Host", [])
        if len(hosts) != 1 or not self.host_allowed(hosts[0]):
            raise web.HTTPForbidden(
                text="This page does not go by that name. Use the address that forceband printed."
            )
        if request.method not in ("GET", "HEAD") and not self.origin_allowed(request):
            raise web.HTTPForbidden(text="Only the live page itself may send this.")
        if self.token is not None:
            if "token" in request.query:
                return self._exchange(request.query["token"])
            if request.path not in self._public and not self._known(request):
                return self._refusal()
        return await handler(request)


def _digest(token: str) -> bytes:
    key = token.encode("utf-8", "replace")
    return hmac.digest(key, b"forceband live page", hashlib.sha256).hex().encode("ascii")


def quiet_logger(name: str) -> logging.Logger:
    """A logger for the HTTP server that does not repeat what a broken request said.

    The server's own would write the bytes of a malformed request, and so perhaps the token.
    """
    logger = logging.getLogger(name)
    logger.addFilter(_well_formed)
    return logger


def _well_formed(record: logging.LogRecord) -> bool:
    error = record.exc_info[1] if record.exc_info else None
    return not isinstance(error, HttpProcessingError)
