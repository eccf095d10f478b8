r"""Other people's records to native events: `sources.<topic>.fields` of the configuration.

A mapping says, for each field of the event, where in the record it is found: a dotted path
(`payload.customer.age`; a dot that belongs to a name is written `\.`), a constant, or for
`features` the sign `*`: every top-level field that no other entry reads. A mapping replaces the
native names: what it does not name is not read. Without entries it is the native mapping, which
reads the event's own names and their aliases.
"""

from __future__ import annotations

import math
import re
from collections.abc import Container
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Self

from driftline.producer.errors import MappingError
from driftline.producer.records.event_fields import EVENT_FIELDS, rename_aliases
from driftline.producer.records.formats.json_text import object_in
from driftline.producer.records.names import nearest
from driftline.producer.records.text_form import AS_WRITTEN, TextForm
from driftline.producer.records.time_form import AUTO, TimeForm
from driftline.producer.records.timestamp import format_time, join_clock, parse_timestamp

Path = tuple[str, ...]

WILDCARD = "*"
PLAIN_FIELDS = (
    *EVENT_FIELDS,
    "prediction.score",
    "prediction.label",
    "actual.score",
    "actual.label",
)
"""Event fields that a mapping may name, beside `features.<name>` and `tags.<name>`."""


_ABSENT: Any = object()


@dataclass(frozen=True)
class Constant:
    """A value that is the same in every event; `{value: X}` in the configuration."""

    value: str | int | float | bool | None


@dataclass(frozen=True)
class DateAndClock:
    """A time that stands in two fields; `[date, clock]` in the configuration.

    Attributes:
        date: path of the date.
        clock: path of the time of day.
    """

    date: str
    clock: str


Source = str | Constant | DateAndClock
"""What a mapping says of one field of the event."""


