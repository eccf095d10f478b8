"""Arrays whose values have names elsewhere: to objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from driftline.producer.errors import FormatError
from driftline.producer.records.event_fields import EVENT_FIELDS


def named(values: Sequence[Any], names: Sequence[str]) -> dict[str, Any]:
    """Return the values of one array by their names.

    Raises:
        FormatError: there are more or fewer than names.

    >>> named([31, None], ["age", "income"])
    {'age': 31, 'income': None}
    """
    if len(values) != len(names):
        text = f"an array has {len(values)} values, and names lists {len(names)}"
        raise FormatError("schema", text)
    return dict(zip(names, values, strict=True))


def name_values(record: Any, names: Sequence[str], path: Sequence[str]) -> Any:
    """Return a record in which an array of features has become an object.

    Args:
        record: as JSON has it; where it is an array itself, its values are the event's.
        names: of the values, in their order.
        path: where the array stands; empty: where a native event has its features.

    Raises:
        FormatError: there are more or fewer values than names.

    >>> name_values({"features": [31, 2.5], "prediction": 0.2}, ["age", "km"], [])
    {'features': {'age': 31, 'km': 2.5}, 'prediction': 0.2}
    >>> name_values([31, 2.5, 0.2], ["age", "km", "prediction"], [])
    {'prediction': 0.2, 'features': {'age': 31, 'km': 2.5}}
    """
    if isinstance(record, list):
        whole = named(record, names)
        if path:
            return whole
        event = {name: value for name, value in whole.items() if name in EVENT_FIELDS}
        rest = {name: value for name, value in whole.items() if name not in EVENT_FIELDS}
        return {**event, "features": rest}
    return _replaced(record, names, path or _native(record))


def _native(record: Any) -> Sequence[str]:
    """Return where a native event has its features."""
    if isinstance(record, dict) and "features" not in record and "inputs" in record:
        return ("inputs",)
    return ("features",)


def _replaced(record: Any, names: Sequence[str], path: Sequence[str]) -> Any:
    if not path:
        return named(record, names) if isinstance(record, list) else record
    if not isinstance(record, Mapping) or path[0] not in record:
        return record
    return {**record, path[0]: _replaced(record[path[0]], names, path[1:])}
