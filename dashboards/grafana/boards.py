"""The Grafana board of a training session, as code.

`python -m dashboards.grafana.boards` writes the JSON that Grafana reads.
"""

from __future__ import annotations

from pathlib import Path

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from dashboards.grafana import panels
from dashboards.grafana.influxql import (
    INFLUX,
    NOT_VOID,
    SAMPLES,
    SESSION,
    Built,
    InfluxEvents,
    select,
)

UID = "forceband-session"
FILE = Path(__file__).parent / "json" / "session.json"

BANDS = 'SHOW TAG VALUES FROM "link" WITH KEY = "device"'
SESSIONS = select('DISTINCT("session")', "link")
LOST = select('"text", "until_ms"', "link", "\"event\" = 'gap'", '"text" !~ /^0 /', SESSION)
MARKS = select('"text", "event"', "link", '"event" =~ /^(mark|tare|down)$/', SESSION)


def board() -> dashboard.Dashboard:
    """Everything about the sessions in the time range: live on top, history below."""
    made = (
        dashboard.Dashboard("Force band: session")
        .uid(UID)
        .description("Force, repetitions and tempo of a resistance band, written by forceband.")
        .tags(["forceband"])
        .time("now-15m", "now")
        .refresh("5s")
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .with_variable(_variable("device", "Band", BANDS))
        .with_variable(_variable("session", "Session", SESSIONS))
        .annotation(
            _events("Samples lost", panels.BAD, InfluxEvents("", LOST, "text", until="until_ms"))
        )
        .annotation(
            _events("Marks", panels.ECCENTRIC, InfluxEvents("", MARKS, "text", tags="event"))
        )
    )
    for number, panel in enumerate(_panels(), start=1):
        made.with_panel(panel.id(number))
    return made


def as_json() -> str:
    """The board as the file that Grafana reads: the same text for the same code."""
    return JSONEncoder(sort_keys=True, indent=2, ensure_ascii=False).encode(board().build()) + "\n"


def _panels() -> list[panels.Panel]:
    force = panels.force()
    made: list[panels.Panel] = [
        panels.number("Reps", select('count("peak_n")', "rep", SESSION)),
        panels.number("Sets", select('count("reps")', "set", NOT_VOID, SESSION)),
        panels.number(
            "Time under tension",
            select('sum("tut_s")', "set", SESSION),
            unit="dthms",
            about="From start to end of each rep; gaps are left out.",
        ),
        panels.number("Best peak", select('max("peak_n")', "rep", SESSION), "forceN"),
        panels.number(
            "Last tempo",
            select('last("tempo")', "rep", SESSION),
            about="Eccentric-bottom-concentric-hold, in seconds.",
        ),
        panels.battery(),
        force,
        panels.phases(),
        panels.peaks(),
        panels.tempo(),
        panels.sets(UID),
        panels.reps(),
        panels.band_events(),
    ]
    return [panel.datasource(SAMPLES if panel is force else INFLUX) for panel in made]


def _variable(name: str, label: str, query: str) -> dashboard.QueryVariable:
    return (
        dashboard.QueryVariable(name)
        .label(label)
        .query(query)
        .definition(query)
        .datasource(INFLUX)
        .refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        .sort(VariableSort.ALPHABETICAL_DESC)
        .multi(True)
        .include_all(True)
        .all_value(".*")
        .current(VariableOption(selected=True, text="All", value="$__all"))
    )


def _events(name: str, color: str, query: InfluxEvents) -> dashboard.AnnotationQuery:
    return (
        dashboard.AnnotationQuery()
        .name(name)
        .datasource(INFLUX)
        .enable(True)
        .icon_color(color)
        .target(Built(query))
    )


if __name__ == "__main__":
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(as_json(), encoding="utf-8")
