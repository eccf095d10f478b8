"""Writes the verdicts and alerts of performance metrics of one stream."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite, isnan

from driftline.consumer.judge.features.changes import Evidence
from driftline.consumer.judge.lives.life import (
    Life,
    Lives,
    advance,
    at_most,
    breaches,
    enter_incident,
    repeat,
)
from driftline.consumer.judge.performance.details import NO_DETAILS, Details
from driftline.consumer.judge.performance.rules import MetricReading
from driftline.consumer.judge.reach_sentence import in_segments
from driftline.consumer.judge.records import Cause, JudgedWindow, Judgement, RecordWriter
from driftline.consumer.judge.sentence import (
    Wording,
    amount,
    back_to_normal,
    began_with,
    digits_apart,
    unjudged,
)
from driftline.consumer.wire.kinds import Kind
from driftline.consumer.wire.records import (
    STATES,
    Alert,
    DetectorValue,
    Sequential,
    Verdict,
    number,
)
from driftline.consumer.wire.subject import Subject
from driftline.detectors.outcomes import GAP, Figure, figure_named
from driftline.detectors.outcomes.metrics import GAP_OF_ERRORS


@dataclass(frozen=True)
class MetricWindow(JudgedWindow):
    """The window whose metrics are written.

    Attributes:
        counts: `labelled`, `waiting` and `expired`; None for estimates.
        others: features of the stream that fired by then, worst first.
        began: tag of releases to the value that the newest pane is the first to show.
    """

    counts: dict[str, int] | None
    others: list[str]
    began: Mapping[str, str] = field(default_factory=dict)


class MetricWriter:
    """Writes the records of one stream's metrics.

    Args:
        records: of the stream.
    """

    def __init__(self, records: RecordWriter) -> None:
        self._records = records

    def verdict(
        self,
        measured: MetricReading,
        window: MetricWindow,
        reason: str | None,
        details: Details = NO_DETAILS,
        known: Evidence | None = None,
        note: str | None = None,
    ) -> Verdict:
        """Return the verdict on one metric.

        `reason`: why it cannot be judged; `known`: the evidence that was added up;
        `note`: what a reader should know of how it was judged.
        """
        if reason is None and isnan(measured.figure.value):
            reason = f"{shown(measured.subject)} has no value in this window"
        found = Judgement(
            subject=measured.subject,
            type="performance",
            reason=reason,
            counts=window.counts,
            figures={measured.subject.name: figure_of(measured), **details.detectors},
            confusion=details.confusion,
        )
        sequential = None
        if known is not None:
            onset = self._records.axis.time(known.onset)
            sequential = Sequential(number(known.evidence), number(known.limit), onset)
        return self._records.verdict(window, found, sequential=sequential, note=note)

    def alert(
        self,
        life: Life,
        measured: MetricReading,
        window: MetricWindow,
        reason: str | None = None,
        gap: MetricReading | None = None,
    ) -> Alert:
        """Return the record of a life that fired, rose, resolved or is due again.

        Args:
            life: of the alert.
            measured: the metric.
            window: when it was.
            reason: why the window does not tell how the metric is.
            gap: how far performance is from its estimate.
        """
        if measured.described:
            # Kept, because the limit may have left the configuration when its alert resolves.
            life.described = measured.described
        reading, name = measured.reading, shown(measured.subject)
        if reason is not None:
            wording = unjudged(name, life.since, reason, self._records.axis)
        elif not life.firing and life.quiet_since is not None:
            wording = back_to_normal(name, life.since, life.quiet_since, self._records.axis)
        else:
            wording = self._wording(life, measured, window, gap)
        cause = Cause(
            wording=wording,
            type="performance",
            detector=(measured.subject.name, figure_of(measured)),
            breaches=None if reading is None else breaches(life, reading),
            counts=window.counts,
            others=window.others,
        )
        return self._records.alert(life, window, cause)

    def again(
        self,
        lives: Lives,
        window: MetricWindow,
        normal: Mapping[str, Figure],
        reason: str,
        *,
        estimated: bool,
    ) -> list[Alert]:
        """Return the alerts that are to be written again though the window cannot be judged.

        Args:
            lives: of the model.
            window: when it is.
            normal: figures of the reference, by metric.
            reason: why it cannot be judged.
            estimated: whether those on estimates are meant, or those on what labels show.
        """
        written, nothing = [], Figure.none()
        for life in repeat(
            lives.values(),
            self._records.stream,
            window.times,
            lambda life: life.subject.is_performance and life.subject.estimated == estimated,
        ):
            name = life.subject.name
            value = 0.0 if name == GAP.name else normal.get(name, nothing).value
            unknown = MetricReading(life.subject, nothing, value)
            written.append(self.alert(life, unknown, window, reason))
        return written

    def alerts(
        self,
        lives: Lives,
        found: Iterable[MetricReading],
        gap: MetricReading | None,
        window: MetricWindow,
        incidents: Iterable[int],
        length: int,
        reach: Callable[[], str] = str,
    ) -> list[Alert]:
        """Move the lives of the stream's metrics on by a window; return the records that are due.

        One cause is one alert: how far performance is from its estimate stands in the alert on
        performance, and a segment fires only for what the whole model's alert does not say.

        Args:
            lives: of the model.
            found: the metrics that may alarm; those without a value are passed over.
            gap: how far performance is from its estimate, if that is known.
            window: when it is.
            incidents: `since` (ms) of the incidents that are open.
            length: of a window, ms.
            reach: returns in which segments performance became worse, in words.
        """
        written = []
        found = sorted(found, key=lambda one: one.subject.name == GAP.name)
        for measured in found:
            if measured.reading is None or isnan(measured.figure.value):
                continue
            key: tuple[str, str, Kind] = (
                self._records.stream, measured.subject.field, "performance"
            )  # fmt: skip
            readings = [measured.reading]
            if self.is_said(lives, measured.subject):
                readings = at_most(readings, lives.get(key))
            life = advance(lives, key, readings, window.times, window.began)
            if life is None:
                continue
            if life.revision == 1:
                enter_incident(life, incidents, length)
                life.segments = reach()
            if not life.firing:
                del lives[key]
            written.append(self.alert(life, measured, window, gap=gap))
        return written

    def fires(self, lives: Lives, subject: Subject) -> bool:
        """Return whether an alert of the stream on a metric fires."""
        life = lives.get((self._records.stream, subject.field, "performance"))
        return life is not None and life.firing

    def worse_since(self, lives: Lives) -> int | None:
        """Return when the newest alert began that fires on labels of the stream or model, ms."""
        streams = (self._records.stream, self._records.model)
        return max(
            (
                life.since for life in lives.values()
                if life.firing and life.stream in streams
                and life.subject.is_performance and life.subject.is_realised
            ),
            default=None,
        )  # fmt: skip

    def is_said(self, lives: Lives, subject: Subject) -> bool:
        """Return whether another alert that fires says what one on a metric would say."""
        gap = Subject.metric(GAP.name)
        for life in lives.values():
            if not life.firing or not life.subject.is_performance:
                continue
            whole = self._records.segment is not None and life.stream == self._records.model
            if whole and (
                life.subject == subject
                or (life.subject.is_realised and gap in (life.subject, subject))
            ):
                return True
            other = life.stream == self._records.stream and life.subject != gap
            if other and subject == gap and life.subject.is_realised:
                return True
        return False

    def _wording(
        self,
        life: Life,
        measured: MetricReading,
        window: MetricWindow,
        gap: MetricReading | None,
    ) -> Wording:
        figure, digits = measured.figure, digits_apart(measured.figure.value, measured.normal)
        worse = figure_named(measured.subject.name).scale.worse
        rose = figure.value > measured.normal or (isnan(measured.normal) and worse > 0)
        reach = (
            "" if not (isfinite(figure.low) and isfinite(figure.high))
            else f" (95 % interval {amount(figure.low, digits)} to {amount(figure.high, digits)})"
        )  # fmt: skip
        if measured.subject.estimated:
            basis = f"estimated from {window.events:,} predictions without labels"
        else:
            labelled = (window.counts or {}).get("labelled", 0)
            # By arrival, more labels can come in a window than predictions were made in it.
            of = f"of {window.events:,} events" if labelled <= window.events else "events"
            basis = f"on {labelled:,} labelled {of}"
        name, now = shown(measured.subject), amount(figure.value, digits)
        normal = "unknown" if isnan(measured.normal) else amount(measured.normal, digits)
        if measured.means is not None:
            realised, expected = measured.means
            digits = digits_apart(realised, expected)
            than = "larger" if realised > expected else "smaller"
            row = f"mean error {amount(realised, digits)}, expected {amount(expected, digits)}"
            text = (
                f"errors are {than} than its inputs let expect: mean {amount(realised, digits)},"
                f" expected {amount(expected, digits)}"
            )
        elif measured.subject.name == GAP.name:
            change = f"{amount(abs(figure.value))} {'worse' if figure.value < 0 else 'better'}"
            row = f"{change} than estimated"
            text = f"performance turned out {row}, normally 0"
        elif now == normal:
            row, text = f"{name} {now}, as normally", f"{name} is {now}{reach}, as normally"
        else:
            row = f"{name} {now}, normally {normal}"
            text = f"{name} {'rose' if rose else 'fell'} to {now}{reach}, normally {normal}"
        if (
            gap is not None and gap.reading is not None and gap.reading.level
            and measured.subject.is_realised and measured.subject.name != GAP.name
        ):  # fmt: skip
            text += _against_estimate(measured.subject.name, gap)
        scope = f"{in_segments(life.segments)}{self._scope(life, window)}"
        return Wording(
            f"{text}, {basis}, since {self._records.axis.moment(life.since)}. {scope}", row
        )

    def _scope(self, life: Life, window: MetricWindow) -> str:
        many = len(window.others)
        text = (
            "No feature changed before it." if not many
            else f"{many} feature{'' if many == 1 else 's'} changed before it."
        )  # fmt: skip
        return text + began_with(life.began)


def _against_estimate(name: str, gap: MetricReading) -> str:
    """Return how a metric that became worse compares with its estimate, in words."""
    if gap.means is None:
        return f", and performance turned out {amount(abs(gap.figure.value))} worse than estimated"
    realised, expected = gap.means
    if name == GAP_OF_ERRORS:
        return f", where the inputs of these events let expect {amount(expected)}"
    digits = digits_apart(realised, expected)
    return (
        f", and errors are larger than its inputs let expect: mean {amount(realised, digits)},"
        f" expected {amount(expected, digits)}"
    )


def shown(subject: Subject) -> str:
    """Return the name of a metric as a sentence says it.

    >>> shown(Subject.metric("roc_auc", estimated=True))
    'estimated ROC AUC'
    """
    words = figure_named(subject.name).words
    return f"estimated {words}" if subject.estimated else words


def figure_of(measured: MetricReading) -> DetectorValue:
    """Return the figure of a metric as records have it."""
    figure, reading = measured.figure, measured.reading
    return DetectorValue.of(
        figure.value,
        measured.p_value,
        measured.threshold,
        None if reading is None else STATES[reading.level],
        (figure.low, figure.high),
        measured.normal,
    )


def by_name(found: Sequence[MetricReading]) -> list[MetricReading]:
    """Return metrics in the order of their verdicts."""
    return sorted(found, key=lambda one: one.subject.field)
