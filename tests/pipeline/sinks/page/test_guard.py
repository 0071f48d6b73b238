from __future__ import annotations

import asyncio
import json
import logging

import aiohttp
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipeline.sinks.page.web import WebSink
from sensor.errors import BandError
from tests.pipeline.sinks.page.onlooker import Onlooker, looking, raw, request, status


def test_every_answer_limits_what_a_browser_may_do_with_it() -> None:
    async def run() -> None:
        async with WebSink() as sink:
            paths = ("/", "/app.js", "/style.css", "/uplot.js", "/nothing", "/access", "/socket")
            for path in paths:
                answer = await raw(sink, request(path, "Host: localhost"))
                head = answer.partition(b"\r\n\r\n")[0].decode().lower()
                assert "content-security-policy: default-src 'none'; script-src 'self';" in head
                assert "unsafe-inline" not in head
                assert "x-content-type-options: nosniff" in head
                assert "referrer-policy: no-referrer" in head
                assert "x-frame-options: deny" in head

    asyncio.run(run())


@pytest.mark.parametrize("name", ["Upgrade", "Connection", "Sec-WebSocket-Key"])
def test_a_handshake_with_strange_bytes_is_refused_without_a_word_in_the_log(
    name: str, caplog: pytest.LogCaptureFixture
) -> None:
    lines = {
        "Connection": "Upgrade",
        "Upgrade": "websocket",
        "Sec-WebSocket-Version": "13",
        "Sec-WebSocket-Key": "A" * 22 + "==",
    }

    async def run() -> None:
        async with WebSink() as sink:
            asked = [f"{key}: {value}" for key, value in lines.items()]
            whole = request("/socket", "Host: 127.0.0.1", "Origin: http://127.0.0.1", *asked)
            value = lines[name].encode()
            assert status(await raw(sink, whole.replace(value, b"\xf4" + value[1:]))) == 400

    asyncio.run(run())
    assert not caplog.records


@pytest.mark.parametrize(
    ("hosts", "expected"),
    [
        (["localhost"], 200),
        (["LOCALHOST:80"], 200),
        (["127.0.0.1:1234"], 200),
        (["[::1]:1234"], 200),
        (["evil.example"], 403),
        (["localhost.evil.example"], 403),
        (["192.168.1.5"], 403),
        ([""], 403),
        (["localhost", "evil.example"], 400),
        ([], 400),
    ],
)
def test_a_page_on_this_machine_answers_to_its_own_names_only(
    hosts: list[str], expected: int
) -> None:
    async def run() -> None:
        async with WebSink() as sink:
            answer = await raw(sink, request("/", *(f"Host: {host}" for host in hosts)))
            assert status(answer) == expected

    asyncio.run(run())


@pytest.mark.parametrize(
    ("host", "expected"),
    [("192.168.1.5:80", 401), ("evil.example", 403), ("band.lan", 401), ("localhost", 401)],
)
def test_a_page_on_the_network_answers_to_addresses_and_to_names_it_was_given(
    host: str, expected: int
) -> None:
    async def run() -> None:
        async with WebSink(host="0.0.0.0", hosts=["band.lan"]) as sink:
            assert status(await raw(sink, request("/", f"Host: {host}"))) == expected

    asyncio.run(run())


@pytest.mark.parametrize("foreign", ["", "http://evil.example", "null", "http://localhost:1"])
def test_nobody_elses_page_may_look_on(foreign: str) -> None:
    async def run() -> None:
        async with WebSink() as sink, aiohttp.ClientSession() as client:
            with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                await client.ws_connect(sink.url + "socket", origin=foreign or None)
            assert refused.value.status == 403

    asyncio.run(run())


def test_what_would_change_something_needs_our_own_origin() -> None:
    async def run() -> None:
        async with WebSink() as sink:
            foreign = request("/", "Host: localhost", "Origin: http://evil", method="POST")
            assert status(await raw(sink, foreign)) == 403
            own = request("/", "Host: localhost", "Origin: http://localhost", method="POST")
            assert status(await raw(sink, own)) == 405

    asyncio.run(run())


@pytest.mark.parametrize(
    "path",
    [
        "/../pyproject.toml",
        "/..%2f..%2fpyproject.toml",
        "/%2e%2e/%2e%2e/etc/passwd",
        "//etc/passwd",
        "/index.html/../../../README.md",
        "/app.js%00.html",
    ],
)
def test_no_path_leads_out_of_the_page(path: str) -> None:
    async def run() -> None:
        async with WebSink() as sink:
            assert status(await raw(sink, request(path, "Host: localhost"))) in (400, 404)

    asyncio.run(run())


