"""What a user says of the ground truth."""

from __future__ import annotations

from dataclasses import dataclass

from driftline.producer.files.given import Input


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


UNKNOWN = GivenTruth()
