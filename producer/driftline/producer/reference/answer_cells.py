"""Which combinations of classes and ground truth events have: few, of a classifier."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from driftline.detectors.grid import FloatArray, IntArray
from driftline.producer.reference.answers import Answers, ClassCodes, GatheredAnswers
from driftline.producer.reference.events import Events
from driftline.producer.reference.outcome import measurable

Key = tuple[str, bool] | None
"""A class, and whether it is marked as none; None for none."""

_NO_SCORE, _CHANCE, _NUMBER, _HUGE = range(4)
_SCORES = np.array([np.nan, 0.5, 2.0, 1e80])  # of each kind some score
_SOME_NUMBER, _HUGE_NUMBER = 2.5, 1e80


class Cell(NamedTuple):
    """What an event has, as far as it tells what the model does.

    Attributes:
        predicted: `prediction.label`.
        actual: the ground truth as a class.
        text: a class that stands where it is expected to be a number.
        number: the ground truth as a number; None where it is none.
        score: of which kind the score is.
    """

    predicted: Key
    actual: Key
    text: Key
    number: float | None
    score: int

    def without_number(self) -> Cell:
        """Return the same with only whether the number can be measured."""
        if self.number is None:
            return self
        small = bool(measurable(np.zeros(1), np.array([self.number]))[0])
        return self._replace(number=_SOME_NUMBER if small else _HUGE_NUMBER)


class CellsOf:
    """The cells of some events.

    Args:
        events: these.

    Attributes:
        cells: that occur.
        place: of each event in `cells`, shape (n,).
        counts: events of each cell.
        score: `prediction.score`, shape (n,); NaN for none.
        truth: the ground truth as a number, shape (n,); NaN for none.
    """

    def __init__(self, events: Events) -> None:
        gathered = GatheredAnswers()
        gathered.add(events)
        self.score, self.truth = gathered.score.joined(), gathered.truth.joined()
        numbers, number = np.unique(self.truth, return_inverse=True)
        kinds = _kinds(self.score)
        parts = [gathered.predicted, gathered.actual, gathered.texts]
        cell: NDArray[np.int64] = number.astype(np.int64) * len(_SCORES) + kinds
        for part in parts:
            cell = cell * (len(part.keys) + 1) + part.codes + 1
        found, self.place, self.counts = np.unique(cell, return_inverse=True, return_counts=True)
        keys: list[list[Key]] = []
        for part in reversed(parts):
            found, code = np.divmod(found, len(part.keys) + 1)
            named: list[Key] = [None, *part.keys]
            keys.append([named[each] for each in code.tolist()])
        number, kind = np.divmod(found, len(_SCORES))
        truths = [None if x != x else x for x in (numbers[number] + 0.0).tolist()]
        texts, actual, predicted = keys
        self.cells = list(map(Cell, predicted, actual, texts, truths, kind.tolist()))


def answers_of(cells: Sequence[Cell]) -> Answers:
    """Return answers of events that have one cell each."""
    predicted, actual, texts = ClassCodes(), ClassCodes(), ClassCodes()
    predicted.put(cell.predicted for cell in cells)
    actual.put(cell.actual for cell in cells)
    texts.put(cell.text for cell in cells)
    guesses = predicted.joined()
    return Answers(
        guesses,
        _SCORES[[cell.score for cell in cells]],
        actual.joined(guesses.names),
        np.array([np.nan if cell.number is None else cell.number for cell in cells]),
        texts.joined(guesses.names),
    )


def scored(cells: Iterable[Cell]) -> NDArray[np.bool_]:
    """Return which cells are of events with a score."""
    return np.array([cell.score != _NO_SCORE for cell in cells], bool)


def _kinds(score: FloatArray) -> IntArray:
    chance = (score >= 0.0) & (score <= 1.0)
    small = measurable(score, np.zeros(1))
    found = np.select([np.isnan(score), chance, small], [_NO_SCORE, _CHANCE, _NUMBER], _HUGE)
    return found.astype(np.int64)
