"""Subscribe to alerts: what fires now, then every record that comes.

    with subscribe("localhost:9092", choice=Choice(severity="critical")) as alerts:
        for record in alerts:
            print(record.alert.summary)

The topic of alerts keeps 30 days and a firing alert is written again every 7, so the present state
is in it: the highest revision of each alert. A record is (alert_id, revision); repeats, and a
revision below one already seen, are dropped. With a position kept (`FilePosition`) a subscriber
goes on where it stopped: it reads the topic from the beginning to know what it has seen, and from
the position on every record counts, none is folded into the present state. What was handled but not
yet saved comes again: at least once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Self

import msgspec

from driftline.consumer.config import KafkaConfig
from driftline.consumer.deliver.choice import Choice
from driftline.consumer.deliver.cursor import Cursor
from driftline.consumer.deliver.errors import AlertsError
from driftline.consumer.deliver.position import MemoryPosition, Position, PositionStore
from driftline.consumer.log.broker import connect
from driftline.consumer.log.protocol import Log, Record, TopicPartition
from driftline.consumer.views import alert_index
from driftline.consumer.wire.records import Alert

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class AlertRecord:
    """One record of one alert.

    Attributes:
        alert: its content.
        value: its JSON as published, fields of newer versions included.
        partition, offset: where it stands.
        timestamp: when it was published, ms since 1970.
        headers: as published: those of CloudEvents.
    """

    alert: Alert
    value: bytes
    partition: int
    offset: int
    timestamp: int
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def key(self) -> str:
        """The alert: its records are handed on in order."""
        return self.alert.alert_id

    @property
    def name(self) -> str:
        """What it is, for messages."""
        alert = self.alert
        return f"alert {alert.alert_id}, revision {alert.revision} ({alert.stream})"


class AlertSubscriber:
    """Reads the alerts of one deployment, outside any group.

    Iterate over it, or use `follow`, or `poll` and `done`.

    Args:
        log: the log, on Kafka or in memory.
        topic: the topic of alerts, `driftline.alerts` unless `output.prefix` is another.
        choice: which alerts are asked for.
        positions: keeps where it stopped; None: begin with the present state at every start.

    Attributes:
        handled: between the first `poll` and the second, with a kept position: what is asked for
            and was handled before it, in order.
        held: kept with the position, by alert: what was not sent though it was handled.

    Raises:
        AlertsError: there is no such topic, or the kept position cannot be used.
    """

    def __init__(
        self,
        log: Log,
        topic: str,
        choice: Choice | None = None,
        positions: PositionStore | None = None,
    ) -> None:
        info = log.topics(frozenset([topic])).get(topic)
        if info is None:
            raise AlertsError(
                f"{topic} does not exist: check output.prefix, or run  driftline topics create"
            )
        self._log = log
        self._info = info
        self._choice = choice or Choice()
        self._positions = positions or MemoryPosition()
        self._cursor = Cursor(
            log, (TopicPartition(topic, number) for number in range(info.partitions))
        )
        self.handled: list[AlertRecord] = []
        self.held: dict[str, int] = {}
        self._resumed = self._resume_at()
        self._begun = False
        self._seen = alert_index.Revisions()
        self._open: set[tuple[int, int]] = set()  # partition, offset: given out, not done yet
        self._first: set[tuple[int, int]] = set()  # those of the present state among them
        self._saved: Position | None = None

    def poll(self) -> list[AlertRecord]:
        """Return what is new and asked for; never wait.

        The first call gives the present state, oldest window first, or what came since the kept
        position, or with `choice.since` all that is there. Later calls, and those of the first call
        that are no present state, come in the order of their partitions' logs.

        Raises:
            LogError: the topic cannot be read.
            WorkerLost: the broker has given no answer for a minute.
        """
        self.handled = []
        records = [record for record in map(self._fresh, self._cursor.new()) if record is not None]
        if not self._begun:
            self._begun = True
            if self._resumed is not None:
                before = self._resumed
                self.handled = [
                    r for r in records
                    if r.offset < before[r.partition] and self._choice.holds(r.alert)
                ]  # fmt: skip
                records = [r for r in records if r.offset >= before[r.partition]]
            elif self._choice.since is None:
                records = present(records)
                self._first = {(record.partition, record.offset) for record in records}
        chosen = [record for record in records if self._choice.holds(record.alert)]
        self._open.update((record.partition, record.offset) for record in chosen)
        self._first &= self._open
        self._save()
        return chosen

    def done(self, record: AlertRecord) -> None:
        """Say that a record has been handled, so that it does not come again after a restart."""
        self._open.discard((record.partition, record.offset))
        self._first.discard((record.partition, record.offset))
        self._save()

    def __iter__(self) -> Iterator[AlertRecord]:
        """Yield what `follow` does, without end."""
        return self.follow(_wait)

    def follow(self, wait: Callable[[], bool]) -> Iterator[AlertRecord]:
        """Yield what `poll` gives, again and again; each is `done` when the next is asked for.

        Args:
            wait: called when all is read, for example to sleep a second; False ends it.

        Raises:
            LogError, WorkerLost: as `poll`.
        """
        while True:
            for record in self.poll():
                yield record
                self.done(record)
            if not wait():
                return

    @property
    def position(self) -> Position | None:
        """Where a restart goes on; None while the present state is not handled completely."""
        if not self._begun or self._first:
            return None
        offsets = [self._cursor.next[partition] for partition in sorted(self._cursor.next)]
        for partition, offset in self._open:
            offsets[partition] = min(offsets[partition], offset)
        return Position(self._info.name, self._info.topic_id, tuple(offsets), dict(self.held))

    def keep(self, held: Mapping[str, int]) -> None:
        """Keep with the position what is held back, see `Position.held`."""
        self.held = dict(held)
        self._save()

    def close(self) -> None:
        """Give up the connection."""
        self._log.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _fresh(self, record: Record) -> AlertRecord | None:
        """Return the record unless it is a repeat, older than what is known, or no alert."""
        value = record.value or b""
        try:
            alert = msgspec.json.decode(value, type=Alert)
        except msgspec.DecodeError as error:
            where = f"{record.topic}[{record.partition}], offset {record.offset}"
            logger.warning("%s: not an alert that this version knows: %s", where, error)
            return None
        if not self._seen.rises(alert.alert_id, alert.revision):
            return None
        headers = tuple(
            (name, (text or b"").decode(errors="replace")) for name, text in record.headers
        )
        return AlertRecord(alert, value, record.partition, record.offset, record.timestamp, headers)

    def _resume_at(self) -> tuple[int, ...] | None:
        """Return the kept position's offsets, None to begin with the present state."""
        kept = self._positions.load()
        if kept is None:
            return None
        if kept.topic != self._info.name:
            raise AlertsError(
                f"the kept position is of {kept.topic}, not of {self._info.name}: keep one for each"
            )
        ends = self._log.end_offsets(self._cursor.next.keys())
        same = kept.topic_id == self._info.topic_id and len(kept.offsets) == len(ends)
        if not same or any(kept.offsets[tp.partition] > end for tp, end in ends.items()):
            logger.warning("%s was re-created: beginning with what fires now", kept.topic)
            return None
        self.held = dict(kept.held)
        return kept.offsets

    def _save(self) -> None:
        position = self.position
        if position is not None and position != self._saved:
            self._positions.save(position)
            self._saved = position


