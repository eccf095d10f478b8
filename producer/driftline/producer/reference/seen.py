"""The first reading of a reference's events: what types their fields have, and when they were."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from driftline.producer.records.names import PREDICTION_FEATURES
from driftline.producer.reference.events import Events, LeftOut
from driftline.producer.reference.look import Look
from driftline.producer.reference.measuring import AnswersRead
from driftline.producer.reference.pane_plan import TimesSeen

_DISTINCT = 1 << 16


class Seen:
    """What is seen of events at first.

    Args:
        grid: the most values of a grid; None for all.
        answers: takes in predictions and ground truth.

    Attributes:
        events: how many.
        left_out: the other rows.
        columns: the top-level fields of all records, in their order.
        looks: input's name, `prediction.score` or `prediction.label` to what was seen of it.
        answers: predictions and ground truth.
        times: of the events.
    """

    def __init__(self, grid: int | None, answers: AnswersRead) -> None:
        self._most = None if grid is None else max(_DISTINCT, grid)
        self._inputs: set[str] = set()
        self.events = 0
        self.left_out = LeftOut()
        self.columns: dict[str, None] = {}
        self.looks: dict[str, Look] = {}
        self.answers = answers
        self.times = TimesSeen()

    @property
    def inputs(self) -> Sequence[str]:
        """The names of inputs, ascending."""
        return sorted(self._inputs)

    def add(self, events: Events) -> None:
        """Take in some events."""
        self.events += events.rows
        self.left_out += events.left_out
        self.columns |= dict.fromkeys(events.columns)
        self._inputs |= events.features.keys()
        for name in {*events.features, *PREDICTION_FEATURES}:
            found = events.field(name)
            if found is not None and len(found.column):
                self.looks.setdefault(name, Look(self._most, found.texts)).add(found)
        self.answers.add(events)
        times = events.times()
        if times is not None:
            self.times.add(times)

    def merge(self, other: Self) -> None:
        """Take in what another has seen of other events."""
        self.events += other.events
        self.left_out += other.left_out
        self.columns |= other.columns
        self._inputs |= other._inputs
        for name, look in other.looks.items():
            if name in self.looks:
                self.looks[name].merge(look)
            else:
                self.looks[name] = look
        self.answers.merge(other.answers)
        self.times.merge(other.times)
