"""Fields inside the objects of records, as columns of their own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from typing import Any

from driftline.producer.records.formats.json_text import object_in
from driftline.producer.records.mapping import Path, parse_path, quote_name
from driftline.producer.records.names import PREDICTION_FEATURES, feature_problem

_MOST = 200  # fields of one object: with more, its keys are values
_NOT_FINITE = ("NaN", "Infinity", "-Infinity")  # as records of a topic have them
_NEARLY = 0.01  # from 1, of probabilities that are rounded


@dataclass(frozen=True)
class Flat:
    """Sample records whose nested fields are columns.

    Attributes:
        rows: the records.
        columns: all columns, in their order.
        paths: a nested column, such as `user.age`, to where it is found.
        unread: columns that hold no single values, each with what it holds.
        vectors: top-level columns of equally long arrays of numbers, each with their length.
    """

    rows: Sequence[AnyMapping[str, Any]]
    columns: list[str]
    paths: dict[str, Path] = field(default_factory=dict)
    unread: dict[str, str] = field(default_factory=dict)
    vectors: dict[str, int] = field(default_factory=dict)

    def path(self, column: str) -> str:
        """Return where a column is found, as a mapping writes it."""
        return _written(self.paths.get(column, (column,)))


def flatten(columns: Sequence[str], rows: Sequence[AnyMapping[str, Any]]) -> Flat:
    """Return sample records with a column for each field of their objects, as text too.

    Args:
        columns: top-level fields, in their order.
        rows: sample records.

    >>> flat = flatten(["user", "km"], [{"user": {"age": 7, "geo": {"lat": 1.5}}, "km": 3}])
    >>> flat.columns, flat.rows[0]["user.geo.lat"], flat.path("user.geo.lat")
    (['user.age', 'user.geo.lat', 'km'], 1.5, 'user.geo.lat')
    """
    kept: list[str] = []
    paths: dict[str, Path] = {}
    unread: dict[str, str] = {}
    vectors = vectors_of(columns, rows)
    for column in columns:
        values = [object_in(row[column]) for row in rows if row.get(column) is not None]
        if not any(isinstance(value, dict | list) for value in values):
            kept.append(column)
            continue
        leaves: dict[Path, None] = {}
        arrays: dict[Path, list[Any]] = {}
        for value in values:
            for path, leaf in _leaves((column,), value):
                if isinstance(leaf, list):
                    arrays.setdefault(path, leaf)
                elif leaf is not None:
                    leaves[path] = None
        if column in vectors:
            continue
        unread |= {".".join(path): _array(leaf) for path, leaf in arrays.items()}
        if (column,) in leaves:  # single values beside others: the single ones are read
            kept.append(column)
        elif len(leaves) > _MOST:
            unread[column] = f"objects of more than {_MOST} fields"
        else:
            found = {".".join(path): path for path in leaves if path not in arrays}
            good = {name: path for name, path in found.items() if _can_be_read(name, path)}
            paths |= {name: path for name, path in good.items() if name not in columns}
            kept += [name for name in good if name not in columns]
    if not paths:
        return Flat(rows, kept, {}, unread, vectors)
    return Flat([_with_fields(row, paths) for row in rows], kept, paths, unread, vectors)


def vectors_of(columns: Sequence[str], rows: Sequence[AnyMapping[str, Any]]) -> dict[str, int]:
    """Return the columns of equally long arrays of numbers, but of probabilities; to their length.

    >>> vectors_of(["a", "b", "c"], [{"a": [1, 2.5], "b": [0.5, 0.5], "c": [1]}, {"a": None}])
    {'a': 2}
    """
    found = {}
    for column in columns:
        values = [row[column] for row in rows if row.get(column) is not None]
        arrays = [value for value in values if isinstance(value, list)]
        lengths = set(map(len, arrays))
        if not arrays or len(arrays) < len(values) or len(lengths) > 1 or min(lengths) < 2:
            continue
        numbers = all(
            type(x) in (int, float) or x in _NOT_FINITE for array in arrays for x in array
        )
        if numbers and not any(map(_are_probabilities, arrays)):
            found[column] = lengths.pop()
    return found


def _leaves(path: Path, value: Any) -> Iterator[tuple[Path, Any]]:
    if not isinstance(value, dict):
        yield path, value
        return
    for name, inner in value.items():
        yield from _leaves((*path, name), inner)


def _with_fields(row: AnyMapping[str, Any], paths: dict[str, Path]) -> dict[str, Any]:
    found = dict(row)
    for name, path in paths.items():
        value: Any = row
        for part in path:
            value = object_in(value)
            value = value.get(part) if isinstance(value, dict) else None
        if not isinstance(value, dict | list):
            found[name] = value
    return found


def _can_be_read(name: str, path: Path) -> bool:
    known = name in PREDICTION_FEATURES or not feature_problem(name)
    return known and all(path) and parse_path(_written(path)) == path


def _written(path: Path) -> str:
    return ".".join(map(quote_name, path))


def _array(values: list[Any]) -> str:
    """Return what an array holds.

    >>> _array([0.1, 0.7, 0.2]), _array([1, 2])
    ('an array of probabilities, not one score or class', 'an array')
    """
    if _are_probabilities(values):
        return "an array of probabilities, not one score or class"
    return "an array"


def _are_probabilities(values: list[Any]) -> bool:
    numbers = [value for value in values if type(value) in (int, float) and 0 <= value <= 1]
    return len(numbers) == len(values) > 1 and abs(sum(numbers) - 1) <= _NEARLY
