"""Objects of JSON as struct types, and how lists of their structs become columns."""

from __future__ import annotations

import re
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, starmap
from operator import attrgetter, itemgetter
from typing import Any, Literal, cast

import msgspec
import numpy as np
from msgspec.structs import astuple

from driftline.consumer.sketch.batch import Batch
from driftline.consumer.sketch.fields import EVENT_ID, VERSION
from driftline.consumer.sketch.new_keys import NOTHING, NewKeys, new_in
from driftline.detectors.derivations import Derivation, VectorDerivation
from driftline.detectors.grid import FloatArray
from driftline.producer.records.event_fields import split_outcome
from driftline.producer.records.mapping import Path
from driftline.producer.records.table import ABSENT as NO_KEY
from driftline.producer.records.values import ABSENT, MISSING, Kind, ReadTexts

CLOCK = "clock"
"""Of a time that stands in two fields, the one with the time of day."""

_RAW_TYPES: dict[str, Any] = {
    "model": str | None,
    "timestamp": int | float | str | None,
    VERSION: str | int | float | None,
    EVENT_ID: str | int | None,
    CLOCK: int | float | str | None,
}

# Objects with at least this number of doubles are packed struct by struct, others field by field.
_WIDE = 4

# Rows with a null are packed one by one while they are fewer than one in this number.
_SOME = 4

ODD = re.compile(r'["\\\x00-\x1f]')
"""Of names with these characters msgspec makes no field."""

Trap = Literal["\0"]
"""A field of this type decodes no value that anyone sends: the record goes the exact way."""


@dataclass(frozen=True)
class DerivedValues:
    """A field that features are derived from: its values are read as they are.

    Attributes:
        name: of the field.
        derivation: what is wanted of it.
    """

    name: str
    derivation: Derivation

    @property
    def type(self) -> Any:
        """What msgspec decodes; what it cannot decode so goes the exact way."""
        if isinstance(self.derivation, VectorDerivation):
            return list[float] | str | None
        return str | int | float | bool | None


@dataclass
class JsonObject:
    """What is read of one JSON object of a record.

    Attributes:
        members: key to another object, a raw field's name, a (column, kind), a field that features
            are derived from, or the trap.
        bare: a prediction that may also be a bare number, text or boolean.
        numbers: a bare text that is a number is a score.
        keys: what finds keys that are not among the members; None where nobody asks.
    """

    members: dict[str, Any] = field(default_factory=dict)
    bare: bool = False
    numbers: bool = False
    keys: NewKeys | None = None

    def holder(self, path: Path) -> JsonObject:
        """Return the object that holds the end of `path`."""
        here = self
        for key in path[:-1]:
            inner = here.members.setdefault(key, JsonObject())
            if not isinstance(inner, JsonObject):
                here.members[key] = Trap
                return JsonObject()
            here = inner
        return here

    def put(self, key: str, member: Any) -> None:
        """Read `key` as `member`; what is read as two things can only be read exactly."""
        self.members[key] = Trap if key in self.members else member


