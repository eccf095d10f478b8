"""What workers' metrics tell of the monitor itself. Texts in, a view out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from prometheus_client.parser import text_string_to_metric_families

from driftline.consumer.views.answers import AlertRow
from driftline.consumer.views.pipeline import (
    ModelFlow,
    PartitionRow,
    PipelineView,
    WorkerRow,
)
from driftline.producer.records.timestamp import format_time

HELD_BACK = ("stale", "data_loss")
"""Kinds of alerts that say who holds the clock back, or what was lost."""


@dataclass(frozen=True)
class Scrape:
    """What one worker answered: its metrics as text, or why there are none."""

    address: str
    text: str = ""
    error: str | None = None


@dataclass
class Samples:
    """The samples of one scrape by their names, without `driftline_`."""

    address: str
    by_name: dict[str, list[tuple[dict[str, str], float]]] = field(default_factory=dict)

    def each(self, name: str) -> list[tuple[dict[str, str], float]]:
        """Return the labels and the value of each sample of a name."""
        return self.by_name.get(name, [])

    def value(self, name: str) -> float | None:
        """Return the value of a metric without labels; None where there is none."""
        found = self.each(name)
        return found[0][1] if found else None

    def label(self, name: str, label: str) -> str | None:
        """Return a label of the first sample of a name."""
        found = self.each(name)
        return found[0][0].get(label) if found else None

    def of(self, model: str, name: str) -> Iterator[tuple[dict[str, str], float]]:
        """Yield the samples of one model."""
        return (one for one in self.each(name) if one[0].get("model") == model)


def pipeline_view(
    scrapes: Sequence[Scrape], held_back: Sequence[AlertRow], hint: str
) -> PipelineView:
    """Return the monitor itself, as its workers tell.

    Args:
        scrapes: what each worker answered.
        held_back: open alerts of the kinds `HELD_BACK`.
        hint: what to configure, where there are no workers.
    """
    workers: list[WorkerRow] = []
    read: list[Samples] = []
    for scrape in scrapes:
        row, samples = _worker(scrape)
        workers.append(row)
        read += [samples] if samples else []
    return PipelineView(
        available=bool(read),
        hint=None if scrapes else hint,
        workers=workers,
        partitions=sorted(
            (
                PartitionRow(at["topic"], int(at["partition"]), int(lag), samples.address)
                for samples in read
                for at, lag in samples.each("consumer_lag")
            ),
            key=lambda row: (-row.lag, row.topic, row.partition),
        ),
        models=[_flow(name, read) for name in sorted(_models(read))],
        rejected=_by_reason(read, "dead_letters_total"),
        skipped=_by_reason(read, "events_skipped_total"),
        held_back=list(held_back),
    )


def _worker(scrape: Scrape) -> tuple[WorkerRow, Samples | None]:
    error, samples = scrape.error, None
    if error is None:
        try:
            samples = _samples(scrape)
        except ValueError:
            error = "this is no worker: it does not answer with metrics"
    if samples is None:
        return WorkerRow(scrape.address, None, None, None, None, error), None
    ready = samples.value("worker_ready")
    row = WorkerRow(
        address=scrape.address,
        ready=None if ready is None else bool(ready),
        version=samples.label("build_info", "version"),
        memory_bytes=samples.value("process_resident_memory_bytes"),
        cpu_seconds=samples.value("process_cpu_seconds_total"),
        error=None,
    )
    return row, samples


def _samples(scrape: Scrape) -> Samples:
    """Return the samples of a scrape.

    Raises:
        ValueError: it is not in the format of Prometheus, or not of a worker.
    """
    found: dict[str, list[tuple[dict[str, str], float]]] = defaultdict(list)
    for family in text_string_to_metric_families(scrape.text):
        for sample in family.samples:
            found[sample.name.removeprefix("driftline_")].append((sample.labels, sample.value))
    if "worker_ready" not in found:
        raise ValueError
    return Samples(scrape.address, dict(found))


def _models(read: Sequence[Samples]) -> set[str]:
    return {
        labels["model"]
        for samples in read
        for name in ("reference_info", "events_counted_total", "model_failed")
        for labels, _ in samples.each(name)
    }


def _flow(model: str, read: Sequence[Samples]) -> ModelFlow:
    def values(name: str) -> list[float]:
        return [value for samples in read for _, value in samples.of(model, name)]

    def total(name: str) -> int:
        return int(sum(values(name)))

    joined = {"joined": total("labels_joined_total")} if values("labels_joined_total") else {}
    for samples in read:
        for labels, value in samples.of(model, "join_rows_total"):
            joined[labels["outcome"]] = joined.get(labels["outcome"], 0) + int(value)
    references = [
        labels["reference"] for samples in read for labels, _ in samples.of(model, "reference_info")
    ]
    return ModelFlow(
        model=model,
        watermark=_time(values("watermark_timestamp_seconds"), min),
        last_event=_time(values("last_event_timestamp_seconds"), max),
        counted=total("events_counted_total"),
        late=total("late_events_total"),
        passed_over=total("events_passed_over_total"),
        labels=total("labels_total"),
        waiting=total("predictions_waiting"),
        joined=joined,
        reference=references[0] if references else None,
        failed=any(values("model_failed")),
    )


def _time(seconds: Sequence[float], choose: Callable[[Sequence[float]], float]) -> str | None:
    return format_time(round(choose(seconds) * 1000)) if seconds else None


def _by_reason(read: Sequence[Samples], name: str) -> dict[str, int]:
    """Return counts by reason, those that are not 0."""
    found: dict[str, int] = defaultdict(int)
    for samples in read:
        for labels, value in samples.each(name):
            found[labels["reason"]] += int(value)
    return {reason: count for reason, count in sorted(found.items()) if count}
