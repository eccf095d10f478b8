"""What Prometheus reads: one table of names, filled from the worker's status at each scrape.

Values are read when they are asked for, so a worker exports nothing of a model that it has lost.
A label is the name of something in the configuration or the reference, or of a closed set; never
anything that an event holds. The label `segment` is empty for the whole model.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from math import isinf
from typing import get_args

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
)
from prometheus_client.registry import Collector

from driftline.consumer.config import Config
from driftline.consumer.http.health import Health
from driftline.consumer.http.label_series import label_series, outcome_series
from driftline.consumer.http.reading import read_steadily
from driftline.consumer.http.series import (
    capped_series,
    comparison_series,
    firing_alerts,
    model_series,
    newest_windows,
    performance_series,
)
from driftline.consumer.http.tables import COUNTERS, GAUGES, HISTOGRAMS
from driftline.consumer.judge.comparison.judge import ComparisonJudge
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.performance.rules import watched_metrics
from driftline.consumer.judge.windows.passed_over import REASONS
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.judging import Judge, PanesPartition
from driftline.consumer.service.status import Histogram, Status
from driftline.consumer.wire.kinds import DRIFT, KINDS, SEVERITIES, STATUSES, Reason
from driftline.consumer.wire.records import EVENTS

_SKIPPED = ("tombstone", "unknown_model")
_REJECTED = get_args(Reason)

Family = GaugeMetricFamily | CounterMetricFamily
AnyFamily = Family | HistogramMetricFamily


class StatusCollector(Collector):
    """Turns a worker's status into metrics, at each scrape anew.

    Args:
        config: its `metrics.max_series` caps the series of the features of one model.
        status: what the worker knows; it may change while it is read.
        health: whether the worker is ready.
    """

    def __init__(self, config: Config, status: Status, health: Health) -> None:
        self._config = config
        self._status = status
        self._health = health
        self._version = _version()

    def collect(self) -> Iterator[AnyFamily]:
        """Yield all metrics, by the tables of their names."""
        yield from read_steadily(self._families).values()
        for name, text in HISTOGRAMS.items():
            durations: Histogram = getattr(self._status, name)
            family = HistogramMetricFamily(f"driftline_{name}_seconds", text, labels=())
            buckets = [
                ("+Inf" if isinf(le) else str(float(le)), float(n))
                for le, n in durations.cumulative()
            ]
            family.add_metric([], buckets, durations.sum)
            yield family

    def _families(self) -> dict[str, Family]:
        families: dict[str, Family] = {
            name: GaugeMetricFamily(f"driftline_{name}", text, labels=labels)
            for name, (labels, text) in GAUGES.items()
        }
        for name, (labels, text) in COUNTERS.items():
            families[name] = CounterMetricFamily(f"driftline_{name}", text, labels=labels)
        self._worker(families)
        self._sources(families)
        topics = {partition.topic for partition in self._status.of(InputPartition)}
        totals = list(self._status.totals.values())
        for name in sorted({name for at in topics for name in self._status.plan.models_of(at)}):
            counted = sum(counts.counted[name] for counts in totals)
            families["events_counted"].add_metric([name], counted)
            late = sum(counts.late[name] for counts in totals)
            families["late_events"].add_metric([name], late)
        judged = self._judged()
        for name, judge in sorted(judged.items()):
            if isinstance(judge, ModelJudge):
                self._model(families, name, judge)
                for reason in REASONS:
                    events = self._status.plan.passed_over[name][reason]
                    families["events_passed_over"].add_metric([name, reason], events)
            elif isinstance(judge, ComparisonJudge):
                for one in comparison_series(judge):
                    families[one.metric].add_metric(one.labels, one.value)
        failed = {failure.model for failure in self._status.failures()}
        for name in sorted(failed | judged.keys()):
            families["model_failed"].add_metric([name], float(name in failed))
        for name, series in label_series(self._status):
            families[series.metric].add_metric([name, *series.labels], series.value)
        return families

    def _judged(self) -> dict[str, Judge]:
        """Return the models and comparisons that are judged here."""
        return {
            name: judge
            for panes in self._status.of(PanesPartition).values()
            for name, judge in panes.parts.items()
        }

    def _worker(self, families: dict[str, Family]) -> None:
        families["build_info"].add_metric([self._version], 1)
        if self._config.ui.url is not None:
            families["page_info"].add_metric([self._config.ui.url], 1)
        families["worker_ready"].add_metric([], float(self._health.ready().ok))
        for partition, each in sorted(self._status.of(InputPartition).items()):
            if each.lag is not None:
                labels = [partition.topic, str(partition.partition)]
                families["consumer_lag"].add_metric(labels, each.lag)

    def _sources(self, families: dict[str, Family]) -> None:
        totals = self._status.totals
        for source, counts in totals.items():
            families["events_consumed"].add_metric([source], counts.read)
            # Which hardly ever happens: no series that is always 0.
            seldom = ("model_failed",) if counts.skipped["model_failed"] else ()
            for reason in (*_SKIPPED, *seldom):
                families["events_skipped"].add_metric([source, reason], counts.skipped[reason])
            for reason in _REJECTED:
                families["events_rejected"].add_metric([source, reason], counts.rejected[reason])
        for reason in _REJECTED:
            letters = sum(counts.rejected[reason] for counts in totals.values())
            families["dead_letters"].add_metric([reason], letters)

    def _model(self, families: dict[str, Family], name: str, judge: ModelJudge) -> None:
        """Add the series of a model that is judged here."""
        status, plan = self._status, self._status.plan
        config, reference = plan.config.models[name], plan.outlines[name]
        names = {feature.name for feature in reference.layout.features}
        features = {name for name in names if not config.is_ignored(name)}
        newest = dict(status.verdicts.get(name, {}))
        verdicts = {(v.segment or "", v.feature or ""): v for v in newest.values()}
        watched = watched_metrics(config, plan.outcomes(name))
        metrics = {subject.field for subject in watched}
        firing = firing_alerts(judge.active(), features | metrics)
        together = config.joint is not None
        drifting = {
            alert.feature
            for alert in firing
            if not alert.segment and alert.feature in features and alert.kind in DRIFT
        }
        capped = capped_series(features, metrics, verdicts, firing)
        most = self._config.metrics.max_series
        for one in (
            *model_series(firing, joint=together),
            *capped[:most],
            *performance_series(watched, verdicts, firing),
            *outcome_series(judge),
        ):
            families[one.metric].add_metric([name, *one.labels], one.value)
        families["series_suppressed"].add_metric([name], max(len(capped) - most, 0))
        families["features_drifting"].add_metric([name], len(drifting))
        families["features_monitored"].add_metric([name], len(features))
        families["windows_closed"].add_metric([name], status.windows[name])
        families["windows_judged"].add_metric([name], status.judged[name])
        families["window_every_seconds"].add_metric([name], config.window.every / 1000)
        if config.budget is not None:
            period = config.budget.length(config.window.every) / 1000
            families["budget_alerts_allowed"].add_metric([name], config.budget.alarms)
            families["budget_period_seconds"].add_metric([name], period)
            families["budget_alerts"].add_metric([name], status.budgeted[name])
        whole = newest_windows(features, verdicts).get("")
        if whole is not None:
            families["window_events"].add_metric([name, ""], whole.events)
        volume = verdicts.get(("", ""))
        events = None if volume is None else volume.detectors.get(EVENTS)
        if events is not None and events.reference is not None:
            families["window_events_normal"].add_metric([name], events.reference)
        for metric, time in (
            ("watermark_timestamp_seconds", judge.clock.now()),
            ("last_event_timestamp_seconds", judge.clock.progress()),
        ):
            if time is not None:
                families[metric].add_metric([name], time / 1000)
        for kind in (name for name, each in KINDS.items() if together or each.about != "joint"):
            for severity in SEVERITIES:
                for state in STATUSES:
                    written = status.alerts[name, kind, severity, state]
                    families["alerts_published"].add_metric([name, kind, severity, state], written)
        families["reference_info"].add_metric([name, reference.id], 1)
        families["model_info"].add_metric([name, config.owner or ""], 1)


def _version() -> str:
    try:
        return version("driftline")
    except PackageNotFoundError:  # run from the source without being installed
        return "unknown"
