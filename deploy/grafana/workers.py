# ruff: noqa: INP001 - of a script, not a package
"""The dashboard of workers: how the monitor itself does."""

from __future__ import annotations

from deploy.grafana.chosen import JOB, MODEL, WORKER
from deploy.grafana.panels import (
    AMBER,
    GREEN,
    RED,
    WIDTH,
    Panel,
    Query,
    graph,
    link,
    override,
    stat,
    steps,
    table,
)


def workers() -> list[tuple[str, list[Panel]]]:
    """Return what is said of the monitor itself."""
    return [("", _running()), ("Records", _records()), ("Time", _time()), ("Labels", _labels())]


def _running() -> list[Panel]:
    ready = f"driftline_worker_ready{{{WORKER}}}"
    return [
        stat("Workers ready", "They answer /readyz.", f"sum({ready})"),
        stat("Not ready", "They run, and do not answer /readyz.", f"count({ready}) - sum({ready})",
             levels=steps((None, GREEN), (1, RED))),
        stat("Records behind", "Of all input partitions.",
             f"sum(topic:driftline_consumer_lag:sum{{{JOB}}})"),
        stat("Cannot be used", "Share of records, in the topic with most of them.",
             f"max(source:driftline_events_rejected:ratio_rate15m{{{JOB}}})", "percentunit",
             steps((None, GREEN), (0.01, AMBER))),
        stat("Series left out", "By metrics.max_series.",
             f"sum(max by (model) (driftline_series_suppressed{{{MODEL}}}))"),
        stat("Models failed", "Not watched, because of an error of Driftline's own.",
             f"sum(max by (model) (driftline_model_failed{{{MODEL}}}))",
             levels=steps((None, GREEN), (1, RED))),
        table("Workers", "Their versions.",
              [Query(f"max by (instance, version) (driftline_build_info{{{WORKER}}})"),
               Query(f"max by (instance) ({ready})"),
               Query(f"count by (instance) (driftline_model_info{{{WORKER}}})")],
              {"instance": "Worker", "version": "Version", "Value #B": "Ready",
               "Value #C": "Models"},
              [override("Value #A", custom__hidden=True)], width=12),
        table("Models", "Which worker judges each, and against which reference.",
              [Query("max by (model, instance, reference) (driftline_reference_info"
                     f"{{{MODEL}, {WORKER}}})")],
              {"model": "Model", "instance": "Worker", "reference": "Reference"},
              [override("Model", links=link("On the page",
                        "${page}/models/${__value.raw:percentencode}"))], width=12),
        graph("Memory", "Resident.",
              [Query(f"process_resident_memory_bytes{{{WORKER}}}",
                     "{{instance}}")], "bytes"),
        graph("Processor", "Cores in use.",
              [Query(f"rate(process_cpu_seconds_total{{{WORKER}}}[5m])",
                     "{{instance}}")]),
    ]  # fmt: skip


def _records() -> list[Panel]:
    def rate(metric: str, by: str, chosen: str = WORKER) -> str:
        return f"sum by ({by}) (rate(driftline_{metric}_total{{{chosen}}}[5m]))"

    return [
        graph("Records read", "A second, by topic.",
              [Query(rate("events_consumed", "source"), "{{source}}")], "eps"),
        graph("Records behind", "By partition: those that wait to be read.",
              [Query(f"max by (topic, partition) (driftline_consumer_lag{{{JOB}}})",
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
        rate = f"sum by (le) (rate(driftline_{metric}_seconds_bucket{{{WORKER}}}[5m]))"
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
