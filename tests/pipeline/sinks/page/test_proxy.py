"""The live page behind a real nginx with TLS, by the project's own configuration of it."""

from __future__ import annotations

import asyncio
import ssl
import subprocess
from pathlib import Path

import aiohttp
import pytest

from pipeline.sinks.page.web import WebSink
from tests.mosquitto_server import find_program, free_port
from tests.pipeline.sinks.mqtt.test_security import Authority

CONFIG = Path(__file__).parents[4] / "deploy" / "nginx.conf"
MAIN = """\
daemon off; pid {folder}/pid; error_log stderr;
events {{}}
http {{ access_log off; client_body_temp_path {folder}/b; proxy_temp_path {folder}/p;
fastcgi_temp_path {folder}/f; uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
{server} }}
"""


async def up(client: aiohttp.ClientSession, url: str) -> None:
    """Return when the proxy listens."""
    async with asyncio.timeout(30):
        while True:
            try:
                async with client.get(url):
                    return
            except aiohttp.ClientConnectionError:
                await asyncio.sleep(0.05)


def test_page_token_and_socket_pass_through_the_proxy(tmp_path: Path) -> None:
    program = find_program("nginx", "nginx-light")
    authority = Authority(tmp_path)
    certificate, key = authority.issue("proxy")
    port, page_port = free_port(), free_port()

    async def main() -> None:
        async with WebSink(port=page_port, hosts=["band.home"]) as page:
            assert page.url == "https://band.home/"
            server = CONFIG.read_text("utf-8")
            for old, new in (
                ("listen 443 ssl", f"listen 127.0.0.1:{port} ssl"),
                ("/etc/ssl/band.home.pem", str(certificate)),
                ("/etc/ssl/band.home.key", str(key)),
                ("127.0.0.1:8642", f"127.0.0.1:{page_port}"),
            ):
                assert old in server
                server = server.replace(old, new)
            config = tmp_path / "nginx.conf"
            config.write_text(MAIN.format(folder=tmp_path, server=server))
            nginx = await asyncio.create_subprocess_exec(
                program, "-c", str(config), stderr=subprocess.DEVNULL
            )
            try:
                await look(page)
            finally:
                nginx.terminate()
                await nginx.wait()

    async def look(page: WebSink) -> None:
        url = f"https://127.0.0.1:{port}/"
        context = ssl.create_default_context(cafile=authority.file)
        host = {"Host": f"band.home:{port}"}
        jar = aiohttp.CookieJar(unsafe=True)
        connector = aiohttp.TCPConnector(ssl=context)
        async with aiohttp.ClientSession(connector=connector, cookie_jar=jar) as client:
            await up(client, url)
            async with client.get(url, headers=host) as answer:
                assert answer.status == 401
            async with client.get(url, headers={"Host": "evil.example"}) as answer:
                assert answer.status == 403
            token = page.entry_url.partition("?")[2]
            async with client.get(f"{url}?{token}", headers=host, allow_redirects=False) as answer:
                assert answer.status == 303
                cookie = answer.headers["Set-Cookie"].partition(";")[0]
            known = host | {"Cookie": cookie}
            async with client.get(url, headers=known) as answer:
                assert answer.status == 200
                assert "app.js" in await answer.text()
            origin = f"https://band.home:{port}"
            async with client.ws_connect(f"{url}socket", headers=known, origin=origin) as socket:
                (first,) = await socket.receive_json()
                assert first["type"] == "snapshot"
            with pytest.raises(aiohttp.WSServerHandshakeError):
                await client.ws_connect(
                    f"{url}socket", headers=known, origin="https://evil.example"
                )

    asyncio.run(main())
