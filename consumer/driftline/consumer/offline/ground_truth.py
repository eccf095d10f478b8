"""Why what was named of the ground truth measures nothing."""

from __future__ import annotations

from typing import Any

from driftline.consumer.offline import file_rows
from driftline.consumer.offline.given_truth import GivenTruth
from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.files.given import Input
from driftline.producer.files.rows import read_rows
from driftline.producer.records.category import named_class
from driftline.producer.records.mapping import Mapping
from driftline.producer.reference.build import BuiltReference


def check_measured(
    built: BuiltReference, mapping: Mapping, column: str | None, file: Input | None
) -> None:
    """Refuse a reference without performance, if the ground truth was named for it.

    Args:
        built: the reference.
        mapping: how its rows became events.
        column: the one that was named, None where none was.
        file: the rows; None where they cannot be read again.

    Raises:
        InputError: nothing was measured; it says why.
    """
    if column is None or built.reference.outcome is not None:
        return
    raise InputError(f"--actual {column}: {_why(built.unmeasured, mapping, column, file)}")


def check_class(truth: GivenTruth, reference: Reference) -> None:
    """Refuse a reference that does not know that its score speaks of the class that was named.

    Raises:
        InputError: it was built with another one, without one, or without ground truth.
    """
    wanted, built = truth.positive_label, reference.positive_label
    if wanted is None:
        return
    outcomes = Outcomes.of(reference)
    known = () if outcomes is None else outcomes.layout.classes
    if outcomes is None or named_class(wanted, known) not in {built} - {None}:
        has = "without ground truth" if outcomes is None else (
            "without one" if built is None else f"with {built}"
        )  # fmt: skip
        raise InputError(
            f"--positive-label {wanted}: the reference was built {has}: build it again with"
            f" --positive-label {wanted}"
        )


def unmeasured_with_labels(built: BuiltReference, mapping: Mapping) -> str:
    """Return why a reference whose labels came from another file has no performance."""
    if built.unmeasured is not None:
        return built.unmeasured
    if not mapping.names("prediction"):
        return f"no prediction column found: {file_rows.no_prediction()}"
    return "no event before the judged ones has both a prediction and its label"


def unmeasured(built: BuiltReference, mapping: Mapping) -> str:
    """Return why a reference of rows has no performance, and what to do."""
    if not mapping.names("actual") and built.unmeasured is None and not mapping.is_native:
        return "no column is known to hold the ground truth: give --actual COLUMN, or --labels FILE"
    return unmeasured_with_labels(built, mapping)


def _why(unmeasured: str | None, mapping: Mapping, column: str, file: Input | None) -> str:
    if unmeasured is not None:
        return unmeasured
    if not mapping.names("prediction"):
        return f"no prediction column found: {file_rows.no_prediction()}"
    for field, advice in (
        ("actual", f"{column} is empty or no number in every row; name the right column"),
        ("prediction", "no row has a prediction; correct its mapping"),
    ):
        if file is not None and not _known(file, mapping, field):
            return advice
    return "no event has both a prediction and its ground truth; check the mapping of both"


def _known(file: Input, mapping: Mapping, field: str) -> bool:
    """Return whether any row has a value there that can be used."""
    return any(
        _usable(mapping.to_event(row).get(field)) for rows in read_rows(file) for row in rows
    )


def _usable(value: Any) -> bool:
    if isinstance(value, dict):
        return any(map(_usable, value.values()))
    return value is not None and value not in ("NaN", "Infinity", "-Infinity")
