"""What a stream's performance in a window is compared with: of the whole model a mixture."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self

from driftline.detectors.grid import IntArray
from driftline.detectors.outcomes import METRICS, Figure, Outcomes, calibrate, measure
from driftline.detectors.outcomes.calibration import Calibration
from driftline.detectors.outcomes.layout import OutcomeLayout
from driftline.detectors.outcomes.mixture import mixed_outcomes
from driftline.detectors.reference import Reference
from driftline.detectors.versions import version_streams


@dataclass(frozen=True, eq=False)
class OutcomeNormal:
    """What is normal for the performance of one window.

    Attributes:
        counts: flat counts of the outcomes, shape (layout.size,).
        figures: metric to what it is by them.
        calibration: what a score means; None where none is counted.
    """

    counts: IntArray
    figures: Mapping[str, Figure]
    calibration: Calibration | None

    @classmethod
    def of(cls, layout: OutcomeLayout, counts: IntArray) -> Self:
        """Work them out of counts."""
        return cls(counts, measure(layout, counts, METRICS), calibrate(layout, counts))


class StreamOutcomes:
    """What is normal for the performance of one stream.

    Where versions have references of their own, that of the whole model is the mixture of theirs,
    by the window's events of each.

    Args:
        reference: of the model.
        outcomes: of the reference.
        segment: of the stream; None: the whole model.

    Attributes:
        whole: what is normal whatever the versions.
    """

    def __init__(self, reference: Reference, outcomes: Outcomes, segment: str | None) -> None:
        place = reference.position[segment]
        self._layout = outcomes.layout
        self.whole = OutcomeNormal(
            outcomes.counts[place], outcomes.figures[place], outcomes.calibrations[place]
        )
        parts = version_streams(reference) if segment is None else ()
        self._parts = {part: outcomes.counts[reference.position[part]] for part in parts}

    def of(self, events_of: Callable[[str], int]) -> OutcomeNormal:
        """Return what is normal for a window.

        `events_of`: returns its events of a stream: of labels those that have theirs.
        """
        if not self._parts:
            return self.whole
        events = [events_of(part) for part in self._parts]
        mixed = mixed_outcomes(self._layout, [*self._parts.values()], events)
        return self.whole if mixed is None else OutcomeNormal.of(self._layout, mixed)
