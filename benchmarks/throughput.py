"""Events per second of the whole monitor, against the least that any Python consumer pays.

Run: python -m benchmarks.throughput [--events N] [--rounds N] [--bootstrap HOST:PORT]

Three programs read the same topic of a real broker: one polls and leaves the values as they are,
one decodes each with typed msgspec structs and throws them away, one is the monitor, which counts,
judges, publishes verdicts and alerts, and records its state. Each runs in a process of its own, in
turns, and the medians over all rounds are printed, so that a busy machine slows all of them alike.
CPU seconds are those of the whole process with all its threads.
"""

from __future__ import annotations

import argparse
import json
import logging
import statistics
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import kafka
import msgspec
from benchmarks.workload import START, Workload, peak_memory

from driftline.consumer.config import Config, KafkaConfig
from driftline.consumer.log.kafka_consumer import KafkaConsumer
from driftline.consumer.log.kafka_log import KafkaLog
from driftline.consumer.log.kafka_producer import KafkaProducer, start_producer
from driftline.consumer.log.protocol import Message
from driftline.consumer.log.topics import output_topics
from driftline.consumer.service.plan import Plan, load_reference
from driftline.consumer.service.worker import Worker

ROOT = Path(__file__).parents[1]
HOUR = 3_600_000
PARTITIONS = 6
SPAN = 2 * HOUR  # of event time, per part of the topic
SHIFT = 0.5
EVENTS = 200_000
ROUNDS = 3
TITLES = {"poll": "poll", "decode": "poll + typed decode", "monitor": "the whole monitor"}


@dataclass(frozen=True)
class Figures:
    """What one program says of itself: seconds, and MB of memory, also after a third."""

    events: int
    wall: float
    cpu: float
    peak: float
    peak_at_a_third: float = 0.0
    verdicts: int = 0
    alerts: int = 0


class Meter:
    """Wall and CPU seconds since it was made."""

    def __init__(self) -> None:
        self._wall, self._cpu = time.perf_counter(), time.process_time()

    def read(self, events: int, **more: Any) -> Figures:
        """Return the figures as of now."""
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return Figures(events, wall, cpu, peak_memory(), **more)


def create(config: KafkaConfig, topic: str) -> None:
    """Create the topic."""
    admin = kafka.KafkaAdminClient(bootstrap_servers=config.bootstrap_servers)
    settings = {"retention.ms": "-1"}  # event times lie in the past
    new = {"num_partitions": PARTITIONS, "replication_factor": 1, "configs": settings}
    admin.create_topics({topic: new}, wait_for_metadata=True)
    admin.close()


def fill(config: KafkaConfig, topic: str, events: int, part: int) -> None:
    """Write `events` events over the `part`-th two hours."""
    producer = KafkaProducer(start_producer(config))
    workload = Workload().events(events, part, START + part * SPAN, SPAN, SHIFT)
    for i, (at, value) in enumerate(workload):
        producer.send(Message(topic, i % PARTITIONS, None, value, timestamp=at))
    producer.flush()
    producer.close()


def bare_decoder(sample: bytes) -> Callable[[bytes], Any]:
    """Return a typed decoder as one writes it by hand, with the fields in the records' order."""
    event = msgspec.json.decode(sample)
    inputs: list[Any] = [
        (name, str | None if name.startswith("cat") else float | None, None)
        for name in event["features"]
    ]
    outputs: list[Any] = [("label", str | None, None), ("score", float | None, None)]
    fields: list[Any] = [
        ("timestamp", str),
        ("model", str),
        ("model_version", str),
        ("features", msgspec.defstruct("Features", inputs)),
        ("prediction", msgspec.defstruct("Prediction", outputs)),
        ("tags", msgspec.defstruct("Tags", [("channel", str | None, None)])),
    ]
    return msgspec.json.Decoder(msgspec.defstruct("Event", fields)).decode


def poll(config: KafkaConfig, topic: str, events: int, *, decode: bool) -> Figures:
    """Read all events and leave or decode their values."""
    consumer = KafkaConsumer(config, {topic})
    while (ownership := consumer.poll(1.0).ownership) is None:
        pass
    for partition in ownership.partitions:
        consumer.seek(partition, 0)
    consumer.resume(ownership.partitions)
    decoder = bare_decoder(next(Workload().events(1, 0, START, SPAN))[1])
    meter, read = Meter(), 0
    while read < events:
        for records in consumer.poll(1.0).records.values():
            read += len(records)
            if decode:
                for record in records:
                    decoder(record.value)  # type: ignore[arg-type]  # there are no tombstones
    figures = meter.read(read)
    consumer.close()
    return figures


