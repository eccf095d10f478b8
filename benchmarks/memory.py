"""Peak memory of one worker that holds all partitions of many wide models.

Run: python -m benchmarks.memory [--models N] [--features N] [--partitions N] [--panes N]

Events are made as they are needed and forgotten, and what the sketches send goes to the judges
through the codec of the log, so that what is measured is what the monitor itself keeps: decoders,
references, open panes, the panes of the windows to come, and alerts.
"""

from __future__ import annotations

import argparse
import multiprocessing
import tempfile
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path

from benchmarks.workload import START, Workload, peak_memory

from driftline.consumer.config import Config
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import load_reference
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import DeadLetter, InputTotals, Output
from driftline.consumer.wire.codec import encode
from driftline.consumer.wire.messages import Block, decode_panes
from driftline.consumer.wire.records import Verdict
from driftline.detectors import Reference

MODELS, FEATURES, PARTITIONS = 10, 100, 12
EVERY = 300_000
PANES_A_WINDOW = 12
EVENTS_A_PANE = 3_000  # of one model, over all partitions
PANES = 14
FED = 300  # events of a model fed at once


class Worker:
    """What counts and judges all partitions of some models.

    Args:
        workloads: the models.
        partitions: of their one topic.
    """

    def __init__(self, workloads: Sequence[Workload], partitions: int) -> None:
        plan = _plan(references(workloads))
        self.workloads = workloads
        self.totals = InputTotals()
        self.verdicts = 0
        state = SketchState("id", partitions, 0, 0, 0, {})
        self._sketches = [
            plan.sketch(TopicPartition("t", i), partitions, state, 0, self.totals, 0)
            for i in range(partitions)
        ]
        self._judges = {name: plan.judge(name, JudgeState(0, 0)) for name in plan.models_of("t")}
        self._offsets = [count() for _ in range(partitions)]
        self._messages = count()

    def feed(self, start: int, span: int, events: int) -> None:
        """Count `events` events of each model over `span` ms; judge what becomes final."""
        records: list[list[MemoryRecord]] = [[] for _ in self._sketches]
        for workload in self.workloads:
            for i, (at, value) in enumerate(workload.events(events, start, start, span)):
                number = i % len(records)
                offset = next(self._offsets[number])
                records[number].append(MemoryRecord("t", number, offset, at, None, value))
        for sketch, fed in zip(self._sketches, records, strict=True):
            for output in sketch.feed(fed, 0):
                self._judge(output)

    def _judge(self, output: Output) -> None:
        if isinstance(output, DeadLetter):
            raise SystemExit(f"an event cannot be used: {output.detail}")
        assert not isinstance(output, Block)  # no model has labels
        message = decode_panes(encode(output))
        for record in self._judges[output.model].feed(message, next(self._messages)):
            self.verdicts += isinstance(record, Verdict)


def references(workloads: Sequence[Workload]) -> dict[str, Reference]:
    """Load the models' references; another process builds them, whose memory does not count."""
    with tempfile.TemporaryDirectory() as directory:
        spawn = multiprocessing.get_context("spawn")
        process = spawn.Process(target=write_references, args=(workloads, Path(directory)))
        process.start()
        process.join()
        return {
            workload.model: load_reference(Path(directory, workload.model))
            for workload in workloads
        }


def write_references(workloads: Sequence[Workload], directory: Path) -> None:
    for workload in workloads:
        Path(directory, workload.model).write_bytes(workload.reference().to_json())


def _plan(references: dict[str, Reference]) -> Plan:
    window = {"length": f"{EVERY * PANES_A_WINDOW // 1000}s", "every": f"{EVERY // 1000}s"}
    section = {"predictions": "t", "reference": "-", "window": {**window, "min_events": 1}}
    models = dict.fromkeys(references, section)
    kafka = {"bootstrap_servers": "localhost:9092"}
    return Plan(Config.model_validate({"kafka": kafka, "models": models}), references)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--models", type=int, default=MODELS)
    parser.add_argument("--features", type=int, default=FEATURES)
    parser.add_argument("--partitions", type=int, default=PARTITIONS)
    parser.add_argument("--panes", type=int, default=PANES)
    parser.add_argument("--events", type=int, default=EVENTS_A_PANE, help="of a model in a pane")
    options = parser.parse_args()
    began = time.perf_counter()
    categorical = options.features // 4
    workloads = [
        Workload(f"model-{i}", options.features - categorical, categorical)
        for i in range(options.models)
    ]
    worker = Worker(workloads, options.partitions)
    before = peak_memory()
    span = EVERY * FED // options.events
    for i in range(options.panes * options.events // FED):
        worker.feed(START + i * span, span, FED)
    print(
        f"{options.models} models x {options.features} features x {options.partitions} partitions,"
        f" windows of {PANES_A_WINDOW} panes, {options.events:,} events of a model in a pane:"
    )
    print(
        f"peak memory {peak_memory():.0f} MB, {before:.0f} MB of it before the first event"
        f" ({sum(worker.totals.counted.values()):,} events, {worker.verdicts:,} verdicts,"
        f" {time.perf_counter() - began:.0f} s)"
    )


if __name__ == "__main__":
    main()
