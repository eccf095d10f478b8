"""Counts of features together, which lie behind those of each by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from driftline.consumer.config import ModelConfig
from driftline.detectors.counts import Columns, Layout
from driftline.detectors.grid import IntArray
from driftline.detectors.joint.layout import JointLayout
from driftline.detectors.reference import Reference


@dataclass(frozen=True)
class JointCells:
    """Counts features together, of the whole model.

    Attributes:
        layout: of the columns.
        joint: what is counted.
        counted: whether it is; else its cells stay empty, so that those behind them have one place.
    """

    layout: Layout
    joint: JointLayout
    counted: bool

    @classmethod
    def of(cls, config: ModelConfig, reference: Reference) -> Self | None:
        """Return those of a model; None where its reference counts no features together."""
        if reference.joint is None:
            return None
        return cls(reference.layout, reference.joint.layout, config.joint is not None)

    @property
    def size(self) -> int:
        """Length of the counts."""
        return self.joint.size

    def count(self, columns: Columns, *, whole: bool) -> IntArray:
        """Return the counts of events, shape (size,); `whole`: whether they are of all segments."""
        if self.counted and whole:
            return self.joint.count(self.layout, columns)
        return np.zeros(self.size, np.int64)
