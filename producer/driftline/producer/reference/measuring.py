"""What takes in predictions and ground truth, and then tells how well the model did."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from driftline.detectors.grid import FloatArray
from driftline.producer.reference.events import Events
from driftline.producer.reference.outcome import MeasuredOutcome
from driftline.producer.reference.readings import Reader


class AnswersRead(Protocol):
    """Predictions and ground truth, of the first reading."""

    def add(self, events: Events) -> None:
        """Take in some events."""
        ...

    def merge(self, other: Any) -> None:
        """Take in what another has, of other events."""
        ...

    def measure(
        self, reader: Reader, scores: Sequence[FloatArray], positive_label: str | None
    ) -> MeasuredOutcome:
        """Compare predictions with ground truth.

        Args:
            reader: reads the events again, where that is needed.
            scores: some of `prediction.score`.
            positive_label: the class that the score speaks of; None: as the classes tell.

        Raises:
            InputError: as `measure_outcome`.
        """
        ...
