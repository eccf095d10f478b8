# ruff: noqa: INP001 - of a script, not a package
"""The dashboard of models: is anything wrong, since when, how sure."""

from __future__ import annotations

from deploy.grafana.chosen import FEATURE, JOB, MODEL, STREAM
from deploy.grafana.panels import (
    AMBER,
    GREEN,
    GREY,
    RED,
    STATES,
    Panel,
    Query,
    bars,
    graph,
    link,
    override,
    stat,
    steps,
    table,
    timeline,
)


def models() -> list[tuple[str, list[Panel]]]:
    """Return what is said of models: is anything wrong, since when, how sure."""
    return [("", _now()), ("Features", _features()), ("Performance", _performance()),
            ("Events", _events())]  # fmt: skip


def _now() -> list[Panel]:
    count = f"sum(model:driftline_alerts_firing:count{{{MODEL}, severity='%s'}}) or vector(0)"
    most = (
        "Alerts that the budget's rules fired, for each false alarm that it allows in 30 days: "
        "what is beyond 1 is most likely real."
    )
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
        stat("Alerts against the budget", most + " Of the model with most.",
             f"max(model:driftline_budget_spent:ratio30d{{{MODEL}}})"),
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
        bars("Alerts of 30 days against the budget", most,
             Query(f"model:driftline_budget_spent:ratio30d{{{MODEL}}}", "{{model}}", now=True),
             "short", steps((None, GREY))),
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
        same = "on (job, namespace, model, segment, metric)"
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
              [Query(f"max by (comparison, side, metric) (driftline_comparison{{{JOB}}})",
                     "{{comparison}} {{side}}")]),
        timeline("The challenger is", "Of each comparison.",
                 Query(f"max by (comparison) (driftline_comparison_decision{{{JOB}}})",
                       "{{comparison}}"),
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
