from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.sinks.influx.settings import InfluxSettings


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"url": "influx:8086"}, "url not http"),
        ({"url": "http://"}, "url not http"),
        ({"url": "http://me:secret@influx:99999999"}, "url holds more than[a-z, ]*$"),
        ({"url": "me:secret@influx:8086"}, "url holds more than[a-z, ]*$"),
        ({"url": "http://host:80a86"}, "url 'http://host:80a86': Port"),
        ({"url": "http://host:99999"}, "url 'http://host:99999': Port"),
        ({"url": "http://[::1"}, "url 'http://.::1': Invalid IPv6"),
        ({"url": "http://me:secret@host:8086"}, "more than scheme"),
        ({"bucket": ""}, "bucket is empty"),
        ({"token": "two\nlines"}, "token holds"),
        ({"timeout_s": 0.0}, "timeout_s"),
        ({"batch_lines": 0}, "batch_lines"),
        ({"ca_file": Path("/nowhere.pem")}, "ca_file is no file"),
    ],
)
def test_settings_check_themselves(changes: dict[str, object], says: str) -> None:
    with pytest.raises(ValueError, match=says) as caught:
        InfluxSettings(**changes)  # type: ignore[arg-type]
    assert "secret" not in str(caught.value)
