"""Where the MQTT broker is and how to speak to it; the settings check themselves."""

from __future__ import annotations

import re
import ssl
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from pipeline.sinks.loopback import is_loopback
from sensor.errors import BandError

TOPIC_LEVELS = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)*")
LONGEST_TOPIC_PREFIX = 100


class MqttConfigError(BandError):
    """A file that the MQTT settings name cannot be used."""


class _TidySocket(ssl.SSLSocket):
    """Closes when the handshake fails, which paho leaves to the garbage collector."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError:
            self.close()
            raise


@dataclass(frozen=True, slots=True, kw_only=True)
class MqttSettings:
    """How to reach a broker. ValueError names the field that is wrong.

    `client_id` empty means a random one, so that two programs never push each other out.
    `ca_file` None means the certificate authorities of the system.
    """

    host: str = "127.0.0.1"
    port: int = 1883
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    tls: bool = False
    ca_file: Path | None = None
    cert_file: Path | None = None
    key_file: Path | None = None
    base_topic: str = "forceband"
    discovery_prefix: str = "homeassistant"
    home_assistant: bool = False
    client_id: str = ""
    protocol: Literal["3.1.1", "5"] = "3.1.1"
    reconnect_max_s: float = 30.0

    def __post_init__(self) -> None:
        if any(sign in self.host for sign in "@/?#"):  # not shown, as it may hold a password
            raise ValueError(
                "host holds more than a name or address: port, tls, username and password are "
                "settings of their own"
            )
        try:
            named = bool(self.host) and bool(self.host.encode("idna"))
        except UnicodeError:
            named = False
        if not named:
            raise ValueError(f"host is not a host name or address: {self.host!r}")
        if not 1 <= self.port <= 65535:
            raise ValueError(f"port not in 1-65535: {self.port}")
        if self.password is not None and self.username is None:
            raise ValueError("password needs a username")
        if not self.tls and (self.ca_file or self.cert_file or self.key_file):
            raise ValueError("ca_file, cert_file and key_file are for TLS: set tls as well")
        if self.key_file and not self.cert_file:
            raise ValueError("key_file needs cert_file")
        for name, prefix in (
            ("base_topic", self.base_topic),
            ("discovery_prefix", self.discovery_prefix),
        ):
            if len(prefix) > LONGEST_TOPIC_PREFIX or not TOPIC_LEVELS.fullmatch(prefix):
                raise ValueError(f"{name} is not letters, digits, - _ and inner /: {prefix!r}")
        if self.protocol not in ("3.1.1", "5"):
            raise ValueError(f"protocol not 3.1.1 or 5: {self.protocol!r}")
        if not self.reconnect_max_s > 0:
            raise ValueError(f"reconnect_max_s not > 0: {self.reconnect_max_s}")

    @property
    def address(self) -> str:
        """The broker as people write it."""
        return f"{self.host}:{self.port}"

    @property
    def shows_password(self) -> bool:
        """Whether the password would cross a network in the clear."""
        return self.password is not None and not self.tls and not is_loopback(self.host)

    def tls_context(self) -> ssl.SSLContext | None:
        """What checks the broker's certificate and shows ours; None without TLS.

        Raises
        ------
        MqttConfigError
            If one of the files is missing or is not what it should be.
        """
        if not self.tls:
            return None
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except (OSError, ValueError) as error:
            raise MqttConfigError(_unusable("ca_file", _shown(self.ca_file), error)) from error
        context.sslsocket_class = _TidySocket
        if self.cert_file:
            try:
                # an empty pass phrase, or OpenSSL would ask for one at the terminal
                context.load_cert_chain(self.cert_file, self.key_file, password="")
            except (OSError, ValueError) as error:
                files = f"{_shown(self.cert_file)} with {_shown(self.key_file)}"
                raise MqttConfigError(_unusable("cert_file", files, error)) from error
        return context


NAMES_END = (".pem", ".crt", ".cer", ".key")


def _shown(path: Path | None) -> str:
    """A file's name; what neither names a file nor ends like one may be the key itself."""
    if path is None:
        return "nothing else"
    try:
        is_name = path.suffix.lower() in NAMES_END or path.exists()
    except (OSError, ValueError):  # longer than any name
        is_name = False
    return str(path) if is_name else "(not shown, as it names no file)"


def _unusable(name: str, path: object, error: Exception) -> str:
    reason = getattr(error, "strerror", None) or getattr(error, "reason", None) or error
    return f"mqtt {name} {path} cannot be used: {reason}; it must be PEM, a key unencrypted"
