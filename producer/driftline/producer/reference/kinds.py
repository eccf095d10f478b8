"""Records of several kinds in one input, told by the field that says which kind one is."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.producer.records.mapping import quote_name

_MOST_VALUES = 20  # of a field that names kinds
_LOOKED_AT = 300  # records, the most
_ALWAYS, _NEVER = 0.95, 0.01  # shares of the records of a kind that have a field
_SHARE = 0.01  # of the records that a kind has at least
_LISTED = 3
_GOLDEN = (math.sqrt(5) - 1) / 2


@dataclass(frozen=True)
class Kinds:
    """What some records are.

    Attributes:
        field: the one that says it, as a mapping names it (`parse_path`).
        own: the values of each kind, to the fields that no record of another kind has.
    """

    field: str
    own: AnyMapping[tuple[str, ...], Sequence[str]]

    @property
    def advice(self) -> str:
        """What to do, in words."""
        return f"so give one kind alone, or map `model` to {self.field} and have a model of each"

    def __str__(self) -> str:
        """Return it in words."""
        kinds = "; ".join(
            f"{', '.join(values)} ({_some(fields)})" for values, fields in self.own.items()
        )
        return f"records of {len(self.own)} kinds, told by {self.field}: {kinds}"


def kinds_of(records: Sequence[AnyMapping[str, Any]]) -> Kinds | None:
    """Return the kinds of records in a topic of several, each with fields that no other has.

    A field that only one kind lacks makes none: optional fields are as good a reason.

    >>> click, sale = {"type": "click", "page": 7}, {"type": "sale", "price": 9.5}
    >>> str(kinds_of([click, sale] * 9))
    'records of 2 kinds, told by type: click (page); sale (price)'
    >>> kinds_of([{"type": "a", "page": 7}, {"type": "b"}] * 9) is None
    True
    """
    rows = [dict(_leaves((), record)) for record in _spread(records)]
    many = Counter(path for row in rows for path in row)
    varying = [path for path, times in many.items() if times < len(rows)]
    if len(varying) < 2:
        return None
    has = np.array([[path in row for path in varying] for row in rows])
    # Text names a kind more often than a number does.
    for kind in (str, int):
        told = [
            found
            for path, times in many.items()
            if times == len(rows) and _names_kinds(names := [row[path] for row in rows], kind)
            if (found := _told_by(path, names, varying, has)) is not None
        ]
        if told:
            return max(told, key=_total)
    return None


def _names_kinds(values: Sequence[Any], kind: type) -> bool:
    """Return whether values are of one type, and few."""
    return all(type(value) is kind for value in values) and 1 < len({*values}) <= _MOST_VALUES


def _spread(records: Sequence[AnyMapping[str, Any]]) -> Sequence[AnyMapping[str, Any]]:
    """Return records from everywhere; not at even steps, lest those of kinds in turn are of one."""
    if len(records) <= _LOOKED_AT:
        return records
    step = len(records) / _LOOKED_AT
    return [records[int((at + at * _GOLDEN % 1) * step)] for at in range(_LOOKED_AT)]


def _told_by(
    field: str, names: Sequence[Any], varying: Sequence[str], has: NDArray[np.bool_]
) -> Kinds | None:
    """Return the kinds that a field tells, None where it tells none.

    Args:
        field: which.
        names: its values, of n records.
        varying: fields that not every record has, k of them.
        has: whether a record has such a field, shape (n, k).
    """
    enough = max(2, _SHARE * len(names))
    values = [value for value, times in Counter(names).items() if times >= enough]
    if len(values) < 2:
        return None
    held = np.array(names, object)
    shares = np.array([has[held == value].mean(axis=0) for value in values])
    groups: defaultdict[bytes, list[int]] = defaultdict(list)
    for at, always in enumerate(shares >= _ALWAYS):
        groups[always.tobytes()].append(at)
    if len(groups) < 2:
        return None
    kinds = {}
    for group in groups.values():
        others = np.delete(shares, group, axis=0)
        own = (shares[group[0]] >= _ALWAYS) & (others <= _NEVER).all(axis=0)
        if own.any():
            named = tuple(str(values[at]) for at in group)
            kinds[named] = [varying[at] for at in np.flatnonzero(own).tolist()]
    return Kinds(field, kinds) if len(kinds) > 1 else None


def _total(kinds: Kinds) -> int:
    return sum(map(len, kinds.own.values()))


def _leaves(path: tuple[str, ...], value: AnyMapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _leaves((*path, name), inner)
        else:
            yield ".".join(map(quote_name, (*path, name))), inner


def _some(fields: Sequence[str]) -> str:
    more = len(fields) - _LISTED
    return ", ".join(fields[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")
