"""What a load asks for: records, bytes, memory and processors. Arithmetic, no I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from driftline.consumer.capacity import measured as m
from driftline.consumer.capacity import recorded
from driftline.consumer.capacity.joining import joined
from driftline.consumer.capacity.load import Load, Stream, streams_of
from driftline.consumer.capacity.marks import Marks, marks_of
from driftline.consumer.capacity.shape import ModelShape
from driftline.consumer.config import Config
from driftline.consumer.service.worker import TICK_MS


@dataclass(frozen=True)
class TopicLoad:
    """What is written to an output topic.

    Attributes:
        topic: its name.
        records: a second.
        bytes: a second, before compression.
        retention: for how long they are kept, ms; None where only the newest of each key is.
        kept: bytes then, of one replica, before compression.
    """

    topic: str
    records: float
    bytes: float
    retention: int | None
    kept: float


@dataclass(frozen=True)
class StageLoad:
    """What a stage needs: processor seconds a second (cores), by what for; bytes a worker."""

    stage: str
    cores: Mapping[str, float]
    memory: float

    @property
    def total(self) -> float:
        """Cores of all workers together."""
        return sum(self.cores.values())


@dataclass(frozen=True)
class Estimate:
    """What a load asks for.

    Attributes:
        load: what comes.
        streams: the models' events by topic.
        topics: what is written.
        stages: what each needs, of a worker that has its even share.
        marks: of silent models, by topic.
        judged: models that are judged by the worker that judges most.
        opening: seconds that a worker needs to open what it has its share of, before it polls.
    """

    load: Load
    streams: Mapping[str, list[Stream]]
    topics: list[TopicLoad]
    stages: list[StageLoad]
    marks: Mapping[str, Marks]
    judged: int
    opening: float

    @property
    def cores(self) -> float:
        """Cores of all workers together."""
        return sum(each.total for each in self.stages)

    @property
    def memory(self) -> float:
        """Bytes of one worker."""
        least = m.PROCESS.value + m.POLLED.value
        return least + sum(each.memory for each in self.stages)


def estimate(
    shapes: Mapping[str, ModelShape],
    config: Config,
    load: Load,
    retention: Mapping[str, int | None],
) -> Estimate:
    """Return what a load asks for.

    Args:
        shapes: of the models, by name.
        config: the configuration.
        load: what comes.
        retention: of the output topics by short name, ms.
    """
    streams = streams_of(shapes, config, load)
    flat = [each for own in streams.values() for each in own]
    labelled = [each for each in flat if each.shape.labels is not None]
    marks = {
        topic: marks_of(own, load.outputs, len(config.models)) for topic, own in streams.items()
    }
    join = joined(labelled, load)
    together = any(each.together for each in marks.values())
    of_sketch = recorded.sketch_states({**_labels(labelled), **streams}, together=together)
    of_judge = recorded.judge_states(shapes, streams, marks)
    states = recorded.total([of_sketch, of_judge, recorded.join_states(labelled, load.outputs)])
    outcome = [
        (load.outputs / each.every, each.counted.streams, each.labels.cells)
        for each in shapes.values()
        if each.labels is not None
    ]
    panes = sum(each.panes for each in flat) + sum(rate for rate, _, _ in outcome)
    closed = sum(each.closed for each in flat) + sum(rate for rate, _, _ in outcome)
    silent = marks.values()
    verdicts = sum(each.series / each.every for each in shapes.values())
    outcome_bytes = sum(
        rate * (m.PANE_BYTES.value + streams * (m.STREAM_BYTES.value + cells))
        for rate, streams, cells in outcome
    )
    bytes_of = {
        "panes": (
            panes + closed + sum(each.records for each in silent),
            sum(each.pane_bytes for each in flat)
            + closed * m.HORIZON_BYTES.value
            + sum(each.bytes for each in silent)
            + outcome_bytes,
        ),
        "joins": (join.blocks, join.bytes),
        "verdicts": (verdicts, verdicts * m.VERDICT_BYTES.value),
        "state": (states.records, states.rate),
    }
    topics = []
    for name, (records, size) in bytes_of.items():
        kept_for = retention.get(name)
        if records:
            kept = states.size if kept_for is None else size * kept_for / 1_000
            topics.append(TopicLoad(config.output.topic(name), records, size, kept_for, kept))
    judged = _most_judged(len(shapes), load)
    sketch = counting(streams, load, marks)
    cores = {**sketch.cores, "states": of_sketch.cores}
    if labelled:
        cores |= join.sketch_cores
    each = math.ceil(load.outputs / min(load.workers, load.outputs)) / load.outputs
    stages = [
        StageLoad("sketch", cores, sketch.memory),
        *(
            [StageLoad("join", join.cores, join.waiting * each * m.WAITING_ROW.value)]
            if labelled
            else []
        ),
        _judge(shapes, flat, verdicts, judged, marks, of_judge.cores),
    ]
    return Estimate(load, streams, topics, stages, marks, judged, _opening(streams, load, judged))


def _labels(labelled: Iterable[Stream]) -> dict[str, list[Stream]]:
    """Return the labels of each topic: one for each event, in as many partitions."""
    found: dict[str, list[Stream]] = {}
    for each in labelled:
        if each.shape.labels is not None:
            found.setdefault(each.shape.labels.topic, []).append(each)
    return found


def _most_judged(models: int, load: Load) -> int:
    """Return how many models the worker judges that has most partitions of the panes."""
    each = math.ceil(load.outputs / min(load.workers, load.outputs))
    return math.ceil(models * each / load.outputs)


def _opening(streams: Mapping[str, list[Stream]], load: Load, judged: int) -> float:
    """Return the seconds of a worker between hearing what it owns and the next poll."""
    counted = sum(
        len(own) * math.ceil(load.partitions[topic] / min(load.workers, load.partitions[topic]))
        for topic, own in streams.items()
    )
    return judged * m.OPEN.value + counted * m.COUNT_OPEN.value


def counting(
    streams: Mapping[str, list[Stream]], load: Load, marks: Mapping[str, Marks]
) -> StageLoad:
    """Return what counting needs; a worker has its share of each topic's partitions."""
    reading = events = flushing = sending = silent = memory = 0.0
    for topic, own in streams.items():
        partitions = load.partitions[topic]
        share = math.ceil(partitions / min(load.workers, partitions)) / partitions
        for each in own:
            shape = each.shape
            reading += each.rate * m.READ.value
            events += each.rate * shape.counted.features * m.EVENT.value * _per_stream(shape)
            events += each.polled * m.BATCH.value
            sent = each.closed + each.silences
            flushing += sent * shape.cells * m.FLUSH.value
            if each.together > 1:
                flushing += each.closed * shape.pane_size(each.events).cells * m.MERGE.value
            sending += (each.panes + each.closed) * m.SEND.value
            sending += each.pane_bytes * m.SEND_BYTE.value
            size = shape.pane_size(each.events)
            held = m.OPEN_PANE.value + size.cells * m.OPEN_ENTRY.value
            memory += each.partitions * share * held + m.DECODER.value
        # Each model is looked at for silence, in every partition.
        silent += len(own) * partitions * m.LOOK.value * 1_000 / TICK_MS
        silent += marks[topic].models * m.MARK.value + marks[topic].records * m.SEND.value
    cores = {
        "reading": reading,
        "counting": events,
        "panes": flushing,
        "sending": sending,
        "silence": silent,
    }
    return StageLoad("sketch", cores, memory)


