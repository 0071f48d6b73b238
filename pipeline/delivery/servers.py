"""What forceband serves itself: the live page, and a broker for those who have none."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pipeline.config import Config, ConfigError
from sensor.extras import what_is_missing

if TYPE_CHECKING:
    from pipeline.sinks.page.web import WebSink

MQTT_PORT = 1883


@dataclass(slots=True)
class Servers:
    """Open for one session, or for one after the other."""

    page: WebSink | None = None
    broker_port: int | None = None
    """Of the embedded broker; None where there is none."""
    lines: list[str] = field(default_factory=list)
    """What to tell the person about where to look."""


@asynccontextmanager
async def open_servers(config: Config, *, broker: bool = True) -> AsyncIterator[Servers]:
    """Open page and broker as the configuration asks for; without `broker` only the page."""
    servers = Servers()
    async with AsyncExitStack() as stack:
        if config.web.enabled:
            await _open_page(config, servers, stack)
        if broker and config.mqtt.enabled and config.mqtt.host is None:
            await _open_broker(config, servers, stack)
        yield servers


async def _open_page(config: Config, servers: Servers, stack: AsyncExitStack) -> None:
    from pipeline.sinks.page.web import WebSink, qr_text

    page = await stack.enter_async_context(
        WebSink(
            host=config.web.host,
            port=config.web.port,
            token=config.web.token,
            hosts=config.web.hosts,
        )
    )
    servers.page = page
    if page.entry_url == page.url:
        servers.lines.append(f"live page   {page.url}")
    elif sys.stderr.isatty():
        servers.lines += [f"live page   {page.entry_url}", qr_text(page.entry_url)]
    else:  # what is told may be kept as a log, where no secret belongs
        advice = (
            ""
            if config.web.token
            else ": name one with FORCEBAND_WEB_TOKEN or token_file; one that is made up is shown "
            "in a terminal only"
        )
        servers.lines.append(f"live page   {page.url}?token=, then the token{advice}")


async def _open_broker(config: Config, servers: Servers, stack: AsyncExitStack) -> None:
    try:
        from pipeline.broker import EmbeddedBroker
    except ImportError as error:
        if not (missing := what_is_missing(error)):
            raise
        servers.lines.append(f"no MQTT     {missing}; or name a broker of your own")
        return
    mqtt = config.mqtt
    try:
        port = MQTT_PORT if mqtt.port is None else mqtt.port
        broker = EmbeddedBroker(mqtt.bind, port, mqtt.username, mqtt.password)
    except ValueError as error:
        raise ConfigError(f"[mqtt] {error}") from error
    await stack.enter_async_context(broker)
    servers.broker_port = broker.port
