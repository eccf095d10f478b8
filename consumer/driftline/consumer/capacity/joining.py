"""Predictions and labels that are joined: rows, the blocks in which they travel, what waits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from driftline.consumer.capacity import measured as m
from driftline.consumer.capacity.load import Load, Stream


@dataclass(frozen=True)
class JoinLoad:
    """What goes to the join: a label comes for each prediction, in a topic of the same partitions.

    Attributes:
        rows: predictions and labels a second.
        blocks: a second; each batch of a model goes to every partition of the joins, with rows or
            without, and so does each idle mark.
        bytes: of them, a second.
        waiting: predictions that wait for their label.
    """

    rows: float
    blocks: float
    bytes: float
    waiting: float

    @property
    def cores(self) -> dict[str, float]:
        """What joining them needs."""
        read = m.READ.value + m.BLOCK_READ.value
        return {
            "rows": self.rows * m.JOIN_ROW.value,
            "blocks": self.blocks * read + self.bytes * m.READ_BYTE.value,
        }

    @property
    def sketch_cores(self) -> dict[str, float]:
        """What those need who read the predictions and labels, and send them."""
        labels = self.rows / 2
        sent = self.blocks * m.SEND.value + self.bytes * m.SEND_BYTE.value
        read = labels * (m.READ.value + m.LABEL.value)
        return {"labels": read + labels * m.ROW.value, "blocks": sent}


def joined(labelled: Sequence[Stream], load: Load) -> JoinLoad:
    """Return what goes to the join.

    Args:
        labelled: the events of models that have labels.
        load: what comes.
    """
    rows = blocks = full = waiting = 0.0
    for each in labelled:
        rows += 2 * each.rate
        blocks += 2 * load.outputs * (each.polled + each.marks + each.silent_marks)
        if each.polled:
            batch = each.rate / each.polled  # rows of a batch, which go to any partition
            share = -math.expm1(-batch / load.outputs)
            full += 2 * load.outputs * each.polled * share
        if each.shape.labels is not None:
            waiting += each.rate * each.shape.labels.horizon / 1_000
    size = blocks * m.BLOCK_BYTES.value + full * m.ROWS_BYTES.value + rows * m.ROW_BYTES.value
    return JoinLoad(rows, blocks, size, waiting)
