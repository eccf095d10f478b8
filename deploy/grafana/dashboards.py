# ruff: noqa: INP001 - a script, not a package
"""Write Grafana's dashboards: `python -m deploy.grafana.dashboards`, after a change of this file.

Classic JSON in the form of Grafana 9.0, which versions up to 13 read. They have fixed uids, so that
links to them last. `$page` is where Driftline's page is, as the workers say (`ui.url`).
"""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path

from deploy.grafana.panels import (
    AMBER,
    GREEN,
    GREY,
    RED,
    STATES,
    WIDTH,
    Json,
    Panel,
    Query,
    bars,
    choice,
    datasource,
    graph,
    link,
    override,
    panel,
    severities,
    stat,
    steps,
    table,
    timeline,
    variable,
)

FOLDER = Path(__file__).resolve().parent / "dashboards"
MODEL = 'model=~"$model"'
STREAM = f'{MODEL}, segment=~"$segment"'
FEATURE = f'{STREAM}, feature=~"$feature"'
TAG = "driftline"
# The whole model has no segment: as a value of the variable it needs a name.
_SEGMENTS = (
    "query_result(group by (pick, shown) ("
    'label_replace(label_replace(driftline_window_events{model=~"$model", segment!=""},'
    ' "pick", "$1", "segment", "(.+)"), "shown", "$1", "segment", "(.+)")'
    ' or label_replace(label_replace(driftline_model_info{model=~"$model"},'
    ' "pick", "^$", "model", ".*"), "shown", "the whole model", "model", ".*")))'
)
_SEGMENT_NAMES = '/pick="(?<value>[^"]+)",\\s*shown="(?<text>[^"]+)"/'
_WORKER = 'instance=~"$instance"'


def models() -> list[tuple[str, list[Panel]]]:
    """Return what is said of models: is anything wrong, since when, how sure."""
    return [("", _now()), ("Features", _features()), ("Performance", _performance()),
            ("Events", _events())]  # fmt: skip


def _now() -> list[Panel]:
    count = f"sum(model:driftline_alerts_firing:count{{{MODEL}, severity='%s'}}) or vector(0)"
    severity = f"driftline_drift_active{{{MODEL}, severity='%s'}}"
    return [
        stat("Critical", "Alerts that fire.", count % "critical",
             levels=steps((None, GREEN), (1, RED))),
        stat("Warnings", "Alerts that fire.", count % "warning",
             levels=steps((None, GREEN), (1, AMBER))),
        stat("Models", "Judged by any worker.",
             f"count(count by (model) (driftline_model_info{{{MODEL}}}))"),
        stat("Failed", "Not watched, because of an error of Driftline's own.",
             f"sum(max by (model) (driftline_model_failed{{{MODEL}}}))",
             levels=steps((None, GREEN), (1, RED))),
        stat("Most budget spent", "In 30 days, of the model that spent most; 100 % is what it may.",
             f"max(model:driftline_budget_spent:ratio30d{{{MODEL}}})", "percentunit",
             steps((None, GREEN), (1, AMBER))),
        stat("Behind the newest event", "Up to there windows are judged; of the slowest model.",
             f"max(model:driftline_watermark_lag:seconds{{{MODEL}}})", "s"),
        table(
            "Alerts that fire",
            "Of all segments. The id leads to the alert on the page.",
            [Query(
                "max by (severity, model, segment, feature, kind, alert_id) (driftline_alert_info"
                f'{{{MODEL}, feature=~"$feature", severity=~"$severity"}})'
            )],
            {"severity": "Severity", "model": "Model", "segment": "Segment", "feature": "Feature",
             "kind": "Kind", "alert_id": "Alert"},
            [override("Alert", links=link("On the page", "${page}/alerts/${__value.raw}")),
             override("Model", links=link("On the page",
                                          "${page}/models/${__value.raw:percentencode}"))],
        ),
        timeline(
            "Each model", "Its worst alert, of any feature and segment.",
            Query(f"max by (model) (2 * {severity % 'critical'} or {severity % 'warning'})",
                  "{{model}}"),
            STATES,
        ),
        bars(
            "Budget spent in 30 days",
            "Alerts that the budget's rules fired, against the false alarms that it allows. Real "
            "changes are in it, too.",
            Query(f"model:driftline_budget_spent:ratio30d{{{MODEL}}}", "{{model}}", now=True),
            "percentunit", steps((None, GREEN), (1, AMBER)),
        ),
    ]  # fmt: skip


