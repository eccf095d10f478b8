"""Which categories of a feature are listed, and what is counted of those that are not.

A feature of more values than can be listed is split: its values are listed by one half of the
reference's events and counted in the other. Who lists the most frequent values by the very counts
that a window is then compared with lists those that came up by chance; in the window they come up
less, and the unlisted ones more, so quiet data would alarm (the winner's curse).

Which half an event is in is decided by the hash of its category and its number among the events of
that category: each event by a fair coin, whatever their order, with the same result every time.
"""

from __future__ import annotations

import heapq
import json
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import shake_128

import numpy as np

from driftline.detectors.counts import Layout
from driftline.detectors.grid import IntArray

MOST_CATEGORIES = 200


@dataclass(frozen=True, eq=False)
class Listing:
    """The categories of a feature that are listed.

    Attributes:
        categories: ascending by name.
        kept: (events counted, events at all) of each category and of all others together, shape
            (2, C + 1); None where every event counts.

    Example:
        >>> Listing.of("plan", {"b": 1, "a": 2, None: 3}).categories
        ('a', 'b')
    """

    categories: tuple[str, ...]
    kept: IntArray | None = None

    @classmethod
    def of(cls, feature: str, counted: Mapping[str | None, int]) -> Listing:
        """List the values of a feature, at most 200: the most frequent ones, ties by name.

        Where there are more, those of one half; what only the other has is not listed.

        Args:
            feature: its name.
            counted: events of each value in the whole reference; None is no value.
        """
        events = {value: count for value, count in counted.items() if value is not None}
        if len(events) <= MOST_CATEGORIES:
            return cls(tuple(sorted(events)))
        own = {value: count - _first_half(feature, value, count) for value, count in events.items()}
        # What the first half does not have it cannot choose: it would be known from the other.
        first = {v: events[v] - count for v, count in own.items() if count < events[v]}
        categories = tuple(sorted(most_frequent(first, MOST_CATEGORIES)))
        others = events.keys() - set(categories)
        kept = [(own[value], events[value]) for value in categories]
        kept.append((sum(own[v] for v in others), sum(events[v] for v in others)))
        return cls(categories, np.array(kept, np.int64).T)

    def count(self, blocks: IntArray) -> IntArray:
        """Return what is kept of counts of the feature.

        A segment keeps of each category the share that the whole reference keeps, and of missing,
        absent and invalid values half.

        Args:
            blocks: counts of some streams, shape (streams, C + 1 + cells for no value).
        """
        if self.kept is None:
            return blocks
        own, events = self.kept
        kept = blocks.copy()
        # To the nearest whole number; the whole reference's own counts come out exactly.
        kept[:, : own.size] = (2 * blocks[:, : own.size] * own + events) // np.maximum(
            2 * events, 1
        )
        kept[:, own.size :] = (blocks[:, own.size :] + 1) // 2
        return kept


def count_listed(layout: Layout, listings: Mapping[str, Listing], counts: IntArray) -> IntArray:
    """Return what is kept of the counts of some streams, shape (streams, layout.size)."""
    kept = counts.copy()
    for name, listing in listings.items():
        f = layout.position[name]
        own = slice(layout.starts[f], layout.starts[f + 1])
        kept[:, own] = listing.count(counts[:, own])
    return kept


def most_frequent(counted: Mapping[str, int], most: int) -> tuple[str, ...]:
    """Return the `most` frequent values, most frequent first, ties by name.

    >>> most_frequent({"a": 1, "b": 2, "c": 1}, 2)
    ('b', 'a')
    """
    ranked = heapq.nsmallest(most, ((-count, value) for value, count in counted.items()))
    return tuple(value for _, value in ranked)


def _first_half(feature: str, value: str, events: int) -> int:
    """Return how many of `events` are in the first half: as many as fair coins give."""
    name = json.dumps([feature, value]).encode()
    coins = int.from_bytes(shake_128(name).digest(-(-events // 8)))
    return (coins & ((1 << events) - 1)).bit_count()
