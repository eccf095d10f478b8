"""What a broker costs a worker: reading, sending, and a worker that has nothing to do yet.

Run: python -m benchmarks.plan broker
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from benchmarks import fleet as fleets
from benchmarks.readers import PARTITIONS
from benchmarks.throughput import broker, create
from benchmarks.workload import START, Workload

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import Message, TopicPartition
from driftline.consumer.wire.codec import encode


class Found(NamedTuple):
    """A constant, by its name in the table, as it is here and now."""

    name: str
    value: float


def of_broker(fleet: fleets.Fleet) -> Iterator[Found]:
    """Return what reading an event costs, sending a record, and a process that has nothing yet."""
    with broker(None) as bootstrap:
        topic = f"plan-{uuid.uuid4().hex[:8]}"
        config = KafkaConfig(bootstrap_servers=(bootstrap,), group=topic)
        create(config, topic)
        own = connect(config)
        producer, place = own.producer(), iter(range(PARTITIONS))
        many, few = 20_000, 500

        def sent(values: Sequence[bytes]) -> float:
            """Send records to a partition of their own and wait until they are there."""
            began, number = time.process_time(), next(place)
            for value in values:
                producer.send(Message(topic, number, b"key", value))
            producer.flush()
            return (time.process_time() - began) / len(values)

        sent([b"{}"] * 100)
        small, pane = encode(fleets.horizon(0, 1, START)), encode(fleet.pane(300, 1))
        own_cost = sent([small] * many)
        yield Found("SEND", own_cost)
        yield Found("SEND_BYTE", (sent([pane] * few) - own_cost) / len(pane))
        values = [value for _, value in fleet.work.events(many // 4, 1, START, fleets.EVERY)] * 4
        sent(values)
        consumer = own.consumer({topic})
        while (ownership := consumer.poll(1.0).ownership) is None:
            pass

        def read(number: int, records: int) -> float:
            """Read all of a partition."""
            left, spent = records, 0.0
            consumer.pause(ownership.partitions)
            at = TopicPartition(topic, number)
            consumer.seek(at, 0)
            consumer.resume({at})
            while left > 0:
                began = time.process_time()
                left -= sum(map(len, consumer.poll(1.0).records.values()))
                spent += time.process_time() - began
            return spent / records

        read(0, 100)
        event = read(3, many)
        yield Found("READ", event)
        yield Found("READ_BYTE", (read(2, few) - event) / (len(pane) - len(values[0])))
        consumer.close()
        producer.close()
        own.log.close()
        full, empty = worker_of(bootstrap, topic), f"{topic}-empty"
        create(config, empty)
        least = worker_of(bootstrap, empty)
        yield Found("PROCESS", least)
        yield Found("POLLED", full - least)


def worker_of(bootstrap: str, topic: str) -> float:
    """Return what a worker holds of one small model whose topic has no event, bytes."""
    with tempfile.TemporaryDirectory() as folder:
        kafka = {"bootstrap_servers": bootstrap, "start": "earliest", "group": topic}
        model = {"predictions": topic, "reference": "small.json"}
        text = {"kafka": kafka, "output": {"prefix": topic}, "models": {"small": model}}
        Path(folder, "driftline.yaml").write_text(json.dumps(text))
        small = Workload("small", 2, 1).reference().to_json()
        Path(folder, "small.json").write_bytes(small)
        command = [str(Path(sys.executable).with_name("driftline"))]
        subprocess.run([*command, "topics", "create"], cwd=folder, check=True)
        with subprocess.Popen([*command, "run"], cwd=folder) as worker:
            before, now = 0.0, 1.0
            while before < now:  # grows no more
                time.sleep(10)
                before, now = now, held(worker.pid)
            worker.terminate()
        return now


def held(process: int) -> float:
    """Return the memory of a process now, bytes."""
    status = Path(f"/proc/{process}/status").read_text()
    line = next(line for line in status.splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024
