"""Idle marks: how far the silent ones have come, each in a record of its own or many in one."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from driftline.consumer.capacity import measured as m
from driftline.consumer.capacity.load import Stream
from driftline.consumer.log.topics import FLEET
from driftline.consumer.service.counting import ROUNDS
from driftline.consumer.wire.messages import MOST_TOGETHER


class Marks(NamedTuple):
    """What is sent of the silent models of a topic, a second.

    Attributes:
        models: marks, of a model and partition each.
        records: that hold them, and their bytes.
        together: whether a record holds many, which judges take in without recording their state.
    """

    models: float
    records: float
    bytes: float
    together: bool


def marks_of(own: Sequence[Stream], outputs: int, models: int) -> Marks:
    """Return the marks of a topic.

    Args:
        own: the events in it.
        outputs: partitions of the log of panes.
        models: of the whole configuration, which tells whether they are sent together.
    """
    partitions, idle = own[0].partitions + own[0].silent, own[0].idle
    some, silent = sum(each.marks for each in own), sum(each.silent_marks for each in own)
    if models <= FLEET:
        return Marks(some + silent, some + silent, (some + silent) * m.HORIZON_BYTES.value, False)
    # What never had an event is marked in one round; other silences begin at any time.
    turn = idle / ROUNDS
    records = partitions * _records(silent * idle / partitions, outputs) / idle
    records += partitions * _records(some * turn / partitions, outputs) / turn
    size = records * m.HORIZONS_BYTES.value + (some + silent) * m.MARK_BYTES.value
    return Marks(some + silent, records, size, True)


def _records(marks: float, outputs: int) -> float:
    """Return the records of marks that are made at once; their models are anywhere."""
    filled = -outputs * math.expm1(-marks / outputs)
    return filled * math.ceil(marks / outputs / MOST_TOGETHER)


def total(found: Iterable[Marks]) -> Marks:
    """Return those of all topics."""
    each = list(found)
    return Marks(
        sum(one.models for one in each),
        sum(one.records for one in each),
        sum(one.bytes for one in each),
        any(one.together for one in each),
    )
