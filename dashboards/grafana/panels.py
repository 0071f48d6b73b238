"""The panels of the board: what each asks of InfluxDB and how it looks."""

from __future__ import annotations

from grafana_foundation_sdk.builders import (
    barchart,
    common,
    dashboard,
    stat,
    statetimeline,
    table,
    timeseries,
)
from grafana_foundation_sdk.models.common import (
    BigValueColorMode,
    BigValueGraphMode,
    LegendDisplayMode,
    LegendPlacement,
    StackingMode,
    TableAutoCellOptions,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DynamicConfigValue,
    FieldColorModeId,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMappingResult,
)

from dashboards.grafana.influxql import NOT_VOID, SAMPLES, SESSION, rows, select, series

Panel = barchart.Panel | stat.Panel | statetimeline.Panel | table.Panel | timeseries.Panel

# Okabe and Ito's palette, which people of all colour vision tell apart
CONCENTRIC, HOLD, ECCENTRIC, REST = "#E69F00", "#F0E442", "#56B4E9", "#5A6270"
GOOD, BAD = "#009E73", "#D55E00"

NEWEST_FIRST = "ORDER BY time DESC LIMIT 500"

LABELS = {
    "concentric": ("concentric", CONCENTRIC),
    "hold": ("hold", HOLD),
    "eccentric": ("eccentric", ECCENTRIC),
    "rest": ("rest", REST),
    "1": ("link up", GOOD),
    "0": ("link down", BAD),
}


def number(title: str, query: str, unit: str = "none", about: str = "") -> stat.Panel:
    """One large value."""
    panel = (
        stat.Panel()
        .title(title)
        .span(4)
        .height(4)
        .unit(unit)
        .decimals(0)
        .no_value("-")
        .color_mode(BigValueColorMode.NONE)
        .graph_mode(BigValueGraphMode.NONE)
        .reduce_options(common.ReduceDataOptions().calcs(["lastNotNull"]).fields("/^(?!Time$).*/"))
        .with_target(rows(query))
    )
    return panel.description(about) if about else panel


def battery() -> stat.Panel:
    """Charge that the band told last, coloured when it is low."""
    query = select('"battery"', "link", "\"event\" = 'battery'", SESSION)
    steps = [Threshold(None, BAD), Threshold(20, HOLD), Threshold(40, GOOD)]
    return (
        number("Battery", query, unit="percent")
        .color_mode(BigValueColorMode.VALUE)
        .thresholds(dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
    )


def force() -> timeseries.Panel:
    """The live curve."""
    grouping = 'GROUP BY time($__interval), "device", "side" fill(null)'
    query = select('max("force_n")', "force", end=grouping)
    return (
        timeseries.Panel()
        .title("Force")
        .description(
            "The highest force in each pixel's stretch of time, so that peaks stay visible. "
            "A line is broken where samples are missing."
        )
        .span(24)
        .height(11)
        .unit("forceN")
        .min(0)
        .interval("50ms")
        .line_width(2)
        .fill_opacity(12)
        .show_points(VisibilityMode.NEVER)
        .span_nulls(1000)
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.PALETTE_CLASSIC))
        .legend(_legend())
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
        .with_target(series(query, "$tag_device ($tag_side)", source=SAMPLES))
    )


def phases() -> statetimeline.Panel:
    """Lanes below the curve: what the person did, and whether the link was up."""
    grouping = 'GROUP BY "device"'
    phase = select('"phase"', "phase", end=grouping)
    link = select('"up"', "link", '"event" =~ /^(up|down)$/', end=grouping)
    mappings = {
        value: ValueMappingResult(text, color, index=index)
        for index, (value, (text, color)) in enumerate(LABELS.items())
    }
    return (
        statetimeline.Panel()
        .title("Phases and link")
        .description("Phases are known for good, and shown, when their set is over.")
        .span(24)
        .height(6)
        .row_height(0.8)
        .line_width(0)
        .fill_opacity(85)
        .merge_values(True)
        .show_value(VisibilityMode.NEVER)
        .mappings([ValueMap(mappings)])
        .legend(_legend())
        .with_target(series(phase, "$tag_device phase"))
        .with_target(series(link, "$tag_device link", "B"))
    )


def peaks() -> barchart.Panel:
    """How force fades over a set and over the sets."""
    query = select({"label": "Rep", "peak_n": "Peak"}, "rep", SESSION)
    return (
        _bars("Peak of each rep", "forceN", 0)
        .description("Numbered set.rep; the fall within a set is fatigue.")
        .color_scheme(dashboard.FieldColor().mode(FieldColorModeId.FIXED).fixed_color(CONCENTRIC))
        .legend(_legend(shown=False))
        .with_target(rows(query))
    )


