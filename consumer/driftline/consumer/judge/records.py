"""Builds verdicts and alerts: the one place where their fields are filled in.

Judges of features, metrics, comparisons and whole models describe what they found; who it is about,
when it was, and in which order it stands in a record is known here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from msgspec import UNSET

from driftline.consumer.config import ModelConfig
from driftline.consumer.judge.accepted_state import AcceptedFeature
from driftline.consumer.judge.budget_rules import BUDGET_RULES
from driftline.consumer.judge.lives.life import Life, WindowTimes
from driftline.consumer.judge.sentence import Wording, fit, named, opening
from driftline.consumer.wire.addresses import alert_links
from driftline.consumer.wire.axis import axis_of
from driftline.consumer.wire.kinds import Kind, Severity
from driftline.consumer.wire.records import (
    JOINT,
    STATES,
    Accepted,
    Alert,
    Contribution,
    DetectorValue,
    Number,
    ReferenceName,
    Sequential,
    State,
    Verdict,
    most_frequent,
)
from driftline.consumer.wire.subject import Subject, identity, stream_name
from driftline.detectors.reference import Reference

_LISTED = 20
NO_FIGURE = DetectorValue(None, None, None, None)


class AlertIdentity(NamedTuple):
    """An alert, as its records name it.

    Attributes:
        segment: empty for the whole model.
        subject: what it is about.
        kind, severity: as in its newest record.
        alert_id, incident_id: as in its records.
        links: as in its records.
        recorded: whether it has records; else one alert on several features speaks of it too.
    """

    segment: str
    subject: Subject
    kind: Kind
    severity: Severity
    alert_id: str
    incident_id: str
    links: dict[str, str] | None
    recorded: bool


@dataclass(frozen=True)
class JudgedWindow:
    """A window of one stream, as its records name it.

    Attributes:
        times: when it is.
        events: how many.
        versions: events by model version.
    """

    times: WindowTimes
    events: int
    versions: dict[str, int]

    @cached_property
    def shown_versions(self) -> dict[str, int]:
        """The versions as they stand in records."""
        return most_frequent(self.versions)


@dataclass(frozen=True, kw_only=True)
class Judgement:
    """What a verdict says of one subject.

    Attributes:
        subject: whom it is about; `type`: of its values.
        reason: why it cannot be judged, None where it was.
        counts: events, or predictions, by what became of them.
        effect: PSI.
        figures: by detector.
        bins, confusion: counts in detail.
    """

    subject: Subject
    type: str
    reason: str | None
    counts: dict[str, int] | None
    effect: Number = None
    figures: Mapping[str, DetectorValue] = field(default_factory=dict)
    bins: dict[str, Any] | None = None
    confusion: dict[str, Any] | None = None


@dataclass(frozen=True, kw_only=True)
class Cause:
    """What an alert says of one subject, in the window that causes the record.

    Attributes:
        wording: what happened.
        type: of the subject's values; None for a whole model.
        detector: which one fired, and its figure now.
        effect: PSI.
        breaches: windows in breach, of how many.
        counts: events, or predictions, by what became of them.
        top: bins that contributed most.
        others: features that fire too, worst first.
    """

    wording: Wording
    type: str | None = None
    detector: tuple[str, DetectorValue] | None = None
    effect: Number = None
    breaches: tuple[int, int] | None = None
    counts: dict[str, int] | None = None
    top: list[Contribution] = field(default_factory=list)
    others: Sequence[str] = ()


class RecordWriter:
    """Builds the records of one stream.

    Args:
        model: its name.
        segment: None for the whole model, else ``tag=value``.
        config: whose owner, runbook and page alerts have.
        reference: named in the records.

    Attributes:
        model, segment: as above.
        accepted: features whose present was accepted as normal.
        stream: its name.
        note: what to know of all that is judged now; None: nothing.
        axis: what its windows lie along.
    """

    def __init__(
        self, model: str, segment: str | None, config: ModelConfig, reference: ReferenceName
    ) -> None:
        self.model, self.segment = model, segment
        self.note: str | None = None
        self.accepted: Mapping[str, AcceptedFeature] = {}
        self._config, self._reference = config, reference
        self.stream = stream_name(model, segment)
        self.axis = axis_of(config.window)

    @classmethod
    def of(
        cls, model: str, segment: str | None, config: ModelConfig, reference: Reference
    ) -> RecordWriter:
        """Return the writer of a stream that the reference has."""
        events = int(reference.stream_events[reference.position[segment]])
        return cls(model, segment, config, ReferenceName(reference.id, events))

    def verdict(
        self,
        window: JudgedWindow,
        found: Judgement,
        events: int | None = None,
        sequential: Sequential | None = None,
        note: str | None = None,
    ) -> Verdict:
        """Return the verdict on one subject: the worst state of its figures.

        Args:
            window: that was judged.
            found: the judgement of the subject.
            events: of the reference that it is compared with; None: all.
            sequential: the evidence that was added up; None: none was.
            note: what a reader should know of how it was judged; None: nothing.
        """
        feature, times, key = found.subject.field or None, window.times, self.axis.key
        ends = key(times.start), key(times.end)
        # The number of events has no feature either.
        about = (found.subject.field, *([JOINT] if found.type == JOINT else []))
        states = {figure.state for figure in found.figures.values()}
        worst: State = next((state for state in reversed(STATES) if state in states), "ok")
        return Verdict(
            schema="driftline.verdict.v1",
            verdict_id=identity(self.stream, *about, *ends, self._reference.id),
            stream=self.stream,
            model=self.model,
            segment=self.segment,
            feature=feature,
            type=found.type,
            state="insufficient" if found.reason is not None else worst,
            reason=found.reason,
            window=self.axis.window(times.start, times.end, window.events),
            reference=self._named(events),
            versions=window.shown_versions,
            counts=found.counts,
            effect=found.effect,
            detectors={} if found.reason is not None else dict(found.figures),
            bins=found.bins,
            confusion=found.confusion,
            sequential=sequential,
            note=note,
            accepted=None if found.subject.sort == "metric" else self._accepted(feature),
        )

    def alert(
        self,
        life: Life,
        window: JudgedWindow,
        cause: Cause,
        events: int | None = None,
        accepted: str | None = None,
    ) -> Alert:
        """Return the record of a life that fired, rose, was resolved or is due again.

        Args:
            life: of the alert.
            window: that causes it.
            cause: what it shows.
            events: of the reference that it is compared with; None: all.
            accepted: a feature whose present was accepted, so that it ends; None: none.
        """
        axis, times, (name, figure) = self.axis, window.times, cause.detector or (None, NO_FIGURE)
        who = self.identify(life)
        until = times.start if life.quiet_since is None else life.quiet_since
        others = list(map(named, cause.others))
        return Alert(
            schema="driftline.alert.v1",
            alert_id=who.alert_id,
            revision=life.revision,
            status="firing" if life.firing else "resolved",
            severity=who.severity,
            kind=life.kind,
            summary=fit(f"{opening(self.stream)}{cause.wording.text}", others),
            stream=self.stream,
            model=self.model,
            segment=self.segment,
            feature=None if life.subject.sort == "model" else life.feature,
            type=cause.type,
            since=axis.time(life.since),
            until=None if life.firing else axis.time(until),
            rows=axis.rows(life.since, times.end if life.firing else until),
            rule=life.described or life.rule,
            budgeted=life.rule in BUDGET_RULES,
            detector=name,
            value=figure.value,
            p_value=figure.p_value,
            threshold=figure.threshold,
            interval=figure.interval,
            normal=figure.reference,
            effect=cause.effect,
            breaches=cause.breaches,
            window=axis.window(times.start, times.end, window.events),
            reference=self._named(events),
            versions=window.shown_versions,
            counts=cause.counts,
            top=cause.top,
            about=cause.wording.about,
            types=cause.wording.types,
            segments=life.segments or None,
            features=cause.wording.features,
            began_with=None if life.releases is UNSET else life.began,
            incident_id=who.incident_id,
            also_firing=list(cause.others[:_LISTED]),
            owner=self._config.owner,
            runbook=self._config.runbook,
            links=who.links,
            accepted=self._accepted(accepted),
        ).with_change(cause.wording.row)

    def identify(self, life: Life) -> AlertIdentity:
        """Return how the records of a life of this stream name it."""
        incident = life.since if life.incident is None else life.incident
        alert_id = identity(*life.key, self.axis.key(life.since))
        return AlertIdentity(
            self.segment or "",
            life.subject,
            life.kind,
            "critical" if life.severity == 2 else "warning",
            alert_id,
            identity(self.model, self.axis.key(incident)),
            alert_links(self._config.page, alert_id),
            not life.silent,
        )

    def _accepted(self, feature: str | None) -> Accepted | None:
        """Return who accepted what a feature is compared with; None: nobody did."""
        found = self.accepted.get(feature or "")
        if found is None:
            return None
        since, start = self.axis.key(found.since), self.axis.key(found.start)
        return Accepted(found.id, found.who, found.why, since, start)

    def _named(self, events: int | None) -> ReferenceName:
        return self._reference if events is None else ReferenceName(self._reference.id, events)


def too_few(count: int, needed: int, what: str = "events") -> str:
    """Return why a window with few events, or labels, is not judged.

    >>> too_few(212, 500), too_few(1, 500, "labelled events")
    ('212 events, 500 needed', '1 labelled event, 500 needed')
    """
    counted = what.removesuffix("s") if count == 1 else what
    return f"{count:,} {counted}, {needed:,} needed"
