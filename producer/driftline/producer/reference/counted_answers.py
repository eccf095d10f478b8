"""Predictions and ground truth by sums and unions alone, so that many processes may read them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes import OutcomeLayout, OutcomeRows
from driftline.detectors.outcomes.edges import FEW_SCORES, edges_of, score_ranks
from driftline.producer.errors import InputError
from driftline.producer.reference.answer_cells import Cell, CellsOf, answers_of, scored
from driftline.producer.reference.distinct import DistinctNumbers
from driftline.producer.reference.events import Events
from driftline.producer.reference.order_statistics import SPLITTERS, RankSearch, thinned
from driftline.producer.reference.outcome import Classes, MeasuredOutcome, classes_of, task_of
from driftline.producer.reference.readings import Reader
from driftline.producer.reference.regression_seen import RegressionSeen
from driftline.producer.reference.searches import MOST_VALUES, ColumnCounts, settled

_MOST_CELLS = 1 << 16
_SCORE = "score"


class CountedAnswers:
    """Counts answers; `driftline.producer.reference.measuring` says how they are asked.

    What they hold does not grow with the events. Where the ground truth has more than 65,536
    numbers, these are not told apart.
    """

    def __init__(self) -> None:
        self._cells: Counter[Cell] = Counter()
        self._many_numbers = False
        self._regression = RegressionSeen()

    def add(self, events: Events) -> None:
        """Take in some events."""
        found = CellsOf(events)
        self._count(dict(zip(found.cells, found.counts.tolist(), strict=True)))
        self._regression.add(found.score, found.truth)

    def merge(self, other: Self) -> None:
        """Take in what another has, of other events."""
        if other._many_numbers and not self._many_numbers:
            self._drop_numbers()
        self._count(other._cells)
        self._regression.merge(other._regression)

    def measure(
        self, reader: Reader, scores: Sequence[FloatArray], positive_label: str | None
    ) -> MeasuredOutcome:
        """Compare predictions with ground truth, by two readings or more.

        Raises:
            InputError: as `measure_outcome`; or there are too many classes.
        """
        cells = list(self._cells)
        answers = answers_of(cells)
        if self._many_numbers and (answers.predicted.any() or positive_label is not None):
            raise InputError(
                f"the ground truth is one of more than {_MOST_CELLS:,} numbers, not a class: leave"
                " out prediction.label and positive_label, or give the actual class"
            )
        task = task_of(answers, positive_label)
        positive = task.positive_label
        if not task.labelled and not task.classes:
            return self._regression.measure(reader, positive)
        weight = np.array(list(self._cells.values()), np.int64)
        found = classes_of(task, weight)
        if isinstance(found, MeasuredOutcome):
            return found
        rows = CodedRows.of_cells(found, cells, numbers=not self._many_numbers)
        layout = OutcomeLayout.classification(found.names, positive, task.labelled)
        answered = scored(cells) & ~np.isnan([actual for _, actual in rows.codes.values()])
        if not answered.any():
            if not task.labelled:
                return MeasuredOutcome(positive)
        elif positive is not None:
            layout = _with_edges(layout, reader, rows, np.concatenate(scores))
        return MeasuredOutcome(positive, found.summary, layout, rows)

    def _count(self, counts: Mapping[Cell, int]) -> None:
        """Add counts of cells; of too many cells without their numbers.

        Raises:
            InputError: there are too many classes.
        """
        for cell, count in counts.items():
            self._cells[cell.without_number() if self._many_numbers else cell] += count
        if len(self._cells) > _MOST_CELLS and not self._many_numbers:
            self._drop_numbers()
        if len(self._cells) > _MOST_CELLS:
            raise InputError(
                f"prediction.label and the ground truth have more than {_MOST_CELLS:,} combinations"
                " of classes; map the columns that hold the classes"
            )

    def _drop_numbers(self) -> None:
        self._many_numbers = True
        cells, self._cells = self._cells, Counter()
        for cell, count in cells.items():
            self._cells[cell.without_number()] += count


@dataclass(frozen=True, eq=False)
class CodedRows:
    """What is counted of the events of a classifier.

    Attributes:
        codes: cell to the code of the predicted class, and that of the actual one, NaN for none.
        numbers: the cells have the numbers of their events.
    """

    codes: Mapping[Cell, tuple[int, float]]
    numbers: bool

    @classmethod
    def of_cells(cls, found: Classes, cells: Sequence[Cell], *, numbers: bool) -> Self:
        """Return those of events that have one cell each."""
        rows = found.rows(np.zeros(len(cells)))
        pairs = zip(rows.predicted.tolist(), rows.actual.tolist(), strict=True)
        return cls(dict(zip(cells, pairs, strict=True)), numbers)

    def of(self, events: Events, first: int) -> OutcomeRows:
        """Return those of some events, whatever their numbers.

        Raises:
            InputError: they are not those of the first reading.
        """
        found = CellsOf(events)
        try:
            codes = [
                self.codes[cell if self.numbers else cell.without_number()] for cell in found.cells
            ]
        except KeyError:
            raise InputError("the rows changed while they were read: write them first") from None
        guesses = np.array([guess for guess, _ in codes], np.int32)
        truths = np.array([truth for _, truth in codes], np.float64)
        return OutcomeRows(guesses[found.place], found.score, truths[found.place])

    def scores(self, events: Events, names: Iterable[str]) -> Mapping[str, FloatArray]:
        """Return the scores of those that have ground truth; see `searches.ColumnsOf`."""
        rows = self.of(events, 0)
        there = ~np.isnan(rows.actual) & ~np.isnan(rows.score)
        return dict.fromkeys(names, rows.score[there] + 0.0)


def _with_edges(
    layout: OutcomeLayout, reader: Reader, rows: CodedRows, sample: FloatArray
) -> OutcomeLayout:
    """Return a layout with the bins of scores."""
    search = RankSearch(thinned(sample, SPLITTERS) + 0.0, score_ranks, MOST_VALUES)
    counts = ColumnCounts(rows.scores, {_SCORE: search}, {_SCORE: DistinctNumbers(FEW_SCORES)})
    found = reader.read(counts)
    few, picked = found.distinct[_SCORE].all(), np.empty(0)
    if few is None:
        picked = settled(reader, found.searches, rows.scores)[_SCORE].values()
    values = picked if few is None else few
    chance = bool(values.min() >= 0.0 and values.max() <= 1.0)
    return replace(layout, edges=edges_of(few, picked), probability=chance)