def subscribe(
    kafka: KafkaConfig | str,
    topic: str = "driftline.alerts",
    choice: Choice | None = None,
    positions: PositionStore | None = None,
) -> AlertSubscriber:
    """Subscribe to alerts on a broker.

    Args:
        kafka: where to connect and as whom; `host:port` is enough without TLS and login.
        topic: the topic of alerts.
        choice: which alerts are asked for.
        positions: keeps where it stopped.

    Raises:
        LogError: the broker cannot be reached or refuses the login.
        AlertsError: as `AlertSubscriber`.
    """
    if isinstance(kafka, str):
        kafka = KafkaConfig(bootstrap_servers=(kafka,))
    log = connect(kafka).log
    try:
        return AlertSubscriber(log, topic, choice, positions)
    except BaseException:
        log.close()
        raise


def newest(records: Iterable[AlertRecord]) -> list[AlertRecord]:
    """Return the record with the highest revision of each alert."""
    return alert_index.newest(records, lambda record: record.alert)


def present(records: Iterable[AlertRecord]) -> list[AlertRecord]:
    """Return the newest record of each alert that fires, in order."""
    return in_order(record for record in newest(records) if record.alert.status == "firing")


def in_order(records: Iterable[AlertRecord]) -> list[AlertRecord]:
    """Return records by the end of their window; within one window the largest effect first."""
    return sorted(
        records,
        key=lambda record: (
            record.alert.window.times[1],
            -(record.alert.effect or 0.0),
            record.alert.stream,
            record.alert.feature or "",
        ),
    )


def _wait() -> bool:
    time.sleep(1.0)
    return True
