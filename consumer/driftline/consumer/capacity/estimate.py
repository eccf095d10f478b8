"""What a load asks for: records, bytes, memory and processors. Arithmetic, no I/O."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from driftline.consumer.capacity import measured as m
from driftline.consumer.capacity.load import CHECKPOINT, POLL, Load, Stream, streams_of
from driftline.consumer.capacity.shape import ModelShape
from driftline.consumer.config import Config

_BLOCK = 200  # bytes of a block for the join beside its rows
_PART = 16_000  # bytes of a part of a state on average
_SMALL = 4_000  # a field of a state that is longer is cut into parts


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
        judged: models that are judged by the worker that judges most.
    """

    load: Load
    streams: Mapping[str, list[Stream]]
    topics: list[TopicLoad]
    stages: list[StageLoad]
    judged: int

    @property
    def cores(self) -> float:
        """Cores of all workers together."""
        return sum(each.total for each in self.stages)

    @property
    def memory(self) -> float:
        """Bytes of one worker."""
        return m.PROCESS.value + sum(each.memory for each in self.stages)


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
    sketch_state, judge_state = _sketch_state(streams), _judge_state(shapes, streams)
    # Each batch of a topic goes to every partition of the joins, with rows or without.
    blocks = 2 * sum(each.polled for each in labelled) * load.outputs
    rows = 2 * sum(each.rate for each in labelled)
    outcome = [
        (2 * load.outputs / each.every, each.counted.streams, each.labels.cells)
        for each in shapes.values()
        if each.labels is not None
    ]
    panes = sum(each.panes for each in flat) + sum(rate / 2 for rate, _, _ in outcome)
    horizons = sum(each.horizons for each in flat) + sum(rate / 2 for rate, _, _ in outcome)
    verdicts = sum(each.series / each.every for each in shapes.values())
    outcome_bytes = sum(
        rate / 2 * (m.PANE_BYTES.value + streams * (m.STREAM_BYTES.value + cells))
        for rate, streams, cells in outcome
    )
    bytes_of = {
        "panes": (
            panes + horizons,
            sum(each.pane_bytes for each in flat)
            + horizons * m.HORIZON_BYTES.value
            + outcome_bytes,
        ),
        "joins": (blocks, rows * m.ROW_BYTES.value + blocks * _BLOCK),
        "verdicts": (verdicts, verdicts * m.VERDICT_BYTES.value),
        "state": (
            sketch_state.records + judge_state.records,
            sketch_state.rate + judge_state.rate,
        ),
    }
    topics = []
    for name, (records, size) in bytes_of.items():
        kept_for = retention.get(name)
        if records:
            whole = sketch_state.size + judge_state.size
            kept = whole if kept_for is None else size * kept_for / 1_000
            topics.append(TopicLoad(config.output.topic(name), records, size, kept_for, kept))
    judged = _most_judged(len(shapes), load)
    stages = [
        counting(streams, load),
        *([_join(labelled, rows, blocks, load)] if labelled else []),
        _judge(shapes, flat, verdicts, judged),
    ]
    return Estimate(load, streams, topics, stages, judged)


@dataclass(frozen=True)
class _States:
    """Records and bytes a second of states, and bytes of all."""

    records: float
    rate: float
    size: float


def _sketch_state(streams: Mapping[str, list[Stream]]) -> _States:
    """Return what the states of the input partitions are: of each the progress of every model."""
    records = rate = size = 0.0
    for own in streams.values():
        partitions = own[0].partitions + own[0].silent
        whole = len(own) * m.SKETCH_BYTES.value
        moved = sum(each.polled * POLL for each in own) / partitions  # models of a poll
        # A part is written where one of its models moved.
        each = min(_PART, whole) if whole > _SMALL else whole
        models = each / m.SKETCH_BYTES.value
        changed = -math.expm1(-models * moved * CHECKPOINT / POLL / max(len(own), 1))
        parts = whole / each if whole > _SMALL else 0.0
        written = 400 + (parts * changed * each if parts else whole)
        records += partitions * (1 + 2 * parts * changed) / CHECKPOINT
        rate += partitions * written / CHECKPOINT
        size += partitions * (400 + whole)
    return _States(records, rate, size)


