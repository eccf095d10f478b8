"""Shares of bins as a tree of splits, each of which is lent events by itself.

A cell of a few hundred events has none in most bins of the tails. Were each bin lent its own share
of `kappa` events, a tail of 0.2 % would be lent next to nothing, and its first event would look
like a change. So a cell's shares are split in two again and again: numbers near the middle of what
is split, categories the most frequent from the others. Each split is lent `kappa` events: the one
between the halves of all values is the cell's own, those within the tails are nearly the others'.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import FloatArray, IntArray

_LEAST = 1e-300


@dataclass(frozen=True, eq=False)
class ShareTree:
    """The splits of some features' bins.

    Attributes:
        order: the bins as they are split: each split has neighbours, shape (M,).
        low, middle, high: the places in that order of each split: from `low` to `middle` on one
            side, to `high` on the other, shape (splits,).
        owner: feature of each split, shape (splits,).
        first: number of each feature's first bin, shape (F,).
    """

    order: IntArray
    low: IntArray
    middle: IntArray
    high: IntArray
    owner: IntArray
    first: IntArray

    @classmethod
    def of(cls, known: FloatArray, first: IntArray, ordered: NDArray[np.bool_]) -> ShareTree:
        """Return the splits.

        Args:
            known: what is known of the bins of all cells together, as if events, shape (M,).
            first: number of each feature's first bin, and the end of the last, shape (F + 1,).
            ordered: which features are numbers, shape (F,).
        """
        order, splits = np.arange(known.size), []
        for f, (begin, end) in enumerate(zip(first[:-1].tolist(), first[1:].tolist(), strict=True)):
            if not ordered[f]:
                order[begin:end] = begin + np.argsort(-known[begin:end], kind="stable")
                splits += [(low, low + 1, end, f) for low in range(begin, end - 1)]
                continue
            upto = np.concatenate([[0.0], np.cumsum(known[begin:end])])
            parts = [(begin, end)]
            while parts:
                low, high = parts.pop()
                if high - low < 2:
                    continue
                half = (upto[low - begin] + upto[high - begin]) / 2.0
                inside = upto[low + 1 - begin : high - begin]
                middle = low + 1 + int(np.abs(inside - half).argmin())
                splits.append((low, middle, high, f))
                parts += [(low, middle), (middle, high)]
        low, middle, high, owner = np.array(splits, np.int64).reshape(-1, 4).T
        return cls(order, low, middle, high, owner, first[:-1])

    def shares(self, own: FloatArray, rest: FloatArray, kappa: FloatArray) -> FloatArray:
        """Return the shares of a cell's bins, shape (..., M): of each feature their sum is 1.

        Args:
            own: its events per bin, shape (..., M).
            rest: those of the other cells.
            kappa: as how many events they count in each split, of each feature, shape (F,).

        Example:
            >>> known = np.array([10.0, 40.0, 40.0, 10.0])
            >>> tree = ShareTree.of(known, np.array([0, 4]), np.array([True]))
            >>> tree.shares(np.array([0.0, 40.0, 10.0, 0.0]), known, np.array([10.0])).round(2)
            array([0.03, 0.72, 0.23, 0.02])
        """
        one, whole = self._sums(own)
        others, all_others = self._sums(rest)
        lent = np.minimum(kappa[self.owner], all_others)
        lent_one = lent * others / np.maximum(all_others, _LEAST)
        part = (one + lent_one) / np.maximum(whole + lent, _LEAST)
        left = np.log(np.clip(part, _LEAST, 1.0))
        right = np.log(np.clip(1.0 - part, _LEAST, 1.0))
        size, (sort, starts) = own.shape[-1], self._summands
        none = np.zeros((*own.shape[:-1], size + 1))
        summands = np.concatenate([none, left, right - left, -right], axis=-1)
        logs = np.cumsum(np.add.reduceat(summands[..., sort], starts, axis=-1), axis=-1)
        shares = np.empty_like(own)
        shares[..., self.order] = np.exp(logs[..., :size])
        total = np.add.reduceat(shares, self.first, axis=-1)
        sizes = np.diff(self.first, append=size)
        found: FloatArray = shares / np.repeat(total, sizes, axis=-1)
        return found

    @cached_property
    def _summands(self) -> tuple[IntArray, IntArray]:
        """The order of the summands of logarithms, and the first that counts from each bin on."""
        size = self.order.size
        # Every bin has one of its own, so that none is left out.
        at = np.concatenate([np.arange(size + 1), self.low, self.middle, self.high])
        sort = np.argsort(at, kind="stable")
        return sort, np.searchsorted(at[sort], np.arange(size + 1))

    def _sums(self, per_bin: FloatArray) -> tuple[FloatArray, FloatArray]:
        """Add up one side of each split, and both, shape (..., splits)."""
        zero = np.zeros((*per_bin.shape[:-1], 1))
        upto = np.concatenate([zero, np.cumsum(per_bin[..., self.order], axis=-1)], axis=-1)
        low = upto[..., self.low]
        return upto[..., self.middle] - low, upto[..., self.high] - low
