"""A reference's outcomes, prepared: what performance is compared with."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import numpy as np

from driftline.detectors.counts import Layout
from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes.calibration import Calibration, calibrate
from driftline.detectors.outcomes.error_model import ErrorModel, EventErrors
from driftline.detectors.outcomes.figure import Figure
from driftline.detectors.outcomes.layout import OutcomeLayout
from driftline.detectors.outcomes.metrics import METRICS
from driftline.detectors.outcomes.performance import measure
from driftline.detectors.outcomes.watched import watched_metric
from driftline.detectors.reference import Reference
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """How well the model did on its reference.

    Attributes:
        layout: what is counted.
        counts: flat counts of each of the reference's streams, shape (streams, layout.size).
        error_model: what estimates a regression's errors; None for a classifier.
    """

    layout: OutcomeLayout
    counts: IntArray
    error_model: ErrorModel | None = None

    @classmethod
    def of(cls, reference: Reference) -> Self | None:
        """Read a reference's `outcome`; None if it was built without ground truth.

        Raises:
            ReferenceError: it was built by a version that did not count outcomes, or is damaged.
        """
        document = reference.outcome
        if document is None:
            return None
        try:
            layout = OutcomeLayout.from_json(document["layout"])
            counts = _dense(document["counts"], layout.size)
            model = document["error_model"]
            if len(counts) != len(reference.streams):
                raise ValueError("not one count a stream")
            errors = None if model is None else ErrorModel.from_json(model)
            if layout.errors is not None and (errors is None or errors.id != layout.errors):
                raise ValueError("its error model is not the one that its pairs were compared with")
            return cls(layout, counts, errors)
        except (KeyError, TypeError, ValueError, IndexError):
            raise ReferenceError(
                "the reference's outcome lacks the counts that performance is compared with: "
                "build it again with driftline reference build"
            ) from None

    @cached_property
    def figures(self) -> list[dict[str, Figure]]:
        """All metrics of each stream."""
        return [measure(self.layout, counts, METRICS) for counts in self.counts]

    @cached_property
    def calibrations(self) -> list[Calibration | None]:
        """What the score means in each stream; None where no score is counted.

        A segment has its own: one in which scores always meant something else did not change.
        """
        return [calibrate(self.layout, counts) for counts in self.counts]

    @property
    def calibration(self) -> Calibration | None:
        """What the whole model's score means; None unless scores are counted."""
        return self.calibrations[0]

    @property
    def has_gap(self) -> bool:
        """Whether realised performance is compared with what was estimated for the same events."""
        return self.calibration is not None or self.layout.errors is not None

    def event_errors(self, layout: Layout) -> EventErrors | None:
        """Return what estimates the error of single events, in units of the grid's scale.

        Args:
            layout: of the features.

        Returns:
            None where realised errors are not compared with it: of a classifier, and of a
            regression's reference of 0.1.0.
        """
        grid, model = self.layout.grid, self.error_model
        if self.layout.errors is None or grid is None or model is None:
            return None
        return EventErrors(layout, model, grid.scale)

    @property
    def watched(self) -> str | None:
        """The metric that is watched by default, see `watched.watched_metric`."""
        return watched_metric(self.layout)


def _dense(counts: list[dict[str, Any]], size: int) -> IntArray:
    flat = np.zeros((len(counts), size), np.int64)
    for row, sparse in zip(flat, counts, strict=True):
        row[np.array(sparse["cell"], np.int64)] = np.array(sparse["count"], np.int64)
    return flat
