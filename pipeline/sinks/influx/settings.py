"""Where InfluxDB is, what it takes to write there, and a client for it."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client import InfluxDBClient


@dataclass(frozen=True, slots=True)
class InfluxSettings:
    """Where InfluxDB is and what it takes to write there.

    The token of InfluxDB 2 or 3, or `user:password` for 1.8, where `bucket` is `database` or
    `database/retention-policy`; empty where the server asks for none.
    """

    url: str = "http://127.0.0.1:8086"
    org: str = "forceband"
    bucket: str = "forceband"
    token: str = field(default="", repr=False)
    samples_bucket: str = ""
    """Where the samples of force go, if not to `bucket`: they may be kept for a shorter time."""
    timeout_s: float = 10.0
    batch_lines: int = 5000
    ca_file: Path | None = None
    """Certificates to trust instead of the system's."""

    def __post_init__(self) -> None:
        if any(sign in self.url for sign in "@?#"):  # not shown, as it may hold a password
            raise ValueError("InfluxDB url holds more than scheme, host, port and path")
        try:
            parts = urlsplit(self.url)
            _ = parts.port
        except ValueError as error:
            raise ValueError(f"InfluxDB url {self.url!r}: {error}") from error
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"InfluxDB url not http://HOST:PORT or https://HOST:PORT: {self.url}")
        if not self.bucket:
            raise ValueError("InfluxDB bucket is empty")
        if not re.fullmatch(r"[\x21-\x7e]*", self.token):
            raise ValueError("InfluxDB token holds blanks or signs that no header can carry")
        if not 0.1 <= self.timeout_s <= 300:
            raise ValueError(f"InfluxDB timeout_s not in 0.1..300: {self.timeout_s}")
        if not 1 <= self.batch_lines <= 10_000:
            raise ValueError(f"InfluxDB batch_lines not in 1..10000: {self.batch_lines}")
        if self.ca_file is not None and not self.ca_file.is_file():
            raise ValueError("InfluxDB ca_file is no file")  # not shown, as it may be a secret


def connect(settings: InfluxSettings) -> InfluxDBClient:
    """A client that retries nothing by itself and follows no redirect."""
    from influxdb_client.client.influxdb_client import InfluxDBClient

    return InfluxDBClient(
        url=settings.url,
        token=settings.token,
        org=settings.org,
        timeout=round(settings.timeout_s * 1000),
        enable_gzip=True,
        ssl_ca_cert=str(settings.ca_file) if settings.ca_file else None,
        retries=False,
    )
