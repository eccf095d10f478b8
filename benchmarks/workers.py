"""One, two and three workers of a group: what each counts, and what all count together.

Run: python -m benchmarks.workers [--events N] [--bootstrap HOST:PORT]

For each number of workers a new deployment reads a new topic of four partitions, each worker a
process of its own. They stand still (SIGSTOP) while the topic is filled; the clock starts when they
go on, each with its share, and stops when the last event is counted. With a broker on the same
machine, workers, broker and this program share its cores.

Then one of two workers is killed and started again at once, with and without static membership.
Printed is how long the other one is given no event, of a topic that gets one every 50 ms.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import tempfile
import time
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from typing import Any

from benchmarks.readers import PARTITIONS, silence
from benchmarks.throughput import broker, create, fill
from benchmarks.workload import START, Workload

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import Message

EVENTS = 400_000
COUNTED = "driftline_events_counted_total{"
OWNED = "driftline_consumer_lag{"
PROGRAM = [sys.executable, "-c", "from driftline.consumer.cli import main; main()"]


class Workers:
    """Some workers of one deployment.

    Args:
        folder: holds the reference; gets their configurations.
        bootstrap: the broker.
        topic: what they read.
        count: how many.
        more: keys of the section `kafka`, by worker.
    """

    def __init__(
        self,
        folder: Path,
        bootstrap: str,
        topic: str,
        count: int,
        more: Callable[[int], dict[str, Any]] = lambda number: {},
    ) -> None:
        prefix = f"bench-{uuid.uuid4().hex[:8]}"
        self._configs = []
        self._ports = []
        for number in range(count):
            port = 19_400 + number
            document = {
                "kafka": {"bootstrap_servers": bootstrap, "start": "earliest", **more(number)},
                "output": {"prefix": prefix, "create_topics": True},
                "http": {"port": port},
                "models": {"benchmark": {"predictions": topic, "reference": "reference.json"}},
            }
            self._configs.append(folder / f"{prefix}-{number}.yaml")
            self._configs[-1].write_text(json.dumps(document))
            self._ports.append(port)
        self.processes = [self.start(number) for number in range(count)]

    def start(self, number: int) -> subprocess.Popen[bytes]:
        """Start one worker."""
        command = [*PROGRAM, "run", "--config", str(self._configs[number])]
        return subprocess.Popen(command, stderr=subprocess.DEVNULL)

    def sums(self, name: str, *, entries: bool = False) -> list[int]:
        """Return each worker's sum of a metric, or how many of it there are; 0 without answer."""
        found = []
        for port in self._ports:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=5) as page:
                    lines = page.read().decode().splitlines()
            except OSError:
                lines = []
            values = [float(line.split()[-1]) for line in lines if line.startswith(name)]
            found.append(len(values) if entries else round(sum(values)))
        return found

    def wait_for_shares(self) -> None:
        """Return when every worker has its share of the topic."""
        least = PARTITIONS // len(self._ports)
        while True:
            owned = self.sums(OWNED, entries=True)
            if sum(owned) == PARTITIONS and min(owned) >= least:
                return
            time.sleep(0.1)

    def signal(self, number: signal.Signals) -> None:
        """Send all a signal."""
        for process in self.processes:
            process.send_signal(number)

    def end(self) -> None:
        """Kill all."""
        for process in self.processes:
            process.kill()
            process.wait()


def throughput(folder: Path, config: KafkaConfig, events: int, count: int) -> float:
    """Return the events a second of `count` workers together, and print it."""
    topic = f"bench-{uuid.uuid4().hex[:8]}"
    create(config, topic)
    patient = {"options": {"session_timeout_ms": 120_000}}
    workers = Workers(folder, config.bootstrap_servers[0], topic, count, lambda number: patient)
    try:
        workers.wait_for_shares()
        workers.signal(signal.SIGSTOP)
        fill(config, topic, events, 0)
        workers.signal(signal.SIGCONT)
        began = time.monotonic()
        while sum(each := workers.sums(COUNTED)) < events:
            time.sleep(0.2)
        seconds = time.monotonic() - began
    finally:
        workers.end()
    rate = sum(each) / seconds
    shares = ", ".join(f"{share / sum(each):.0%}" for share in each)
    print(f"{count} workers: {rate:9,.0f} events/s together, each {shares}", flush=True)
    return rate


def stall(folder: Path, config: KafkaConfig, more: Callable[[int], dict[str, Any]]) -> float:
    """Return how long one worker counts nothing after the other was killed and started again."""
    topic = f"bench-{uuid.uuid4().hex[:8]}"
    create(config, topic)
    values = [value for _, value in Workload().events(10_000, 5, START, 60_000, 0.0)]
    producer = connect(config).producer()
    workers = Workers(folder, config.bootstrap_servers[0], topic, 2, more)
    try:
        workers.wait_for_shares()
        longest, last, seen = 0.0, time.monotonic(), workers.sums(COUNTED)[0]
        killed: float | None = None
        for number, value in enumerate(values[:600]):
            now = round(time.time() * 1000)
            producer.send(Message(topic, number % PARTITIONS, None, value, timestamp=now))
            if number == 100:
                workers.processes[1].kill()
                workers.processes[1].wait()
                workers.processes[1] = workers.start(1)
                killed = time.monotonic()
            counted = workers.sums(COUNTED)[0]
            if counted != seen:
                seen, last = counted, time.monotonic()
            elif killed is not None:
                longest = max(longest, time.monotonic() - last)
            time.sleep(0.05)
    finally:
        workers.end()
        producer.close()
    return longest


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--bootstrap", help="a broker to use; else one is started")
    options = parser.parse_args()
    silence()
    with broker(options.bootstrap) as bootstrap, tempfile.TemporaryDirectory() as directory:
        folder = Path(directory)
        (folder / "reference.json").write_bytes(Workload().reference().to_json())
        config = KafkaConfig(bootstrap_servers=(bootstrap,), group="bench")
        rates = [throughput(folder, config, options.events, count) for count in (1, 2, 3)]
        print(f"two / one: {rates[1] / rates[0]:.2f}, three / one: {rates[2] / rates[0]:.2f}")
        for name, more in (
            ("without static membership", lambda number: {}),
            (
                "with a group_instance_id each",
                lambda number: {"options": {"group_instance_id": f"w{number}"}},
            ),
        ):
            seconds = stall(folder, config, more)
            print(f"one of two killed and started again, {name}: {seconds:.1f} s without an event")


if __name__ == "__main__":
    main()