def test_on_the_network_the_token_is_exchanged_for_a_cookie_and_leaves_the_address() -> None:
    async def run() -> None:
        async with WebSink(host="0.0.0.0") as sink:
            port = sink.url.rstrip("/").rpartition(":")[2]
            here = f"http://127.0.0.1:{port}"
            token = sink.entry_url.partition("token=")[2]
            assert len(token) >= 22
            assert token not in sink.url
            jar = aiohttp.CookieJar(unsafe=True)
            async with aiohttp.ClientSession(cookie_jar=jar) as client:
                for path, expected in (("/", 401), ("/app.js", 401), ("/access", 401)):
                    async with client.get(here + path) as answer:
                        assert answer.status == expected
                        assert "code" in await answer.text()
                with pytest.raises(aiohttp.WSServerHandshakeError):
                    await client.ws_connect(here + "/socket", origin=here)
                async with client.get(f"{here}/?token={token[:-1]}~") as answer:
                    assert answer.status == 401
                    assert "Set-Cookie" not in answer.headers
                url = f"{here}//evil.example/?token={token}"
                async with client.get(url, allow_redirects=False) as answer:
                    assert answer.status == 303
                    assert answer.headers["Location"] == "/"
                    cookie = answer.headers["Set-Cookie"]
                    assert "HttpOnly" in cookie
                    assert "SameSite=Strict" in cookie
                    assert token not in cookie
                async with client.get(here + "/") as answer:
                    assert answer.status == 200
                async with client.ws_connect(here + "/socket", origin=here) as channel:
                    await Onlooker(channel).until_type("snapshot")

    asyncio.run(run())


def test_a_token_that_was_given_outlives_the_server_and_its_cookie_does_too() -> None:
    async def run() -> None:
        jar = aiohttp.CookieJar(unsafe=True)
        token = "a token of my own"
        async with aiohttp.ClientSession(cookie_jar=jar) as client:
            async with WebSink(token=token) as sink:
                port = int(sink.url.rstrip("/").rpartition(":")[2])
                async with client.get(sink.entry_url) as answer:
                    assert answer.status == 200
            for again, expected in ((token, 200), (token + "!", 401)):
                sink = WebSink(port=port, token=again)
                async with sink, client.get(sink.url) as answer:
                    assert answer.status == expected

    asyncio.run(run())


def test_a_short_token_is_refused() -> None:
    with pytest.raises(BandError, match="16 characters"):
        WebSink(token="secret")


def test_on_this_machine_no_token_is_asked_for() -> None:
    async def run() -> None:
        async with WebSink() as sink:
            assert sink.entry_url == sink.url
            assert sink.url.startswith("http://127.0.0.1:")

    asyncio.run(run())


def test_the_token_is_never_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def run() -> str:
        async with WebSink(host="0.0.0.0") as sink:
            token = sink.entry_url.partition("token=")[2]
            path = f"/?token={token}"
            assert status(await raw(sink, request(path, "Host: localhost"))) == 303
            assert status(await raw(sink, request(path, "Host: localhost", "bro ken: 1"))) == 400
            await raw(sink, f"GET {path}\r\n\r\n".encode())
            await raw(sink, f"{path} GET HTTP/1.1\r\n\r\n".encode())
            await raw(sink, request(path + "x" * 9000, "Host: localhost"))
            return token

    with caplog.at_level(logging.DEBUG):
        token = asyncio.run(run())
    for record in caplog.records:
        logged = logging.Formatter().format(record)
        assert token not in logged


HEADER_BYTES = st.binary(max_size=200)


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def _fuzz_http(data: st.DataObject, runner: asyncio.Runner, sink: WebSink) -> None:
    kind = data.draw(st.sampled_from(["bytes", "path", "headers"]))
    if kind == "bytes":
        sent = data.draw(st.binary(max_size=400))
    elif kind == "path":
        path = data.draw(st.text(max_size=100)).encode("utf-8", "surrogatepass")
        sent = b"GET /" + path + b" HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    else:
        name = data.draw(st.sampled_from([b"Host", b"Origin", b"Cookie", b"Upgrade", b"X"]))
        lines = b"\r\n".join(data.draw(st.lists(HEADER_BYTES, max_size=3)))
        sent = b"GET /socket HTTP/1.1\r\n" + name + b": " + lines + b"\r\nConnection: close\r\n\r\n"
    answer = runner.run(raw(sink, sent, patience_s=0.02))
    if answer:
        assert 200 <= status(answer) < 500


def test_any_request_gets_an_answer_below_500_and_the_server_lives_on() -> None:
    with asyncio.Runner() as runner:
        sink = runner.run(WebSink().__aenter__())
        _fuzz_http(runner=runner, sink=sink)
        assert status(runner.run(raw(sink, request("/", "Host: localhost")))) == 200
        runner.run(sink.__aexit__(None, None, None))


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(sent=st.one_of(st.text(max_size=1000), st.binary(max_size=1200), st.from_regex(r"\{.*\}")))
def _fuzz_channel(sent: str | bytes, runner: asyncio.Runner, sink: WebSink) -> None:
    async def ask() -> None:
        async with looking(sink) as page:
            await page.until_type("snapshot")
            if isinstance(sent, str):
                await page.channel.send_str(sent)
            else:
                await page.channel.send_bytes(sent)
            async with asyncio.timeout(60):
                got = await page.channel.receive()
            if got.type is aiohttp.WSMsgType.TEXT:
                answer = json.loads(got.data)[0]
                assert answer["type"] == "answer"
                assert answer["ok"] is False
                assert answer["text"]
            else:
                assert got.type is aiohttp.WSMsgType.CLOSE
                assert page.channel.close_code == aiohttp.WSCloseCode.MESSAGE_TOO_BIG

    runner.run(ask())


def test_anything_sent_over_the_socket_gets_a_named_error_and_the_server_lives_on() -> None:
    with asyncio.Runner() as runner:
        sink = runner.run(WebSink().__aenter__())
        _fuzz_channel(runner=runner, sink=sink)
        assert status(runner.run(raw(sink, request("/", "Host: localhost")))) == 200
        runner.run(sink.__aexit__(None, None, None))
