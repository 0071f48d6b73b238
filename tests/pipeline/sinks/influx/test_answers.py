from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from types import SimpleNamespace

import pytest
from influxdb_client.rest import ApiException

from pipeline.sinks.influx.answers import MAX_RETRY_AFTER_S, refusal, unavailable
from pipeline.sinks.influx.settings import InfluxSettings


@pytest.mark.parametrize(
    ("header", "wait_s"),
    [
        ("0", 0),
        ("12", 12),
        ("999999999", MAX_RETRY_AFTER_S),
        ("-5", None),
        ("soon", None),
        ("1e9", None),
        ("\x1d1", 1),
        pytest.param(format_datetime(datetime.now(UTC) - timedelta(hours=1)), 0, id="past"),
        pytest.param(
            format_datetime(datetime.now(UTC) + timedelta(days=9)), MAX_RETRY_AFTER_S, id="far"
        ),
        (None, None),
    ],
)
def test_retry_after_takes_seconds_and_dates_and_nothing_else(
    header: str | None, wait_s: float | None
) -> None:
    error = unavailable(answer(503, "{}", {"Retry-After": header}), InfluxSettings())
    assert error.retry_after_s == wait_s


@pytest.mark.parametrize(
    "body",
    [
        "{}",
        "[]",
        "null",
        "",
        "\x1b[31mred\r\n",
        '{"message": 5}',
        '{"error": "e"}',
        "x" * 999,
        "[" * 9999,
    ],
)
def test_what_the_server_says_is_one_short_printable_line(body: str) -> None:
    text = refusal(answer(500, body), InfluxSettings())
    assert text.isprintable()
    assert len(text) <= 310


def answer(status: int, body: str, headers: dict[str, str | None] | None = None) -> ApiException:
    """The client's error for this answer."""
    known = {name: value for name, value in (headers or {}).items() if value is not None}
    response = SimpleNamespace(
        status=status,
        reason="reason",
        data=body,
        getheaders=lambda: known,
        getheader=lambda name, default=None: known.get(name, default),
    )
    return ApiException(http_resp=response)  # type: ignore[no-untyped-call]
