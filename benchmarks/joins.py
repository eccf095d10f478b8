"""Memory and speed of the join: ten million predictions that wait, and the labels that find them.

Run: python -m benchmarks.joins [--pending N] [--labels N] [--events N]

Everything runs on one core in one process, without a broker, so all rates are of the same run:

* the input path: JSON events of 20 features to panes, for a model without labels and for one whose
  predictions also travel to the join;
* a topic of labels: JSON to the blocks that travel to the join, for one model and for six that
  share the topic, where a label is of the model that it names, or of all;
* the join: blocks to counts. The labels find their predictions in random order, which is the
  hardest for the processor's cache.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
import numpy as np
from benchmarks.workload import REFERENCE_EVENTS, START, Workload, peak_memory

from driftline.consumer.config import Config
from driftline.consumer.join.model import ModelJoin
from driftline.consumer.join.state import JoinState
from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import InputTotals
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.join_rows import JoinRows, pack_rows
from driftline.consumer.wire.messages import Block, Horizon, decode_block
from driftline.detectors import Reference
from driftline.producer.reference.build import ReferenceSettings, reference_from_events

PENDING, LABELS, EVENTS = 10_000_000, 2_000_000, 200_000
SHARING = 6  # models whose labels are in one topic
POLL = 10_000  # records of an input that are fed at once
TARGETS = 6  # partitions of the log of joins
BLOCK = POLL // TARGETS
HOUR = 3_600_000
SPAN = 6 * 24 * HOUR  # of the predictions' times; less than the horizon, so none expires
CLASSES, CHANNELS = ("fraud", "ok"), ("app", "shop", "web")


def reference(model: str) -> Reference:
    """Return the reference of the benchmarks' events; nine in ten of them were right."""
    rng = np.random.default_rng(3)
    events = []
    for _, value in Workload(model).events(REFERENCE_EVENTS, 3, START, HOUR):
        event = msgspec.json.decode(value)
        guess = event["prediction"]["label"]
        event["actual"] = guess if rng.random() < 0.9 else CLASSES[guess == "fraud"]
        events.append(event)
    settings = ReferenceSettings(model, segments=["channel"], positive_label="fraud")
    return reference_from_events(events, settings).reference


