"""A regression's predictions and ground truth by sums and unions alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Self

import numpy as np

from driftline.detectors.exact_sum import ExactSum
from driftline.detectors.grid import FloatArray
from driftline.detectors.outcomes import OutcomeLayout, OutcomeRows
from driftline.detectors.outcomes.edges import (
    MOST_RESIDUALS,
    RESIDUAL_SHARES,
    TAIL_SHARES,
    ResidualGrid,
    share_ranks,
)
from driftline.detectors.outcomes.spread import Spread
from driftline.producer.reference.answers import GatheredAnswers
from driftline.producer.reference.distinct import DistinctNumbers
from driftline.producer.reference.events import Events
from driftline.producer.reference.look import thin_parts
from driftline.producer.reference.order_statistics import SPLITTERS, RankSearch, thinned
from driftline.producer.reference.outcome import (
    MeasuredOutcome,
    error_summary,
    measurable,
    perhaps_classes,
)
from driftline.producer.reference.readings import Reader
from driftline.producer.reference.searches import MOST_VALUES as ROOM
from driftline.producer.reference.searches import ColumnCounts, settled

_FEW_TRUTHS = 11
_SAMPLE = 1_024  # of the errors of a part
_ERROR, _SIZE = "error", "size"


class RegressionSeen:
    """What is seen of predictions and ground truth that are numbers.

    Attributes:
        n: pairs of both.
    """

    def __init__(self) -> None:
        self.n = 0
        self._size, self._square, self._bias = ExactSum(), ExactSum(), ExactSum()
        self._truth = ExactSum()
        self._low, self._high, self._largest = math.inf, -math.inf, 0.0
        self._truths = DistinctNumbers(_FEW_TRUTHS)
        self._errors = DistinctNumbers(MOST_RESIDUALS)
        self._sample: list[FloatArray] = []

    def add(self, score: FloatArray, truth: FloatArray) -> None:
        """Take in some events; NaN for what they lack."""
        error, actual = _pairs(score, truth)
        if not error.size:
            return
        self.n += error.size
        self._size.add(np.abs(error))
        self._square.add(error * error)
        self._bias.add(error)
        self._truth.add(actual)
        self._low = min(self._low, float(actual.min()))
        self._high = max(self._high, float(actual.max()))
        self._largest = max(self._largest, float(np.abs(error).max()))
        self._truths.add(actual)
        self._errors.add(error)
        ordered = np.sort(error)
        places = np.linspace(0, ordered.size - 1, min(_SAMPLE, ordered.size))
        self._sample = thin_parts([*self._sample, ordered[places.astype(np.int64)]])

    def merge(self, other: Self) -> None:
        """Take in what another has seen of other events."""
        self.n += other.n
        for own, more in (
            (self._size, other._size), (self._square, other._square),
            (self._bias, other._bias), (self._truth, other._truth),
        ):  # fmt: skip
            own.merge(more)
        self._low, self._high = min(self._low, other._low), max(self._high, other._high)
        self._largest = max(self._largest, other._largest)
        self._truths.merge(other._truths)
        self._errors.merge(other._errors)
        self._sample = thin_parts([*self._sample, *other._sample])

    def measure(self, reader: Reader, positive_label: str | None) -> MeasuredOutcome:
        """Compare predictions with ground truth, by two readings or more."""
        if self.n == 0:
            return MeasuredOutcome(positive_label)
        sums = (self._size.value(), self._square.value(), self._bias.value())
        truths = self._truths.all()
        perhaps = None if truths is None else perhaps_classes(truths, self.n)
        layout = OutcomeLayout.of_residuals(self._grid(reader))
        summary = error_summary(self.n, *sums)
        return MeasuredOutcome(positive_label, summary, layout, PairedRows(), perhaps=perhaps)

    def _grid(self, reader: Reader) -> ResidualGrid:
        centre = self._truth.mean(self.n)
        farthest = max(abs(self._low - centre), abs(self._high - centre))
        few = self._errors.all()
        sample = np.concatenate(self._sample) + 0.0
        searches = {_SIZE: _search(np.abs(sample), TAIL_SHARES)}
        if few is None:
            searches[_ERROR] = _search(sample, RESIDUAL_SHARES)
        spreads = Spread(self._largest), Spread(farthest)
        found = reader.read(_Residuals(ColumnCounts(errors_of, searches), centre, *spreads))
        done = settled(reader, found.counts.searches, errors_of)
        return ResidualGrid.chosen(
            centre,
            found.residual,
            found.actual if self._low < self._high else None,
            done[_SIZE].values(),
            done[_ERROR].values() if few is None else few,
            few=few is not None,
        )


@dataclass(eq=False)
class _Residuals:
    """A reading that counts errors, and adds up their squares and those of the ground truth."""

    counts: ColumnCounts
    centre: float
    residual: Spread
    actual: Spread

    def add(self, events: Events) -> None:
        self.counts.add(events)
        error, actual = _pairs(*_numbers(events))
        self.residual.add(error)
        self.actual.add(actual - self.centre)

    def merge(self, other: Self) -> None:
        self.counts.merge(other.counts)
        self.residual.merge(other.residual)
        self.actual.merge(other.actual)


class PairedRows:
    """What is counted of the events of a regression."""

    def of(self, events: Events, first: int) -> OutcomeRows:
        """Return those of some events, whatever their numbers."""
        score, truth = _numbers(events)
        known = np.where(measurable(score, truth), truth, np.nan)
        return OutcomeRows(np.zeros(score.size, np.int32), score, known)


def errors_of(events: Events, names: Iterable[str]) -> Mapping[str, FloatArray]:
    """Return prediction - actual of those events that have both; see `searches.ColumnsOf`."""
    error, _ = _pairs(*_numbers(events))
    found = {_ERROR: error + 0.0, _SIZE: np.abs(error)}
    return {name: found[name] for name in names}


def _search(sample: FloatArray, shares: Sequence[float]) -> RankSearch:
    return RankSearch(thinned(sample, SPLITTERS), partial(share_ranks, shares=shares), ROOM // 2)


def _numbers(events: Events) -> tuple[FloatArray, FloatArray]:
    gathered = GatheredAnswers()
    gathered.add(events)
    return gathered.score.joined(), gathered.truth.joined()


def _pairs(score: FloatArray, truth: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return prediction - actual, and the actual values, of events that have both."""
    there = measurable(score, truth)
    return score[there] - truth[there], truth[there]
