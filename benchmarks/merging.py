"""What `output.merge_panes` saves: panes of one worker's partitions, added up before they are sent.

One worker over the log in memory, a model of 102 features, 30 events a pane in each partition;
verdicts with and without must be the same. CPU times are of counting and judging together.

Run: python -m benchmarks.merging [--partitions 10 100]
"""

from __future__ import annotations

import argparse
import time
from typing import NamedTuple

from benchmarks.fleet import EVERY, TOPIC, Fleet
from benchmarks.workload import START

from driftline.consumer.log.memory import (
    MemoryBroker,
    MemoryConsumer,
    MemoryLog,
    MemoryProducer,
)
from driftline.consumer.log.protocol import Message
from driftline.consumer.service.opening import topics_joined
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.worker import Worker
from driftline.consumer.wire.messages import Pane, decode_panes

EACH = 30  # events of a pane in each partition
PANES = 5
OUTPUTS = ("panes", "joins", "alerts", "verdicts", "state", "dead-letter")
_SECOND = 1_000


class Sent(NamedTuple):
    """What a run sent: messages of panes with their bytes, all bytes of the topic, verdicts."""

    messages: int
    size: int
    all_sizes: int
    cpu: float
    verdicts: frozenset[bytes]


def run(plan: Plan, values: list[bytes], partitions: int) -> Sent:
    """Let a worker read panes as they come, from partitions in turn."""
    broker = MemoryBroker(now=START)
    broker.create(TOPIC, partitions)
    for name in OUTPUTS:
        broker.create(f"driftline.{name}", 6, "compact" if name == "state" else "delete")
    topics, log = topics_joined(plan), MemoryLog(broker)
    known = log.topics(frozenset({*topics, *(f"driftline.{name}" for name in OUTPUTS)}))
    consumer, producer = MemoryConsumer(broker, topics), MemoryProducer(broker)
    worker = Worker(plan, consumer, producer, log, known, lambda: broker.now)
    each, began = partitions * EACH, time.process_time()
    for pane in range(PANES):
        for i, value in enumerate(values[pane * each : (pane + 1) * each]):
            broker.append(Message(TOPIC, i % partitions, None, value, timestamp=broker.now))
        for _ in range(30):
            broker.now += _SECOND
            while worker.step():
                pass
        broker.now += EVERY - 30 * _SECOND
    worker.close()
    cpu = time.process_time() - began
    records = [record.value or b"" for record in broker.records("driftline.panes")]
    panes = [record for record in records if isinstance(decode_panes(record), Pane)]
    verdicts = frozenset(record.value or b"" for record in broker.records("driftline.verdicts"))
    return Sent(len(panes), sum(map(len, panes)), sum(map(len, records)), cpu, verdicts)


def main() -> None:
    """Print both, for some numbers of partitions."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--partitions", type=int, nargs="+", default=[10, 100])
    fleet, wanted = Fleet(), parser.parse_args().partitions
    plan = fleet.plan()
    print("partitions  merged  messages of panes  their kB  all kB  CPU s")
    for partitions in wanted:
        many = partitions * EACH * PANES
        values = [value for _, value in fleet.work.events(many, 1, START, PANES * EVERY)]
        found = {}
        for merged in (False, True):
            output = plan.config.output.model_copy(update={"merge_panes": merged})
            limits = plan.config.limits.model_copy(update={"idle_after": 10 * EVERY})
            update = {"output": output, "limits": limits}
            own = Plan(plan.config.model_copy(update=update), plan.references)
            one = found[merged] = run(own, values, partitions)
            row = f"{one.messages:17,}  {one.size / 1e3:8,.0f}  {one.all_sizes / 1e3:6,.0f}"
            print(f"{partitions:10,}  {merged!s:6}  {row}  {one.cpu:5.1f}", flush=True)
        if found[False].verdicts != found[True].verdicts:
            raise SystemExit("the verdicts differ")


if __name__ == "__main__":
    main()
