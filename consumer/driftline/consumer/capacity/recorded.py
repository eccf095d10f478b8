"""States: what workers write of what they have done, and how often."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from driftline.consumer.capacity import measured as m
from driftline.consumer.capacity.load import Stream, moments
from driftline.consumer.capacity.marks import Marks
from driftline.consumer.capacity.shape import ModelShape
from driftline.consumer.service.counting import SELDOM
from driftline.consumer.service.parts import part_size
from driftline.consumer.service.worker import CHECKPOINT_MS, WHOLE_MS

CHECKPOINT, WHOLE = CHECKPOINT_MS / 1_000, WHOLE_MS / 1_000


class Recorded(NamedTuple):
    """Records and bytes a second of states, bytes of all that is kept, and cores to write them."""

    records: float
    rate: float
    size: float
    cores: float


def total(found: Iterable[Recorded]) -> Recorded:
    """Return what states of several kinds are together."""
    each = list(found)
    return Recorded(*(sum(values) for values in zip(*each, strict=True)))


def sketch_states(streams: Mapping[str, list[Stream]], *, together: bool) -> Recorded:
    """Return what the states of the input partitions are: of each the progress of every model.

    Args:
        streams: the events or labels of each topic.
        together: whether there are enough models that they are recorded seldom (above 1,000).
    """
    found = []
    for own in streams.values():
        partitions, models = own[0].partitions + own[0].silent, len(own)
        every = CHECKPOINT * (SELDOM if together else 1)
        whole = models * m.SKETCH_BYTES.value
        # Models of a partition that had an event since the last record.
        moved = [-math.expm1(-each.each * every) * each.partitions / partitions for each in own]
        head, entry = m.SKETCH_HEAD.value, m.SKETCH_BYTES.value
        written = _written(head, whole, entry, sum(moved) / models)
        # Where no event came at all, nothing is written.
        busy = 1 - math.prod(1 - each for each in moved)
        times = partitions / every
        found.append(
            Recorded(
                records=times * busy * written.records,
                rate=times * busy * written.bytes,
                size=partitions * (head + whole),
                cores=times * models * m.SKETCH_STATE.value,
            )
        )
    return total(found)


def judge_states(
    shapes: Mapping[str, ModelShape],
    streams: Mapping[str, list[Stream]],
    marks: Mapping[str, Marks],
) -> Recorded:
    """Return what the states of the judges are: evidence, and the progress of each source."""
    sources, messages = dict.fromkeys(shapes, 0), dict.fromkeys(shapes, 0.0)
    times = dict.fromkeys(shapes, 1 / WHOLE)  # others' records move it, too
    for topic, own in streams.items():
        for each in own:
            name = each.shape.name
            sources[name] += each.partitions + each.silent
            messages[name] += each.closed
            times[name] += _moments(each)
            if not marks[topic].together:
                messages[name] += each.marks + each.silent_marks
                # What never had an event is marked at once.
                times[name] += each.marks + (each.silent > 0) / each.idle
    found = []
    for name, shape in shapes.items():
        evidence = shape.series * m.JUDGE_BYTES.value
        heard = sources[name] * m.SOURCE_BYTES.value
        moves = min(1 / CHECKPOINT, times[name])
        moved = min(1.0, messages[name] / moves / max(sources[name], 1))
        written = _written(m.JUDGE_HEAD.value, heard, m.SOURCE_BYTES.value, moved)
        # Evidence moves once a pane, all of it.
        stream = evidence / max(shape.counted.streams, 1)
        part = part_size(int(evidence), int(stream))
        parts = 0.0 if part is None else evidence / part
        found.append(
            Recorded(
                records=moves * written.records + 2 * parts / shape.pane,
                rate=moves * written.bytes + evidence / shape.pane,
                size=m.JUDGE_HEAD.value + heard + evidence,
                cores=moves * shape.series * m.JUDGE_STATE.value,
            )
        )
    return total(found)


def join_states(labelled: Iterable[Stream], outputs: int) -> Recorded:
    """Return what the states of the joins are: of a model in each partition of the joins."""
    found = []
    for each in labelled:
        sources = 2 * (each.partitions + each.silent)
        whole = m.JOIN_BYTES.value + sources * m.JOIN_SOURCE_BYTES.value
        blocks = 2 * (each.polled + each.marks + each.silent_marks)
        moves = outputs * min(1 / CHECKPOINT, blocks)
        found.append(Recorded(moves, moves * whole, outputs * whole, moves * m.SEND.value))
    return total(found) if found else Recorded(0.0, 0.0, 0.0, 0.0)


def _moments(stream: Stream) -> float:
    """Return in how many checkpoints a second panes of a model are closed."""
    closed = stream.closed * stream.shape.pane
    if closed <= 1:
        return stream.closed
    return moments(closed, stream.each, CHECKPOINT) / stream.shape.pane


class _Written(NamedTuple):
    """Records and bytes of one time that a state is written."""

    records: float
    bytes: float


def _written(own: float, whole: float, entry: float, moved: float) -> _Written:
    """Return what is written of a state that has a field of entries.

    Args:
        own: bytes of the head beside it.
        whole: bytes of the field.
        entry: bytes of one entry.
        moved: which part of the entries has changed.
    """
    size = part_size(int(whole))
    if size is None:
        return _Written(1.0, own + whole)
    # A part is written again where one of its entries moved, and its forerunner deleted.
    changed = 1 - (1 - moved) ** (size / entry)
    parts = whole / size
    head = own + parts * m.PART_NAME.value
    return _Written(1 + 2 * parts * changed, head + parts * changed * (size + m.PART_BYTES.value))
