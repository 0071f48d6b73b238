from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pipeline.sinks.influx.check import Finding, check
from pipeline.sinks.influx.settings import InfluxSettings
from tests.influx_double import InfluxDouble
from tests.influx_server import InfluxServer, running_influxd

TOKEN = "secret-token"


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    with running_influxd(tmp_path_factory.mktemp("influxd")) as server:
        server.create("forceband")
        yield server


def found(influxd: InfluxServer, **changes: str) -> list[Finding]:
    async def main() -> list[Finding]:
        async with InfluxDouble(influxd.url, TOKEN) as double:
            config = InfluxSettings(double.url, "home", "forceband", TOKEN, timeout_s=5)
            return await check(replace(config, **changes))  # type: ignore[arg-type]

    findings = asyncio.run(main())
    assert TOKEN not in str(findings)
    return findings


def test_a_server_that_is_set_up_passes_every_step(influxd: InfluxServer) -> None:
    findings = found(influxd)
    assert [finding.ok for finding in findings] == [True] * 4
    assert "version v2-double" in findings[0].what


def test_a_bucket_of_the_samples_own_is_looked_at_too(influxd: InfluxServer) -> None:
    findings = found(influxd, samples_bucket="forceband")
    assert [finding.ok for finding in findings] == [True] * 5
    findings = found(influxd, samples_bucket="nowhere")
    assert "nowhere" in findings[-1].remedy
    assert not findings[-1].ok


def test_checking_writes_nothing(influxd: InfluxServer) -> None:
    found(influxd)
    assert influxd.ask("SHOW MEASUREMENTS", "forceband") == []


def test_a_server_that_is_not_there_is_the_only_finding(influxd: InfluxServer) -> None:
    (finding,) = found(influxd, url="http://127.0.0.1:9")
    assert not finding.ok
    assert "Start InfluxDB" in finding.remedy


def test_https_to_a_port_without_tls_is_named(influxd: InfluxServer) -> None:
    (finding,) = found(influxd, url=influxd.url.replace("http:", "https:"))
    assert not finding.ok
    assert "speaks no TLS" in finding.remedy


def test_a_wrong_token_is_told_apart_from_a_missing_bucket(influxd: InfluxServer) -> None:
    assert [finding.ok for finding in found(influxd, token="wrong")] == [True, False]
    assert "FORCEBAND_INFLUX_TOKEN" in found(influxd, token="wrong")[-1].remedy
    assert [finding.ok for finding in found(influxd, bucket="elsewhere")] == [True, True, False]
    assert "No bucket elsewhere" in found(influxd, bucket="elsewhere")[-1].remedy


def test_a_query_path_that_does_not_answer_influxql_is_named(
    influxd: InfluxServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def unmapped(self: InfluxDouble, request: object) -> object:
        del self, request
        from aiohttp import web

        return web.json_response({"results": [{"error": "database not found"}]})

    monkeypatch.setattr(InfluxDouble, "_query", unmapped)
    findings = found(influxd)
    assert [finding.ok for finding in findings] == [True, True, True, False]
    assert "dbrp" in findings[-1].remedy


def test_a_token_sent_in_clear_over_a_network_is_named(influxd: InfluxServer) -> None:
    findings = found(influxd, url="http://0.0.0.0:9")
    assert "in clear" in findings[-1].remedy
