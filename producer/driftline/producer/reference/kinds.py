"""Records of several kinds in one input, told by the field that says which kind one is."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass
from typing import Any

_MOST_VALUES = 20  # of a field that names kinds
_LOOKED_AT = 1_000  # records
_ALWAYS, _NEVER = 0.95, 0.01  # shares of the records of a kind that have a field
_SHARE = 0.01  # of the records that a kind has at least
_LISTED = 3


@dataclass(frozen=True)
class Kinds:
    """What some records are.

    Attributes:
        field: the one that says it, by its dotted path.
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
    looked_at = records[:: max(1, len(records) // _LOOKED_AT)]
    rows = [dict(_leaves((), record)) for record in looked_at]
    many = Counter(path for row in rows for path in row)
    varying = [path for path, times in many.items() if times < len(rows)]
    if len(varying) < 2:
        return None
    # Text names a kind more often than a number does.
    for kind in (str, int):
        told = [
            found
            for path, times in many.items()
            if times == len(rows) and _names_kinds([row[path] for row in rows], kind)
            if (found := _told_by(path, rows, varying)) is not None
        ]
        if told:
            return max(told, key=_total)
    return None


def _names_kinds(values: Sequence[Any], kind: type) -> bool:
    """Return whether values are of one type, and few."""
    return all(type(value) is kind for value in values) and 1 < len({*values}) <= _MOST_VALUES


def _told_by(
    field: str, rows: Sequence[AnyMapping[str, Any]], varying: Sequence[str]
) -> Kinds | None:
    """Return the kinds that a field tells, None where it tells none."""
    of_value: defaultdict[str, list[AnyMapping[str, Any]]] = defaultdict(list)
    for row in rows:
        of_value[str(row[field])].append(row)
    held = {
        value: {path: sum(path in row for row in own) / len(own) for path in varying}
        for value, own in of_value.items()
        if len(own) >= max(2, _SHARE * len(rows))
    }
    groups: defaultdict[frozenset[str], list[str]] = defaultdict(list)
    for value, shares in held.items():
        groups[frozenset(path for path in varying if shares[path] >= _ALWAYS)].append(value)
    own_fields = {
        tuple(values): [
            path
            for path in varying
            if path in always
            and all(held[other][path] <= _NEVER for other in held if other not in values)
        ]
        for always, values in groups.items()
    }
    if len(own_fields) < 2 or sum(map(bool, own_fields.values())) < 2:
        return None
    return Kinds(field, {values: own for values, own in own_fields.items() if own})


def _total(kinds: Kinds) -> int:
    return sum(map(len, kinds.own.values()))


def _leaves(path: tuple[str, ...], value: AnyMapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name, inner in value.items():
        if isinstance(inner, dict):
            yield from _leaves((*path, name), inner)
        else:
            yield ".".join((*path, name)), inner


def _some(fields: Sequence[str]) -> str:
    more = len(fields) - _LISTED
    return ", ".join(fields[:_LISTED]) + (f" and {more:,} more" if more > 0 else "")
