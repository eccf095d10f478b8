"""What a fleet costs, by the real code on panes that are made up: 10,000 models of 100 features.

    python -m benchmarks.fleet [--source FOLDER] [--json] [PART...]

One topic of 1,000 partitions in which every model has events everywhere, 1,000,000 events a second,
panes of 5 minutes, windows of an hour. A part of the models is measured and multiplied, on one core
of a machine that others use, too: so CPU time is what is stated. `--source` runs the code of
another folder, such as a worktree of an older version, with this program: two runs, one after the
other, are before and after.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import count, pairwise
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np
from benchmarks.workload import START, Workload
from numpy.typing import NDArray

from driftline.consumer.cli.load_models import read_plan
from driftline.consumer.config import Config, load
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.memory import MemoryRecord
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.sketch.totals import InputTotals
from driftline.consumer.wire.codec import encode, pack_integers
from driftline.consumer.wire.messages import Horizon, Pane, StreamCounts
from driftline.detectors.reference import Reference

ROOT = Path(__file__).parents[1]
MODELS, PARTITIONS, RATE = 10_000, 1_000, 1_000_000
EVERY, PANES = 300_000, 12
TOPIC, NAME = "t", "m0000"
SOURCES = (1, 100, 1_000)


class Figure(NamedTuple):
    """One row: what was measured, and what that is of the fleet."""

    name: str
    value: float
    unit: str
    fleet: str = ""


def timed(work: Callable[[], object], least: float = 0.3) -> float:
    """Return the CPU seconds of one call."""
    calls, began = 0, time.process_time()
    while not calls or time.process_time() - began < least:
        work()
        calls += 1
    return (time.process_time() - began) / calls


def kept(make: Callable[[], object]) -> tuple[Any, int]:
    """Return what is made, and the bytes that it keeps."""
    gc.collect()
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    made = make()
    gc.collect()
    after, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return made, after - before


class Fleet:
    """Models that have the same features, and events drawn from their reference.

    Args:
        numeric, categorical: features of each type; the prediction's two come on top.
    """

    def __init__(self, numeric: int = 75, categorical: int = 25) -> None:
        self.work = Workload(NAME, numeric, categorical)
        self.file = self.work.reference().to_json()
        self.reference = Reference.from_json(self.file)
        self.layout = self.reference.layout
        self.features = len(self.layout.features)

    def named(self, models: int) -> dict[str, Reference]:
        """Return the reference under other names; none of them is hashed again."""
        found = {f"m{i:04}": replace(self.reference, model=f"m{i:04}") for i in range(models)}
        for each in found.values():
            each.__dict__["id"] = self.reference.id
            each.__dict__["layout_id"] = self.reference.layout_id
        return found

    def plan(self, models: int = 1) -> Plan:
        """Return the plan of some models in one topic."""
        references = self.named(models)
        return Plan(Config.model_validate(document(dict.fromkeys(references, "-"))), references)

    def counts(self, events: int, seed: int) -> NDArray[np.int64]:
        """Draw the counts of events that are as those of the reference."""
        rng, starts = np.random.default_rng(seed), self.layout.starts.tolist()
        normal = self.reference.counts[0] / self.reference.events
        parts = [rng.multinomial(events, normal[a:b]) for a, b in pairwise(starts)]
        return np.concatenate(parts)

    def pane(self, events: int, seed: int) -> Pane:
        """Return the message of a pane of so many events."""
        counts = self.counts(events, seed)
        where = np.flatnonzero(counts)
        gaps = pack_integers(np.diff(where, prepend=0))
        stream = StreamCounts(None, events, {"3.2": events}, gaps, pack_integers(counts[where]))
        return Pane(
            TOPIC, 0, NAME, 0, EVERY, self.reference.layout_id, 0, events, 0,
            self.layout.size, [stream],
        )  # fmt: skip

    def records(self, models: int, events: int) -> list[MemoryRecord]:
        """Return records of events, of one model after the other."""
        values = [value for _, value in self.work.events(events, 1, START, EVERY)]
        names = [f'"m{i % models:04}"'.encode() for i in range(events)]
        return [
            MemoryRecord(TOPIC, 0, i, START, None, value.replace(b'"m0000"', name, 1))
            for i, (value, name) in enumerate(zip(values, names, strict=True))
        ]


def document(references: dict[str, str]) -> dict[str, Any]:
    """Return the configuration of models in one topic: name to the file of the reference."""
    length = f"{EVERY * PANES // 1000}s"
    window = {"length": length, "every": f"{EVERY // 1000}s", "min_events": 1, "grace": "0s"}
    models = {
        name: {"predictions": TOPIC, "reference": file, "window": window}
        for name, file in references.items()
    }
    return {"kafka": {"bootstrap_servers": "localhost:9092"}, "models": models}


def sketch_of(plan: Plan, partition: int = 0) -> PartitionSketch:
    """Return the sketch of a partition from its beginning."""
    state = SketchState("id", PARTITIONS, 0, 0, 0, {})
    at = TopicPartition(TOPIC, partition)
    return plan.sketch(at, PARTITIONS, state, 0, InputTotals(), 6)


def sketching(fleet: Fleet) -> Iterator[Figure]:
    """What an event costs, by the rows of a model in a batch; what the flush of a pane does."""
    least = float("inf")
    for rows, models in ((1_000, 5), (50, 100), (5, 1_000)):
        sketch, records = sketch_of(fleet.plan(models)), fleet.records(models, 10_000)
        sketch.feed(records[:5_000], 0)  # the first time, fields are looked for
        began = time.process_time()
        sketch.feed(records[5_000:], 0)
        took = (time.process_time() - began) / 5_000
        name = f"sketch, an event, {rows} rows of its model a batch"
        yield Figure(name, 1e6 * took, "us", f"{RATE * took:.0f} cores")
        if models == 1_000:
            began = time.process_time()
            panes = [each for each in sketch.idle(10**9, 0) if isinstance(each, Pane)]
            least = (time.process_time() - began) / len(panes)
    flushed = MODELS * PARTITIONS / (EVERY / 1000)
    yield Figure("pane flushed", 1e3 * least, "ms", f"{flushed * least:.0f} cores")


def messages(fleet: Fleet) -> Iterator[Figure]:
    """Bytes of a pane message, and what it costs to write one."""
    for events in (3, 30, 300, 3_000, 30_000):
        size = len(encode(fleet.pane(events, 1)))
        rate = MODELS * PARTITIONS / (EVERY / 1000) * size
        note = f"{rate / 1e6:.0f} MB/s" if events == 30 else ""
        yield Figure(f"pane message of {events:,} events", size, "B", note)


def judging(fleet: Fleet) -> Iterator[Figure]:
    """What a horizon costs, and a window of 12 panes, by the partitions that they come from."""
    plan = fleet.plan()
    for sources in SOURCES:
        judge = plan.judge(NAME, JudgeState(0, 0))
        offsets = count()
        for i in range(sources):
            judge.feed(horizon(i, sources, EVERY), next(offsets))
        word = horizon(0, sources, EVERY)
        took = timed(lambda: judge.feed(word, next(offsets)), 0.1)  # noqa: B023 - called here
        rate = MODELS * PARTITIONS / (EVERY / 1000) if sources == PARTITIONS else 0
        note = f"{rate * took:.1f} cores" if rate else ""
        yield Figure(f"horizon heard, {sources:,} partitions", 1e6 * took, "us", note)
        size = len(encode(judge.state()))
        yield Figure(f"state of a judge, {sources:,} partitions", size, "B")
    for sources in SOURCES:
        judge = plan.judge(NAME, JudgeState(0, 0))
        spent, stored = windows(fleet, judge, sources)
        rate = MODELS / (EVERY / 1000)
        whole = spent["panes"] + spent["horizons"] + spent["window"]
        for name, took in spent.items():
            note = f"{rate * took:.1f} cores" if sources == PARTITIONS else ""
            yield Figure(f"a step: {name}, {sources:,} partitions", 1e3 * took, "ms", note)
        yield Figure(f"a step: all, {sources:,} partitions", 1e3 * whole, "ms")
        note = f"{stored * MODELS / 1e9:.0f} GB" if sources == PARTITIONS else ""
        yield Figure(f"panes kept by a judge, {sources:,} partitions", stored / 1e3, "kB", note)


def horizon(partition: int, partitions: int, time: int) -> Horizon:
    """Return a partition's horizon."""
    return Horizon(TOPIC, partition, partitions, NAME, time, time, 1, 0)


