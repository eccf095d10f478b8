"""Writes the verdicts and alerts of performance metrics of one stream."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import isnan

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.features.rules import STATES
from driftline.consumer.judge.lives.life import Life, WindowTimes, breaches
from driftline.consumer.judge.performance.details import NO_DETAILS, Details
from driftline.consumer.judge.performance.rules import MetricReading
from driftline.consumer.judge.sentence import (
    amount,
    digits_apart,
    duration,
    fit,
    moment,
    named,
    opening,
    unjudged,
)
from driftline.consumer.wire.ids import identity, stream_name
from driftline.consumer.wire.records import (
    Alert,
    DetectorValue,
    Number,
    ReferenceName,
    Verdict,
    Window,
    most_frequent,
    number,
)
from driftline.detectors.outcomes import GAP, figure_named
from driftline.producer.records.timestamp import format_time

_LISTED = 20


@dataclass(frozen=True)
class MetricWindow:
    """The window whose metrics are written.

    Attributes:
        times, events, versions: of the window.
        counts: `labelled`, `waiting` and `expired`; None for estimates.
        others: features of the stream that fired by then, worst first.
        new_version: model version that the newest pane is the first to show.
    """

    times: WindowTimes
    events: int
    versions: dict[str, int]
    counts: dict[str, int] | None
    others: list[str]
    new_version: str | None = None

    @property
    def record(self) -> Window:
        """The window as it stands in records."""
        return Window(format_time(self.times.start), format_time(self.times.end), self.events)


class MetricWriter:
    """Writes the records of one stream's metrics.

    Args:
        model: its name.
        segment: None for the whole model, else ``tag=value``.
        config: the model's configuration.
        reference: named in the records.
    """

    def __init__(
        self, model: str, segment: str | None, config: ModelConfig, reference: ReferenceName
    ) -> None:
        self._model, self._segment = model, segment
        self._stream = stream_name(model, segment)
        self._config = config
        self._reference = reference

    def verdict(
        self,
        measured: MetricReading,
        window: MetricWindow,
        reason: str | None,
        details: Details = NO_DETAILS,
    ) -> Verdict:
        """Return the verdict on one metric; `reason`: why it cannot be judged."""
        record, reading = window.record, measured.reading
        state = STATES[reading.level] if reading is not None else None
        if reason is None and measured.figure.value != measured.figure.value:
            reason = f"{shown(measured)} has no value in this window"
        return Verdict(
            schema="driftline.verdict.v1",
            verdict_id=identity(
                self._stream, measured.subject.field, record.start, record.end, self._reference.id
            ),
            stream=self._stream,
            model=self._model,
            segment=self._segment,
            feature=measured.subject.field,
            type="performance",
            state="insufficient" if reason is not None else state or "ok",
            reason=reason,
            window=record,
            reference=self._reference,
            versions=most_frequent(window.versions),
            counts=window.counts,
            effect=None,
            detectors={} if reason is not None else {
                measured.subject.name: DetectorValue(
                    value=number(measured.figure.value),
                    p_value=number(measured.p_value),
                    threshold=number(measured.threshold),
                    state=state,
                    interval=interval(measured),
                    reference=number(measured.normal),
                ),
                **details.detectors,
            },
            bins=None,
            confusion=details.confusion,
        )  # fmt: skip

    def alert(
        self, life: Life, measured: MetricReading, window: MetricWindow, reason: str | None = None
    ) -> Alert:
        """Return the record of a life that fired, rose, resolved or is due again.

        `reason`: why the window does not tell how the metric is.
        """
        if measured.described:
            # Kept, because the limit may have left the configuration when its alert resolves.
            life.described = measured.described
        reading = measured.reading
        incident = life.since if life.incident is None else life.incident
        return Alert(
            schema="driftline.alert.v1",
            alert_id=identity(self._stream, life.feature, life.kind, format_time(life.since)),
            revision=life.revision,
            status="firing" if life.firing else "resolved",
            severity="critical" if life.severity == 2 else "warning",
            kind=life.kind,
            summary=fit(unjudged(f"{opening(self._stream)}{shown(measured)}", life.since, reason))
            if reason is not None
            else self._summary(life, measured, window),
            stream=self._stream,
            model=self._model,
            segment=self._segment,
            feature=life.feature,
            type="performance",
            since=format_time(life.since),
            until=None if life.quiet_since is None or life.firing
            else format_time(life.quiet_since),
            rule=life.described,
            detector=measured.subject.name,
            value=number(measured.figure.value),
            p_value=number(measured.p_value),
            threshold=number(measured.threshold),
            interval=interval(measured),
            normal=number(measured.normal),
            effect=None,
            breaches=None if reading is None else breaches(life, reading),
            window=window.record,
            reference=self._reference,
            versions=most_frequent(window.versions),
            counts=window.counts,
            top=[],
            incident_id=identity(self._model, format_time(incident)),
            also_firing=window.others[:_LISTED],
            owner=self._config.owner,
            runbook=self._config.runbook,
        )  # fmt: skip

    def _summary(self, life: Life, measured: MetricReading, window: MetricWindow) -> str:
        subject = f"{opening(self._stream)}{shown(measured)}"
        if not life.firing and life.quiet_since is not None:
            after = duration(life.quiet_since - life.since)
            return fit(
                f"{subject} is back to normal since {moment(life.quiet_since)}, after {after}."
            )
        figure, digits = measured.figure, digits_apart(measured.figure.value, measured.normal)
        rose = figure.value > measured.normal or (isnan(measured.normal) and measured.worse > 0)
        ends = interval(measured)
        reach = (
            "" if ends is None or None in ends
            else f" (95 % interval {amount(figure.low, digits)} to {amount(figure.high, digits)})"
        )  # fmt: skip
        if measured.subject.estimated:
            basis = f"estimated from {window.events:,} predictions without labels"
        else:
            labelled = (window.counts or {}).get("labelled", 0)
            # By arrival, more labels can come in a window than predictions were made in it.
            of = f"of {window.events:,} events" if labelled <= window.events else "events"
            basis = f"on {labelled:,} labelled {of}"
        now = amount(figure.value, digits)
        normal = "unknown" if isnan(measured.normal) else amount(measured.normal, digits)
        if measured.subject.name == GAP.name:
            change = f"{amount(abs(figure.value))} {'worse' if figure.value < 0 else 'better'}"
            text = (
                f"{opening(self._stream)}performance turned out {change} than estimated, normally 0"
            )
        elif now == normal:
            text = f"{subject} is {now}{reach}, as normally"
        else:
            text = f"{subject} {'rose' if rose else 'fell'} to {now}{reach}, normally {normal}"
        return fit(f"{text}, {basis}, since {moment(life.since)}. {self._scope(life, window)}")

    def _scope(self, life: Life, window: MetricWindow) -> str:
        many = len(window.others)
        text = (
            "No feature changed before it." if not many
            else f"{many} feature{'' if many == 1 else 's'} changed before it."
        )  # fmt: skip
        return text if life.version is None else f"{text} Began with version {named(life.version)}."


def shown(measured: MetricReading) -> str:
    """Return the name of a metric as a sentence says it.

    >>> from driftline.consumer.wire.subject import Subject
    >>> from driftline.detectors.outcomes import Figure
    >>> one = Figure(0.9, 0.8, 0.95, 100)
    >>> shown(MetricReading(Subject.metric("roc_auc", estimated=True), one, 0.97))
    'estimated ROC AUC'
    """
    words = figure_named(measured.subject.name).words
    return f"estimated {words}" if measured.subject.estimated else words


def interval(measured: MetricReading) -> tuple[Number, Number] | None:
    """Return the ends of the interval as records have them, None where there is none."""
    ends = number(measured.figure.low), number(measured.figure.high)
    return None if ends == (None, None) else ends


def insufficient(labelled: int, needed: int) -> str:
    """Return why a window with few labels is not judged.

    >>> insufficient(12, 500)
    '12 labelled events, 500 needed'
    """
    return f"{labelled:,} labelled events, {needed:,} needed"


def by_name(found: Sequence[MetricReading]) -> list[MetricReading]:
    """Return metrics in the order of their verdicts."""
    return sorted(found, key=lambda one: one.subject.field)
