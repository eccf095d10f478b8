"""What a model answered: the scores and classes in the columns of its events."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.counts import Columns, Layout
from driftline.detectors.grid import FloatArray, IntArray
from driftline.detectors.outcomes import OutcomeLayout, count_predictions, estimate_size


@dataclass(frozen=True)
class Answers:
    """Finds scores and predicted classes in the columns of a model's events.

    Attributes:
        layout: of the columns; `prediction.score` and `prediction.label` may be among them.
        classes: names of the classes, as the model's outcomes have them.
    """

    layout: Layout
    classes: tuple[str, ...]

    def scores(self, columns: Columns) -> FloatArray:
        """Return the score of every event, NaN without one, shape (n,)."""
        place = self.layout.position.get("prediction.score")
        if place is None or place >= self.layout.numeric:
            return np.full(len(columns.numeric), np.nan)
        scores = columns.numeric[:, place]
        return np.where(np.isfinite(scores), scores, np.nan)

    def predicted(self, columns: Columns) -> IntArray:
        """Return the place of every predicted class, their number for another; -1 without one.

        Of a model that names no classes their number, always.
        """
        place = self.layout.position.get("prediction.label")
        if place is None or place < self.layout.numeric:
            return np.full(len(columns.numeric), len(self.classes), np.int64)
        return self._places[columns.codes[:, place - self.layout.numeric]]

    @cached_property
    def _places(self) -> IntArray:
        """The place of each code: of a category, another, missing, absent, invalid."""
        named = self.layout.features[self.layout.position["prediction.label"]].categories
        other = len(self.classes)
        places = [self.classes.index(name) if name in self.classes else other for name in named]
        return np.array([*places, other, -1, -1, -1], np.int64)

    def usable(self, columns: Columns) -> NDArray[np.bool_]:
        """Return which events have an answer that a label can be compared with, as references do.

        Of a model that names classes a class, of others a score.
        """
        place = self.layout.position.get("prediction.label")
        if self.classes and place is not None and place >= self.layout.numeric:
            return self.predicted(columns) >= 0
        return np.isfinite(self.scores(columns))


@dataclass(frozen=True)
class EstimateCells:
    """Counts predictions by score and class: what performance without labels is estimated from.

    Attributes:
        answers: finds them in the columns.
        outcomes: what is counted of outcomes, whose score bins these are.
    """

    answers: Answers
    outcomes: OutcomeLayout

    @property
    def size(self) -> int:
        """Length of the counts."""
        return estimate_size(self.outcomes)

    def count(self, columns: Columns) -> IntArray:
        """Return the counts of events, shape (size,)."""
        predicted = self.answers.predicted(columns).astype(np.int32)
        scores = np.where(self.answers.usable(columns), self.answers.scores(columns), np.nan)
        return count_predictions(self.outcomes, predicted, scores)
