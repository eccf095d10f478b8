# ruff: noqa: INP001 - of a script, not a package
"""Panels of Grafana's classic dashboards, as JSON."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

Json = dict[str, Any]

PROMETHEUS: Json = {"type": "prometheus", "uid": "${datasource}"}
WIDTH = 24  # columns of Grafana's grid
GREEN, AMBER, RED, GREY = "green", "orange", "red", "text"
STATES = {0: ("quiet", GREEN), 1: ("warning", AMBER), 2: ("critical", RED)}


class Query(NamedTuple):
    """One expression; `legend` may hold labels as `{{model}}`. `now`: only the newest values."""

    expr: str
    legend: str = ""
    now: bool = False


class Panel(NamedTuple):
    """One panel, without its place.

    Attributes:
        kind: Grafana's name of it.
        title, description: what people read.
        queries: what it draws.
        width: in columns; `height`: in rows of 30 pixels.
        unit: Grafana's name of it.
        options, defaults: of its kind; `overrides`: of single fields.
        transformations: of tables.
    """

    kind: str
    title: str
    description: str
    queries: Sequence[Query]
    width: int
    height: int
    unit: str
    options: Json
    defaults: Json
    overrides: Sequence[Json] = ()
    transformations: Sequence[Json] = ()


def steps(*levels: tuple[float | None, str]) -> Json:
    """Return colours from values on; the first has none below it."""
    return {
        "mode": "absolute",
        "steps": [{"color": color, "value": value} for value, color in levels],
    }


def mapped(names: dict[int, tuple[str, str]]) -> list[Json]:
    """Return words and colours for values."""
    shown = {
        str(value): {"text": text, "color": color, "index": index}
        for index, (value, (text, color)) in enumerate(names.items())
    }
    return [{"type": "value", "options": shown}]


def stat(
    title: str,
    description: str,
    expr: str,
    unit: str = "short",
    levels: Json | None = None,
    width: int = 4,
) -> Panel:
    """Return one number of now."""
    options = {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showPercentChange": False,
        "textMode": "auto",
        "wideLayout": True,
    }
    defaults = {
        "color": {"mode": "thresholds"},
        "noValue": "none",
        "thresholds": levels or steps((None, GREY)),
    }
    return Panel(
        "stat", title, description, [Query(expr, now=True)], width, 4, unit, options, defaults
    )


def graph(
    title: str,
    description: str,
    queries: Sequence[Query],
    unit: str = "short",
    width: int = 12,
    stacked: bool = False,
    overrides: Sequence[Json] = (),
    levels: Json | None = None,
) -> Panel:
    """Return lines over time; `levels`: limits that are drawn as lines."""
    options = {
        "legend": {
            "calcs": ["lastNotNull"], "displayMode": "table", "placement": "bottom",
            "showLegend": True,
        },
        "tooltip": {"mode": "multi", "sort": "desc"},
    }  # fmt: skip
    custom = {
        "drawStyle": "line",
        "fillOpacity": 20 if stacked else 0,
        "lineWidth": 1,
        "showPoints": "never",
        "spanNulls": False,
        "stacking": {"group": "A", "mode": "normal" if stacked else "none"},
        "thresholdsStyle": {"mode": "off" if levels is None else "dashed"},
    }
    defaults = {
        "color": {"mode": "palette-classic"},
        "custom": custom,
        "thresholds": levels or steps((None, GREEN)),
    }
    return Panel(
        "timeseries", title, description, queries, width, 9, unit, options, defaults, overrides
    )


def timeline(
    title: str, description: str, query: Query, names: dict[int, tuple[str, str]], width: int = 12
) -> Panel:
    """Return states over time: a band each series, with words and colours."""
    options = {
        "alignValue": "left",
        "legend": {
            "calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": True,
        },
        "mergeValues": True,
        "rowHeight": 0.9,
        "showValue": "auto",
        "tooltip": {"mode": "single", "sort": "none"},
    }  # fmt: skip
    defaults = {
        "color": {"mode": "thresholds"},
        "custom": {"fillOpacity": 70, "lineWidth": 0},
        "mappings": mapped(names),
        "thresholds": steps((None, GREY)),
    }
    return Panel(
        "state-timeline", title, description, [query], width, 9, "short", options, defaults
    )


def bars(title: str, description: str, query: Query, unit: str, levels: Json) -> Panel:
    """Return a bar each series, of now."""
    options = {
        "displayMode": "basic",
        "legend": {
            "calcs": [], "displayMode": "list", "placement": "bottom", "showLegend": False,
        },
        "maxVizHeight": 300,
        "minVizHeight": 16,
        "minVizWidth": 8,
        "namePlacement": "auto",
        "orientation": "horizontal",
        "reduceOptions": {"calcs": ["lastNotNull"], "fields": "", "values": False},
        "showUnfilled": True,
        "sizing": "auto",
        "valueMode": "color",
    }  # fmt: skip
    defaults = {"color": {"mode": "thresholds"}, "min": 0, "thresholds": levels}
    return Panel("bargauge", title, description, [query], 12, 9, unit, options, defaults)


def table(
    title: str,
    description: str,
    queries: Sequence[Query],
    columns: dict[str, str],
    overrides: Sequence[Json] = (),
    width: int = WIDTH,
) -> Panel:
    """Return a row for each set of labels.

    `columns`: label or value to heading, in their order; all others are hidden. The value of the
    only query is `Value`; of several, `Value #A`, `Value #B` and so on.
    """
    hidden = {"Time", "Value"} - columns.keys()
    order = {name: index for index, name in enumerate(columns)}
    transformations: list[Json] = [] if len(queries) == 1 else [{"id": "merge", "options": {}}]
    transformations.append(
        {
            "id": "organize",
            "options": {
                "excludeByName": dict.fromkeys(sorted(hidden), True),
                "indexByName": order,
                "renameByName": columns,
            },
        }
    )
    options = {"cellHeight": "sm", "frameIndex": 0, "showHeader": True}
    defaults = {
        "custom": {"align": "auto", "cellOptions": {"type": "auto"}, "inspect": False},
        "noValue": "-",
        "thresholds": steps((None, GREY)),
    }
    return Panel(
        "table", title, description, queries, width, 9, "short", options, defaults, overrides,
        transformations,
    )  # fmt: skip


def override(field: str, **properties: Any) -> Json:
    """Return what holds of one field; `__` in a name stands for the point in Grafana's."""
    return {
        "matcher": {"id": "byName", "options": field},
        "properties": [
            {"id": name.replace("__", "."), "value": value} for name, value in properties.items()
        ],
    }


def link(title: str, url: str) -> list[Json]:
    """Return the link of a field, which opens beside the dashboard."""
    return [{"title": title, "url": url, "targetBlank": True}]


def panel(number: int, x: int, y: int, one: Panel) -> Json:
    """Return a panel at its place, as Grafana reads it."""
    tabular = one.kind == "table"
    targets = [
        {
            "datasource": PROMETHEUS,
            "editorMode": "code",
            "expr": query.expr,
            "format": "table" if tabular else "time_series",
            "instant": query.now or tabular,
            "legendFormat": query.legend or "__auto",
            "range": not (query.now or tabular),
            "refId": chr(ord("A") + index),
        }
        for index, query in enumerate(one.queries)
    ]
    return {
        "id": number,
        "type": one.kind,
        "title": one.title,
        "description": one.description,
        "datasource": PROMETHEUS,
        "gridPos": {"h": one.height, "w": one.width, "x": x, "y": y},
        "fieldConfig": {
            "defaults": {"unit": one.unit, **one.defaults},
            "overrides": list(one.overrides),
        },
        "options": one.options,
        "targets": targets,
        "transformations": list(one.transformations),
    }
