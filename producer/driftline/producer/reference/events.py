"""The events of one model in a table: a column per feature, outcome and tag, as a mapping says.

They mean the same as the rows would, one by one, as events (`Mapping.to_event`). Values stay what
they are: what they are read as is decided once the type of each feature is known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from collections.abc import Mapping as AnyMapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from driftline.producer.records.column_values import as_coded
from driftline.producer.records.event_fields import split_outcome
from driftline.producer.records.mapping import Constant, Mapping, finite_or_text
from driftline.producer.records.native_table import renamed
from driftline.producer.records.table import (
    ABSENT,
    Coded,
    Numbers,
    Struct,
    Table,
    Times,
    Vectors,
)
from driftline.producer.records.timestamp_column import UNREADABLE, times_of, times_of_two
from driftline.producer.reference.field import Bools, Field, field_of

OUTCOMES = ("prediction.score", "prediction.label", "actual.score", "actual.label")
VERSION = "model_version"


@dataclass(frozen=True)
class LeftOut:
    """Rows that are no events of the model.

    Attributes:
        skipped: events of other models.
        unusable: records that the monitor would refuse: neither features nor prediction, or of a
            wrong type.
        wrong: which is of a wrong type, as a sentence; empty where none is.
    """

    skipped: int = 0
    unusable: int = 0
    wrong: str = ""

    def __add__(self, other: LeftOut) -> LeftOut:
        """Return the rows of both; of sentences the first."""
        return LeftOut(
            self.skipped + other.skipped,
            self.unusable + other.unusable,
            self.wrong or other.wrong,
        )


@dataclass(frozen=True, eq=False)
class Events:
    """Events of one model.

    Attributes:
        rows: how many.
        features: input's name to its values, ascending by name.
        outcomes: `prediction.score` and such to their values.
        tags: tag to its values.
        left_out: the other rows.
        columns: the top-level fields of the records.
        uncounted: derived feature to the events that it was fitted on, which do not count in it.
        read_times: reads the times, see `times`.
    """

    rows: int
    features: dict[str, Field] = field(default_factory=dict)
    outcomes: dict[str, Field] = field(default_factory=dict)
    tags: dict[str, Field] = field(default_factory=dict)
    left_out: LeftOut = field(default_factory=LeftOut)
    columns: tuple[str, ...] = ()
    uncounted: AnyMapping[str, Bools] = field(default_factory=dict)
    read_times: Callable[[], NDArray[np.int64] | None] = lambda: None

    def times(self) -> NDArray[np.int64] | None:
        """Read the times, ms since 1970, `UNREADABLE` where there is none; None without any."""
        return self.read_times()

    def field(self, name: str) -> Field | None:
        """Return a feature; `prediction.score` and `prediction.label` are features too."""
        return self.outcomes.get(name) or self.features.get(name)


def events_of(table: Table, mapping: Mapping, model: str, tags: Iterable[str] = ()) -> Events:
    """Return the events of a model in a table.

    Args:
        table: records as the mapping describes them.
        mapping: of the records.
        model: events that name another model are left out.
        tags: the tags that are wanted.

    >>> table = Table.of_rows([{"km": 1, "out": 0.5}, {"km": 2, "out": "x"}])
    >>> events = events_of(table, Mapping({"prediction": "out", "features": "*"}), "m")
    >>> events.features["km"].column.values(), sorted(events.outcomes)
    ([1, 2], ['prediction.label', 'prediction.score'])
    """
    rows = _Rows(renamed(table) if mapping.is_native else table, mapping)
    whole, inner = rows.part("features", _same)
    if mapping.wildcard:
        others = [name for name in table.columns if name not in mapping.used()]
        inner = _over(inner, {name: Field(table.columns[name]) for name in others})
    split = partial(split_outcome, numbers=mapping.texts.coerce)
    prediction, answers = rows.part("prediction", split)
    _, actual = rows.part("actual", split)
    names = _over(rows.part("tags", _same)[1], {})
    version = rows.at(VERSION)
    if version is not None:
        names[VERSION] = _first_there(version, names.get(VERSION))
    there = rows.there("features", whole) | rows.there("prediction", prediction)
    no_object, listed = _where(whole, _is_no_object), _where(prediction, _is_list)
    usable = there & ~no_object & ~listed
    own = usable & _where(rows.at("model"), lambda value: value == model, otherwise=True)
    outcomes = {f"prediction.{name}": answers[name] for name in answers}
    outcomes |= {f"actual.{name}": actual[name] for name in actual}

    def of_model(found: dict[str, Field], wanted: Iterable[str]) -> dict[str, Field]:
        some = {name: found[name].read_by(mapping.texts) for name in wanted if name in found}
        if not own.all():
            some = {name: each.take(own) for name, each in some.items()}
        return {name: each for name, each in some.items() if each.anywhere()}

    def times() -> NDArray[np.int64] | None:
        found = rows.times()
        return found if found is None or own.all() else found[own]

    good = int(own.sum())
    unusable = table.rows - int(usable.sum())
    return Events(
        good,
        of_model(inner, sorted(inner)),
        of_model(outcomes, OUTCOMES),
        of_model(names, tags),
        left_out=LeftOut(
            skipped=table.rows - good - unusable,
            unusable=unusable,
            wrong="prediction is an array, not one score or class"
            if (there & listed).any()
            else "features is no object of named values"
            if (there & no_object).any()
            else "",
        ),
        columns=tuple(table.columns),
        read_times=times,
    )


class _Rows:
    """The records of a table, and what a mapping finds in them."""

    def __init__(self, table: Table, mapping: Mapping) -> None:
        self._table = table
        self._mapping = mapping
        self._paths = mapping.paths()
        self._wildcard = mapping.wildcard

    def at(self, name: str) -> Field | None:
        """Return a field of the events; None where there is none."""
        source = self._paths.get(name)
        if isinstance(source, Constant):
            return Field(Coded(np.zeros(self._table.rows, np.int64), [source.value]))
        found = None if source is None else self._table.find(source)
        return None if found is None else Field(*found)

    def times(self) -> NDArray[np.int64] | None:
        """Return the times of the rows, None where no field is named that has them."""
        found, clock = self.at("timestamp"), self._mapping.clock
        if found is None:
            return None
        form = self._mapping.times
        if clock is None:
            times = times_of(found.column, form)
        else:
            of_day = self._table.find(clock)
            if of_day is None:
                return None
            times = times_of_two(found.column, of_day[0], form)
        gone = found.gone()
        return np.where(gone, UNREADABLE, times) if gone.any() else times

    def part(
        self, part: str, split: Callable[[Any], dict[str, Any]]
    ) -> tuple[Field | None, dict[str, Field]]:
        """Return an object of the events, and what it holds; what is named wins over it."""
        whole = self.at(part)
        inner = {} if whole is None else _inside(whole, split)
        named = {}
        for name in self._paths:
            if name.startswith(f"{part}."):
                found = self.at(name)
                if found is not None:
                    named[name.removeprefix(f"{part}.")] = found
        return whole, _over(named, inner)

    def there(self, part: str, whole: Field | None) -> Bools:
        """Return the rows that have an object, if an empty one."""
        if part == "features" and self._wildcard:
            return np.ones(self._table.rows, bool)
        there = np.zeros(self._table.rows, bool)
        if whole is not None:
            there |= _where(whole, lambda _: True)
        for name in self._paths:
            found = self.at(name) if name.startswith(f"{part}.") else None
            if found is not None:
                there |= ~found.gone()
        return there


def _same(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _inside(whole: Field, split: Callable[[Any], dict[str, Any]]) -> dict[str, Field]:
    """Return what the objects of a field hold."""
    column, gone = whole.column, whole.absent
    if isinstance(column, Struct):
        away = _either(gone, column.null)
        return {name: Field(inner, away) for name, inner in column.fields.items()}
    if isinstance(column, Numbers):
        return _bare(column, gone) if split(0.0) else {}
    found = as_coded(column) if isinstance(column, Times) else column
    if not isinstance(found, Coded):
        return {}
    objects = [
        split(None if value is ABSENT else finite_or_text(value)) for value in found.distinct
    ]
    names = dict.fromkeys(name for each in objects for name in each)
    dense = 2 * len(objects) > len(found)
    inner = {}
    for name in names:
        values = [each.get(name, ABSENT) for each in objects]
        if dense:
            one = field_of([values[code] for code in found.codes.tolist()])
            inner[name] = Field(one.column, _either(gone, one.absent))
        else:
            inner[name] = Field(Coded(found.codes, values), gone)
    return inner


def _bare(column: Numbers, gone: Bools | None) -> dict[str, Field]:
    """Return what bare numbers are: scores, but those that are not finite labels, as texts."""
    finite, away = np.isfinite(column.data), _either(gone, column.null)
    if finite.all():
        return {"score": Field(column, away)}
    texts = Coded(np.isnan(column.data) + 2 * (column.data == -np.inf), _NOT_FINITE)
    return {
        "score": Field(column, _either(away, ~finite)),
        "label": Field(texts, _either(away, finite)),
    }


def _either(first: Bools | None, second: Bools | None) -> Bools | None:
    if first is None or second is None:
        return second if first is None else first
    return first | second


_NOT_FINITE = ("Infinity", "NaN", "-Infinity")


def _over(first: dict[str, Field], rest: dict[str, Field]) -> dict[str, Field]:
    """Return fields of two objects; those of the first win where they are there."""
    return {
        **rest,
        **{name: _first_there(found, rest.get(name)) for name, found in first.items()},
    }


def _first_there(first: Field, rest: Field | None) -> Field:
    gone = first.gone()
    if rest is None or not gone.any():
        return first
    others = rest.column.values()
    mixed = [
        other if absent else value
        for value, other, absent in zip(first.column.values(), others, gone.tolist(), strict=True)
    ]
    found = field_of(mixed)
    away = gone & rest.gone()
    return Field(found.column, _either(away, found.absent))


def _where(
    found: Field | None, is_so: Callable[[Any], bool], *, otherwise: bool = False
) -> Bools | np.bool_:
    """Return the rows whose value is so; `otherwise` where it is null or absent."""
    if found is None:
        return np.bool_(otherwise)
    column = found.column
    chosen: Bools
    if isinstance(column, Coded):
        flags = [
            otherwise if value is None or value is ABSENT else is_so(finite_or_text(value))
            for value in column.distinct
        ]
        chosen = np.array(flags, bool)[column.codes]
    else:
        sample: Any = {} if isinstance(column, Struct) else 0
        if isinstance(column, Vectors):
            sample = []
        chosen = np.full(len(column), is_so(sample))
        if isinstance(column, Numbers | Times | Vectors | Struct) and column.null is not None:
            chosen[column.null] = otherwise
    if found.absent is not None:
        chosen[found.absent] = otherwise
    return chosen


def _is_list(value: object) -> bool:
    return isinstance(value, list)


def _is_no_object(value: object) -> bool:
    return not isinstance(value, dict)
