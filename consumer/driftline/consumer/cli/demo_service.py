"""The service of the demo: a worker as `driftline run` has it, on a log in memory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import msgspec

from driftline.consumer.cli.output_log import OutputLog
from driftline.consumer.cli.topic_checks import wanted_topics
from driftline.consumer.deliver.choice import Choice
from driftline.consumer.log.memory import (
    MemoryBroker,
    MemoryConsumer,
    MemoryLog,
    MemoryProducer,
    MemoryRecord,
)
from driftline.consumer.log.protocol import Message
from driftline.consumer.service.opening import topics_read
from driftline.consumer.service.plan import Plan
from driftline.consumer.service.status import Status
from driftline.consumer.service.worker import Worker
from driftline.consumer.wire.messages import partition_of
from driftline.consumer.wire.records import Alert, Verdict
from driftline.producer.replay.replay import encode_event

_PARTITIONS = 3
SHOWN = ("verdicts", "alerts", "control")
"""Topics that a page shows."""
KEPT = 5_000
"""Records of a partition that a page may still show, which holds 200 windows: more than these."""
_GONE = MemoryRecord("", 0, 0, 0, None, None)


class DemoService:
    """Events in, verdicts and alerts out, by way of the topics that they would have on Kafka.

    Time is that of the events: the demo's hours pass in seconds.

    Args:
        plan: what is watched.
        now: the present, ms.

    Attributes:
        plan: as above.
        broker: the log; what is published stays in it for a page, as far as that looks back.
        status: what the worker knows of itself.
    """

    def __init__(self, plan: Plan, now: int) -> None:
        self.plan = plan
        self.broker = broker = MemoryBroker(now=now)
        self.status = Status(plan)
        self._shown = {plan.output(name) for name in SHOWN}
        for topic in sorted(plan.inputs):
            broker.create(topic, _PARTITIONS)
        for spec in wanted_topics(plan.config):
            broker.create(spec.name, spec.partitions, spec.cleanup_policy)
        self._log = MemoryLog(broker)
        self._consumer = MemoryConsumer(broker, topics_read(plan))
        self._producer = MemoryProducer(broker)
        self._worker = Worker(
            plan, self._consumer, self._producer, self._log,
            self._log.topics(frozenset(broker.infos)), lambda: broker.now, status=self.status,
        )  # fmt: skip
        output = OutputLog(self._log, plan.config.output)
        self._verdicts = output.cursor("verdicts")
        self._alerts = output.alerts(Choice(since=0))

    def write(self, topic: str, events: Iterable[dict[str, Any]]) -> None:
        """Write native events to an input topic, each at its own time."""
        for event in events:
            key, value = encode_event(event)
            number = partition_of((key or b"").decode(), _PARTITIONS)
            message = Message(topic, number, key, value, (), event["timestamp"])
            self.broker.append(message)

    def run(self, now: int) -> tuple[list[Verdict], list[Alert]]:
        """Let the worker handle all that is there at `now` (ms); return what it published."""
        self.broker.now = now
        busy = True
        while busy:
            busy = self._worker.step(0.0)
            self._producer.flush()  # on Kafka the client's thread sends what waits
        verdicts = [
            msgspec.json.decode(record.value or b"", type=Verdict)
            for record in self._verdicts.new()
        ]
        alerts = [record.alert for record in self._alerts.follow(lambda: False)]
        self._forget()
        return verdicts, alerts

    def close(self) -> None:
        """End the worker as SIGTERM does."""
        self._worker.close()

    def _forget(self) -> None:
        """Keep no record that has been read: the demo may go on for days."""
        for partition, log in self.broker.logs.items():
            end = len(log)
            if self._consumer.lag(partition):  # what waits, or what belongs to a paused partition
                end -= self._consumer.lag(partition) or 0
            if partition.topic in self._shown:
                end -= KEPT
            begin = self.broker.begins[partition]
            if end <= begin:
                continue
            log[begin:end] = [_GONE] * (end - begin)
            self.broker.delete_before(partition, end)