def _features() -> list[Panel]:
    effect = f'driftline_drift_score{{{FEATURE}, detector="psi"}}'
    named = "{{model}} {{segment}} {{feature}}"
    over = (
        f'driftline_drift_score{{{FEATURE}, detector!="psi"}}'
        f" / (driftline_drift_threshold{{{FEATURE}}} > 0)"
    )
    return [
        graph("Effect (PSI)", "How much each feature changed. Above 0.25 an alert is critical.",
              [Query(f"max by (model, segment, feature) ({effect})", named)],
              levels=steps((None, GREEN), (0.25, RED))),
        graph("Detectors against their limits",
              "From 1 on a detector is beyond its limit: the configured one, else what a quiet "
              "window hardly exceeds.",
              [Query(f"max by (model, segment, feature, detector) ({over})",
                     named + " {{detector}}")],
              levels=steps((None, GREEN), (1, AMBER))),
        table(
            "Features, worst first", "In the newest window of the segment that is chosen.",
            [Query(f"topk(100, max by (model, segment, feature) ({effect}))"),
             Query("max by (model, segment, feature) "
                   f"(driftline_feature_missing_ratio{{{FEATURE}}})")],
            {"model": "Model", "segment": "Segment", "feature": "Feature", "Value #A": "Effect",
             "Value #B": "Missing"},
            [override("Effect", decimals=3), override("Missing", unit="percentunit"),
             override("Feature", links=link(
                 "On the page",
                 "${page}/models/${__data.fields.Model:percentencode}"
                 "/features/${__value.raw:percentencode}"))],
            width=12,
        ),
        graph("Segments, side by side", "The effect (PSI) in each segment, whichever is chosen.",
              [Query("max by (model, segment, feature) (driftline_drift_score"
                     f'{{{MODEL}, segment!="", feature=~"$feature", detector="psi"}})', named)]),
        graph("Missing values", "Share of events in which a feature is null or absent.",
              [Query("max by (model, segment, feature) "
                     f"(driftline_feature_missing_ratio{{{FEATURE}}})", named)], "percentunit"),
        timeline(
            "Each feature", "Its worst alert in any segment.",
            Query("max by (model, feature) (2 * driftline_drift_active"
                  f'{{{MODEL}, feature=~"$feature", severity="critical"}} or driftline_drift_active'
                  f'{{{MODEL}, feature=~"$feature", severity="warning"}})',
                  "{{model}} {{feature}}"),
            STATES,
        ),
    ]  # fmt: skip


def _performance() -> list[Panel]:
    def watched(name: str) -> str:
        limit = f"driftline_performance_threshold{{{STREAM}}}"
        same = "on (job, model, segment, metric)"
        return f"max by (model, segment, metric) ({name}{{{STREAM}}} and {same} {limit})"

    by = "max by (model, segment, metric) (driftline_performance{}{{{}}})"
    decisions = {-1: ("worse", RED), 0: ("undecided", GREY), 1: ("better", GREEN)}
    return [
        graph(
            "Metrics with a limit", "Value, 95 % interval, limit, and the value in the reference.",
            [Query(watched(f"driftline_performance{ending}"), f"{{{{model}}}} {{{{metric}}}}{name}")
             for ending, name in (("", ""), ("_low", " low"), ("_high", " high"),
                                  ("_threshold", " limit"), ("_normal", " normal"))],
        ),
        table(
            "All metrics", "In the newest window of labels; estimates in that of events.",
            [Query(by.format(ending, STREAM)) for ending in ("", "_low", "_high", "_normal")],
            {"model": "Model", "segment": "Segment", "metric": "Metric", "Value #A": "Value",
             "Value #B": "Low", "Value #C": "High", "Value #D": "Normal"},
            [override("Model", links=link("On the page",
                      "${page}/models/${__value.raw:percentencode}/performance"))],
            width=12,
        ),
        graph("Predictions in the newest window", "By whether their label came.",
              [Query(f"max by (model, state) (driftline_window_predictions{{{MODEL}}})",
                     "{{model}} {{state}}")], stacked=True),
        graph("Label coverage", "Of predictions whose time is over, those that got a label.",
              [Query(f"model:driftline_label_coverage:ratio{{{MODEL}}}", "{{model}}")],
              "percentunit"),
        graph("Champion and challenger", "How often each was right.",
              [Query("max by (comparison, side, metric) (driftline_comparison)",
                     "{{comparison}} {{side}}")]),
        timeline("The challenger is", "Of each comparison.",
                 Query("max by (comparison) (driftline_comparison_decision)", "{{comparison}}"),
                 decisions),
    ]  # fmt: skip


