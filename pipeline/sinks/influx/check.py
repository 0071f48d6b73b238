"""Whether InfluxDB can be reached, takes our points and answers the board's queries."""

from __future__ import annotations

import asyncio
import json
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from pipeline.sinks.influx.answers import refusal, remedy
from pipeline.sinks.influx.settings import InfluxSettings, connect

if TYPE_CHECKING:
    from influxdb_client.client.influxdb_client import InfluxDBClient

LOOPBACK = {"localhost", "127.0.0.1", "::1"}


class Finding(NamedTuple):
    """One thing looked at; `remedy` is a sentence for the person, empty if all is well."""

    what: str
    ok: bool
    remedy: str = ""


async def check(settings: InfluxSettings) -> list[Finding]:
    """Look at server, token, bucket and query path in turn; nothing is written.

    Later steps are left out once one failed that they need.
    """
    return await asyncio.to_thread(_check, settings)


def _check(settings: InfluxSettings) -> list[Finding]:
    client = connect(settings)
    try:
        findings = [_reach(client, settings)]
        if findings[-1].ok:
            findings += _write(client, settings)
        if findings[-1].ok and settings.samples_bucket:
            findings += _write(client, replace(settings, bucket=settings.samples_bucket))[1:]
        if findings[-1].ok:
            findings.append(_query(client, settings))
    finally:
        client.close()  # type: ignore[no-untyped-call]
    parts = urlsplit(settings.url)
    if settings.token and parts.scheme == "http" and parts.hostname not in LOOPBACK:
        sentence = f"The token travels in clear to {parts.hostname}: use https on a shared network."
        findings.append(Finding("InfluxDB connection is private", False, sentence))
    return findings


def _reach(client: InfluxDBClient, settings: InfluxSettings) -> Finding:
    what = f"InfluxDB answers at {settings.url}"
    status, said, version = _ask(client, settings, "GET", "/ping")
    if status == 0:
        return Finding(what, False, f"{remedy(0, settings)} It said: {said}")
    if status is None or status >= 500:
        return Finding(what, False, f"Start InfluxDB, or correct its address ({said}).")
    return Finding(f"{what}, version {version}" if version else what, True)


def _write(client: InfluxDBClient, settings: InfluxSettings) -> list[Finding]:
    """Ask to write nothing: token and bucket are looked at before the empty body."""
    query = {"org": settings.org, "bucket": settings.bucket, "precision": "us"}
    status, said, _ = _ask(client, settings, "POST", "/api/v2/write", query)
    token, bucket = "InfluxDB token is accepted", f"InfluxDB bucket {settings.bucket} is writable"
    if status is not None and (200 <= status < 300 or status == 400):
        return [Finding(token, True), Finding(bucket, True)]
    advice = remedy(status, settings) if status is not None else ""
    sentence = advice or f"Try again; it said: {said}"
    if status == 401:
        return [Finding(token, False, sentence)]
    return [Finding(token, True), Finding(bucket, False, sentence)]


def _query(client: InfluxDBClient, settings: InfluxSettings) -> Finding:
    """InfluxQL, which InfluxDB 1, 2 and 3 share, on the path that Grafana uses."""
    what = "InfluxDB answers InfluxQL, as the Grafana board asks"
    database = settings.bucket.split("/", 1)[0]
    query = {"db": database, "q": "SHOW MEASUREMENTS"}
    status, said, _ = _ask(client, settings, "GET", "/query", query)
    if status == 200:
        try:
            result = json.loads(said)["results"][0]
            error = result.get("error")
        except (ValueError, LookupError, TypeError, AttributeError):
            error = "no answer to InfluxQL"
        if error is None:
            return Finding(what, True)
        said = str(error)[:200]
    return Finding(
        what,
        False,
        f"Give the token the right to read bucket {database}, and on InfluxDB before 2.4 map it "
        f"with `influx v1 dbrp create` ({said}).",
    )


def _ask(
    client: InfluxDBClient,
    settings: InfluxSettings,
    method: str,
    path: str,
    query: dict[str, str] | None = None,
) -> tuple[int | None, str, str]:
    """Status (None without an answer), what was said, and the server's version if it tells."""
    from influxdb_client.rest import ApiException
    from urllib3.exceptions import HTTPError

    headers = {"Content-Type": "text/plain; charset=utf-8", "Accept": "application/json"}
    if settings.token:
        headers["Authorization"] = f"Token {settings.token}"
    try:
        response = client.api_client.rest_client.request(  # type: ignore[no-untyped-call]
            method,
            settings.url.rstrip("/") + path,
            query_params=query,
            headers=headers,
            body=b"" if method == "POST" else None,
        )
    except ApiException as error:
        return error.status, refusal(error, settings), ""
    except (HTTPError, OSError, UnicodeDecodeError) as error:
        return None, type(error).__name__, ""
    return response.status, response.data, str(response.getheader("X-Influxdb-Version", ""))[:40]
