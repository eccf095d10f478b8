"""What a worker costs at a steady pace, and how soon it says what it found.

Run: python -m benchmarks.pace [--rates N N] [--seconds N] [--bootstrap HOST:PORT]

Events with the present as their time are written to a real broker at an even pace, and one worker,
a process of its own, watches them in windows of a second. Printed are its CPU time as a share of
the time that passed, how many records it took at once, and two delays: from the last pane of a
window (when its partition's horizon was sent) until a subscriber has the verdict, and from the end
of the window's time. Nothing here is fast on a busy machine: compare runs of one hour.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import confluent_kafka
import numpy as np
from benchmarks.readers import PARTITIONS, silence
from benchmarks.throughput import broker, create
from benchmarks.workload import START, Workload

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import TopicPartition
from driftline.consumer.wire.messages import Horizon, decode_panes
from driftline.producer.records.timestamp import parse_timestamp

RATES = (3_300, 25_000)
SECONDS = 30
SETTLE = 8.0  # seconds before the measurement begins, at the most
STEP = 0.01
DISTINCT = 2_000  # events are written again and again, with another time
PROGRAM = [sys.executable, "-c", "from driftline.consumer.cli import main; main()"]


class Feeder(threading.Thread):
    """Writes `rate` events a second until it is stopped."""

    def __init__(self, bootstrap: str, topic: str, rate: int) -> None:
        super().__init__(daemon=True)
        self._producer = confluent_kafka.Producer(
            {"bootstrap.servers": bootstrap, "linger.ms": 5, "compression.type": "lz4"}
        )
        self._topic, self._rate = topic, rate
        parts = []
        for _, value in Workload().events(DISTINCT, 1, START, 1):
            event = json.loads(value)
            del event["timestamp"]
            parts.append(b"," + json.dumps(event).encode()[1:])
        self._parts = itertools.cycle(parts)
        self.sent = 0
        self.stopped = threading.Event()

    def run(self) -> None:
        """Write."""
        begun = time.monotonic()
        while not self.stopped.wait(STEP):
            due = int((time.monotonic() - begun) * self._rate)
            head = b'{"timestamp":%d' % (time.time_ns() // 1_000_000)
            while self.sent < due:
                value = head + next(self._parts)
                self._producer.produce(self._topic, value, partition=self.sent % PARTITIONS)
                self.sent += 1
            self._producer.poll(0)
        self._producer.flush(30)


class Subscriber(threading.Thread):
    """Notes when the first verdict of each window can be read."""

    def __init__(self, bootstrap: str, topic: str) -> None:
        super().__init__(daemon=True)
        settings = {"bootstrap.servers": bootstrap, "group.id": topic, "fetch.wait.max.ms": 10}
        self._consumer = confluent_kafka.Consumer(settings)
        self._consumer.assign(
            [confluent_kafka.TopicPartition(topic, n, 0) for n in range(PARTITIONS)]
        )
        self.read: dict[int, int] = {}  # end of the window -> when, both ms
        self.stopped = threading.Event()

    def run(self) -> None:
        """Read."""
        while not self.stopped.is_set():
            for message in self._consumer.consume(1_000, 0.01):
                verdict = json.loads(message.value() or b"{}")
                end = parse_timestamp(verdict["window"]["end"])
                if end is not None and verdict["window"]["events"]:
                    self.read.setdefault(end, time.time_ns() // 1_000_000)
        self._consumer.close()


@contextmanager
def worker(
    folder: Path, bootstrap: str, topic: str, client: dict[str, Any]
) -> Iterator[tuple[int, str]]:
    """Run a worker; yield its process id and the address of its metrics."""
    (folder / "reference.json").write_bytes(Workload().reference().to_json())
    model = {
        "predictions": topic,
        "reference": "reference.json",
        "window": {"length": "1s", "grace": "0s", "min_events": 50},
    }
    config = {
        "kafka": {"bootstrap_servers": bootstrap, "start": "latest", "options": client},
        "output": {"prefix": topic, "create_topics": True, "partitions": PARTITIONS},
        "http": {"port": 0},
        "log": {"format": "json"},
        "models": {Workload().model: model},
    }
    (folder / "driftline.yaml").write_text(json.dumps(config))
    command = [*PROGRAM, "run", "--config", str(folder / "driftline.yaml")]
    with (folder / "log").open("w") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output)
    try:
        deadline = time.monotonic() + 60
        while '"ownership"' not in (text := (folder / "log").read_text()):
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(text)
            time.sleep(0.1)
        lines = [json.loads(line) for line in text.splitlines()]
        http = next(line["http"] for line in lines if line["event"] == "start")
        yield process.pid, f"http://{http}/metrics"
    finally:
        process.terminate()
        process.wait(30)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time of a process with all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def metric(url: str, name: str) -> float:
    """Return the sum of a metric's samples."""
    with urllib.request.urlopen(url, timeout=10) as page:
        lines = page.read().decode().splitlines()
    return sum(
        float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((name + "{", name + " "))
    )