class CompiledObject:
    """One JSON object as a struct type, and how a list of these structs becomes columns.

    Args:
        source: what is read of it.
        sample: a value whose keys are in the order in which producers write them.
        closed: whether an object with a key that is not read is refused, where somebody asks.
    """

    def __init__(self, source: JsonObject, sample: object, *, closed: bool) -> None:
        order = list(sample) if isinstance(sample, dict) else []
        inner_sample = sample if isinstance(sample, dict) else {}
        # The doubles first, so that they are one slice; else in the sample's order.
        members = sorted(
            (key for key in [*order, *source.members] if key in source.members),
            key=lambda key: not isinstance(source.members[key], tuple),
        )
        fields: dict[str, tuple[Any, Any]] = {}
        names: dict[str, str] = {}
        self.columns: list[int] = []
        self._kinds: dict[str, tuple[str, Kind]] = {}
        self._raw: list[tuple[str, str]] = []
        self._derived: list[tuple[str, str]] = []
        self._inner: list[tuple[str, CompiledObject]] = []
        self._placed: list[tuple[str, str]] = []
        for key in dict.fromkeys(members):
            member, name = source.members[key], f"field_{len(fields)}"
            names[name] = key
            if isinstance(member, tuple):
                column, kind = member
                fields[name] = (kind.type, ABSENT)
                self.columns.append(column)
                self._kinds[key] = (name, kind)
            elif isinstance(member, JsonObject):
                inner = CompiledObject(member, inner_sample.get(key), closed=closed)
                fields[name] = (inner.type, None)
                self._inner.append((name, inner))
            elif isinstance(member, DerivedValues):
                fields[name] = (member.type, NO_KEY)
                self._derived.append((name, member.name))
            elif member is Trap:
                fields[name] = (Trap, "")
            else:
                fields[name] = (_RAW_TYPES[member], None)
                self._raw.append((name, member))
        for key in source.keys.placed if source.keys is not None else ():
            if key not in source.members and not ODD.search(key):
                name = f"field_{len(fields)}"
                names[name] = key
                fields[name] = (msgspec.Raw, NOTHING)
                self._placed.append((name, key))
        # gc=False: structs of plain values form no cycles, and the collector need not walk them.
        self.struct: Any = msgspec.defstruct(
            "Fields",
            [(name, kind, default) for name, (kind, default) in fields.items()],
            rename=names,
            gc=False,
            forbid_unknown_fields=closed and source.keys is not None,
        )
        self.type: Any = self.struct | None
        if source.bare:
            self.type = self.struct | bool | int | float | str | None
        self._numbers = source.numbers
        self._texts = any(kind.texts is not None for _, kind in self._kinds.values())
        self.asked: bool = source.keys is not None or any(inner.asked for _, inner in self._inner)
        self._nothing = self.struct()
        self._only_doubles = len(self.columns) == len(fields)
        self._pack = struct.Struct(f"{len(self.columns)}d").pack

    def fill(self, batch: Batch, objects: list[Any]) -> None:
        """Write the fields of structs of this type, or what stands in their place, to `batch`."""
        try:
            self._fill(batch, objects)
        except (TypeError, AttributeError):  # null or a bare prediction has no fields
            self._fill(batch, [self._struct_of(value) for value in objects])

    def new(self, keys: NewKeys, structs: list[Any]) -> Iterator[tuple[list[int], str]]:
        """Yield the new fields that structs of this type hold, with the structs' places."""
        for name, key in self._placed:
            if keys.is_new(key):
                yield new_in(structs, name), key
        for name, inner in self._inner:
            if inner.asked:
                yield from inner.new(keys, [getattr(each, name, None) for each in structs])

    def _fill(self, batch: Batch, structs: list[Any]) -> None:
        if self._texts and structs:
            columns = zip(*self._tuples(structs), strict=True)
            kinds = (kind for _, kind in self._kinds.values())
            for column, kind, values in zip(self.columns, kinds, columns, strict=True):
                batch.matrix[column] = _column(values, kind.texts)
        elif len(self.columns) >= _WIDE:
            batch.matrix[self.columns] = self._rows(structs).T
        else:
            for i, column in enumerate(self.columns):
                batch.matrix[column] = _pack_column(list(map(attrgetter(f"field_{i}"), structs)))
        for name, raw in self._raw:
            batch.raw[raw] = list(map(attrgetter(name), structs))
        for name, derived in self._derived:
            batch.derived[derived] = list(map(attrgetter(name), structs))
        for name, inner in self._inner:
            inner.fill(batch, list(map(attrgetter(name), structs)))

    def _rows(self, structs: list[Any]) -> FloatArray:
        """Return the floats of structs, shape (n, columns)."""
        n, width = len(structs), len(self.columns)
        packed: list[bytes] = []
        rest = starmap(self._pack, self._tuples(structs))
        for _ in range(n // _SOME + 1):
            try:
                # When a row with a null raises, the list keeps what was added; see `_decode_all`.
                packed.extend(rest)
            except struct.error:
                (row,) = self._tuples([structs[len(packed)]])
                packed.append(self._pack(*[MISSING if value is None else value for value in row]))
            else:
                return np.frombuffer(b"".join(packed)).reshape(n, width)
        # With nulls in many rows this is faster.
        flat = chain.from_iterable(self._tuples(structs))
        return np.fromiter(flat, np.float64, n * width).reshape(n, width)

    def _tuples(self, structs: list[Any]) -> Iterator[tuple[float | None, ...]]:
        rows = map(astuple, structs)
        return rows if self._only_doubles else map(itemgetter(slice(len(self.columns))), rows)

    def _struct_of(self, value: Any) -> Any:
        """Return what was decoded where this object may be as a struct: null and bare ones too."""
        if isinstance(value, msgspec.Struct):
            return value
        given = {}
        for key, scalar in split_outcome(value, self._numbers).items():
            if key in self._kinds:
                name, kind = self._kinds[key]
                given[name] = kind.read(scalar)
        return self.struct(**given) if given else self._nothing


def _column(values: Sequence[float | str | None], read_texts: ReadTexts | None) -> FloatArray:
    """Return the doubles of one field, of which some may be texts still."""
    texts = [] if read_texts is None else [value for value in values if type(value) is str]
    if read_texts is None or not texts:
        return _pack_column(cast(Sequence[float | None], values))
    numbers = read_texts(texts)
    if len(texts) == len(values):
        return numbers
    rest = iter(numbers.tolist())
    return _pack_column([next(rest) if isinstance(value, str) else value for value in values])


def _pack_column(values: Sequence[float | None]) -> FloatArray:
    try:
        return np.frombuffer(struct.pack(f"{len(values)}d", *values))
    except struct.error:
        return np.fromiter(values, np.float64, len(values))
