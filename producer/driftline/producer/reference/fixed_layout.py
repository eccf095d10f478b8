"""Events counted over the layout of another reference, as those of another version of a model are.

Nothing is chosen then: features, grids, categories, segments, the classes and bins of outcomes and
the model of a regression's errors are those of that reference. So the streams of both add up.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace

import numpy as np

from driftline.detectors.outcomes import OutcomeRows, Outcomes
from driftline.detectors.outcomes.error_model import ErrorModel
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.reference.choosing import Chosen
from driftline.producer.reference.events import Events
from driftline.producer.reference.look import Look
from driftline.producer.reference.outcome import MeasuredOutcome, RowsOf


def chosen_of(reference: Reference, looks: Mapping[str, Look]) -> Chosen:
    """Return what is counted over the layout of a reference; of all events, by no halves.

    Args:
        reference: whose layout it is.
        looks: what was seen of the events' fields.
    """
    numbers = (each.name for each in reference.layout.features if each.type == "numeric")
    distinct = {name: looks[name].numbers.about() for name in numbers if name in looks}
    return Chosen(reference.layout, reference.segments, distinct, {})


def measured_over(
    reference: Reference, measure: Callable[[str | None], MeasuredOutcome]
) -> MeasuredOutcome:
    """Compare predictions with ground truth in the classes and bins of a reference.

    Args:
        reference: whose layout is counted in.
        measure: compares them in classes and bins of their own, by the class that scores are of.

    Returns:
        What was measured; of no events where there is no ground truth.

    Raises:
        InputError: the ground truth is of another kind than the reference's.
        ReferenceError: the reference's outcome cannot be read.
    """
    outcomes, positive = Outcomes.of(reference), reference.positive_label
    if outcomes is None:
        return MeasuredOutcome(positive)
    layout = replace(outcomes.layout, errors=None)
    found = measure(positive)
    if found.layout is None or found.rows is None:
        return MeasuredOutcome(positive, {"n": 0}, layout, unmeasured=found.unmeasured)
    if (found.layout.kind, found.layout.labelled) != (layout.kind, layout.labelled):
        raise InputError(
            "predictions and ground truth are of another kind than those of the layout:"
            f" {found.layout.kind}, not {layout.kind}; map prediction and actual as for that one"
        )
    rows: RowsOf = found.rows
    if layout.grid is None:
        rows = _Recoded(rows, found.layout.classes, layout.classes)
    return MeasuredOutcome(positive, found.summary, layout, rows, perhaps=found.perhaps)


def error_model_of(reference: Reference) -> ErrorModel | None:
    """Return what a reference's errors are compared with; None where nothing is."""
    outcomes = Outcomes.of(reference)
    if outcomes is None or outcomes.layout.errors is None:
        return None
    return outcomes.error_model


def layout_notes(reference: Reference, inputs: Iterable[str], usable: set[str]) -> list[str]:
    """Return sentences on where the events differ from the layout.

    Args:
        reference: whose layout is counted in.
        inputs: the events' inputs.
        usable: those, and predictions, that have values.
    """
    known = {*reference.layout.position, *(reference.layout.left_out or ())}
    new = [name for name in inputs if name not in known and name in usable]
    notes = [f"{name} is left out: the layout does not have it" for name in new]
    gone = [name for name in reference.layout.position if name not in usable]
    return [*notes, *(f"{name} never has a usable value" for name in gone)]


@dataclass(frozen=True)
class _Recoded:
    """Rows with the codes of other classes; a class that is not among them is another."""

    rows: RowsOf
    found: tuple[str, ...]
    wanted: tuple[str, ...]

    def of(self, events: Events, first: int) -> OutcomeRows:
        return _recoded(self.rows.of(events, first), self.found, self.wanted)


def _recoded(rows: OutcomeRows, found: tuple[str, ...], wanted: tuple[str, ...]) -> OutcomeRows:
    place = {name: code for code, name in enumerate(wanted)}
    guesses = np.array([*(place.get(name, len(wanted)) for name in found), len(wanted)], np.int32)
    truths = np.array([*(place.get(name, np.nan) for name in found), np.nan])
    known = np.where(np.isnan(rows.actual), len(found), rows.actual).astype(np.int64)
    return OutcomeRows(guesses[rows.predicted], rows.score, truths[known])