def final_panes(config: KafkaConfig, topic: str) -> dict[int, int]:
    """Return, per end of a window, when the last partition's horizon passed it; both ms."""
    log = connect(config).log
    passed: dict[int, dict[int, int]] = {}
    known: dict[int, int] = {}
    start = {TopicPartition(f"{topic}.panes", n): 0 for n in range(PARTITIONS)}
    for record in log.read(start):
        message = decode_panes(record.value or b"")
        if isinstance(message, Horizon) and message.horizon is not None:
            before = known.get(message.partition, message.horizon - 1_000)
            for end in range(before + 1_000, message.horizon + 1, 1_000):
                passed.setdefault(end, {})[message.partition] = record.timestamp
            known[message.partition] = message.horizon
    log.close()
    return {end: max(times.values()) for end, times in passed.items() if len(times) == PARTITIONS}


def measure(bootstrap: str, rate: int, seconds: float, client: dict[str, Any]) -> None:
    """Run one pace, print its figures."""
    topic = f"pace-{uuid.uuid4().hex[:8]}"
    config = KafkaConfig(bootstrap_servers=(bootstrap,), group=topic)
    create(config, topic)
    with (
        tempfile.TemporaryDirectory() as folder,
        worker(Path(folder), bootstrap, topic, client) as running,
    ):
        pid, url = running
        feeder, subscriber = (
            Feeder(bootstrap, topic, rate),
            Subscriber(bootstrap, f"{topic}.verdicts"),
        )
        feeder.start()
        subscriber.start()
        time.sleep(min(SETTLE, seconds))
        begun, cpu, sent = time.monotonic(), cpu_seconds(pid), feeder.sent
        batches = metric(url, "driftline_batch_processing_seconds_count")
        since = time.time_ns() // 1_000_000
        time.sleep(seconds)
        passed = time.monotonic() - begun
        share = (cpu_seconds(pid) - cpu) / passed
        written = feeder.sent - sent
        batches = metric(url, "driftline_batch_processing_seconds_count") - batches
        lag = metric(url, "driftline_consumer_lag")
        until = time.time_ns() // 1_000_000 - 2_000
        time.sleep(2)
        feeder.stopped.set()
        subscriber.stopped.set()
        feeder.join()
        subscriber.join()
    finals = final_panes(config, topic)
    ends = [end for end in subscriber.read if since <= end <= until and end in finals]
    each, at_once = 1e6 * share * passed / max(written, 1), written / max(batches, 1)
    print(
        f"{written / passed:8,.0f} events/s: {share:.0%} of a core, {each:.0f} us an event,"
        f" {at_once:,.0f} records a poll, {lag:,.0f} behind at the end"
    )
    for title, of in (("the last pane", finals), ("the window's end", {end: end for end in ends})):
        delays = np.array([subscriber.read[end] - of[end] for end in ends]) / 1_000
        p50, p99 = np.percentile(delays, [50, 99])
        print(f"         from {title:16} to the verdict read: p50 {p50:.2f} s, p99 {p99:.2f} s")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--rates", type=int, nargs="+", default=list(RATES))
    parser.add_argument("--seconds", type=float, default=SECONDS)
    parser.add_argument("--bootstrap", help="a broker to use; else one is started")
    parser.add_argument("--client", type=json.loads, default={}, help="kafka.options, as JSON")
    options = parser.parse_args()
    silence()
    with broker(options.bootstrap) as bootstrap:
        for rate in options.rates:
            measure(bootstrap, rate, options.seconds, options.client)


if __name__ == "__main__":
    main()
