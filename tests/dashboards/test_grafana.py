from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from dashboards.grafana.boards import FILE, as_json
from pipeline.sinks.influx.settings import InfluxSettings
from pipeline.sinks.influx.sink import InfluxSink
from tests.example_session import DURATION_S, FACTS, REPS, SETS, START_US, session
from tests.influx_double import InfluxDouble
from tests.influx_server import InfluxServer, running_influxd

BOARD: dict[str, Any] = json.loads(as_json())
PANELS: list[dict[str, Any]] = BOARD["panels"]
ANNOTATIONS: list[dict[str, Any]] = BOARD["annotations"]["list"]
VARIABLES: list[dict[str, Any]] = BOARD["templating"]["list"]
PROVISIONING = Path("dashboards/grafana/provisioning")
DATABASE = "forceband"

QUERIES = {
    **{
        f"{panel['title']} {target['refId']}": target["query"]
        for panel in PANELS
        for target in panel["targets"]
    },
    **{f"annotation {one['name']}": one["target"]["query"] for one in ANNOTATIONS},
    **{f"variable {one['name']}": one["query"] for one in VARIABLES},
}


@pytest.fixture(scope="module")
def influxd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[InfluxServer]:
    """A server that holds a session, written as the product writes it."""

    async def fill(server: InfluxServer) -> None:
        async with InfluxDouble(server.url) as double:
            config = InfluxSettings(double.url, "home", DATABASE, double.token)
            async with InfluxSink(config) as sink:
                assert not await sink.deliver(FACTS, session())

    with running_influxd(tmp_path_factory.mktemp("influxd")) as server:
        server.create(DATABASE)
        asyncio.run(fill(server))
        yield server


def interpolated(query: str, device: str = ".*", session: str = ".*") -> str:
    """As Grafana fills it in for the time of the session, with everything chosen."""
    start_ms, end_ms = START_US // 1000, START_US // 1000 + round(DURATION_S * 1000) + 1
    filled = (
        query.replace("$timeFilter", f"time >= {start_ms}ms and time <= {end_ms}ms")
        .replace("$__interval", "500ms")
        .replace("$device", device)
        .replace("$session", session)
    )
    assert "/^$" not in filled
    return filled


@pytest.mark.parametrize("name", QUERIES)
def test_each_query_answers_from_a_real_server_in_every_column(
    name: str, influxd: InfluxServer
) -> None:
    rows = influxd.rows(interpolated(QUERIES[name]), DATABASE)
    assert rows
    for column in rows[0]:
        assert any(row[column] is not None for row in rows), column


def test_the_figures_on_the_board_are_those_of_the_session(influxd: InfluxServer) -> None:
    def value(title: str) -> object:
        (row,) = influxd.rows(interpolated(QUERIES[f"{title} A"]), DATABASE)
        return next(row[column] for column in row if column != "time")

    assert value("Reps") == SETS * REPS
    assert value("Sets") == SETS
    assert value("Time under tension") == pytest.approx(SETS * REPS * 3.6)
    assert value("Best peak") == 166
    assert value("Last tempo") == "1.6-?-1.6-0.4"


def test_the_tables_hold_a_row_for_each_set_and_rep(influxd: InfluxServer) -> None:
    tables = {panel["title"]: panel for panel in PANELS if panel["type"] == "table"}
    for title, count in (("Each set", SETS), ("Each rep", SETS * REPS)):
        query = tables[title]["targets"][0]["query"]
        assert len(influxd.rows(interpolated(query), DATABASE)) == count


def test_choosing_another_band_or_session_empties_the_panels(influxd: InfluxServer) -> None:
    for name, query in QUERIES.items():
        if "$device" in query:
            assert influxd.ask(interpolated(query, device="other"), DATABASE) == [], name
        if "$session" in query:
            assert influxd.ask(interpolated(query, session="s-other"), DATABASE) == [], name


def test_the_gap_annotation_is_a_span(influxd: InfluxServer) -> None:
    (lost,) = (one["target"] for one in ANNOTATIONS if one["name"] == "Samples lost")
    (row,) = influxd.rows(interpolated(lost["query"]), DATABASE)
    assert row[lost["textColumn"]] == "120 samples lost"
    assert row[lost["timeEndColumn"]] - row["time"] // 1000 == 1500


def test_the_committed_board_is_what_the_code_gives() -> None:
    assert FILE.read_text(encoding="utf-8") == as_json(), "run python -m dashboards.grafana.boards"


def test_the_board_can_be_provisioned() -> None:
    assert re.fullmatch(r"[a-z0-9-]{1,40}", BOARD["uid"])
    assert BOARD.get("id") is None
    assert "__inputs" not in BOARD
    assert BOARD["schemaVersion"] >= 39


def test_panels_are_distinct_and_do_not_overlap() -> None:
    for key in ("id", "title"):
        assert len({panel[key] for panel in PANELS}) == len(PANELS)
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        grid = panel["gridPos"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }
        assert not taken & cells, panel["title"]
        assert max(x for x, _ in cells) < 24
        taken |= cells


def test_everything_asks_the_provisioned_source_in_influxql() -> None:
    source = yaml.safe_load((PROVISIONING / "datasources" / "influx.yaml").read_text())
    results, samples = source["datasources"]
    ref, ref_of_samples = ({"type": e["type"], "uid": e["uid"]} for e in (results, samples))
    for panel in PANELS:
        of_samples = any('FROM "force"' in target["query"] for target in panel["targets"])
        assert panel["datasource"] == (ref_of_samples if of_samples else ref)
        for target in panel["targets"]:
            assert target["datasource"] == panel["datasource"]
            assert target["rawQuery"] is True
    assert all(one["datasource"] == ref for one in [*ANNOTATIONS, *VARIABLES])
    assert not any("|>" in query for query in QUERIES.values()), "Flux is gone in InfluxDB 3"
    assert (results["jsonData"].pop("dbName"), samples["jsonData"].pop("dbName")) == (
        "$INFLUX_BUCKET",
        "$INFLUX_SAMPLES_BUCKET",
    )
    for provisioned in (results, samples):
        assert provisioned["jsonData"]["version"] == "InfluxQL"
        assert provisioned["jsonData"]["httpHeaderName1"] == "Authorization"
        header = provisioned["secureJsonData"]["httpHeaderValue1"]
        assert header == "Token $__file{/run/secrets/influx_token}"
    assert results["jsonData"] == samples["jsonData"]


def test_overrides_and_axes_name_columns_that_their_query_gives() -> None:
    for panel in PANELS:
        columns = set(re.findall(r'AS "([^"]+)"', panel["targets"][0]["query"])) | {"Time"}
        for override in panel["fieldConfig"]["overrides"]:
            matcher = override["matcher"]
            names = matcher["options"].split("|")
            assert set(names) <= columns, panel["title"]
        if panel["type"] == "barchart":
            assert panel["options"]["xField"] in columns
    links = re.findall(r"__data\.fields\.(\w+)", as_json())
    assert set(links) == {"Start", "Time"}
