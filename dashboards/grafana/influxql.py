"""InfluxQL as Grafana's targets: the one query language that InfluxDB 1, 2 and 3 share."""

from __future__ import annotations

from typing import Literal

from grafana_foundation_sdk.cog import builder, variants
from grafana_foundation_sdk.models.common import DataSourceRef

INFLUX = DataSourceRef(type_val="influxdb", uid="forceband-influx")
"""The data source of `provisioning/datasources/influx.yaml`, for the results."""
SAMPLES = DataSourceRef(type_val="influxdb", uid="forceband-influx-samples")
"""That of the samples of force, which may be kept in another bucket for a shorter time."""

BAND = '"device" =~ /^$device$/'
SESSION = '"session" =~ /^$session$/'
NOT_VOID = '"reps" > 0'
"""A set without reps is one that was told of again, with what came later."""


class InfluxQuery(variants.Dataquery):
    """A raw InfluxQL query of a panel."""

    def __init__(
        self,
        query: str,
        ref_id: str = "A",
        alias: str = "",
        form: Literal["time_series", "table"] = "time_series",
        source: DataSourceRef = INFLUX,
    ) -> None:
        self.query, self.ref_id, self.alias, self.form = query, ref_id, alias, form
        self.source = source

    def to_json(self) -> dict[str, object]:
        """As the data source's own editor saves it."""
        fields: dict[str, object] = {
            "refId": self.ref_id,
            "datasource": self.source,
            "query": self.query,
            "rawQuery": True,
            "resultFormat": self.form,
        }
        return {**fields, "alias": self.alias} if self.alias else fields


class InfluxEvents(variants.Dataquery):
    """A query whose rows are annotations; with an end in ms since 1970 they are spans."""

    def __init__(self, name: str, query: str, text: str, tags: str = "", until: str = "") -> None:
        self.name, self.query, self.text, self.tags, self.until = name, query, text, tags, until

    def to_json(self) -> dict[str, object]:
        """As the data source's own editor saves it."""
        return {
            "refId": "Anno",
            "name": self.name,
            "query": self.query,
            "queryType": "tags",
            "fromAnnotations": True,
            "textColumn": self.text,
            "tagsColumn": self.tags,
            "timeEndColumn": self.until,
            "titleColumn": "",
        }


class Built(builder.Builder[variants.Dataquery]):
    """The foundation SDK asks for builders everywhere; this one is done already."""

    def __init__(self, query: variants.Dataquery) -> None:
        self._query = query

    def build(self) -> variants.Dataquery:
        """Return the query."""
        return self._query


def select(fields: str | dict[str, str], measurement: str, *conditions: str, end: str = "") -> str:
    """A query in the board's time range; of `fields`, a dict names each field's column."""
    if isinstance(fields, dict):
        fields = ", ".join(f'"{field}" AS "{column}"' for field, column in fields.items())
    where = " AND ".join((*conditions, BAND, "$timeFilter"))
    return " ".join(("SELECT", fields, "FROM", f'"{measurement}"', "WHERE", where, end)).rstrip()


def series(query: str, alias: str, ref_id: str = "A", source: DataSourceRef = INFLUX) -> Built:
    """Curves named by `alias`, over time."""
    return Built(InfluxQuery(query, ref_id, alias, source=source))


def rows(query: str) -> Built:
    """A table, its columns named by the query."""
    return Built(InfluxQuery(query, form="table"))
