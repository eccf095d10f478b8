"""Where a record (an event, or a row that is mapped to one) holds its time and its features."""

from __future__ import annotations

from collections.abc import Mapping as AnyMapping
from typing import Any, Final

from driftline.producer.errors import InputError
from driftline.producer.records.mapping import Constant, Mapping, Path
from driftline.producer.records.names import PREDICTION_FEATURES
from driftline.producer.records.timestamp import join_clock, parse_timestamp

Record = AnyMapping[str, Any]


class RecordFields:
    """Finds times and features in the records that a mapping describes.

    Args:
        mapping: of the records; None: native events.

    >>> fields = RecordFields(Mapping({"timestamp": "ts", "features": "*"}))
    >>> fields.time({"ts": "2019-03-27", "km": 12}), fields.path("km")
    (1553644800000, ('km',))
    """

    ABSENT: Final[Any] = object()

    def __init__(self, mapping: Mapping | None = None) -> None:
        self._mapping = mapping or Mapping.native()
        self._paths = self._mapping.paths()

    def time(self, record: Record) -> int | None:
        """Return the event time in ms, None where there is none that can be read."""
        path = self._paths.get("timestamp")
        if path is None or isinstance(path, Constant):
            return None
        found = self.find(record, path)
        if self._mapping.clock is not None:
            found = join_clock(found, self.find(record, self._mapping.clock))
        return parse_timestamp(found, self._mapping.times)

    def path(self, feature: str) -> Path:
        """Return where a feature is; `prediction.score` and `prediction.label` are features too.

        Raises:
            InputError: the mapping has no place for it.
        """
        for name in (f"features.{feature}", feature if feature in PREDICTION_FEATURES else ""):
            path = self._paths.get(name)
            if isinstance(path, tuple):
                return path
        whole, part = "features", feature
        if feature in PREDICTION_FEATURES:
            whole, _, part = feature.partition(".")
        if whole == "features" and self._mapping.wildcard:
            return (feature,)
        path = self._paths.get(whole)
        if not isinstance(path, tuple):
            raise InputError(f"{feature}: the mapping of the records has no such feature")
        return (*path, part)

    def find(self, record: Record, path: Path) -> Any:
        """Return the value at a path, `ABSENT` where there is none."""
        value: Any = record
        for name in path:
            if not isinstance(value, AnyMapping):
                return self.ABSENT
            value = value.get(name, self.ABSENT)
        return value


def replaced(record: Record, path: Path, value: Any) -> dict[str, Any]:
    """Return a copy of a record with another value at a path that it has.

    >>> replaced({"id": 1, "in": {"km": 2, "t": 3}}, ("in", "km"), 9)
    {'id': 1, 'in': {'km': 9, 't': 3}}
    """
    first, *rest = path
    return {**record, first: replaced(record[first], tuple(rest), value) if rest else value}
