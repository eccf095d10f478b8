"""Predictions and ground truth of all events, kept in this process in their order."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Self

from driftline.detectors.grid import FloatArray
from driftline.producer.reference.answers import GatheredAnswers
from driftline.producer.reference.outcome import MeasuredOutcome, measure_outcome
from driftline.producer.reference.readings import Reader


class KeptAnswers(GatheredAnswers):
    """Keeps answers; `driftline.producer.reference.measuring` says how they are asked."""

    def merge(self, other: Self) -> None:
        """Refuse: events that others read have no order among these."""
        raise NotImplementedError("answers that are kept are read in turn")

    def measure(
        self, reader: Reader, scores: Sequence[FloatArray], positive_label: str | None
    ) -> MeasuredOutcome:
        """Compare predictions with ground truth, without reading again.

        Raises:
            InputError: as `measure_outcome`.
        """
        return measure_outcome(self.joined(), positive_label)
