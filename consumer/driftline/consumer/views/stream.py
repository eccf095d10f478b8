"""What is known of one stream: its features, its number of events, its performance."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Protocol

from driftline.consumer.views.answers import Labels, VersionStart
from driftline.consumer.views.ring import Place, Ring
from driftline.consumer.views.spans import Span, span_of
from driftline.consumer.wire.records import (
    EVENTS,
    JOINT,
    DetectorValue,
    Number,
    ReferenceName,
    Sequential,
    Sides,
    Window,
    missing_share,
    number,
)
from driftline.consumer.wire.subject import Subject

TOGETHER = ("effect", "evidence", "limit")
FEATURE = ("effect", "evidence", "limit", "missing")
METRIC = ("value", "low", "high", "threshold", "normal")
LABELS = ("labelled", "waiting", "expired")
_OTHER = "__other__"


class Judged(Protocol):
    """What is read of a verdict; `Verdict` has it, and what decodes less of it."""

    @property
    def model(self) -> str: ...  # noqa: D102
    @property
    def segment(self) -> str | None: ...  # noqa: D102
    @property
    def feature(self) -> str | None: ...  # noqa: D102
    @property
    def type(self) -> str: ...  # noqa: D102
    @property
    def state(self) -> str: ...  # noqa: D102
    @property
    def reason(self) -> str | None: ...  # noqa: D102
    @property
    def window(self) -> Window: ...  # noqa: D102
    @property
    def reference(self) -> ReferenceName: ...  # noqa: D102
    @property
    def versions(self) -> dict[str, int]: ...  # noqa: D102
    @property
    def counts(self) -> dict[str, int] | None: ...  # noqa: D102
    @property
    def effect(self) -> Number: ...  # noqa: D102
    @property
    def detectors(self) -> Mapping[str, DetectorValue]: ...  # noqa: D102
    @property
    def sequential(self) -> Sequential | None: ...  # noqa: D102
    @property
    def sides(self) -> Sides | None: ...  # noqa: D102
    @property
    def subject(self) -> Subject:
        """What it speaks of."""


class Stream:
    """The newest windows of one stream.

    Args:
        windows: that are kept at most.

    Attributes:
        features: effect, evidence, limit and share without a value of each feature.
        volume: number of events that is normal; its one name is `events`.
        joint: effect, evidence and limit of how features go together; its one name is `joint`.
        performance: of each metric, by its field, the value, interval, limit and what is normal.
        labels: what became of the predictions of a window; its one name is `labels`.
        types: of each feature its type.
        versions: events by model version in the newest window of features; empty before.
        reference: id of the reference of that window; None before.
    """

    def __init__(self, windows: int) -> None:
        self._windows = windows
        self.features = Ring(windows, FEATURE)
        self.volume: Ring | None = None
        self.joint: Ring | None = None
        self.performance: Ring | None = None
        self.labels: Ring | None = None
        self.types: dict[str, str] = {}
        self.versions: dict[str, int] = {}
        self.reference: str | None = None
        self._onsets: dict[str, tuple[Span, str | None]] = {}
        self._newest: Span | None = None
        self._known: dict[tuple[str, ...], tuple[str, ...]] = {}

    def between(self, since: int | None, until: int | None) -> Stream:
        """Return the windows that end after `since` and begin before `until`, ms or rows.

        Onsets, and what is known of the newest window, are left as they are.
        """
        part = Stream(self._windows)
        part.features = self.features.between(since, until)
        part.volume, part.joint, part.performance, part.labels = (
            None if ring is None else ring.between(since, until)
            for ring in (self.volume, self.joint, self.performance, self.labels)
        )
        part.types, part.versions, part.reference = self.types, self.versions, self.reference
        part._onsets = self._onsets
        return part

    def judged(self, verdict: Judged, place: Place | None) -> None:
        """Take in a verdict."""
        if verdict.type == EVENTS:
            self._count(verdict, place)
        elif verdict.type == JOINT:
            self._join(verdict, place)
        elif verdict.type == "performance":
            self._measure(verdict, place)
        elif verdict.feature is not None:
            self._compare(verdict.feature, verdict, place)

    @property
    def room(self) -> int:
        """How many verdicts it can hold, of what it has verdicts on."""
        rings = (self.features, self.volume, self.joint, self.performance)
        return sum(ring.room for ring in rings if ring is not None)

    def onset(self, feature: str) -> str | None:
        """Return when the change would have begun, by the newest verdict on a feature."""
        found = self._onsets.get(feature)
        return None if found is None else found[1]

    def newest_labels(self) -> Labels | None:
        """Return what became of the predictions of the newest window of labels."""
        if self.labels is None or (span := self.labels.newest) is None:
            return None
        labelled, waiting, expired = (
            int(self.labels.figure(name, "labels", span) or 0) for name in LABELS
        )
        newest = self.features.newest
        behind = newest is not None and newest.end > span.end
        judged = self.features.text(newest)[1] if newest is not None and behind else None
        return Labels(labelled, waiting, expired, self.labels.text(span)[1], judged)

    def version_starts(self) -> list[VersionStart]:
        """Return the windows in which versions were first seen; not those of the oldest window."""
        ring, found = self.features, list[VersionStart]()
        seen: set[str] | None = None
        for column, span in zip(ring.order, ring.spans, strict=True):
            names = set(ring.versions[column])
            if seen is not None:
                start, end = ring.text(span)
                found += [VersionStart(name, start, end) for name in sorted(names - seen)]
            seen = names if seen is None else seen | names
        return found

    def _compare(self, feature: str, verdict: Judged, place: Place | None) -> None:
        cell = self.features.cell(feature, verdict.window, place)
        if cell is None:
            return
        sequential = verdict.sequential
        missing = missing_share(verdict.counts, verdict.window.events)
        self.features.write(
            cell,
            verdict.state,
            verdict.reason,
            effect=verdict.effect,
            evidence=None if sequential is None else sequential.evidence,
            limit=None if sequential is None else sequential.limit,
            missing=None if missing is None else number(missing),
        )
        self.features.versions[cell[1]] = self._shared(verdict.versions)
        span = span_of(verdict.window)
        known = self._onsets.get(feature)
        if known is None or span >= known[0]:
            self._onsets[feature] = span, None if sequential is None else sequential.onset
            self.types[feature] = verdict.type
        if self._newest is None or span >= self._newest:
            self._newest = span
            self.versions, self.reference = verdict.versions, verdict.reference.id

    def _count(self, verdict: Judged, place: Place | None) -> None:
        if self.volume is None:
            self.volume = Ring(self._windows, ("normal",))
        cell = self.volume.cell(EVENTS, verdict.window, place)
        if cell is not None:
            found = verdict.detectors.get(EVENTS)
            normal = None if found is None else found.reference
            self.volume.write(cell, verdict.state, verdict.reason, normal=normal)

    def _join(self, verdict: Judged, place: Place | None) -> None:
        if self.joint is None:
            self.joint = Ring(self._windows, TOGETHER)
        cell = self.joint.cell(JOINT, verdict.window, place)
        if cell is not None:
            found = verdict.detectors.get(JOINT)
            evidence, limit = (None, None) if found is None else (found.value, found.threshold)
            self.joint.write(
                cell,
                verdict.state,
                verdict.reason,
                effect=verdict.effect,
                evidence=evidence,
                limit=limit,
            )

    def _measure(self, verdict: Judged, place: Place | None) -> None:
        if self.performance is None:
            self.performance = Ring(self._windows, METRIC, wide=True)
        subject = verdict.subject
        cell = self.performance.cell(subject.field, verdict.window, place)
        if cell is None:
            return
        found = verdict.detectors.get(subject.name)
        low, high = (found and found.interval) or (None, None)
        self.performance.write(
            cell,
            verdict.state,
            verdict.reason,
            value=None if found is None else found.value,
            low=low,
            high=high,
            threshold=None if found is None else found.threshold,
            normal=None if found is None else found.reference,
        )
        counts = verdict.counts
        if counts is None:
            return
        if self.labels is None:
            self.labels = Ring(self._windows, LABELS, counts=True)
        cell = self.labels.cell("labels", verdict.window, None)
        if cell is not None:
            self.labels.write(cell, "ok", None, **{name: counts.get(name) for name in LABELS})

    def _shared(self, versions: Iterable[str]) -> tuple[str, ...]:
        """Return the names of versions, one object for all windows that have the same."""
        names = tuple(sorted(name for name in versions if name != _OTHER))
        if len(self._known) > 2 * self._windows:
            self._known = {}
        return self._known.setdefault(names, names)
