"""The table of all metrics: names (without their prefix `driftline_`), labels and help texts."""

from __future__ import annotations

from collections.abc import Sequence

_MODEL = ("model",)
_STREAM = (*_MODEL, "segment")
_FEATURE = (*_STREAM, "feature")
_METRIC = (*_STREAM, "metric")
GAUGES: dict[str, tuple[Sequence[str], str]] = {
    "drift_score": (
        (*_FEATURE, "detector"),
        "Value of a detector in the newest window, in the detector's unit.",
    ),
    "drift_threshold": (
        (*_FEATURE, "detector"),
        "Limit of a detector: the configured one, else what a quiet window hardly exceeds.",
    ),
    "drift_active": (
        (*_FEATURE, "kind", "severity"),
        "1 while such an alert fires, in its one severity. Of the whole model 0 for all others; of "
        "a segment only what fires is there. feature is empty for alerts on the whole model, and "
        "on fields that the reference does not list.",
    ),
    "alert_info": (
        (*_FEATURE, "kind", "severity", "alert_id", "incident_id", "url"),
        "1 while the alert fires: its ids, and with ui.url where the page shows it. Alerts of one "
        "incident began together. feature is empty as in driftline_drift_active, and for one "
        "alert on many features.",
    ),
    "model_failed": (
        _MODEL,
        "1 for a model or comparison that failed by an unexpected error: nothing more is done for "
        "it here until a restart; its traceback is in the log.",
    ),
    "features_drifting": (_MODEL, "Features of the whole model with a drift alert firing."),
    "features_monitored": (_MODEL, "Features that are judged."),
    "feature_missing_ratio": (
        _FEATURE,
        "Share of the newest window's events in which the feature is null or absent.",
    ),
    "window_events": (_STREAM, "Events of the newest window."),
    "window_events_normal": (
        _MODEL,
        "Events that the newest whole hours, as long as a window, would normally bring; absent "
        "while that is not known.",
    ),
    "performance": (
        _METRIC,
        "Value of a performance metric in the newest window of labels; of estimated_<metric>, in "
        "the newest window of events; of estimate_gap, realised less estimated.",
    ),
    "performance_low": (_METRIC, "Lower end of the metric's 95 % interval."),
    "performance_high": (_METRIC, "Upper end of the metric's 95 % interval."),
    "performance_normal": (_METRIC, "Value of the metric in the reference."),
    "performance_threshold": (
        _METRIC,
        "Limit of the metric: the configured one, else what a quiet window hardly passes.",
    ),
    "window_predictions": (
        ("model", "state"),
        "What became of predictions in the newest window of labels: labelled, waiting at its end, "
        "expired.",
    ),
    "label_coverage_ratio": (
        _MODEL,
        "labelled / (labelled + expired) of driftline_window_predictions; absent while both are 0.",
    ),
    "predictions_waiting": (
        _MODEL,
        "Predictions that wait for their label in this worker's memory now.",
    ),
    "comparison": (
        ("comparison", "side", "metric"),
        "How often champion and challenger were right, from the first pane compared on; of "
        "regressions how often each was nearer to the truth.",
    ),
    "comparison_decision": (
        ("comparison",),
        "The challenger is better (1), worse (-1), or it is undecided (0).",
    ),
    "budget_alerts_allowed": (
        _MODEL,
        "False alarms that the budget allows in driftline_budget_period_seconds; absent where it "
        "is off.",
    ),
    "budget_period_seconds": (_MODEL, "The time that the budget speaks of."),
    "series_suppressed": (
        _MODEL,
        "Series of alerts, features and segments left out because of metrics.max_series.",
    ),
    "window_every_seconds": (_MODEL, "From the end of one window to the end of the next."),
    "watermark_timestamp_seconds": (_MODEL, "Event time before which everything is final."),
    "last_event_timestamp_seconds": (_MODEL, "Event time of the newest event."),
    "consumer_lag": (
        ("topic", "partition"),
        "Records between this worker's position and the end of an input partition.",
    ),
    "worker_ready": ((), "1 while /readyz answers 200."),
    "build_info": (("version",), "The version that runs."),
    "page_info": (("url",), "Where the page is, as ui.url says; absent without it."),
    "reference_info": (("model", "reference"), "The reference a model is compared with."),
    "model_info": (("model", "owner"), "The owner that the configuration names."),
}
COUNTERS: dict[str, tuple[Sequence[str], str]] = {
    "events_consumed": (("source",), "Records read."),
    "events_counted": (_MODEL, "Events counted into panes."),
    "late_events": (_MODEL, "Events of a pane that was final: not used."),
    "events_passed_over": (
        ("model", "reason"),
        "Events that came after all their windows were judged: counted, and in no verdict. "
        "idle: their partition had been silent; new_partition: it was not known yet.",
    ),
    "events_skipped": (
        ("source", "reason"),
        "Records that are of no model here; reason "
        "model_failed: of one that failed, which reads them after a restart.",
    ),
    "events_rejected": (("source", "reason"), "Records that could not be used."),
    "dead_letters": (("reason",), "Records written to the dead letters."),
    "alerts_published": (
        ("model", "kind", "severity", "status"),
        "Records written to the topic of alerts.",
    ),
    "budget_alerts": (
        _MODEL,
        "Alerts that the budget's rules fired, each once, beside driftline_budget_alerts_allowed. "
        "Those that speak of a real change are in it: what is beyond is most likely real.",
    ),
    "windows_closed": (_MODEL, "Windows of events judged, those without enough events too."),
    "windows_judged": (
        _MODEL,
        "Those of driftline_windows_closed in which a feature of the whole model had enough events "
        "to be judged.",
    ),
    "labels": (_MODEL, "Labels read."),
    "predictions_without_id": (
        _MODEL,
        "Predictions without event_id, which no label of another record finds.",
    ),
    "predictions_without_answer": (
        _MODEL,
        "Predictions without the class, or score, that a label is compared with: not waited for.",
    ),
    "labels_refused": (
        _MODEL,
        "Labels that the model cannot use; dead letters, unless another model can.",
    ),
    "labels_joined": (_MODEL, "Predictions that got their label."),
    "join_rows": (
        ("model", "outcome"),
        "What else became of predictions and labels in the join; crowded_out is part of expired "
        "and unmatched; hurried took effect before a slower source had come as far.",
    ),
}
HISTOGRAMS = {
    "batch_processing": "Time in which the records of one poll had their effect.",
    "window_evaluation": "Time in which the panes of one poll and partition were judged and their "
    "verdicts sent; only where windows were judged.",
    "end_to_end": "Age, by its Kafka timestamp, of the newest input record of the model that this "
    "worker has read, when verdicts of the model were sent; not observed where another worker "
    "reads the input.",
}
