"""What `driftline check --plan` rests on: each constant measured, beside the one in its table.

Run: python -m benchmarks.plan [PART...]

CPU times and bytes of the real code: a model of 102 features, on one core of a machine that others
may use, too. `broker` needs a broker and starts one; all other parts need none. What a model that
is judged or counted holds is measured by `python -m benchmarks.fleet memory`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path

import msgspec
from benchmarks import fleet as fleets
from benchmarks import joins
from benchmarks.plan_broker import Found, of_broker
from benchmarks.workload import START, Workload

from driftline.consumer.capacity import measured
from driftline.consumer.cli.load_models import read_plan
from driftline.consumer.config import Config, load
from driftline.consumer.join.state import JoinState
from driftline.consumer.judge.state import JudgeState
from driftline.consumer.log.memory import MemoryBroker, MemoryLog, MemoryRecord
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.states import Head, Part, States
from driftline.consumer.sketch.pane_counts import PaneSource, merged
from driftline.consumer.sketch.partition import PartitionSketch
from driftline.consumer.sketch.state import SketchState
from driftline.consumer.wire.codec import encode, unpack_integers
from driftline.consumer.wire.messages import (
    Block,
    Horizon,
    Horizons,
    ModelHorizon,
    Pane,
    decode_block,
    decode_horizons,
    decode_panes,
)

ROUNDS = 3
EVERY = fleets.EVERY
_MINUTE = 60_000


def cpu(work: Callable[[], object]) -> float:
    """Return the CPU seconds of one call, in the middle of some."""
    taken = []
    for _ in range(ROUNDS):
        began = time.process_time()
        work()
        taken.append(time.process_time() - began)
    return statistics.median(taken)


def of_sketch(fleet: fleets.Fleet) -> Iterator[Found]:
    """Return what an event costs, a model in a poll, and a pane that is put into a message."""
    took = {}
    for rows, models in ((1_000, 5), (5, 1_000)):
        sketch, records = fleets.sketch_of(fleet.plan(models)), fleet.records(models, 15_000)
        sketch.feed(records[:5_000], 0)  # the first time, fields are looked for
        parts = iter((records[5_000:10_000], records[10_000:]))
        each = []
        for part in parts:
            began = time.process_time()
            sketch.feed(part, 0)
            each.append((time.process_time() - began) / len(part))
        took[rows] = min(each)
    yield Found("EVENT", took[1_000] / fleet.features)
    yield Found("BATCH", (took[5] - took[1_000]) * 5)
    began = time.process_time()
    panes = sketch.idle(10**9, 0)
    spent = time.process_time() - began
    yield Found("FLUSH", spent / (len(panes) / 2) / fleet.layout.size)
    ten = [pane for pane in panes if isinstance(pane, Pane)][:10]
    model, source = fleet.plan(1).sketch_model(fleets.NAME), PaneSource(fleets.TOPIC, 0, 0, 1)
    cells = sum(len(unpack_integers(each.counts)) for p in ten for each in p.streams)
    yield Found("MERGE", cpu(lambda: [*merged(ten, model, source)]) / cells)


def of_fleet(fleet: fleets.Fleet) -> Iterator[Found]:
    """Return what models cost that are silent, in a partition that has very many."""
    models = 2_000
    began = time.process_time()
    sketch = fleets.sketch_of(fleet.plan(models))
    yield Found("COUNT_OPEN", (time.process_time() - began) / models)
    sketch.feed(fleet.records(models, models), 0)
    sketch.idle(1, 0)  # the panes are sent, so that marks alone are left
    stage = InputPartition(sketch, None, _MINUTE, 64)  # type: ignore[arg-type]  # no record is read
    stage.lag, now = 0, _MINUTE // 6
    stage.tick(now)

    def looked() -> None:
        """Look at them for a round: none is silent for long enough."""
        nonlocal now
        for second in range(10):
            stage.tick(now // 10 * 10 + second)
            sketch.event_time()

    yield Found("LOOK", cpu(looked) / models / 10)
    marks, sizes = count(2), list[int]()

    def marked() -> None:
        """Mark them all."""
        for _, output in stage.tick(next(marks) * _MINUTE)[0]:
            sizes.append(len(encode(output)))

    yield Found("MARK", cpu(marked) / models)
    yield Found("MARK_BYTES", sum(sizes) / ROUNDS / models)
    states = own_states("sketch/t/0")
    heads = count()

    def recorded() -> None:
        """Record the state, of which all has moved."""
        state = state_of(sketch)
        at = next(heads)
        for each in state.models.values():
            each.active_at = START + at
        sizes.append(sum(len(each.value or b"") for each in states.messages("sketch/t/0", state)))

    yield Found("SKETCH_STATE", cpu(recorded) / models)
    one = fleets.sketch_of(fleet.plan())
    one.feed(fleet.records(1, 1), 0)
    (head,) = own_states("sketch/t/0").messages("sketch/t/0", one.state())
    own = len(msgspec.msgpack.encode(next(iter(state_of(one).models.values()))))
    yield Found("SKETCH_HEAD", len(head.value or b"") - own)
    yield Found("SKETCH_BYTES", statistics.median(sizes[-ROUNDS:]) / models)


def state_of(sketch: PartitionSketch) -> SketchState:
    """Return the state of a sketch that has read all."""
    found = sketch.state()
    assert found is not None
    return found


def own_states(stage: str) -> States:
    """Return the states of a worker that owns a stage."""
    log = MemoryBroker()
    log.create("states", 1, "compact")
    states = States(MemoryLog(log), "states", 1, "g")
    states.own(stage, 1)
    return states


def of_judge(fleet: fleets.Fleet) -> Iterator[Found]:
    """Return what judge needs for a message, a pane and a window, and for its state."""
    plan, sources, offsets = plan_of_panes(fleet), 20, count()
    judge = plan.judge(fleets.NAME, JudgeState(0, 0))
    spent: dict[str, list[float]] = {"pane": [], "horizon": [], "evidence": [], "window": []}

    def feed(records: Sequence[bytes]) -> float:
        began = time.process_time()
        for record in records:
            judge.feed(decode_panes(record), next(offsets))
        return time.process_time() - began

    cells: list[float] = []

    def came(number: int, events: int = 30) -> None:
        """Let a pane come: as many independent events as a quiet one has."""
        start = number * EVERY
        drawn = [fleet.pane(events, number * sources + i) for i in range(sources)]
        cells.append(len(unpack_integers(drawn[0].streams[0].counts)))
        panes = [
            encode(msgspec.structs.replace(each, start=start, partition=i))
            for i, each in enumerate(drawn)
        ]
        words = [encode(fleets.horizon(i, sources, start + EVERY)) for i in range(sources)]
        spent["pane"].append(feed(panes) / sources)
        spent["horizon"].append(feed(words[:-1]) / (sources - 1))
        due = "evidence" if (number + 1) % 3 else "window"
        spent[due].append(feed(words[-1:]) / fleet.features)

    for number in range(36):
        came(number)
    # The first hour has no window yet, or not all of one.
    found = {name: statistics.median(each[len(each) // 2 :]) for name, each in spent.items()}
    last = 42 * EVERY
    moved = [
        encode(msgspec.structs.replace(fleets.horizon(0, sources, 36 * EVERY), until=until))
        for until in range(2, 502)
    ]
    heard = cpu(lambda: feed(moved)) / len(moved)
    # A part is added to the sum of its pane when it is final, which its horizon says.
    few = found["pane"] + found["horizon"] - heard
    for number in range(36, 42):
        came(number, 1_000)
    many = statistics.median([*map(sum, zip(spent["pane"], spent["horizon"], strict=True))][-6:])
    cell = (many - heard - few) / (cells[-1] - cells[0])
    yield Found("PANE_CELL", cell)
    yield Found("PANE_READ", few - cell * cells[0])
    yield Found("HORIZON", heard)
    yield Found("EVIDENCE", found["evidence"])
    yield Found("WINDOW", found["window"] - found["evidence"])
    marks = [
        ModelHorizon(fleets.NAME, last, last, at, True, False, False) for at in range(502, 1_002)
    ]
    record = encode(Horizons(fleets.TOPIC, 0, sources, 0, 0, marks))

    def marked() -> None:
        for each in decode_horizons(record).each():
            judge.feed(each, next(offsets))

    yield Found("MARK_READ", cpu(marked) / 500)
    states, sizes = own_states("judge/m"), list[int]()
    states.messages("judge/m", judge.state())

    def recorded() -> None:
        states.messages("judge/m", judge.state())

    yield Found("JUDGE_STATE", cpu(recorded) / fleet.features)
    for number in range(42, 42 + ROUNDS):
        came(number)
        written = states.messages("judge/m", judge.state())
        sizes.append(sum(len(each.value or b"") for each in written))
    judge.position += 1
    (head,) = states.messages("judge/m", judge.state())
    heard = len(msgspec.msgpack.encode(judge.state().sources))
    yield Found("JUDGE_HEAD", len(head.value or b"") - heard)
    source = heard / sources
    yield Found("SOURCE_BYTES", source)
    yield from opened(fleet)
    yield Found("JUDGE_BYTES", (statistics.median(sizes) - source * sources) / fleet.features)


def opened(fleet: fleets.Fleet) -> Iterator[Found]:
    """Return what opening the judge of a model costs, with its reference."""
    models = 12
    with tempfile.TemporaryDirectory() as folder:
        files = fleets.replace_models(fleet, models)
        for name, content in files.items():
            Path(folder, f"{name}.json").write_bytes(content)
        path = Path(folder, "driftline.yaml")
        path.write_text(json.dumps(fleets.document({name: f"{name}.json" for name in files})))
        began = time.process_time()
        plan = read_plan(load(path, environ={}))
        read = time.process_time() - began
        began = time.process_time()
        for name in files:
            plan.judge(name, JudgeState(0, 0))
        yield Found("OPEN", (time.process_time() - began) / models)
        print(f"  read before: {1e3 * read / models:.1f} ms")


def plan_of_panes(fleet: fleets.Fleet) -> Plan:
    """Return the plan of a model with three panes from one window to the next."""
    document = fleets.document({fleets.NAME: "-"})
    pane = f"{EVERY // 1000}s"
    window = {
        "length": "1h",
        "every": f"{3 * EVERY // 1000}s",
        "pane": pane,
        "min_events": 1,
        "grace": "0s",
    }
    document["models"][fleets.NAME]["window"] = window
    return Plan(Config.model_validate(document), fleet.named(1))


def of_join(fleet: fleets.Fleet) -> Iterator[Found]:
    """Return what predictions and labels cost on their way to the join, and in it."""
    many, labels = 400_000, 100_000
    plan = joins.plan(many)
    join = plan.join("joined", 0, 1, JoinState(0, 0, "id", 1))
    records = list(joins.blocks("joined", joins.predictions(many)))
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    joins.feed(join, iter(records), "labels")
    for source in ("joined", "labels"):
        list(join.feed(joins.horizon(source, START + joins.SPAN + 1), join.position))
    held = tracemalloc.get_traced_memory()[0] - before
    tracemalloc.stop()
    yield Found("WAITING_ROW", held / join.waiting)
    other = plan.join("joined", 0, 1, JoinState(0, 0, "id", 1))
    spent = joins.feed(other, iter(records), "labels")
    spent += joins.feed(other, joins.blocks("labels", joins.labels(many, labels)), "joined")
    yield Found("JOIN_ROW", spent / (many + labels))
    empty = [
        encode(Block(Horizon("joined", 0, 1, "joined", at, at, at, 0), 0)) for at in range(999)
    ]

    def heard() -> None:
        for record in empty:
            list(other.feed(decode_block(record), other.position))

    yield Found("BLOCK_READ", cpu(heard) / len(empty))
    events = 40_000
    taken = {}
    for name in ("quiet", "joined"):
        values = list(Workload(name).events(events, 1, START, joins.HOUR))
        again = [joins.cpu_seconds(joins.sketch_of(plan, name), values) for _ in range(ROUNDS)]
        taken[name] = min(again) / events
    yield Found("ROW", taken["joined"] - taken["quiet"])
    labels_read = joins.label_records(events, ["joined"])
    again = [joins.cpu_seconds(joins.sketch_of(plan, "labels"), labels_read) for _ in range(ROUNDS)]
    yield Found("LABEL", min(again) / events)


def of_blocks(fleet: fleets.Fleet) -> Iterator[Found]:
    """Return the bytes of blocks and of horizons."""
    sizes = {n: blocks_of(n) for n in (10, 10_000)}
    (small, few), (large, many) = sizes[10], sizes[10_000]
    row = (large - small) / (many - few)
    bare = len(encode(Block(Horizon("payments", 3, 12, "car-loan", START, START, 10**7, 5), 0)))
    yield Found("BLOCK_BYTES", bare)
    yield Found("ROWS_BYTES", small - bare - few * row)
    yield Found("ROW_BYTES", row)
    said = Horizon("payments", 3, 12, "car-loan", START, START, 10**7, 5)
    yield Found("HORIZON_BYTES", len(encode(said)))
    yield Found("HORIZONS_BYTES", len(encode(Horizons("payments", 3, 12, 5, 7, []))))
    head = Head("sketch/payments/3", 1, "driftline", {}, {})
    named = msgspec.structs.replace(head, large={"models": [bytes(8)] * 100})
    yield Found("PART_NAME", (len(encode(named)) - len(encode(head))) / 100)
    yield Found("PART_BYTES", len(encode(Part("sketch/payments/3", 1, "driftline", 10**7, b""))))
    join = joins.plan(10).join("joined", 0, 1, JoinState(0, 0, "id", 1))
    for at in range(9):
        for number in range(20):
            said = Horizon("joined", number, 20, "joined", at, at, at, 0)
            list(join.feed(Block(said, 0), at))
    other = joins.plan(10).join("joined", 0, 1, JoinState(0, 0, "id", 1))
    whole, alone = (len(msgspec.msgpack.encode(each.state())) for each in (join, other))
    yield Found("JOIN_BYTES", alone)
    yield Found("JOIN_SOURCE_BYTES", (whole - alone) / 20)


def blocks_of(events: int) -> tuple[float, float]:
    """Return the bytes and the rows of a block with rows, of one poll of a number of events."""
    plan = joins.plan(10)
    sketch = joins.sketch_of(plan, "joined")
    records = [
        MemoryRecord("joined", 0, i, at, None, value)
        for i, (at, value) in enumerate(Workload("joined").events(events, 1, START, joins.HOUR))
    ]
    found = [each for each in sketch.feed(records, 0) if isinstance(each, Block) and each.rows]
    size = sum(len(encode(each)) for each in found)
    return size / len(found), events / len(found)


PARTS: dict[str, Callable[[fleets.Fleet], Iterator[Found]]] = {
    "sketch": of_sketch,
    "fleet": of_fleet,
    "judge": of_judge,
    "join": of_join,
    "blocks": of_blocks,
    "broker": of_broker,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("parts", nargs="*", metavar="PART", help=", ".join(PARTS))
    options = parser.parse_args()
    fleet = fleets.Fleet()
    print(f"{'constant':<20}{'measured':>12}{'in the table':>14}")
    for part in options.parts or PARTS:
        for name, value in PARTS[part](fleet):
            known = getattr(measured, name, None)
            print(f"{name:<20}{value:12.4g}{known.value if known else 0:14.4g}", flush=True)


if __name__ == "__main__":
    main()