def plan(pending: int) -> Plan:
    """Return two models of the same events; the labels of the second are read."""
    window = {"length": "1h", "every": "5m"}
    model = {"reference": "-", "window": window, "segments": ["channel"]}
    config = Config.model_validate(
        {
            "kafka": {"bootstrap_servers": "localhost:9092"},
            "limits": {"max_waiting": pending + pending // 10 + BLOCK},
            "models": {
                "quiet": {**model, "predictions": "quiet"},
                "joined": {**model, "predictions": "joined", "labels": "labels"},
            },
        }
    )
    return Plan(config, {name: reference(name) for name in config.models})


def cpu_seconds(sketch: PartitionSketch, values: Sequence[tuple[int, bytes]]) -> float:
    """Feed a partition, write what it sends as bytes, and return the CPU time taken."""
    spent = 0.0
    for first in range(0, len(values), POLL):
        records = [
            MemoryRecord(sketch.source.topic, 0, first + i, at, None, value)
            for i, (at, value) in enumerate(values[first : first + POLL])
        ]
        begin = time.process_time()
        for output in sketch.feed(records, 0):
            if not isinstance(output, msgspec.Struct):
                raise SystemExit("a record cannot be used")
            encode(output)
        spent += time.process_time() - begin
    return spent


def sketch_of(plan: Plan, topic: str) -> PartitionSketch:
    """Return the sketch of a topic's only partition, as a worker makes it."""
    state = SketchState("id", 1, 0, 0, 0, {})
    return plan.sketch(TopicPartition(topic, 0), 1, state, 0, InputTotals(), TARGETS)


def shared_plan(*, among_events: bool) -> Plan:
    """Return models whose labels are in one topic, alone or in the events themselves."""
    names = [f"model-{i}" for i in range(SHARING)]
    models = {
        name: {"reference": "-", "predictions": "both" if among_events else name, "labels": "both"}
        for name in names
    }
    config = Config.model_validate(
        {"kafka": {"bootstrap_servers": "localhost:9092"}, "models": models}
    )
    return Plan(config, dict.fromkeys(names, reference("model-0")))


def label_records(events: int, models: Sequence[str | None]) -> list[tuple[int, bytes]]:
    """Return a topic of labels, of one model after another; None: of every model."""
    records = []
    for i in range(events):
        label = {
            "event_id": f"{i:026d}",
            "timestamp": START + i,
            "model": models[i % len(models)],
            "actual": {"label": CLASSES[i % 7 > 0]},
        }
        records.append((START + i, msgspec.json.encode(label)))
    return records


def labelled_events(events: int) -> Iterator[tuple[int, bytes]]:
    """Yield events of several models in one topic, each with its label."""
    for i, (at, value) in enumerate(Workload("model-0").events(events, 1, START, HOUR)):
        event = msgspec.json.decode(value)
        event |= {"model": f"model-{i % SHARING}", "actual": CLASSES[i % 7 > 0]}
        yield at, msgspec.json.encode(event)


def ids(numbers: np.ndarray[tuple[int], np.dtype[np.uint64]]) -> JoinIds:
    """Return different 64-bit ids that look random, of different numbers (SplitMix64)."""
    mixed = numbers * np.uint64(0x9E3779B97F4A7C15)
    for shift, factor in ((30, 0xBF58476D1CE4E5B9), (27, 0x94D049BB133111EB)):
        mixed = (mixed ^ (mixed >> np.uint64(shift))) * np.uint64(factor)
    return mixed ^ (mixed >> np.uint64(31))


JoinIds = np.ndarray[tuple[int], np.dtype[np.uint64]]


def blocks(source: str, rows: Iterator[JoinRows]) -> Iterator[bytes]:
    """Yield rows as the records of one source partition in the log of joins."""
    read = 0
    for some in rows:
        some.offsets = np.arange(read, read + len(some))
        read += len(some)
        newest = int(some.times.max())
        horizon = Horizon(source, 0, 1, "joined", newest, newest, read, 0)
        segments = {"channel": list(CHANNELS)}
        yield encode(Block(horizon, 0, list(CLASSES), ["3.2"], segments, pack_rows(some)))


def predictions(pending: int) -> Iterator[JoinRows]:
    rng = np.random.default_rng(1)
    for first in range(0, pending, BLOCK):
        numbers = np.arange(first, min(first + BLOCK, pending))
        n = len(numbers)
        yield JoinRows(
            offsets=numbers, labels=np.zeros(n, bool), times=START + numbers * SPAN // pending,
            ids=ids(numbers.astype(np.uint64)), values=rng.beta(2, 8, n).round(6),
            predicted=rng.integers(0, 2, n), versions=np.ones(n, np.int64),
            segments=rng.integers(0, 4, (1, n)),
        )  # fmt: skip


def labels(pending: int, many: int) -> Iterator[JoinRows]:
    """Yield labels of predictions in random order, half a day of them."""
    rng = np.random.default_rng(2)
    order = rng.permutation(pending)[:many].astype(np.uint32)
    for first in range(0, many, BLOCK):
        numbers = order[first : first + BLOCK].astype(np.uint64)
        n = len(numbers)
        none = np.zeros(n, np.int64)
        yield JoinRows(
            offsets=none, labels=np.ones(n, bool),
            times=START + SPAN + (first + np.arange(n)) * 12 * HOUR // many,
            ids=ids(numbers), values=rng.integers(0, 2, n).astype(np.float64),
            predicted=none, versions=none, segments=none.reshape(1, n),
        )  # fmt: skip


def feed(join: ModelJoin, records: Iterator[bytes], other: str) -> float:
    """Feed records, write what the join sends as bytes, and return the CPU time taken.

    After every record the `other` source says that it has come as far, as it would.
    """
    spent = 0.0
    for record in records:
        begin = time.process_time()
        block = decode_block(record)
        for one in (block, horizon(other, block.horizon.progress or 0)):
            for output in join.feed(one, join.position):
                encode(output)
        spent += time.process_time() - begin
    return spent


def horizon(source: str, at: int) -> Block:
    """Return a block without rows: its source has come so far."""
    return Block(Horizon(source, 0, 1, "joined", at, at, 0, 0), 0)


def memory() -> float:
    """Memory that this process holds now, MB (10**6 bytes)."""
    status = Path("/proc/self/status").read_text()
    kibibytes = next(line for line in status.splitlines() if line.startswith("VmRSS")).split()[1]
    return int(kibibytes) * 1024 / 1e6


def measure_inputs(plan: Plan, events: int) -> None:
    """Print the rates of the input path, and of a topic of labels."""
    values = list(Workload("quiet").events(events, 1, START, HOUR))
    quiet = events / cpu_seconds(sketch_of(plan, "quiet"), values)
    values = list(Workload("joined").events(events, 1, START, HOUR))
    joined = events / cpu_seconds(sketch_of(plan, "joined"), values)
    read = events / cpu_seconds(sketch_of(plan, "labels"), label_records(events, ["joined"]))
    print(f"input path, events of 20 features   {quiet:11,.0f} events/CPU s without labels")
    print(f"the same, sent to the join too      {joined:11,.0f} events/CPU s")
    print(f"topic of labels to blocks           {read:11,.0f} labels/CPU s")


def measure_shared(events: int) -> None:
    """Print the rates of a topic of labels that several models share."""
    alone, among = shared_plan(among_events=False), shared_plan(among_events=True)
    of_one = label_records(events, list(alone.labelled))
    for what, plan, records in (
        ("of one model", alone, of_one),
        ("of all models", alone, label_records(events, [None])),
        ("in its event", among, list(labelled_events(events))),
    ):
        rate = events / cpu_seconds(sketch_of(plan, "both"), records)
        print(f"{SHARING} models share it, a label {what:14}{rate:8,.0f} labels/CPU s")


def measure_join(plan: Plan, pending: int, many: int) -> None:
    """Print the memory of predictions that wait, and how fast labels find them."""
    join = plan.join("joined", 0, 1, JoinState(0, 0, "id", 1))
    before = memory()
    filled = pending / feed(join, blocks("joined", predictions(pending)), "labels")
    list(join.feed(horizon("joined", START + SPAN + 1), join.position))
    list(join.feed(horizon("labels", START + SPAN + 1), join.position))
    waiting, held = join.waiting, max(0.0, memory() - before)  # few fit in what was freed before
    rate = many / feed(join, blocks("labels", labels(pending, many)), "joined")
    list(join.feed(horizon("joined", START + 2 * SPAN), join.position))
    list(join.feed(horizon("labels", START + 2 * SPAN), join.position))
    print(f"blocks of predictions to the join   {filled:11,.0f} predictions/CPU s")
    print(f"blocks of labels to counts          {rate:11,.0f} labels/CPU s")
    print(
        f"{waiting:,} predictions wait in {held:.0f} MB, at most {peak_memory() - before:.0f} MB"
        f" on the way; {join.totals.joined:,} labels joined"
    )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--pending", type=int, default=PENDING, help="predictions that wait")
    parser.add_argument("--labels", type=int, default=LABELS, help="labels joined")
    parser.add_argument("--events", type=int, default=EVENTS, help="events of the input path")
    options = parser.parse_args()
    both = plan(options.pending)
    measure_join(both, options.pending, options.labels)  # first: memory is new to the process
    measure_inputs(both, options.events)
    measure_shared(options.events)


if __name__ == "__main__":
    main()
