"""Events per second of the whole monitor, against the least that any Python consumer pays.

Run: python -m benchmarks.throughput [--events N] [--rounds N] [--bootstrap HOST:PORT]

Three programs read the same topic of a real broker: one polls and leaves the values as they are,
one decodes each with typed msgspec structs and throws them away, one is the monitor, which counts,
judges, publishes verdicts and alerts, and records its state. The first and the last run with both
clients. Each runs in a process of its own, in
turns, and the medians over all rounds are printed, so that a busy machine slows all of them alike.
CPU seconds are those of the whole process with all its threads.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import kafka
from benchmarks.readers import PARTITIONS, SPAN, Figures, silence
from benchmarks.workload import START, Workload

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import Message

ROOT = Path(__file__).parents[1]
SHIFT = 0.5
EVENTS = 200_000
ROUNDS = 3
PLAIN, FAST = "kafka-python", "confluent"  # `kafka.client`
TITLES = {
    ("poll", PLAIN): "poll",
    ("decode", PLAIN): "poll + typed decode",
    ("monitor", PLAIN): "the whole monitor",
    ("poll", FAST): "poll on confluent",
    ("monitor", FAST): "the whole monitor on confluent",
}
RATIOS = [
    (("monitor", PLAIN), ("decode", PLAIN)),
    (("decode", PLAIN), ("poll", PLAIN)),
    (("monitor", PLAIN), ("poll", PLAIN)),
    (("monitor", FAST), ("poll", PLAIN)),
    (("monitor", FAST), ("monitor", PLAIN)),
]
Program = tuple[str, str]  # the mode and the client


def create(config: KafkaConfig, topic: str) -> None:
    """Create the topic."""
    admin = kafka.KafkaAdminClient(bootstrap_servers=config.bootstrap_servers)
    settings = {"retention.ms": "-1"}  # event times lie in the past
    new = {"num_partitions": PARTITIONS, "replication_factor": 1, "configs": settings}
    admin.create_topics({topic: new}, wait_for_metadata=True)
    admin.close()


def fill(config: KafkaConfig, topic: str, events: int, part: int) -> None:
    """Write `events` events over the `part`-th two hours."""
    broker = connect(config)
    producer = broker.producer()
    workload = Workload().events(events, part, START + part * SPAN, SPAN, SHIFT)
    for i, (at, value) in enumerate(workload):
        producer.send(Message(topic, i % PARTITIONS, None, value, timestamp=at))
    producer.flush()
    producer.close()
    broker.log.close()


def run(program: Program, bootstrap: str, topic: str, events: int, reference: Path) -> Figures:
    """Run one program in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.readers", *program, bootstrap, topic]
    command += [str(events), str(reference)]
    ran = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
    return Figures(**json.loads(ran.stdout))


@contextmanager
def broker(bootstrap: str | None) -> Iterator[str]:
    """Yield the address of a broker: the one given, or a new one that ends with the block."""
    if bootstrap is not None:
        yield bootstrap
        return
    command = [sys.executable, str(ROOT / "deploy/kafka/broker.py"), "--port", "0", "--until-eof"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as program:
        assert program.stdout is not None
        words = program.stdout.readline().split()
        if not words:
            raise SystemExit("the broker did not start")
        yield words[0].removeprefix("bootstrap=")


def compare(rounds: dict[Program, list[Figures]]) -> None:
    """Print the medians and their ratios."""
    wall, cpu = {}, {}
    for program, figures in rounds.items():
        wall[program] = statistics.median(f.events / f.wall for f in figures)
        cpu[program] = statistics.median(f.events / f.cpu for f in figures)
        peak = statistics.median(f.peak for f in figures)
        print(
            f"{TITLES[program]:30} {wall[program]:9,.0f} events/s {cpu[program]:9,.0f} events/CPU s"
            f"   peak memory {peak:4.0f} MB"
        )
    for over, under in RATIOS:
        print(
            f"{TITLES[over]} / {TITLES[under]}: {cpu[over] / cpu[under]:.2f} by CPU second,"
            f" {wall[over] / wall[under]:.2f} by wall"
        )
    last = rounds["monitor", PLAIN][-1]
    print(f"the monitor published {last.verdicts:,} verdicts and {last.alerts} alert records")


def measure(bootstrap: str, events: int, rounds: int) -> None:
    """Fill a topic, run everything, print."""
    topic = f"bench-{uuid.uuid4().hex[:8]}"
    config = KafkaConfig(bootstrap_servers=(bootstrap,), group=topic)
    create(config, topic)
    fill(config, topic, events, 0)
    with tempfile.TemporaryDirectory() as directory:
        reference = Path(directory, "reference.json")
        reference.write_bytes(Workload().reference().to_json())
        size = len(next(Workload().events(1, 0, START, SPAN))[1])
        print(
            f"{events:,} events of 20 features and {size} bytes in {PARTITIONS} partitions, two"
            f" hours of event time, windows of 1 h every 5 min; medians of {rounds} rounds"
        )
        figures: dict[Program, list[Figures]] = {program: [] for program in TITLES}
        for _ in range(rounds):
            for program in TITLES:
                figures[program].append(run(program, bootstrap, topic, events, reference))
        compare(figures)
        for part in (1, 2):
            fill(config, topic, events, part)
        long = run(("monitor", PLAIN), bootstrap, topic, 3 * events, reference)
        print(
            f"the monitor's peak memory: {long.peak_at_a_third:.0f} MB after {events:,} events,"
            f" {long.peak:.0f} MB after {long.events:,}"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--bootstrap", help="a broker to use; else one is started")
    options = parser.parse_args()
    silence()
    with broker(options.bootstrap) as bootstrap:
        measure(bootstrap, options.events, options.rounds)


if __name__ == "__main__":
    main()