def _per_stream(shape: ModelShape) -> float:
    """Return by how much counting costs more where segments are counted, too."""
    return 1 + 0.5 * (shape.counted.streams > 1)


def _judge(
    shapes: Mapping[str, ModelShape],
    flat: Iterable[Stream],
    verdicts: float,
    judged: int,
    marks: Mapping[str, Marks],
    states: float,
) -> StageLoad:
    """Return what judging needs; a worker has the models of its partitions of the panes."""
    reading = horizons = evidence = windows = memory = 0.0
    for each in flat:
        shape = each.shape
        reading += each.panes * (m.READ.value + m.PANE_READ.value)
        reading += each.pane_cells * m.PANE_CELL.value
        reading += each.pane_bytes * m.READ_BYTE.value
        horizons += each.closed * (m.READ.value + m.HORIZON.value)
        # The messages of a pane are one sum, once they are final.
        kept = math.ceil(shape.spans.reach / shape.spans.pane) + 1
        memory += kept * shape.pane_size(each.rate * shape.pane).bytes
    for shape in shapes.values():
        many = shape.series
        evidence += many * m.EVIDENCE.value / shape.pane
        windows += many * m.WINDOW.value / shape.every
        memory += shape.cells * m.JUDGED_CELL.value
    silent = sum(
        each.records * m.READ.value
        + each.models * (m.MARK_READ if each.together else m.HORIZON).value
        for each in marks.values()
    )
    written = m.VERDICT.value + m.SEND.value + m.VERDICT_BYTES.value * m.SEND_BYTE.value
    cores = {
        "reading": reading,
        "horizons": horizons,
        "silence": silent,
        "evidence": evidence,
        "windows": windows,
        "verdicts": verdicts * written,
        "states": states,
    }
    return StageLoad("judge", cores, memory * judged / max(len(shapes), 1))
