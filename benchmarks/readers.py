"""The programs whose speed is compared; each runs in a process of its own and prints its figures.

Run by `benchmarks.throughput`:
python -m benchmarks.readers MODE CLIENT BOOTSTRAP TOPIC EVENTS REFERENCE
"""

from __future__ import annotations

import json
import logging
import sys
import time
import uuid
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import msgspec
from benchmarks.workload import START, Workload, peak_memory

from driftline.consumer.config import Config, KafkaConfig
from driftline.consumer.log.broker import connect
from driftline.consumer.log.topics import output_topics
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.references import load_reference
from driftline.consumer.service.worker import Worker, collect_seldom

PARTITIONS = 6
SPAN = 7_200_000  # ms of event time, per part of the topic


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
    broker = connect(config)
    consumer = broker.consumer({topic})
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
    broker.log.close()
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
    collect_seldom()
    plan = Plan(config, {Workload().model: load_reference(reference)})
    broker = connect(config.kafka)
    log = broker.log
    outputs = output_topics(config.output.prefix, PARTITIONS, plan.longest_window)
    log.create_topics(outputs, 1)
    topics = log.topics(frozenset({topic, *(spec.name for spec in outputs)}))
    consumer = broker.consumer({topic, plan.output("panes")})
    producer = broker.producer()
    worker = Worker(plan, consumer, producer, log, topics, lambda: time.time_ns() // 1_000_000)
    while not worker.status.of(InputPartition):
        worker.step()
    meter, totals, peak_at_a_third = Meter(), worker.status.totals[topic], 0.0
    while totals.read < events:
        worker.step()
        if not peak_at_a_third and 3 * totals.read >= events:
            peak_at_a_third = peak_memory()
    worker.checkpoint()
    judging = worker.status.of(PanesPartition)
    ends = log.end_offsets(judging.keys())
    while any(panes.next < ends[tp] for tp, panes in judging.items()):
        worker.step()
    worker.checkpoint()
    windows = worker.status.windows[Workload().model]
    figures = meter.read(
        sum(totals.counted.values()),
        peak_at_a_third=peak_at_a_third,
        verdicts=windows * len(worker.status.verdicts[Workload().model]),
        alerts=sum(worker.status.alerts.values()),
    )
    worker.close()
    log.close()
    return figures


def silence() -> None:
    """Leave out the client's warnings that its own event loop is slow."""
    logging.disable(logging.WARNING)


def main() -> None:
    mode, client, bootstrap, topic, events, reference = sys.argv[1:]
    silence()
    group = f"{topic}-{uuid.uuid4().hex[:8]}"
    settings = {"bootstrap_servers": (bootstrap,), "group": group, "client": client}
    config = KafkaConfig.model_validate(settings)
    if mode == "monitor":
        figures = monitor(config, topic, int(events), Path(reference))
    else:
        figures = poll(config, topic, int(events), decode=mode == "decode")
    print(json.dumps(asdict(figures)))


if __name__ == "__main__":
    main()