@dataclass(frozen=True)
class Mapping:
    r"""Where each field of an event is found in a record.

    Args:
        fields: event field to dotted path or constant; empty means native events. The timestamp
            may stand in two fields.
        times: how timestamps are written.
        texts: what texts of values stand for. Values are read by it when it is known of which
            type they are (`values.kind_of`): `to_event` leaves them as they are.

    Raises:
        MappingError: unknown event field, empty path, or a field named twice (`prediction` and
            `prediction.score`).

    >>> mapping = Mapping({"timestamp": "ts", "prediction.score": "out.price", "features": "*"})
    >>> mapping.to_event({"ts": 1553644800, "out": {"price": 9.5}, "km": 12, "fuel": None})
    {'timestamp': 1553644800, 'prediction': {'score': 9.5}, 'features': {'km': 12, 'fuel': None}}
    """

    fields: dict[str, Source] = field(default_factory=dict)
    times: TimeForm = AUTO
    texts: TextForm = AS_WRITTEN

    def __post_init__(self) -> None:
        """Check every name and path once, so that reading records cannot fail."""
        for name, source in self.fields.items():
            _check_field(name)
            _check_source(name, source)
        for whole in ("prediction", "actual"):
            parts = [name for name in self.names(whole) if name != whole]
            if whole in self.fields and parts:
                raise MappingError(f"{whole} and {parts[0]} are both named: leave one of them out")

    @classmethod
    def native(cls) -> Self:
        """Return the mapping of native events: their own names and the aliases."""
        return cls()

    @classmethod
    def from_config(cls, fields: AnyMapping[str, object], times: TimeForm = AUTO) -> Self:
        """Build a mapping from the values of a configuration file.

        Args:
            fields: event field to path (text), to `{"value": X}`, or to a list of two paths.
            times: how timestamps are written.

        Raises:
            MappingError: an entry is neither, or names something that does not exist.
        """
        sources: dict[str, Source] = {}
        for name, value in fields.items():
            if isinstance(value, dict) and set(value) == {"value"}:
                sources[name] = Constant(value["value"])
            elif isinstance(value, str | Constant | DateAndClock):
                sources[name] = value
            elif isinstance(value, list) and len(value) == 2 and set(map(type, value)) == {str}:
                sources[name] = DateAndClock(*value)
            else:
                raise MappingError(
                    "write a dotted path, or {value: X} for a value that never changes", name
                )
        return cls(sources, times)

    def names(self, field: str) -> list[str]:
        """Return what of an event's field is mapped: the field itself, or its parts.

        >>> Mapping({"prediction.score": "p", "actual": "y"}).names("prediction")
        ['prediction.score']
        """
        return [name for name in self.fields or EVENT_FIELDS if name.partition(".")[0] == field]

    def without(self, field: str) -> Mapping:
        """Return the mapping without an event's field, and without its parts.

        >>> Mapping({"prediction.score": "p", "actual": "y"}).without("actual").names("actual")
        []
        """
        names = self.names(field)
        kept = {name: path for name, path in self.fields.items() if name not in names}
        return replace(self, fields=kept)

    @property
    def is_native(self) -> bool:
        """Whether records are native events, read by their own names and the aliases."""
        return not self.fields

    @property
    def wildcard(self) -> bool:
        """Whether every top-level field that no entry reads is a feature."""
        return self.fields.get("features") == WILDCARD

    def paths(self) -> dict[str, Path | Constant]:
        """Return event field to parsed path or constant, without `features` if it is the wildcard.

        Of the native mapping these are the native names themselves (without the aliases). Of a
        timestamp in two fields it is the date's; see `clock`.

        >>> Mapping({"event_id": "meta.id", "model": Constant("m"), "features": "*"}).paths()
        {'event_id': ('meta', 'id'), 'model': Constant(value='m')}
        """
        if self.is_native:
            return {name: (name,) for name in EVENT_FIELDS}
        return {
            name: source if isinstance(source, Constant) else parse_path(_first(source))
            for name, source in self.fields.items()
            if source != WILDCARD
        }

    @cached_property
    def clock(self) -> Path | None:
        """Where the time of day is, if `timestamp` is the date alone; join them by `join_clock`.

        >>> Mapping({"timestamp": DateAndClock("day", "at.hour")}).clock
        ('at', 'hour')
        """
        source = self.fields.get("timestamp")
        return parse_path(source.clock) if isinstance(source, DateAndClock) else None

    def used(self, but: Container[str] = ()) -> frozenset[str]:
        """Return the top-level fields that entries read; with the wildcard, these are no features.

        Args:
            but: fields of the event that do not count, such as `event_id`.

        >>> sorted(Mapping({"event_id": "meta.id", "features": "*"}).used())
        ['meta']
        """
        named = self.paths().items()
        paths = [path for name, path in named if name.partition(".")[0] not in but]
        return frozenset(path[0] for path in (*paths, self.clock) if isinstance(path, tuple))

    def to_event(self, record: AnyMapping[str, Any]) -> dict[str, Any]:
        """Return a record as a native event that JSON can hold.

        What the record does not have, the event does not have: absent and null stay apart. JSON
        has no NaN and no infinity; such numbers become the texts "NaN", "Infinity", "-Infinity",
        which the monitor counts as invalid. null would have been counted as missing.

        Args:
            record: a row or a decoded JSON object.

        Returns:
            A dict with the event's own names. Where it is configured how timestamps are written,
            they are given as native ones: a number in ms, any other as RFC 3339 (what is
            unreadable as a sentence, so that nobody reads it in another way).
        """
        event = rename_aliases(record) if self.is_native else self._read(record)
        if self.times != AUTO and event.get("timestamp") is not None:
            event["timestamp"] = _native_time(event["timestamp"], self.times)
        for name, value in event.items():
            event[name] = _without_nonfinite(value)
        return event

    def _read(self, record: AnyMapping[str, Any]) -> dict[str, Any]:
        event: dict[str, Any] = {}
        named: dict[str, dict[str, Any]] = {}
        for target, source in self._entries:
            value = find(record, source, _ABSENT)
            if value is _ABSENT:
                continue
            if self.clock is not None and target == ("timestamp",):
                value = join_clock(value, find(record, self.clock, None))
            if len(target) == 1:
                event[target[0]] = value
            else:
                event.setdefault(target[0], {})
                named.setdefault(target[0], {})[target[1]] = value
        if self.wildcard:
            used = self._used
            event["features"] = {name: value for name, value in record.items() if name not in used}
        for part, values in named.items():
            # Named entries (features.x) win over the object that they belong to.
            whole = event.get(part)
            if whole is None or isinstance(whole, dict):
                event[part] = {**(whole or {}), **values}
        return event

    @cached_property
    def _entries(self) -> tuple[tuple[Path, Path | Constant], ...]:
        return tuple((tuple(name.split(".", 1)), source) for name, source in self.paths().items())

    @cached_property
    def _used(self) -> frozenset[str]:
        return self.used()


