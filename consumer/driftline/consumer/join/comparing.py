"""Join of two models' predictions with the labels of their events: who was right.

A comparison is joined like a model of its own, from the same blocks: rows are routed by their
event's id, so both models' rows of an event are in the same partition. The first prediction of an
id opens its row. That of the other side, while the row is there, is its second answer; that of the
same side is a duplicate.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import msgspec
import numpy as np
from numpy.typing import NDArray

from driftline.consumer.config import Side
from driftline.consumer.join.matching import Matching
from driftline.consumer.join.model import ModelJoin, Output
from driftline.consumer.join.pane import OutcomeModel
from driftline.consumer.join.waiting import WaitingColumns, WaitingRows
from driftline.consumer.wire.join_rows import JoinRows, unpack_rows
from driftline.consumer.wire.messages import Block, Rows
from driftline.detectors.grid import IntArray

COMPARISON_CELLS = 8
"""The champion alone answered: right, wrong; the challenger alone: right, wrong; both answered:
both right, only the champion, only the challenger, none."""
_BOTH = 4


@dataclass(frozen=True)
class ComparisonModel(OutcomeModel):
    """What the join needs to know of one comparison.

    Of a regression the nearer one is "right", so what one side alone answered is never right.

    Attributes:
        sides: champion and challenger.
    """

    sides: tuple[Side, Side]
    versions_of_matches: ClassVar[bool] = False

    @property
    def size(self) -> int:
        """Cells that `count` fills."""
        return COMPARISON_CELLS

    @property
    def models(self) -> tuple[str, ...]:
        """The models whose rows are compared."""
        return tuple(dict.fromkeys(side.model for side in self.sides))

    def side(self, model: str, version: str | None) -> int:
        """Return 1 for the champion's predictions, 2 for the challenger's, 0 for all others.

        A side that names a version goes before one that names none.
        """
        for wanted in (Side(model, version), Side(model)):
            if wanted in self.sides:
                return 1 + self.sides.index(wanted)
        return 0

    def count(self, rows: WaitingColumns) -> IntArray:
        """Count predictions with their labels, shape (8,)."""
        answered = np.isfinite(rows.scores)
        if self.layout.grid is None:
            right = rows.scores == rows.actual
        else:
            distance = np.abs(rows.scores - rows.actual)
            right = distance < distance[::-1]
        champion, challenger = ~right.astype(bool)
        alone = np.where(answered[0], champion, 2 + challenger)
        both = _BOTH + np.where(champion, 2, 0) + challenger
        cells = np.where(answered.all(axis=0), both, alone)
        return np.bincount(cells, minlength=COMPARISON_CELLS)


class ComparisonMatching(Matching):
    """The rows that wait, each with up to two answers; see `Matching`."""

    def __init__(self, model: OutcomeModel, names: list[str], closed: int) -> None:
        super().__init__(model, names, closed)
        self.rows = WaitingRows(0, answers=2)

    def _columns(self, rows: JoinRows) -> WaitingColumns:
        """Return rows as they wait: their answer in the place of their side."""
        columns = super()._columns(rows)
        answer = rows.values if self.model.layout.grid is not None else rows.predicted
        sides = np.array([[1], [2]])
        columns.scores = np.where(rows.versions == sides, answer, np.nan)
        return columns

    def _answered(self, run: JoinRows, number: int) -> NDArray[np.bool_]:
        """Return which predictions of a run would be duplicates: their side has answered."""
        answered = np.isfinite(self.rows.columns.scores[:, number])
        return answered[np.maximum(run.versions - 1, 0)]

    def _repeat(self, rows: JoinRows, numbers: IntArray) -> None:
        """Predictions with an id that an earlier one has: second answers, and duplicates."""
        held = self.rows.columns
        side = rows.versions - 1
        new = np.isnan(held.scores[side, numbers])
        second = self._columns(rows.select(new))
        since = self.crossed.since(numbers, held.times[numbers])
        held.scores[side[new], numbers[new]] = second.scores[side[new], np.arange(int(new.sum()))]
        self._predicted(second, since[new])
        self.totals.duplicates += int((~new).sum())
        self._cross(numbers, since, rows.times)


class ComparisonJoin(ModelJoin):
    """Joins the rows of a comparison whose ids fall in one partition; see `ModelJoin`.

    Progress is per model, so its sources are ``model/topic``.
    """

    model: ComparisonModel
    matching_type = ComparisonMatching

    @property
    def models(self) -> tuple[str, ...]:
        """The models whose blocks it takes."""
        return self.model.models

    def feed(self, block: Block, offset: int) -> Iterator[Output]:
        """Take in one block of one of the models; yield what becomes final."""
        horizon = block.horizon
        source = f"{horizon.model}/{horizon.source}"
        replace = msgspec.structs.replace
        yield from super().feed(replace(block, horizon=replace(horizon, source=source)), offset)

    def _new_rows(self, block: Block, packed: Rows, positions: int) -> JoinRows:
        """Return the labels of a block and the sides' predictions, their side as version."""
        rows, model = unpack_rows(packed), self.model
        names = (None, *block.versions)
        side = np.array([model.side(block.horizon.model, name) for name in names])[rows.versions]
        rows.versions = np.where(rows.labels, 0, side)
        rows = rows.select((rows.offsets >= positions) & (rows.labels | (side > 0)))
        sides = [str(side) for side in model.sides]
        return self._codes.translate(msgspec.structs.replace(block, versions=sides), rows)
