"""What listens to a session: page and clients, opened as the configuration says."""

from __future__ import annotations

import shlex
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pipeline.config import Config, ConfigError
from pipeline.delivery.log_writer import Notice
from pipeline.delivery.servers import Servers
from pipeline.session.facts import SessionFacts
from pipeline.sinks.sink import CommandHandler, DurableSink, LiveSink
from sensor.recording.log import Recording
from sensor.source import About

if TYPE_CHECKING:
    from pipeline.sinks.influx.settings import InfluxSettings
    from pipeline.sinks.mqtt.settings import MqttSettings


@dataclass(slots=True)
class Outlets:
    """Everything that listens, opened for one session."""

    live: list[LiveSink] = field(default_factory=list)
    durable: list[DurableSink] = field(default_factory=list)
    lasting: list[str] = field(default_factory=list)
    """Durable sinks that are there after the session, so that what waits can be brought to them."""
    about: list[Callable[[About], None]] = field(default_factory=list)
    """Called when it is known which band it is."""
    lines: list[str] = field(default_factory=list)
    """What to tell the person about where to look."""


@asynccontextmanager
async def open_outlets(
    config: Config,
    servers: Servers,
    recording: Recording | None,
    facts: SessionFacts,
    command: CommandHandler,
    notice: Notice,
) -> AsyncIterator[Outlets]:
    """Open the clients that the configuration asks for, beside the servers that are open."""
    outlets = Outlets(lines=list(servers.lines))
    async with AsyncExitStack() as stack:
        if servers.page is not None:
            outlets.live.append(servers.page)
        if recording is not None:
            await _open_mqtt(config, servers, facts, command, notice, outlets, stack)
            await _open_influx(config, outlets, stack)
            if recording.on_disk:
                outlets.lines.append(f"recording   {recording.path}")
        yield outlets


async def _open_mqtt(
    config: Config,
    servers: Servers,
    facts: SessionFacts,
    command: CommandHandler,
    notice: Notice,
    outlets: Outlets,
    stack: AsyncExitStack,
) -> None:
    if not config.mqtt.enabled or (config.mqtt.host is None and servers.broker_port is None):
        return
    from pipeline.sinks.mqtt.sink import MqttSink

    settings = mqtt_settings(config)
    if servers.broker_port is not None:
        settings = replace(settings, port=servers.broker_port)
    page_url = None if servers.page is None else servers.page.url
    sink = await stack.enter_async_context(
        MqttSink(
            settings,
            command,
            device=facts.device,
            page_url=page_url,
            warn=lambda text: notice("warning", text),
        )
    )
    outlets.about.append(sink.introduce)
    outlets.durable.append(sink)
    if config.mqtt.host is not None:
        outlets.lasting.append(sink.name)
    outlets.live.append(sink)
    base = settings.base_topic
    outlets.lines += [
        f"MQTT        {settings.host}:{settings.port}",
        f"            {subscription(settings)} -v -t '{base}/{facts.device}/event/#'",
    ]


def subscription(settings: MqttSettings) -> str:
    """A command line for whoever wants to listen; PASSWORD stands for the password."""
    words = ["mosquitto_sub", "-h", settings.host, "-p", str(settings.port)]
    if settings.tls:
        words += ["--cafile", str(settings.ca_file)] if settings.ca_file else ["--tls-use-os-certs"]
    if settings.cert_file:
        words += ["--cert", str(settings.cert_file)]
    if settings.key_file:
        words += ["--key", str(settings.key_file)]
    if settings.username is not None:
        words += ["-u", settings.username]
        words += ["-P", "PASSWORD"] if settings.password is not None else []
    return shlex.join(words)


def mqtt_settings(config: Config) -> MqttSettings:
    """How to reach the broker; ConfigError if that makes no sense.

    Port 0 of the embedded broker is for it to fill in.
    """
    from pipeline.sinks.mqtt.settings import MqttSettings

    mqtt = config.mqtt
    if mqtt.protocol not in ("3.1.1", "5"):
        raise ConfigError(f"[mqtt] protocol is 3.1.1 or 5, not {mqtt.protocol!r}")
    default_port = 8883 if mqtt.tls else 1883
    port = default_port if mqtt.port is None else mqtt.port
    if mqtt.host is not None and port == 0:
        raise ConfigError("[mqtt] port 0 picks a free one for the embedded broker; name the port")
    try:
        settings = MqttSettings(
            host=mqtt.host or "127.0.0.1",
            port=port or default_port,
            username=mqtt.username,
            password=mqtt.password,
            tls=mqtt.tls,
            ca_file=mqtt.ca_file,
            cert_file=mqtt.cert_file,
            key_file=mqtt.key_file,
            base_topic=mqtt.base_topic,
            discovery_prefix=mqtt.discovery_prefix,
            home_assistant=mqtt.home_assistant,
            protocol="5" if mqtt.protocol == "5" else "3.1.1",
        )
    except ValueError as error:
        raise ConfigError(f"[mqtt] {error}") from error
    return settings


async def _open_influx(config: Config, outlets: Outlets, stack: AsyncExitStack) -> None:
    if config.influx.url is None:
        return
    from pipeline.sinks.influx.sink import InfluxSink

    settings = influx_settings(config)
    sink = await stack.enter_async_context(InfluxSink(settings))
    outlets.durable.append(sink)
    outlets.lasting.append(sink.name)
    outlets.lines.append(f"InfluxDB    {settings.url} bucket {settings.bucket}")


def influx_settings(config: Config) -> InfluxSettings:
    """How to reach InfluxDB; ConfigError if that makes no sense."""
    from pipeline.sinks.influx.settings import InfluxSettings

    influx = config.influx
    try:
        return InfluxSettings(
            url=influx.url or "",
            org=influx.org,
            bucket=influx.bucket,
            samples_bucket=influx.samples_bucket or "",
            token=influx.token or "",
            ca_file=influx.ca_file,
        )
    except ValueError as error:
        raise ConfigError(f"[influx] {error}") from error
