"""One event with what is known of it, as it is written and compared."""

from __future__ import annotations

import math
from collections.abc import Mapping as AnyMapping
from collections.abc import Sequence
from typing import Any

import msgspec

from driftline.consumer.offline.rows.span import Span
from driftline.consumer.sketch.event_ids import id_text
from driftline.consumer.sketch.exact import EventReader
from driftline.consumer.sketch.fields import EVENT_ID, VERSION
from driftline.detectors.reference import OTHER
from driftline.producer.records.category import category_text
from driftline.producer.records.event_fields import split_outcome
from driftline.producer.records.formats.json_text import object_in
from driftline.producer.records.mapping import Constant, Mapping
from driftline.producer.records.timestamp import parse_timestamp

_LARGEST = 2**63


class EventRow(msgspec.Struct, array_like=True):
    """One event.

    Attributes:
        place: its time (ms since 1970), or how many rows of the file are before it.
        time: ms since 1970; None where it has none.
        event_id: its text; empty for none.
        version: of the model, its text; None for none.
        features: by name, as they were written.
        score, label: what was predicted.
        actual: the ground truth: a class, or a number; None while it is not known.
        tags: by name.
    """

    place: int
    time: int | None
    event_id: str
    version: str | None
    features: dict[str, Any]
    score: Any
    label: Any
    actual: Any
    tags: dict[str, Any]


class RowReader:
    """Reads the events of a stream out of records.

    Args:
        mapping: what the records look like.
        span: which model and segment.
        listed: the values of each tag that are segments; of a tag that is not among them all are.

    >>> reader = RowReader(Mapping(), Span("m", "shop=a", 0, 9_999_999_999_999), {})
    >>> record = {"timestamp": 1553644800, "features": {"km": 3}, "tags": {"shop": "a"}}
    >>> reader.read(record, None).features
    {'km': 3}
    >>> reader.read({**record, "tags": {"shop": "b"}}, None) is None
    True
    """

    def __init__(
        self, mapping: Mapping, span: Span, listed: AnyMapping[str, Sequence[str]]
    ) -> None:
        self.mapping, self._span = mapping, span
        self._events = EventReader(mapping)
        self._listed = {tag: frozenset(values) for tag, values in listed.items()}
        self._named = not isinstance(mapping.paths().get("model"), Constant)

    def read(self, record: AnyMapping[str, Any], sent: int | None) -> EventRow | None:
        """Return the event of a record, None if it is none of the stream, or has no time.

        Args:
            record: as it was decoded.
            sent: when it was written, ms since 1970; the time of an event without one.
        """
        event = self._events.read(record)
        if "features" not in event and "prediction" not in event:
            return None
        time = self._time(event, sent)
        return None if time is None else self.row(event, time, time)

    def row(self, event: AnyMapping[str, Any], place: int, time: int | None) -> EventRow | None:
        """Return an event that was read, None if it is none of the stream."""
        features, tags = object_in(event.get("features")), object_in(event.get("tags"))
        version = category_text(event.get(VERSION))
        tags = tags if isinstance(tags, dict) else {}
        if not self._is_own(event) or not self._is_in_segment(tags, version):
            return None
        predicted = split_outcome(event.get("prediction"))
        return EventRow(
            place,
            time,
            id_text(event.get(EVENT_ID)) or "",
            version,
            _kept(features) if isinstance(features, dict) else {},
            _as_kept(predicted.get("score")),
            _as_kept(predicted.get("label")),
            outcome(event.get("actual")),
            _kept(tags),
        )

    def event(self, record: AnyMapping[str, Any]) -> dict[str, Any]:
        """Return the fields of an event as they stand in a record."""
        return self._events.read(record)

    def label(self, record: AnyMapping[str, Any], sent: int) -> tuple[str, int, Any] | None:
        """Return a label: the id of its event, when it came and what it says; None if it is none.

        Args:
            record: as it was decoded.
            sent: when it was written, ms since 1970; the time of a label without one.
        """
        label = self._events.read(record)
        key, actual = id_text(label.get(EVENT_ID)), outcome(label.get("actual"))
        if not key or actual is None or not self._is_own(label):
            return None
        time = self._time(label, sent)
        return key, sent if time is None else time, actual

    def _time(self, event: AnyMapping[str, Any], sent: int | None) -> int | None:
        if event.get("timestamp") is None:
            return sent
        return parse_timestamp(event["timestamp"], self.mapping.times)

    def _is_own(self, event: AnyMapping[str, Any]) -> bool:
        model = event.get("model") if self._named else None
        return model is None or model == self._span.model

    def _is_in_segment(self, tags: AnyMapping[str, Any], version: str | None) -> bool:
        segment = self._span.segment
        return segment is None or segment in {
            self._segment(tag, category_text(value))
            for tag, value in {**tags, VERSION: version}.items()
        }

    def _segment(self, tag: str, text: str | None) -> str | None:
        listed = self._listed.get(tag)
        if text is None:
            return None
        return f"{tag}={text if listed is None or text in listed else OTHER}"


def outcome(actual: Any) -> Any:
    """Return the ground truth as one value: the class if there is one, else the number.

    >>> outcome({"label": "fraud", "score": 1}), outcome(0.5), outcome(None), outcome([1])
    ('fraud', 0.5, None, None)
    """
    found = split_outcome(object_in(actual))
    label = found.get("label")
    return _as_kept(found.get("score") if label is None else label)


def _kept(values: AnyMapping[str, Any]) -> dict[str, Any]:
    return {name: _as_kept(value) for name, value in values.items()}


def _as_kept(value: Any) -> Any:
    """Return a value as it can be kept: a whole number of more than 64 bits is a double."""
    if type(value) is int and not -_LARGEST <= value < _LARGEST:
        try:
            return float(value)
        except OverflowError:
            return math.inf if value > 0 else -math.inf
    return value
