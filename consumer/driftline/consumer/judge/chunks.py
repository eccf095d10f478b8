"""Counts of a model's streams in stretches of event time, as they may be normal later.

What came while an alert on a feature was open is held apart: it becomes normal only where somebody
or something says so.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.judge.moving_state import Chunk, Sparse
from driftline.consumer.wire.codec import pack_integers, unpack_integers
from driftline.detectors.counts import Layout
from driftline.detectors.grid import IntArray

Counts = Callable[[int, int], list[IntArray]]
"""Returns the flat counts of each stream from one time to another (ms)."""

NONE = Sparse(pack_integers(np.zeros(0, np.int64)), pack_integers(np.zeros(0, np.int64)))


class Past(NamedTuple):
    """What came in some stretches.

    Attributes:
        counts: flat, of each stream.
        events: of each stream.
    """

    counts: list[IntArray]
    events: IntArray


class Chunks:
    """The stretches of one model.

    Args:
        layout: where counts lie.
        streams: how many there are.
        length: of a stretch, ms.
        kept: as read from the log.
    """

    def __init__(self, layout: Layout, streams: int, length: int, kept: Sequence[Chunk]) -> None:
        self._layout, self._streams, self.length = layout, streams, length
        self._by_number = {chunk.number: chunk for chunk in kept}

    def state(self) -> list[Chunk]:
        """Return what has to be kept, in order of time."""
        return [chunk for _, chunk in sorted(self._by_number.items())]

    def add(
        self, number: int, flat: Sequence[IntArray], events: Sequence[int], held: IntArray
    ) -> None:
        """Add a pane.

        Args:
            number: of its stretch.
            flat: its counts of each stream.
            events: of each stream.
            held: places of the features that are held apart.
        """
        chunk = self._by_number.get(number)
        if chunk is None:
            nothing = [NONE] * self._streams
            chunk = Chunk(number, [0] * self._streams, nothing, nothing, held.tolist())
        mask = self._cells(held)
        chunk.events = [a + b for a, b in zip(chunk.events, events, strict=True)]
        chunk.learnt = self._sum(chunk.learnt, [np.where(mask, 0, each) for each in flat])
        chunk.held = self._sum(chunk.held, [np.where(mask, each, 0) for each in flat])
        chunk.left = [f for f in chunk.left if f in set(held.tolist())]
        self._by_number[number] = chunk

    def hold(self, f: int, since: int, end: int, counts: Counts) -> int | None:
        """Hold a feature's panes from one time to another (ms) apart; they were learnt.

        Returns:
            Number of the first stretch in which something was; None: in none.
        """
        first = None
        mask = self._cells(np.array([f]))
        for number in range(since // self.length, (end - 1) // self.length + 1):
            chunk = self._by_number.get(number)
            if chunk is None:
                continue
            begin = max(number * self.length, since)
            came = counts(begin, min((number + 1) * self.length, end))
            learnt = [self._flat(each) for each in chunk.learnt]
            out = [np.where(mask, np.minimum(a, b), 0) for a, b in zip(came, learnt, strict=True)]
            chunk.learnt = self._sum(chunk.learnt, [-each for each in out])
            chunk.held = self._sum(chunk.held, out)
            if begin == number * self.length:
                chunk.left = sorted({*chunk.left, f})
            first = number if first is None else first
        return first

    def release(self, f: int, *, learn: bool) -> None:
        """Hold a feature's panes apart no longer: learn them, or forget them."""
        mask = self._cells(np.array([f]))
        for chunk in self._by_number.values():
            held = [self._flat(each) for each in chunk.held]
            own = [np.where(mask, each, 0) for each in held]
            if not any(each.any() for each in own):
                continue
            chunk.held = self._sum(chunk.held, [-each for each in own])
            if learn:
                chunk.learnt = self._sum(chunk.learnt, own)
                chunk.left = [each for each in chunk.left if each != f]

    def past(self, before: int, many: int) -> Past:
        """Return what was learnt in the last `many` stretches before the one of a number.

        Of a feature of which nothing was learnt in some, as many more count, twice as many at most.
        """
        size = self._layout.size
        total = [np.zeros(size, np.int64) for _ in range(self._streams)]
        events, taken = np.zeros(self._streams, np.int64), self._nothing()
        for number in range(before - 1, before - 2 * many - 1, -1):
            chunk, wanted = self._by_number.get(number), taken < many
            if not wanted.any():
                break
            if chunk is not None:
                wanted[chunk.left] = False
                mask = self._cells(np.flatnonzero(wanted))
                for sum_, each in zip(total, chunk.learnt, strict=True):
                    sum_ += np.where(mask, self._flat(each), 0)
                if number >= before - many:
                    events += chunk.events
            taken += wanted
        return Past(total, events)

    def forget(self, before: int, many: int) -> None:
        """Forget what no `past` of this stretch and later ones needs."""
        taken = self._nothing()
        for number in range(before - 1, min(self._by_number, default=before) - 1, -1):
            chunk, wanted = self._by_number.get(number), taken < many
            if chunk is not None:
                needed = wanted.copy()
                needed[chunk.left] = False
                if number < before - many:
                    self._keep(chunk, needed & (number >= before - 2 * many))
                wanted = needed
            taken += wanted

    def _keep(self, chunk: Chunk, wanted: NDArray[np.bool_]) -> None:
        """Keep what was learnt of some features alone."""
        mask = self._cells(np.flatnonzero(wanted))
        kept = [np.where(mask, self._flat(each), 0) for each in chunk.learnt]
        if any(each.any() for each in kept):
            chunk.learnt = list(map(_sparse, kept))
            chunk.held = [NONE] * self._streams
        else:
            del self._by_number[chunk.number]

    def _nothing(self) -> IntArray:
        return np.zeros(len(self._layout.features), np.int64)

    def _cells(self, features: Collection[int] | IntArray) -> NDArray[np.bool_]:
        """Return which flat cells are of some features, by their places."""
        chosen = np.zeros(len(self._layout.features), np.bool_)
        chosen[np.array(features, np.int64)] = True
        return np.repeat(chosen, np.diff(self._layout.starts))

    def _flat(self, sparse: Sparse) -> IntArray:
        flat = np.zeros(self._layout.size, np.int64)
        flat[np.cumsum(unpack_integers(sparse.gaps))] = unpack_integers(sparse.counts)
        return flat

    def _sum(self, kept: Sequence[Sparse], more: Sequence[IntArray]) -> list[Sparse]:
        return [
            _sparse(self._flat(each) + flat) if flat.any() else each
            for each, flat in zip(kept, more, strict=True)
        ]


def _sparse(flat: IntArray) -> Sparse:
    places = np.flatnonzero(flat)
    return Sparse(pack_integers(np.diff(places, prepend=0)), pack_integers(flat[places]))
