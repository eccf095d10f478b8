"""What a user says of the ground truth."""

from __future__ import annotations

from dataclasses import dataclass

from driftline.detectors.outcomes import Outcomes
from driftline.detectors.reference import Reference
from driftline.producer.errors import InputError
from driftline.producer.files.given import Input
from driftline.producer.records.category import named_class


@dataclass(frozen=True)
class GivenTruth:
    """What is known of the ground truth; None for what is not.

    Attributes:
        actual: the column that holds it, of `labels` if these are given.
        labels: a file of its own.
        positive_label: the class that the score speaks of.
    """

    actual: str | None = None
    labels: Input | None = None
    positive_label: str | None = None

    @property
    def beside(self) -> str | None:
        """The column of the events' own file that holds it."""
        return self.actual if self.labels is None else None

    def check(self, reference: Reference) -> None:
        """Refuse a reference that does not know that its score speaks of this class.

        Raises:
            InputError: it was built with another one, without one, or without ground truth.
        """
        wanted, built = self.positive_label, reference.positive_label
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


UNKNOWN = GivenTruth()