def _events() -> list[Panel]:
    return [
        graph("Events in the newest window", "And what such a window normally brings.",
              [Query(f"max by (model, segment) (driftline_window_events{{{STREAM}}})",
                     "{{model}} {{segment}}"),
               Query(f"max by (model) (driftline_window_events_normal{{{MODEL}}})",
                     "{{model}} normal")]),
        graph("Events a second", "Counted into panes.",
              [Query(f"sum by (model) (rate(driftline_events_counted_total{{{MODEL}}}[5m]))",
                     "{{model}}")], "eps"),
        graph("Too late to count", "Share of all events that came.",
              [Query(f"model:driftline_events_late:ratio_rate15m{{{MODEL}}}", "{{model}}")],
              "percentunit"),
        graph("Windows", "That ended, and in which anything was judged, of the last hour.",
              [Query(f"sum by (model) (increase(driftline_windows_closed_total{{{MODEL}}}[1h]))",
                     "{{model}} ended"),
               Query(f"sum by (model) (increase(driftline_windows_judged_total{{{MODEL}}}[1h]))",
                     "{{model}} judged")]),
    ]  # fmt: skip


def workers() -> list[tuple[str, list[Panel]]]:
    """Return what is said of the monitor itself."""
    return [("", _running()), ("Records", _records()), ("Time", _time()), ("Labels", _labels())]


def _running() -> list[Panel]:
    ready = f"driftline_worker_ready{{{_WORKER}}}"
    return [
        stat("Workers ready", "They answer /readyz.", f"sum({ready})"),
        stat("Not ready", "They run, and do not answer /readyz.", f"count({ready}) - sum({ready})",
             levels=steps((None, GREEN), (1, RED))),
        stat("Records behind", "Of all input partitions.", "sum(topic:driftline_consumer_lag:sum)"),
        stat("Cannot be used", "Share of records, in the topic with most of them.",
             "max(source:driftline_events_rejected:ratio_rate15m)", "percentunit",
             steps((None, GREEN), (0.01, AMBER))),
        stat("Series left out", "By metrics.max_series.",
             f"sum(max by (model) (driftline_series_suppressed{{{MODEL}}}))"),
        stat("Models failed", "Not watched, because of an error of Driftline's own.",
             f"sum(max by (model) (driftline_model_failed{{{MODEL}}}))",
             levels=steps((None, GREEN), (1, RED))),
        table("Workers", "Their versions.",
              [Query(f"max by (instance, version) (driftline_build_info{{{_WORKER}}})"),
               Query(f"max by (instance) ({ready})"),
               Query(f"count by (instance) (driftline_model_info{{{_WORKER}}})")],
              {"instance": "Worker", "version": "Version", "Value #B": "Ready",
               "Value #C": "Models"},
              [override("Value #A", custom__hidden=True)], width=12),
        table("Models", "Which worker judges each, and against which reference.",
              [Query("max by (model, instance, reference) (driftline_reference_info"
                     f"{{{MODEL}, {_WORKER}}})")],
              {"model": "Model", "instance": "Worker", "reference": "Reference"},
              [override("Model", links=link("On the page",
                        "${page}/models/${__value.raw:percentencode}"))], width=12),
        graph("Memory", "Resident.",
              [Query(f'process_resident_memory_bytes{{job=~".*driftline.*", {_WORKER}}}',
                     "{{instance}}")], "bytes"),
        graph("Processor", "Cores in use.",
              [Query(f'rate(process_cpu_seconds_total{{job=~".*driftline.*", {_WORKER}}}[5m])',
                     "{{instance}}")]),
    ]  # fmt: skip


def _records() -> list[Panel]:
    def rate(metric: str, by: str, chosen: str = _WORKER) -> str:
        return f"sum by ({by}) (rate(driftline_{metric}_total{{{chosen}}}[5m]))"

    return [
        graph("Records read", "A second, by topic.",
              [Query(rate("events_consumed", "source"), "{{source}}")], "eps"),
        graph("Records behind", "By partition: those that wait to be read.",
              [Query("max by (topic, partition) (driftline_consumer_lag)",
                     "{{topic}}[{{partition}}]")]),
        graph("Records that cannot be used", "A second, by reason: they are dead letters.",
              [Query(rate("events_rejected", "source, reason"), "{{source}} {{reason}}")], "eps"),
        graph("Records passed over", "A second: of no model here.",
              [Query(rate("events_skipped", "source, reason"), "{{source}} {{reason}}")], "eps"),
        graph("Too late, or in no window", "Events a second.",
              [Query(rate("late_events", "model", MODEL), "{{model}} late"),
               Query(rate("events_passed_over", "model, reason", MODEL), "{{model}} {{reason}}")],
              "eps"),
        graph("Alerts written", "Records in an hour, by kind.",
              [Query("sum by (kind, status) (increase(driftline_alerts_published_total"
                     f"{{{MODEL}}}[1h]))", "{{kind}} {{status}}")]),
    ]  # fmt: skip