def _judge_state(shapes: Mapping[str, ModelShape], streams: Mapping[str, list[Stream]]) -> _States:
    """Return what the states of the judges are: evidence, and the progress of each source."""
    records = rate = size = 0.0
    sources = dict.fromkeys(shapes, 0)
    messages = dict.fromkeys(shapes, 0.0)
    for own in streams.values():
        for each in own:
            sources[each.shape.name] += each.partitions + each.silent
            messages[each.shape.name] += each.horizons + each.panes
    for name, shape in shapes.items():
        pane = shape.pane
        evidence = shape.series * m.JUDGE_BYTES.value
        heard = sources[name] * m.SOURCE_BYTES.value
        # It moves in every checkpoint in which a message of it came, its evidence once a pane.
        moves = min(1 / CHECKPOINT, messages[name])
        records += moves + 2 * evidence / _PART / pane
        rate += moves * (1_500 + heard) + evidence / pane
        size += 1_500 + heard + evidence
    return _States(records, rate, size)


def _most_judged(models: int, load: Load) -> int:
    """Return how many models the worker judges that has most partitions of the panes."""
    each = math.ceil(load.outputs / min(load.workers, load.outputs))
    return math.ceil(models * each / load.outputs)


def counting(streams: Mapping[str, list[Stream]], load: Load) -> StageLoad:
    """Return what counting needs; a worker has its share of each topic's partitions."""
    reading = events = flushing = sending = memory = 0.0
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
            sending += (each.panes + each.horizons) * m.SEND.value
            size = shape.pane_size(each.events)
            held = m.OPEN_PANE.value + size.cells * m.OPEN_ENTRY.value
            memory += each.partitions * share * held + m.DECODER.value
    cores = {"reading": reading, "counting": events, "panes": flushing, "sending": sending}
    return StageLoad("sketch", cores, memory)


def _per_stream(shape: ModelShape) -> float:
    """Return by how much counting costs more where segments are counted, too."""
    return 1 + 0.5 * (shape.counted.streams > 1)


def _join(labelled: Iterable[Stream], rows: float, blocks: float, load: Load) -> StageLoad:
    """Return what joining labels needs: a prediction waits for its label."""
    each = math.ceil(load.outputs / min(load.workers, load.outputs)) / load.outputs
    waiting = sum(
        one.rate * one.shape.labels.horizon / 1_000
        for one in labelled
        if one.shape.labels is not None
    )
    cores = {"rows": rows * m.JOIN_ROW.value, "blocks": blocks * m.SEND.value}
    return StageLoad("join", cores, waiting * each * m.WAITING_ROW.value)


def _judge(
    shapes: Mapping[str, ModelShape], flat: Iterable[Stream], verdicts: float, judged: int
) -> StageLoad:
    """Return what judging needs; a worker has the models of its partitions of the panes."""
    reading = horizons = evidence = windows = memory = 0.0
    for each in flat:
        shape = each.shape
        reading += each.panes * m.PANE_READ.value
        horizons += each.horizons * m.HORIZON.value
        # The messages of a pane are one sum, once they are final.
        kept = math.ceil(shape.spans.reach / shape.spans.pane) + 1
        memory += kept * shape.pane_size(each.rate * shape.pane).bytes
    for shape in shapes.values():
        many = shape.series
        evidence += many * m.EVIDENCE.value / shape.pane
        windows += many * m.WINDOW.value / shape.every
        memory += shape.cells * m.JUDGED_CELL.value
    cores = {
        "reading": reading,
        "horizons": horizons,
        "evidence": evidence,
        "windows": windows,
        "verdicts": verdicts * (m.VERDICT.value + m.SEND.value),
    }
    return StageLoad("judge", cores, memory * judged / max(len(shapes), 1))