def windows(fleet: Fleet, judge: ModelJudge, sources: int) -> tuple[dict[str, float], int]:
    """Feed the panes of a window; return CPU s of the last step, and bytes that panes keep."""
    offsets, events = count(), max(30, 30 * PARTITIONS // sources)
    # In the log each pane is bytes of its own: so many are kept, and so are they read here.
    # Drawn anew for each: were a few repeated, the model would drift, and its alerts would cost.
    many = max(8, sources)
    records = [msgspec.msgpack.encode(fleet.pane(events, seed)) for seed in range(many)]
    decode = msgspec.msgpack.Decoder(Pane).decode

    def panes_at(number: int) -> list[Pane]:
        """Return the messages of a pane, one of each partition."""
        return [
            msgspec.structs.replace(
                decode(records[(i + number) % many]), start=number * EVERY, partition=i
            )
            for i in range(sources)
        ]

    def feed(messages: Iterable[Pane | Horizon]) -> float:
        """Feed messages; return the CPU s of judge."""
        read = list(messages)
        began = time.process_time()
        for message in read:
            judge.feed(message, next(offsets))
        return time.process_time() - began

    def heard(end: int, partitions: Iterable[int]) -> list[Horizon]:
        return [horizon(i, sources + 1, end * EVERY) for i in partitions]

    def closed() -> None:
        """Let all panes but the last be final in all partitions but one, which holds the clock."""
        for number in range(PANES - 1):
            feed(panes_at(number))
        feed(heard(PANES - 1, range(sources)))

    _, stored = kept(closed)
    feed(heard(PANES - 1, [sources]))
    spent = {
        "panes": feed(panes_at(PANES - 1)),
        "horizons": feed(heard(PANES, range(sources))),
        "window": feed(heard(PANES, [sources])),
    }
    return spent, stored


def memory(fleet: Fleet) -> Iterator[Figure]:
    """What a model keeps in a process that loads it, judges it, or counts it; and the start."""
    few = 12
    with tempfile.TemporaryDirectory() as folder:
        files = {}
        for name, content in replace_models(fleet, few).items():
            Path(folder, f"{name}.json").write_bytes(content)
            files[name] = f"{name}.json"
        path = Path(folder, "driftline.yaml")
        path.write_text(json.dumps(document(files)))
        loaded = load(path, environ={})
        read_plan(load(path, environ={}))  # what is made once in a process
        plan, size = kept(lambda: read_plan(loaded))
        each = size / few
        yield Figure("a model loaded", each / 1e3, "kB", f"{each * MODELS / 1e9:.0f} GB a worker")
        took = timed(lambda: read_plan(load(path, environ={})), 0.0) / few
        yield Figure("start of a model", 1e3 * took, "ms", f"{took * MODELS / 60:.0f} min")
        _, size = kept(lambda: [judge_one(plan, name, fleet) for name in list(files)[2:]])
        judged = size / (few - 2)
        note = f"{judged * MODELS / 1e9:.0f} GB in all"
        yield Figure("a model judged, more", judged / 1e3, "kB", note)
    plan = fleet.plan(20)
    records = fleet.records(20, 600)  # 30 events each
    first = sketch_of(plan)
    first.feed(records, 0)
    made, size = kept(lambda: fed(plan, records))
    note = f"{size / 20 * MODELS * PARTITIONS / 1e9:.0f} GB"
    yield Figure("a model in one more partition, 30 events open", size / 20 / 1e3, "kB", note)
    _, size = kept(lambda: made.close(START + 10 * EVERY, whole=True) and None)
    yield Figure("of these, the open pane", -size / 20 / 1e3, "kB")


def replace_models(fleet: Fleet, models: int) -> dict[str, bytes]:
    """Return the files of references of some models."""
    return {n: replace(fleet.reference, model=n).to_json() for n in fleet.named(models)}


def judge_one(plan: Plan, name: str, fleet: Fleet) -> ModelJudge:
    """Return a judge after its first window."""
    judge = plan.judge(name, JudgeState(0, 0))
    judge.feed(msgspec.structs.replace(fleet.pane(3_000, 3), model=name), 0)
    judge.feed(msgspec.structs.replace(horizon(0, 1, EVERY), model=name), 1)
    judge.track.panes.drop_before(2 * EVERY)
    return judge


def fed(plan: Plan, records: list[MemoryRecord]) -> PartitionSketch:
    """Return the sketch of another partition that has read records."""
    sketch = sketch_of(plan, 1)
    sketch.feed(records, 0)
    for _ in sketch.idle(10**9, 0):  # rows become counts
        pass
    return sketch


def states(fleet: Fleet) -> Iterator[Figure]:
    """Bytes of the state of a partition, a model; of a verdict."""
    sketch = sketch_of(fleet.plan(500))
    sketch.feed(fleet.records(500, 500), 0)
    size = len(encode(sketch.state())) / 500  # type: ignore[arg-type]  # it is up to date
    note = f"{size * MODELS / 1e3:.0f} kB a partition, {size * MODELS * PARTITIONS / 2e6:.0f} MB/s"
    yield Figure("state of a partition, a model", size, "B", note)
    judge = fleet.plan().judge(NAME, JudgeState(0, 0))
    judge.feed(fleet.pane(30_000, 5), 0)
    found = judge.feed(horizon(0, 1, EVERY), 1)
    write = msgspec.json.Encoder().encode
    size = sum(len(write(each)) for each in found) / len(found)
    rate = MODELS * len(found) / (EVERY / 1000)
    yield Figure("a verdict", size, "B", f"{rate:,.0f}/s, {rate * size / 1e6:.1f} MB/s")
    took = timed(lambda: [write(each) for each in found]) / len(found)
    yield Figure("a verdict written", 1e6 * took, "us", f"{rate * took:.2f} cores")


PARTS: dict[str, Callable[[Fleet], Iterator[Figure]]] = {
    "sketch": sketching,
    "messages": messages,
    "judge": judging,
    "memory": memory,
    "states": states,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--source", type=Path, help="run the code of this folder")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--numeric", type=int, default=75)
    parser.add_argument("--categorical", type=int, default=25)
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    options = parser.parse_args()
    if options.source is not None:
        roots = [options.source.resolve() / each for each in ("consumer", "detectors", "producer")]
        environ = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, roots))}
        command = [sys.executable, "-m", "benchmarks.fleet"]
        command += [f"--numeric={options.numeric}", f"--categorical={options.categorical}"]
        command += ["--json"] * options.json + options.parts
        raise SystemExit(subprocess.run(command, cwd=ROOT, env=environ, check=False).returncode)
    fleet = Fleet(options.numeric, options.categorical)
    if not options.json:
        print(f"{fleet.features} features, {fleet.layout.size:,} cells; of the fleet: {MODELS:,}")
        print(f"models, {PARTITIONS:,} partitions, {RATE:,} events/s, all models in all partitions")
    for part in options.parts or PARTS:
        for each in PARTS[part](fleet):
            line = f"| {each.name} | {each.value:,.4g} {each.unit} | {each.fleet} |"
            print(json.dumps(each._asdict()) if options.json else line, flush=True)


if __name__ == "__main__":
    main()
