"""The types of the columns that a file is written with, found from the values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal

ColumnType = Literal["integer", "number", "boolean", "text", "time", "numbers"]
"""`time`: milliseconds since 1970; `numbers`: a list of them. A value of any type may be None."""

Types = Mapping[str, ColumnType]
"""The columns of a file, in their order."""

Chunks = Iterable[Mapping[str, Sequence[Any]]]
"""Some rows at a time: of each column, its values."""

_LARGEST = 2**63
_TYPES: dict[type, ColumnType] = {bool: "boolean", int: "integer", float: "number"}
_NUMBERS = {"integer", "number"}


def type_of(value: object) -> ColumnType | None:
    """Return the type of a value, None of no value.

    >>> [type_of(value) for value in (True, 7, 0.5, "a", [1, 0.5], ["a"], None, 2**70)]
    ['boolean', 'integer', 'number', 'text', 'numbers', 'text', None, 'number']
    """
    if value is None:
        return None
    if type(value) is list and {type(each) for each in value} <= {int, float}:
        return "numbers"
    if type(value) is int and not -_LARGEST <= value < _LARGEST:
        return "number"
    return _TYPES.get(type(value), "text")


def common(types: Iterable[ColumnType]) -> ColumnType:
    """Return the type that holds values of all of these: text, if no other does.

    >>> common(["integer", "number"]), common(["integer", "text"]), common([])
    ('number', 'text', 'text')
    """
    found = set(types)
    if len(found) == 1:
        return found.pop()
    return "number" if found and found <= _NUMBERS else "text"


def as_type(value: Any, kind: ColumnType) -> Any:
    """Return a value as a column of this type has it.

    >>> as_type(7, "number"), as_type(7, "text"), as_type([0.5], "text"), as_type(None, "text")
    (7.0, '7', '[0.5]', None)
    """
    if value is None:
        return None
    if kind == "number":
        return float(value)
    if kind == "numbers":
        return [float(each) for each in value]
    if kind == "text" and not isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    return value
