"""The exact way to read one event: any JSON value, aliases, and a reason where it cannot be used.

It decides what the compiled way (`compile`) leaves to it: records of another shape, values of a
wrong type, numbers that are not finite, bytes that are no JSON at all.
"""

from __future__ import annotations

import math
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from enum import Enum
from typing import Any, Self

from driftline.consumer.sketch.event_ids import id_text
from driftline.consumer.sketch.fields import EVENT_ID, VERSION, EventFields
from driftline.consumer.sketch.versions import version_text
from driftline.consumer.wire.kinds import Reason
from driftline.errors import DriftlineError
from driftline.producer.errors import FormatError
from driftline.producer.records.event_fields import rename_aliases, split_outcome
from driftline.producer.records.formats.json_text import object_in, parse_json
from driftline.producer.records.mapping import Mapping, find
from driftline.producer.records.table import ABSENT as NO_KEY
from driftline.producer.records.timestamp import join_clock
from driftline.producer.records.values import ABSENT


class Lack(Enum):
    """What a record has nothing of: as what it is read, it is none."""

    EVENT = "the event has neither features nor prediction"
    ACTUAL = "the label has no actual"


_ABSENT: Any = object()


class UnusableError(DriftlineError):
    """A record cannot be used.

    Args:
        reason: one of the closed set.
        detail: what is wrong, without any value of the record.
        lack: what the record has nothing of, if that is what is wrong.
        field: the event's field that holds what is wrong, if it is one.
    """

    def __init__(
        self, reason: Reason, detail: str, lack: Lack | None = None, field: str = ""
    ) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail
        self.lack = lack
        self.field = field

    @classmethod
    def lacking(cls, lack: Lack) -> Self:
        """Return the error of a record that has nothing of what it is read as."""
        return cls("schema", lack.value, lack)


@dataclass(frozen=True)
class Row:
    """One event as the compiled way would have read it.

    Attributes:
        doubles: one of each scalar.
        timestamp: as it is in the event; None if there is none.
        version: the text of the model's version; None if there is none.
        event_id: its text; None if there is none.
        new: names of its fields that the reference does not list.
    """

    doubles: list[float]
    timestamp: Any
    version: str | None
    event_id: str | None
    new: tuple[str, ...] = ()


def parse(value: bytes) -> dict[str, Any]:
    """Read a record's bytes as a JSON object.

    NaN, Infinity and 1e400, which are no JSON but are written, are read as such texts.

    Raises:
        UnusableError: malformed.

    >>> parse(b'{"age": NaN}')
    {'age': 'NaN'}
    """
    try:
        record = parse_json(value)
    except FormatError as error:
        raise UnusableError(error.reason, error.detail) from None
    if not isinstance(record, dict):
        raise UnusableError("malformed", f"the value is {json_type(record)}, not an object")
    return record


class EventReader:
    """Finds the fields of an event in a record, as they are there; null counts as absent.

    Args:
        mapping: what the records look like.

    >>> reader = EventReader(Mapping({"tags.country": "market", "features": "*"}))
    >>> reader.read({"market": 1, "km": 2})
    {'features': {'km': 2}, 'tags': {'country': 1}}
    """

    def __init__(self, mapping: Mapping) -> None:
        self._native = mapping.is_native
        self._clock = mapping.clock
        self._wildcard = mapping.wildcard
        self._used = mapping.used()
        self._sources = [(*name.partition("."), path) for name, path in mapping.paths().items()]

    def read(self, record: AnyMapping[str, Any]) -> dict[str, Any]:
        """Return the event's fields by their own names."""
        if self._native:
            event = rename_aliases(record)
            return {name: value for name, value in event.items() if value is not None}
        event = {}
        named: dict[str, dict[str, Any]] = {}
        for part, _, inner, source in self._sources:
            value = find(record, source, _ABSENT)
            if value is _ABSENT:
                continue
            if inner:
                named.setdefault(part, {})[inner] = value
            elif value is not None:
                event[part] = value
        if self._clock is not None and "timestamp" in event:
            event["timestamp"] = join_clock(event["timestamp"], find(record, self._clock, None))
        if self._wildcard:
            event["features"] = {k: v for k, v in record.items() if k not in self._used}
        for part, values in named.items():
            whole = event.setdefault(part, {})
            if isinstance(whole, dict):
                event[part] = {**whole, **values}
        return event


