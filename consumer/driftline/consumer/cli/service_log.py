"""The log lines of the service while it runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Set

import msgspec

from driftline.consumer.cli.logs import Log
from driftline.consumer.judge.model import ModelJudge
from driftline.consumer.log.protocol import Message, Producer, TopicPartition
from driftline.consumer.service.counting import InputPartition
from driftline.consumer.service.judging import PanesPartition
from driftline.consumer.service.status import Status
from driftline.errors import DriftlineError

EVERY = 10_000  # ms between two lines on what was left out
NAMED = 20
"""Names of models, partitions and topics that a line has at the most: there may be 20,000."""


def named(**names: Collection[str]) -> dict[str, object]:
    """Return the fields of a line about names: the first of them, and how many there are.

    >>> named(models=["b", "a"])
    {'models': ['a', 'b'], 'models_count': 2}
    >>> fields = named(models=[f"m{number:02}" for number in range(90)])
    >>> fields["models"][-1], fields["models_count"], fields["models_more"]
    ('m19', 90, 70)
    """
    fields: dict[str, object] = {}
    for field, given in names.items():
        fields |= {field: sorted(given)[:NAMED], f"{field}_count": len(given)}
        if len(given) > NAMED:
            fields[f"{field}_more"] = len(given) - NAMED
    return fields


class _Announced(msgspec.Struct):
    """The fields of a log line about an alert."""

    alert_id: str
    revision: int
    status: str
    severity: str
    kind: str
    stream: str
    feature: str | None
    summary: str


class AnnouncingProducer:
    """Logs each alert when it is acknowledged; see `protocol.Producer`.

    Args:
        producer: sends.
        topic: of the alerts.
        log: where they are announced.
    """

    def __init__(self, producer: Producer, topic: str, log: Log) -> None:
        self._producer = producer
        self._topic = topic
        self._log = log
        self._sent: list[bytes] = []

    def send(self, message: Message) -> None:
        """Queue one message."""
        self._producer.send(message)
        if message.topic == self._topic and message.value is not None:
            self._sent.append(message.value)

    def flush(self) -> None:
        """Return when everything sent so far is acknowledged.

        Raises:
            WorkerLost: a message was refused.
        """
        self._producer.flush()
        sent, self._sent = self._sent, []
        for value in sent:
            alert = msgspec.json.decode(value, type=_Announced)
            self._log.warning("alert published", **msgspec.structs.asdict(alert))

    def close(self) -> None:
        """Give up the connection."""
        self._producer.close()


class Reporter:
    """Logs what changes in a worker's status; of what recurs one line every 10 s.

    Args:
        log: where they are written.
        status: the worker's.
    """

    def __init__(self, log: Log, status: Status) -> None:
        self._log = log
        self._status = status
        self._owned: tuple[int, Set[TopicPartition], Set[str]] | None = None
        self._checkpointed = status.checkpointed
        self._said: Counter[tuple[str, str, str]] = Counter()
        self._failed: set[tuple[str, str, TopicPartition]] = set()
        self._applied: dict[str, str] = {}
        self._next = 0

    def look(self, now: int, *, last: bool = False) -> None:
        """Log what is new.

        Args:
            now: the present, ms.
            last: say everything, however recent the last line is.
        """
        status = self._status
        if status.generation >= 0:
            owned = status.of(InputPartition).keys()
            now_owned = (status.generation, owned, status.models())
            if now_owned != self._owned:
                self._owned = now_owned
                partitions = [f"{tp.topic}[{tp.partition}]" for tp in owned]
                fields = named(partitions=partitions, models=now_owned[2])
                self._log.info("ownership", generation=now_owned[0], **fields)
        applied = {name: each[-1].change.version for name, each in status.plan.versions.items()}
        if applied != self._applied:
            changed = {name for name, _ in applied.items() - self._applied.items()}
            self._applied = applied
            self._log.info("models applied", **named(changed=changed, models=applied))
        for model, stage, partition, error in status.failures():
            if (model, stage, partition) not in self._failed:
                self._failed.add((model, stage, partition))
                known = isinstance(error, DriftlineError)  # it says itself what to do
                what = "restart" if known else "report the traceback, and restart"
                detail: dict[str, object] = {"reason": str(error)} if known else {"exc_info": error}
                self._log.error(
                    "model failed",
                    model=model,
                    stage=stage,
                    partition=f"{partition.topic}[{partition.partition}]",
                    advice=f"the other models go on; {what} when mended",
                    **detail,
                )
        if status.checkpointed != self._checkpointed:
            self._checkpointed = status.checkpointed
            self._log.debug("checkpoint", partitions=len(status.of(InputPartition)))
        if now >= self._next or last:
            self._next = now + EVERY
            self._left_out()

    def _left_out(self) -> None:
        found: Counter[tuple[str, str, str]] = Counter()
        for model, counts in self._status.plan.passed_over.items():
            for reason, events in counts.items():
                found["passed over", model, reason] += events
        for panes in self._status.of(PanesPartition).values():
            for model, judge in panes.parts.items():
                if isinstance(judge, ModelJudge):
                    found["two configurations", model, ""] += judge.mixed
        for topic, totals in self._status.totals.items():
            for what, counts in (
                ("rejected", totals.rejected), ("late", totals.late), ("skipped", totals.skipped)
            ):  # fmt: skip
                for name, events in counts.items():
                    found[what, topic, name] += events
        for key, events in sorted((found - self._said).items()):
            what, topic, name = key
            if what == "passed over":
                self._log.warning(what, model=topic, events=events, reason=name)
                continue
            if what == "two configurations":
                advice = "they are judged again when every worker has the same configuration"
                self._log.warning(what, model=topic, windows_not_judged=events, advice=advice)
                continue
            field = "model" if what == "late" else "reason"
            level = self._log.info if what == "skipped" else self._log.warning
            level(what, topic=topic, events=events, **{field: name})
        self._said = found
