"""The names of a model's versions, as codes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.tags import OTHER, VERSION
from driftline.producer.records.category import category_text

MOST_NAMES = 10_000
LONGEST_NAME = 64


def version_text(value: object) -> str | None:
    """Return the name of a version; None if the value is none. It is that of a category.

    A whole number that no double holds is named as one like 1e400, which JSON cannot hold.

    >>> version_text(3.0), version_text(10**400), version_text([])
    ('3', 'Infinity', None)
    """
    text = category_text(value)
    if text is None and isinstance(value, int):
        return "Infinity" if value > 0 else "-Infinity"
    return text


class Versions:
    """Gives codes 0, 1, 2 ... to names in the order in which they appear.

    Names longer than `LONGEST_NAME` bytes share the code of `__other__`. Codes hold until the
    next `tidy`: what a stream holds must not decide how much memory is used.

    Args:
        listed: names that have codes from the start.

    >>> versions = Versions(["1"])
    >>> versions.codes(["2", 1, None, "2"]).tolist(), versions.names
    ([1, 0, -1, 1], ['1', '2'])
    """

    def __init__(self, listed: Iterable[str] = ()) -> None:
        self.names: list[str] = []
        # Keys are values as they were decoded: 3 and "3" are one name, and two keys.
        self._codes: dict[object, int] = {}
        self._listed = tuple(listed)
        self._begin()

    def tidy(self) -> None:
        """Forget all names but the listed ones if they have become too many; codes change."""
        if len(self.names) > MOST_NAMES:
            self._begin()

    def _begin(self) -> None:
        self.names.clear()
        self._codes.clear()
        self._codes[None] = -1
        for name in self._listed:
            self._learn(name)

    def codes(self, values: Sequence[object]) -> NDArray[np.int32]:
        """Return the codes of texts and numbers, int32 (n,); -1 for None."""
        distinct = set(values)
        if len(distinct) == 1 and distinct <= self._codes.keys():
            # So it is in most batches, and this is much faster.
            return np.full(len(values), self._codes[values[0]], dtype=np.int32)
        codes = list(map(self._codes.get, values))
        if None in codes:
            unknown = dict.fromkeys(v for v, c in zip(values, codes, strict=True) if c is None)
            learned = {value: self._learn(value) for value in unknown}
            codes = [learned[v] if c is None else c for v, c in zip(values, codes, strict=True)]
        return np.array(codes, dtype=np.int32)

    def code(self, name: str) -> int:
        """Return the code of one text."""
        found = self._codes.get(name)
        return self._learn(name) if found is None else found

    def _learn(self, value: object) -> int:
        name = version_text(value)
        if name is None or not _is_name(name):
            return self._code(OTHER)
        self._codes[value] = self._code(name)
        return self._codes[value]

    def _code(self, name: str) -> int:
        if name not in self._codes:
            self._codes[name] = len(self.names)
            self.names.append(name)
        return self._codes[name]


def release_names(
    tags: Iterable[str], segments: Mapping[str, Sequence[str]]
) -> dict[str, Versions]:
    """Return what gives codes to the values of tags of releases, but for the version's.

    Args:
        tags: as configured.
        segments: tag to its listed values, which have their places as codes.
    """
    return {tag: Versions((*segments.get(tag, ()), "", "0")) for tag in tags if tag != VERSION}


def _is_name(text: str) -> bool:
    """Whether a text is short enough, and is UTF-8 when it is written again."""
    surrogate = any("\ud800" <= char <= "\udfff" for char in text)
    return not surrogate and len(text.encode()) <= LONGEST_NAME
