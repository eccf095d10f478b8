"""Counts of an input's records, by how each was used or why it was not."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from driftline.consumer.log.protocol import Record
from driftline.consumer.wire.messages import Block, Horizon, Loss, ModelChange, Pane


@dataclass(frozen=True)
class DeadLetter:
    """A record that cannot be used, and why."""

    record: Record
    reason: str
    detail: str


Output = Pane | Horizon | Loss | ModelChange | Block | DeadLetter
"""What a sketch makes known."""


def model_of(output: Output) -> str | None:
    """Return the model that an output of a sketch is of; None for a dead letter."""
    if isinstance(output, DeadLetter):
        return None
    return output.horizon.model if isinstance(output, Block) else output.model


@dataclass
class InputTotals:
    """What became of the records read: read = counted + late + labels + skipped + rejected.

    An event that brings its own label is in `counted` (or `late`, or `rejected`) and in `labels`.
    `refused`: labels that a model cannot use, also where another model can. `without`: predictions
    that are not waited for.
    """

    read: int = 0
    counted: Counter[str] = field(default_factory=Counter)  # by model
    late: Counter[str] = field(default_factory=Counter)  # by model
    labels: Counter[str] = field(default_factory=Counter)  # by model
    refused: Counter[str] = field(default_factory=Counter)  # by model
    without: Counter[tuple[str, str]] = field(default_factory=Counter)  # by model; id or answer
    skipped: Counter[str] = field(default_factory=Counter)  # by reason: tombstone, unknown_model
    rejected: Counter[str] = field(default_factory=Counter)  # by reason of the dead letters