def monitor(kafka_config: KafkaConfig, topic: str, events: int, reference: Path) -> Figures:
    """Watch the topic until everything in it is counted, judged, published and recorded."""
    config = Config.model_validate(
        {
            "kafka": {"start": "earliest", **kafka_config.model_dump(exclude_defaults=True)},
            "output": {"prefix": kafka_config.group, "partitions": PARTITIONS},
            "models": {
                Workload().model: {
                    "predictions": topic,
                    "reference": str(reference),
                    "window": {"length": "1h", "every": "5m"},
                }
            },
        }
    )
    plan = Plan(config, {Workload().model: load_reference(reference)})
    log = KafkaLog(config.kafka)
    outputs = output_topics(config.output.prefix, PARTITIONS, plan.longest_window)
    log.create_topics(outputs, 1)
    topics = log.topics(frozenset({topic, *(spec.name for spec in outputs)}))
    consumer = KafkaConsumer(config.kafka, {topic, plan.output("panes")})
    producer = KafkaProducer(start_producer(config.kafka))
    worker = Worker(plan, consumer, producer, log, topics, lambda: time.time_ns() // 1_000_000)
    while not worker.status.sketches:
        worker.step()
    meter, tally, peak_at_a_third = Meter(), worker.status.tallies[topic], 0.0
    while tally.read < events:
        worker.step()
        if not peak_at_a_third and 3 * tally.read >= events:
            peak_at_a_third = peak_memory()
    worker.checkpoint()
    ends = log.end_offsets(frozenset(worker.status.panes))
    while any(panes.next < ends[tp] for tp, panes in worker.status.panes.items()):
        worker.step()
    worker.checkpoint()
    windows = worker.status.windows[Workload().model]
    figures = meter.read(
        sum(tally.counted.values()),
        peak_at_a_third=peak_at_a_third,
        verdicts=windows * len(worker.status.verdicts[Workload().model]),
        alerts=sum(worker.status.alerts.values()),
    )
    worker.close()
    log.close()
    return figures


def run(mode: str, bootstrap: str, topic: str, events: int, reference: Path) -> Figures:
    """Run one program in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.throughput", "--bootstrap", bootstrap]
    command += ["--events", str(events), "--child", mode, topic, str(reference)]
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
        assert program.stdin is not None
        assert program.stdout is not None
        words = program.stdout.readline().split()
        if not words:
            raise SystemExit("the broker did not start")
        yield words[0].removeprefix("bootstrap=")
        program.stdin.close()


def compare(rounds: dict[str, list[Figures]]) -> None:
    """Print the medians and their ratios."""
    wall, cpu = {}, {}
    for mode, figures in rounds.items():
        wall[mode] = statistics.median(f.events / f.wall for f in figures)
        cpu[mode] = statistics.median(f.events / f.cpu for f in figures)
        peak = statistics.median(f.peak for f in figures)
        print(
            f"{TITLES[mode]:28} {wall[mode]:9,.0f} events/s {cpu[mode]:9,.0f} events/CPU s"
            f"   peak memory {peak:4.0f} MB"
        )
    for over, under in (("monitor", "decode"), ("decode", "poll")):
        print(
            f"{TITLES[over]} / {TITLES[under]}: {cpu[over] / cpu[under]:.2f} by CPU second,"
            f" {wall[over] / wall[under]:.2f} by wall"
        )
    last = rounds["monitor"][-1]
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
        figures: dict[str, list[Figures]] = {mode: [] for mode in TITLES}
        for _ in range(rounds):
            for mode in TITLES:
                figures[mode].append(run(mode, bootstrap, topic, events, reference))
        compare(figures)
        for part in (1, 2):
            fill(config, topic, events, part)
        long = run("monitor", bootstrap, topic, 3 * events, reference)
        print(
            f"the monitor's peak memory: {long.peak_at_a_third:.0f} MB after {events:,} events,"
            f" {long.peak:.0f} MB after {long.events:,}"
        )


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--events", type=int, default=EVENTS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--bootstrap", help="a broker to use; else one is started")
    parser.add_argument("--child", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args()
    logging.disable(logging.WARNING)  # the client's, that its own event loop is slow
    logging.getLogger("kafka").setLevel(logging.ERROR)
    if options.child is None:
        with broker(options.bootstrap) as bootstrap:
            measure(bootstrap, options.events, options.rounds)
        return
    mode, topic, reference = options.child
    group = f"{topic}-{uuid.uuid4().hex[:8]}"
    config = KafkaConfig(bootstrap_servers=(options.bootstrap,), group=group)
    if mode == "monitor":
        figures = monitor(config, topic, options.events, Path(reference))
    else:
        figures = poll(config, topic, options.events, decode=mode == "decode")
    print(json.dumps(asdict(figures)))


if __name__ == "__main__":
    main()