def _time() -> list[Panel]:
    def quantiles(metric: str) -> list[Query]:
        rate = f"sum by (le) (rate(driftline_{metric}_seconds_bucket{{{_WORKER}}}[5m]))"
        return [Query(f"histogram_quantile({q}, {rate})", f"{q:.0%}") for q in (0.5, 0.99)]

    return [
        graph("Behind the newest event", "Event time that is not final yet, by model.",
              [Query(f"model:driftline_watermark_lag:seconds{{{MODEL}}}", "{{model}}")], "s"),
        graph("From record to verdict", "Age of the newest record when verdicts were sent.",
              quantiles("end_to_end"), "s"),
        graph("A poll", "Until its records had their effect.", quantiles("batch_processing"), "s"),
        graph("Judging", "The windows of one poll and partition.",
              quantiles("window_evaluation"), "s"),
    ]  # fmt: skip


def _labels() -> list[Panel]:
    return [
        graph("Labels", "A second.",
              [Query(f"sum by (model) (rate(driftline_labels_total{{{MODEL}}}[5m]))",
                     "{{model}} read"),
               Query(f"sum by (model) (rate(driftline_labels_joined_total{{{MODEL}}}[5m]))",
                     "{{model}} joined")], "eps"),
        graph("Predictions that wait", "For their label, in memory.",
              [Query(f"sum by (model) (driftline_predictions_waiting{{{MODEL}}})", "{{model}}")]),
        graph("What else became of labels and predictions", "In an hour.",
              [Query("sum by (model, outcome) (increase(driftline_join_rows_total"
                     f"{{{MODEL}}}[1h]))", "{{model}} {{outcome}}")], width=WIDTH),
    ]  # fmt: skip


def dashboard(
    uid: str, title: str, variables: Sequence[Json], rows: Sequence[tuple[str, list[Panel]]]
) -> Json:
    """Return a dashboard: its panels beside each other until a row is full."""
    panels: list[Json] = []
    y = 0
    for name, drawn in rows:
        x = height = 0
        if name:
            place = {"h": 1, "w": WIDTH, "x": 0, "y": y}
            panels.append({"id": len(panels) + 1, "type": "row", "title": name, "gridPos": place,
                           "collapsed": False, "panels": []})  # fmt: skip
            y += 1
        for one in drawn:
            if x + one.width > WIDTH:
                x, y, height = 0, y + height, 0
            panels.append(panel(len(panels) + 1, x, y, one))
            x, height = x + one.width, max(height, one.height)
        y += height
    about = {"asDropdown": False, "icon": "external link", "includeVars": False, "keepTime": False,
             "tags": [], "targetBlank": True, "tooltip": "", "type": "link"}  # fmt: skip
    others = {
        **about,
        "icon": "dashboard",
        "includeVars": True,
        "keepTime": True,
        "tags": [TAG],
        "targetBlank": False,
        "title": "Driftline",
        "type": "dashboards",
        "url": "",
    }
    return {
        "uid": uid,
        "title": title,
        "tags": [TAG],
        "schemaVersion": 36,
        "version": 1,
        "editable": True,
        "timezone": "utc",
        "time": {"from": "now-24h", "to": "now"},
        "refresh": "30s",
        "graphTooltip": 1,
        "links": [{**about, "title": "The page", "url": "${page}"}, others],
        "annotations": {"list": []},
        "templating": {"list": list(variables)},
        "panels": panels,
    }


def files() -> dict[str, str]:
    """Return the text of each file by its name."""
    model = choice("model", "Model", "label_values(driftline_model_info, model)")
    page = variable("page", "Page", "label_values(driftline_page_info, url)", hide=2)
    scores = f"driftline_drift_score{{{MODEL}}}"
    feature = choice("feature", "Feature", f"label_values({scores}, feature)")
    segment = variable("segment", "Segment", _SEGMENTS, regex=_SEGMENT_NAMES)
    instance = choice("instance", "Worker", "label_values(driftline_build_info, instance)")
    made = {
        "models": dashboard("driftline-models", "Driftline: models",
                            [datasource(), model, segment, feature, severities(), page], models()),
        "workers": dashboard("driftline-workers", "Driftline: workers",
                             [datasource(), model, instance, page], workers()),
    }  # fmt: skip
    return {
        f"{name}.json": json.dumps(each, indent=1, ensure_ascii=False) + "\n"
        for name, each in made.items()
    }


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER
    for file, content in files().items():
        (folder / file).write_text(content, encoding="utf-8")
