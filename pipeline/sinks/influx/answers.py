"""What InfluxDB's refusals mean: which pass, which a person must mend, which lines are at fault."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from pipeline.sinks.influx.settings import InfluxSettings
from pipeline.sinks.sink import SinkUnavailableError

if TYPE_CHECKING:
    from influxdb_client.rest import ApiException

HOLD_S = 60.0
"""Wait before trying again what only a person can mend."""
MAX_RETRY_AFTER_S = 600.0
"""Longest wait that a server may ask for."""
MAX_MESSAGE = 300
"""Characters of a server's message that are shown."""

_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]+")
_DROPPED = re.compile(r"\bdropped=(\d+)\b")


def rejects_lines(error: ApiException) -> bool:
    """Whether a line is at fault; a 400 that is not InfluxDB's own tells of a wrong address."""
    return error.status == 413 or (error.status in {400, 422} and bool(_answer(error.body)))


def refusal(error: ApiException, settings: InfluxSettings) -> str:
    """What the server said, for a person: one line, short, and without the token."""
    body = error.body or ""
    answer = _answer(body)
    said = str(answer.get("message") or answer.get("error") or body)
    said = _CONTROL.sub(" ", said or str(error.reason or ""))
    if settings.token:
        said = said.replace(settings.token, "***")
    return f"{error.status or 'TLS'} {said[:MAX_MESSAGE]}".strip()


def remedy(status: int, settings: InfluxSettings) -> str:
    """What the person can do about a refusal that will not pass by itself; empty if it may."""
    match status:
        case 0:
            return (
                "The certificate is not trusted: name the authority's file as ca_file. Or this "
                "port speaks no TLS: then the url begins with http://."
            )
        case 401:
            return "The token is missing or wrong: set FORCEBAND_INFLUX_TOKEN."
        case 403:
            return f"The token may not write to bucket {settings.bucket}: give it that right."
        case 404:
            return (
                f"No bucket {settings.bucket} in organisation {settings.org}: "
                "create it, or correct bucket and org."
            )
        case _ if status < 500 and status not in {408, 425, 429}:
            return f"Is {settings.url} InfluxDB's own address?"
        case _:
            return ""


def unavailable(error: ApiException, settings: InfluxSettings) -> SinkUnavailableError:
    """The refusal as the error that holds delivery, for as long as the server or its cause asks."""
    advice = remedy(error.status, settings)
    headers: Mapping[str, str] = error.headers or {}
    asked_s = _retry_after_s(headers.get("Retry-After"))
    if not advice and asked_s:
        advice = f"It asks to wait {asked_s:.0f} s"
    return SinkUnavailableError(
        f"InfluxDB at {settings.url} refuses: {refusal(error, settings)}. {advice}".rstrip(". ")
        + ".",
        retry_after_s=asked_s if asked_s is not None else HOLD_S if advice else None,
    )


def _retry_after_s(header: str | None) -> float | None:
    """Seconds from a Retry-After header, given as such or as a date (RFC 9110, 10.2.3)."""
    if header is None:
        return None
    header = header.strip()
    if re.fullmatch(r"[0-9]{1,9}", header):
        wait_s = float(header)
    else:
        try:
            until = parsedate_to_datetime(header)
        except ValueError:
            return None
        if until.tzinfo is None:
            until = until.replace(tzinfo=UTC)
        wait_s = (until - datetime.now(UTC)).total_seconds()
    return min(max(wait_s, 0.0), MAX_RETRY_AFTER_S)


def dropped_all(message: str, count: int) -> bool:
    """Whether a partial write tells that it took none, such as points beyond the retention."""
    dropped = _DROPPED.search(message)
    return dropped is not None and int(dropped[1]) == count


def _answer(body: str | None) -> dict[str, Any]:
    """InfluxDB's own answer; empty where something in front of it answered."""
    try:
        answer = json.loads(body or "")
    except (ValueError, RecursionError):
        return {}
    return answer if isinstance(answer, dict) else {}
