"""From a block's own codes to those of the join that reads it, whose reference may be another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from driftline.consumer.wire.join_rows import JoinRows, unknown
from driftline.consumer.wire.messages import Block
from driftline.detectors import OTHER
from driftline.detectors.grid import IntArray

MOST_NAMES = 10_000


class Codes:
    """The classes, versions and tag values of one model.

    A block names its own, so that a change of the reference or of the segments takes nothing away
    from what is in the log of joins already.

    Args:
        classes: of a classifier; empty for a regression.
        segments: tag to its listed values.
        errors: id of the error model whose estimates are counted; None: none are.

    Attributes:
        names: versions' names, in the order in which they came.

    >>> codes = Codes((), {})
    >>> codes.learn(["3.1", "3.2"]).tolist(), codes.learn(["3.2"]).tolist(), codes.names
    ([0, 1, 2], [0, 2], ['3.1', '3.2'])
    """

    def __init__(
        self,
        classes: Sequence[str],
        segments: Mapping[str, Sequence[str]],
        errors: str | None = None,
    ) -> None:
        self._errors = errors
        self.names: list[str] = []
        self._known: dict[str, int] = {}
        self._classes = _places(classes)
        self._segments = [(tag, _places(values)) for tag, values in segments.items()]

    def learn(self, names: Sequence[str]) -> IntArray:
        """Return 0, then 1 + the place of each version's name among the known ones, which grow.

        Versions are named by the stream: those beyond the first 10,000 share one name.
        """
        codes = [0]
        for name in names:
            if name not in self._known and len(self.names) >= MOST_NAMES:
                name = OTHER
            if name not in self._known:
                self.names.append(name)
                self._known[name] = len(self.names)
            codes.append(self._known[name])
        return np.array(codes, np.int64)

    def translate(self, block: Block, rows: JoinRows) -> JoinRows:
        """Return the rows of a block in the join's codes, without labels of unknown classes.

        What another error model expected is not known.
        """
        many = len(self._classes)
        rows.versions = self.learn(block.versions)[rows.versions]
        if bool(block.classes) == bool(many):
            places = _translation(self._classes, block.classes)
            rows.predicted = np.where(rows.labels, 0, places[rows.predicted])
            if many:
                actual = places[np.where(rows.labels, rows.values, 0).astype(np.int64)]
                rows.values = np.where(rows.labels, actual, rows.values)
            known = ~rows.labels | (rows.values < many if many else True)
        else:  # classes once, numbers now, or the other way round
            rows.predicted = np.full(len(rows), many)
            known = ~rows.labels
        if block.errors != self._errors:
            rows.expected = unknown(len(rows))
        theirs = dict(zip(block.segments, rows.segments, strict=True))
        none = np.zeros(len(rows), np.int64)
        codes = [
            _translation(own, block.segments.get(tag, []))[theirs.get(tag, none)]
            for tag, own in self._segments
        ]
        rows.segments = np.array(codes, np.int64).reshape(len(codes), len(rows))
        return rows if known.all() else rows.select(known)


def _places(names: Sequence[str]) -> dict[str, int]:
    return {name: place for place, name in enumerate(names)}


def _translation(own: Mapping[str, int], theirs: Sequence[str]) -> IntArray:
    """Return the own place of each of theirs; what is none of the own has the number of these."""
    return np.array([*(own.get(name, len(own)) for name in theirs), len(own)], np.int64)
