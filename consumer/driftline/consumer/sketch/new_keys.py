"""Keys of records that no struct has: found in the records alone that a closed struct refuses.

To look at every key of every record would cost as much as to read it. A closed struct, which
refuses a key that it does not have, costs nothing; and a key that many records have gets a place
in the struct, so that few are refused.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Any

import msgspec

from driftline.consumer.sketch.listed import NOT_FINITE_TEXTS, Listed
from driftline.producer.records.mapping import Path

NOTHING = msgspec.Raw()
"""What a struct has where the record has no such key."""

_MOST = 256  # keys that get a place
_OFTEN = 100  # a key of one in this number of records gets one
_REMEMBERED = 10_000
# What texts, numbers and booleans begin with.
_FIRST = frozenset(bytes([each]) for each in b'"-0123456789tf')
_DIGITS = re.compile(rb"[0-9](?:[eE]|[0-9]{300})")  # of a number that may be none, such as 1e400
_NOT_FINITE = frozenset(f'"{text}"'.encode() for text in NOT_FINITE_TEXTS)


class NewKeys:
    """Finds keys of one object in a model's records.

    Attributes:
        placed: keys that have a place in the struct, beside what is read.

    Args:
        listed: what the reference knows.
        path: of the object.
        used: keys of it that other fields of the event are read from.
        read: keys that have a place because they are read.

    >>> from driftline.detectors.counts import Layout
    >>> keys = NewKeys(Listed(Layout((), left_out=("trace_id",))), ("features",))
    >>> keys.find(b'{"features": {"trace_id": "x", "discount": 2, "basket": [3], "note": null}}')
    ['discount']
    """

    def __init__(
        self,
        listed: Listed,
        path: Path,
        used: Collection[str] = (),
        read: Collection[str] = (),
    ) -> None:
        self._listed, self._path = listed, path
        self._used, self._read = used, frozenset(read)
        self.placed: list[str] = []
        self._places = _MOST
        self._counts: Counter[str] = Counter()
        self._known: dict[str, bool] = {}
        decoded: Any = dict[str, msgspec.Raw]
        for key in reversed(path):
            holder = msgspec.defstruct(
                "Holder", [("inner", decoded | None, None)], rename={"inner": key}, gc=False
            )
            decoded = holder
        self._decode = msgspec.json.Decoder(decoded).decode

    def find(self, value: bytes) -> list[str]:
        """Return the new fields that a record holds.

        Raises:
            msgspec.MsgspecError: a key is no text that can be read.
            UnicodeDecodeError: so is this.
        """
        inner = self._decode(value)
        for _ in self._path:
            inner = None if inner is None else inner.inner
        if inner is None:
            return []
        rest = inner.keys() - self._read
        self._counts.update(rest)
        return [key for key in rest if is_value(inner[key]) and self.is_new(key)]

    def is_new(self, key: str) -> bool:
        """Return whether a field is neither listed nor ignored."""
        found = self._known.get(key)
        if found is None:
            if len(self._known) >= _REMEMBERED:
                self._known.clear()
            found = self._known[key] = key not in self._used and self._listed.is_new(key)
        return found

    def place(self, records: int) -> bool:
        """Give keys that many of the last `records` had a place; return whether any got one."""
        often = max(2, records // _OFTEN)
        known = {*self._read, *self.placed}
        found = [key for key, n in self._counts.most_common() if n >= often and key not in known]
        self._counts.clear()
        found = found[: self._places]
        self._places -= len(found)
        self.placed += found
        return bool(found)


def is_value(raw: msgspec.Raw) -> bool:
    """Return whether JSON could be a feature's value; see `listed.is_scalar`."""
    value = bytes(raw)
    if value[:1] == b'"':
        return value not in _NOT_FINITE
    return value[:1] in _FIRST and not (_DIGITS.search(value) and math.isinf(float(value)))


def new_in(structs: Sequence[Any], field: str) -> list[int]:
    """Return the places of the structs that hold a value in a field."""
    return [
        place
        for place, each in enumerate(structs)
        if (raw := getattr(each, field, NOTHING)) is not NOTHING and is_value(raw)
    ]