def tempo() -> barchart.Panel:
    """The four parts of each rep."""
    columns = {
        "label": "Rep",
        "ecc_s": "Eccentric",
        "bottom_s": "Bottom",
        "con_s": "Concentric",
        "hold_s": "Hold",
    }
    colors = {"Eccentric": ECCENTRIC, "Bottom": REST, "Concentric": CONCENTRIC, "Hold": HOLD}
    panel = (
        _bars("Tempo of each rep", "s", 1)
        .description("Eccentric-bottom-concentric-hold, in seconds, stacked from below.")
        .stacking(StackingMode.NORMAL)
        .legend(_legend())
        .with_target(rows(select(columns, "rep", SESSION)))
    )
    for name, color in colors.items():
        fixed = {"mode": FieldColorModeId.FIXED, "fixedColor": color}
        panel.override_by_name(name, [DynamicConfigValue("color", fixed)])
    return panel


def sets(uid: str) -> table.Panel:
    """The training log; a set's start leads to the board `uid` with that set alone."""
    columns = {
        "start_ms": "Start",
        "set": "Set",
        "exercise": "Exercise",
        "reps": "Reps",
        "partials": "Partials",
        "tut_s": "Under tension",
        "rest_s": "Rest before",
        "peak_n": "Peak",
        "volume_ns": "Volume",
        "force_loss_percent": "Force loss",
    }
    query = select(columns, "set", NOT_VOID, SESSION, end=NEWEST_FIRST)
    zoom = {
        "title": "Show only this set",
        "url": f"/d/{uid}?from=${{__data.fields.Start.numeric}}&to=${{__data.fields.Time.numeric}}"
        "&${device:queryparam}&${session:queryparam}",
    }
    return (
        _table("Each set", query, 8)
        .description(
            "Click a start to see that set alone. Volume is the sum of force × time; force loss is "
            "the fall of the peak over the set."
        )
        .override_by_name(
            "Start",
            [DynamicConfigValue("unit", "dateTimeAsIso"), DynamicConfigValue("links", [zoom])],
        )
        .override_by_name(
            "Time",
            [DynamicConfigValue("unit", "dateTimeAsIso"), DynamicConfigValue("displayName", "End")],
        )
        .override_by_regexp("Under tension|Rest before", _unit("suffix: s", 1))
        .override_by_name("Peak", _unit("forceN", 0))
        .override_by_name("Volume", _unit("suffix: N·s", 0))
        .override_by_name("Force loss", _unit("percent", 0))
    )


def reps() -> table.Panel:
    """Every rep with its figures."""
    columns = {
        "label": "Rep",
        "exercise": "Exercise",
        "side": "Side",
        "peak_n": "Peak",
        "mean_n": "Mean",
        "tempo": "Tempo",
        "tut_s": "Under tension",
        "rfd_n_s": "RFD 20-80 %",
        "impulse_ns": "Impulse",
        "confidence": "Confidence",
    }
    query = select(columns, "rep", SESSION, end=NEWEST_FIRST)
    return (
        _table("Each rep", query, 10)
        .description("Tempo is eccentric-bottom-concentric-hold, in seconds.")
        .override_by_regexp("Peak|Mean", _unit("forceN", 0))
        .override_by_name("Under tension", _unit("suffix: s", 1))
        .override_by_name("RFD 20-80 %", _unit("suffix: N/s", 0))
        .override_by_name("Impulse", _unit("suffix: N·s", 0))
        .override_by_name("Confidence", _unit("percentunit", 0))
    )


def band_events() -> table.Panel:
    """What the band and its link went through."""
    columns = {"event": "Event", "text": "What", "gap_ms": "Gap", "missing": "Samples lost"}
    query = select(columns, "link", "\"event\" != 'battery'", SESSION, end=NEWEST_FIRST)
    return (
        _table("What happened to band and link", query, 8)
        .override_by_name("Gap", _unit("ms", 1))
        .override_by_name("What", [DynamicConfigValue("custom.width", 700)])
    )


def _bars(title: str, unit: str, decimals: int) -> barchart.Panel:
    return (
        barchart.Panel()
        .title(title)
        .span(12)
        .height(9)
        .unit(unit)
        .decimals(decimals)
        .min(0)
        .x_field("Rep")
        .x_tick_label_spacing(100)
        .show_value(VisibilityMode.NEVER)
        .bar_width(0.85)
        .line_width(0)
        .fill_opacity(85)
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI))
    )


def _table(title: str, query: str, height: int) -> table.Panel:
    return (
        table.Panel()
        .title(title)
        .span(24)
        .height(height)
        .show_header(True)
        .cell_options(TableAutoCellOptions())
        .with_target(rows(query))
    )


def _unit(unit: str, decimals: int) -> list[DynamicConfigValue]:
    return [DynamicConfigValue("unit", unit), DynamicConfigValue("decimals", decimals)]


def _legend(shown: bool = True) -> common.VizLegendOptions:
    return (
        common.VizLegendOptions()
        .show_legend(shown)
        .display_mode(LegendDisplayMode.LIST)
        .placement(LegendPlacement.BOTTOM)
        .calcs([])
    )