def parse_path(text: str) -> Path:
    r"""Split a dotted path into names; a dot that belongs to a name is written ``\.``.

    >>> parse_path(r"payload.car\.value")
    ('payload', 'car.value')
    """
    parts = re.split(r"(?<!\\)\.", text)
    return tuple(part.replace("\\.", ".") for part in parts)


def quote_name(name: str) -> str:
    r"""Write one name as a path, so that its dots are not separators.

    >>> quote_name("car.value")
    'car\\.value'
    """
    return name.replace(".", "\\.")


def _check_field(name: str) -> None:
    if name in PLAIN_FIELDS:
        return
    head, _, rest = name.partition(".")
    if head in ("features", "tags") and rest:
        return
    near = nearest(name, [*PLAIN_FIELDS, f"features.{rest}", f"tags.{rest}"])
    hint = near or f"use one of {', '.join(PLAIN_FIELDS)}, features.<name>, tags.<name>"
    raise MappingError(f"not a field of an event, {hint}", name)


def _first(source: str | DateAndClock) -> str:
    return source.date if isinstance(source, DateAndClock) else source


def _check_source(name: str, source: Source) -> None:
    if isinstance(source, DateAndClock):
        if name != "timestamp":
            raise MappingError("only a timestamp can stand in two fields; name one path", name)
        for path in (source.date, source.clock):
            _check_source(name, path)
    elif isinstance(source, Constant):
        if name in ("features", "tags"):
            raise MappingError(f"a constant has to name one, such as {name}.channel", name)
        if not isinstance(source.value, str | int | float | bool | None):
            raise MappingError("a constant is text, a number, true, false or null", name)
    elif source == WILDCARD:
        if name != "features":
            raise MappingError('only features can be "*"; name the path in the record', name)
    elif not all(parse_path(source)):
        raise MappingError(f"the path {source!r} has an empty part", name)


def find(record: Any, place: Path | Constant, absent: Any) -> Any:
    """Return what stands at a place of a record, `absent` where nothing does.

    >>> find({"a": {"b": 1}}, ("a", "b"), None), find({"a": 1}, ("a", "b"), None)
    (1, None)
    """
    if isinstance(place, Constant):
        return place.value
    for name in place:
        record = object_in(record)
        if not isinstance(record, dict) or name not in record:
            return absent
        record = record[name]
    return record


def _native_time(value: Any, form: TimeForm) -> Any:
    time = parse_timestamp(value, form)
    if time is None:
        return f"no time: {value}"
    # A number before 2000 would not be read.
    as_number = form.format is None and isinstance(value, int | float)
    return time if as_number else format_time(time)


def _without_nonfinite(value: Any) -> Any:
    if isinstance(value, dict):  # features, prediction ...: whose own values are scalars
        return {name: finite_or_text(inner) for name, inner in value.items()}
    return finite_or_text(value)


def finite_or_text(value: Any) -> Any:
    """Return what JSON can hold of a value: of a number that is not finite its name.

    >>> finite_or_text(float("-inf")), finite_or_text(1.5), finite_or_text(None)
    ('-Infinity', 1.5, None)
    """
    if not isinstance(value, float) or math.isfinite(value):
        return value
    return "NaN" if math.isnan(value) else "Infinity" if value > 0 else "-Infinity"