def read_model(event: AnyMapping[str, Any]) -> str | None:
    """Return the model that an event names, None if it names none.

    Raises:
        UnusableError: schema.
    """
    model = event.get("model")
    if model is not None and not isinstance(model, str):
        raise UnusableError("schema", f"model is {json_type(model)}, not text", field="model")
    return model


def read_row(fields: EventFields, event: AnyMapping[str, Any]) -> Row:
    """Read an event, or a label, of the model whose fields are given.

    Raises:
        UnusableError: schema.
    """
    event_id = id_text(event.get(EVENT_ID))
    if fields.schema.record == "event":
        if "features" not in event and "prediction" not in event:
            raise UnusableError.lacking(Lack.EVENT)
    elif "actual" not in event:
        raise UnusableError.lacking(Lack.ACTUAL)
    elif not event_id and fields.schema.record == "label":
        raise UnusableError("schema", "the label has no event_id", field=EVENT_ID)
    parts = {
        part: _read_part(part, event.get(part), numbers) for part, numbers in fields.parts.items()
    }
    doubles = [
        scalar.kind.read(parts[scalar.part][scalar.name])
        if scalar.name in parts[scalar.part]
        else ABSENT
        for scalar in fields.scalars
    ]
    for derived in fields.derived:
        value = parts["features"].get(derived.name, NO_KEY)
        found = derived.reader.read([value])[:, 0].tolist()
        for place, double in zip(derived.reader.places.tolist(), found, strict=True):
            doubles[place] = double
    if fields.schema.record == "label among events" and set(doubles) == {ABSENT}:
        raise UnusableError.lacking(Lack.ACTUAL)
    version = event.get(VERSION)
    text = version_text(version)
    if version is not None and text is None:
        detail = f"model_version is {json_type(version)}, not text"
        raise UnusableError("schema", detail, field=VERSION)
    new = fields.listed.new(_fields_of(event)) if fields.listed is not None else ()
    return Row(doubles, event.get("timestamp"), text, event_id, new)


def values_of(event: AnyMapping[str, Any]) -> dict[str, Any]:
    """Return the features of an event, what it predicts among them, by their names.

    >>> values_of({"features": {"km": 3}, "prediction": {"score": 0.2}})
    {'km': 3, 'prediction.score': 0.2}
    """
    found = dict(_fields_of(event))
    prediction = event.get("prediction")
    if prediction is not None and not isinstance(prediction, list):
        for part, value in split_outcome(prediction).items():
            if part in ("score", "label"):
                found[f"prediction.{part}"] = value
    return found


def _fields_of(event: AnyMapping[str, Any]) -> AnyMapping[str, Any]:
    features = object_in(event.get("features"))
    return features if isinstance(features, dict) else {}


def in_record(mapping: Mapping, field: str) -> str:
    """Return where a mapping has a field of events, to stand behind what is wrong with it.

    >>> in_record(Mapping({"timestamp": "meta.ts"}), "timestamp"), in_record(Mapping(), "model")
    (': field meta.ts', '')
    """
    if mapping.is_native or not field:
        return ""
    found = mapping.paths()
    paths = [*map(found.get, mapping.names(field)), mapping.clock if field == "timestamp" else None]
    named = [".".join(path) for path in paths if isinstance(path, tuple)]
    return f": field{'s'[: len(named) - 1]} {' and '.join(named)}" if named else ""


def json_type(value: object) -> str:
    """Return what a JSON value is, in words, with its article.

    >>> [json_type(value) for value in ([], 1.5, None)]
    ['an array', 'a number', 'null']
    """
    if value is None:
        return "null"
    if isinstance(value, float) and not math.isfinite(value):
        return "a number that is not finite"
    words: dict[type, str] = {dict: "an object", list: "an array", str: "text", bool: "a boolean"}
    return words.get(type(value), "a number")


def _read_part(part: str, value: Any, numbers: bool) -> dict[str, Any]:
    if part in ("prediction", "actual") and not isinstance(value, list):
        return split_outcome(value, numbers)
    if value is None:
        return {}
    value = object_in(value)
    if not isinstance(value, dict):
        raise UnusableError("schema", f"{part} is {json_type(value)}, not an object", field=part)
    return value
