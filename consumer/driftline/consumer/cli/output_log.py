"""Reading the topics that Driftline writes, outside any group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Self

from driftline.consumer.cli.errors import CommandError
from driftline.consumer.cli.progress import progress
from driftline.consumer.config import Config, OutputConfig
from driftline.consumer.deliver.choice import Choice
from driftline.consumer.deliver.cursor import Cursor
from driftline.consumer.deliver.marks import MarkReader
from driftline.consumer.deliver.position import PositionStore
from driftline.consumer.deliver.subscriber import AlertSubscriber
from driftline.consumer.log.protocol import Broker, Log, Record, TopicPartition

_SOME = 1_000  # records from one look at the clock to the next


class OutputLog:
    """One deployment's output topics.

    Args:
        log: the log.
        output: names the topics.
    """

    def __init__(self, log: Log, output: OutputConfig) -> None:
        self._log = log
        self._output = output

    @classmethod
    def of(cls, broker: Broker, config: Config | None) -> Self:
        """Return the output topics of a configuration; without one they are `driftline.*`."""
        return cls(broker.log, config.output if config else OutputConfig())

    def topic(self, name: str) -> str:
        """Return the full name of an output topic."""
        return self._output.topic(name)

    def partitions(self, name: str) -> list[TopicPartition]:
        """Return the partitions of an output topic.

        Raises:
            CommandError: it does not exist.
        """
        topic = self.topic(name)
        info = self._log.topics(frozenset([topic])).get(topic)
        if info is None:
            raise CommandError(
                f"{topic} does not exist: check output.prefix, or run  driftline topics create"
            )
        return [TopicPartition(topic, number) for number in range(info.partitions)]

    def read(self, name: str) -> Iterator[Record]:
        """Yield all records of an output topic, and show how many."""
        with progress(f"records of {self.topic(name)}") as show:
            everything = self._log.read(dict.fromkeys(self.partitions(name), 0))
            for done, record in enumerate(everything, 1):
                yield record
                if done % _SOME == 0:
                    show(done)

    def read_after(self, partition: TopicPartition, time: int) -> Iterator[Record]:
        """Yield one partition's records, from the first with a timestamp of `time` (ms) or more."""
        return self._log.read(self._log.offsets_at(frozenset([partition]), time))

    def cursor(self, name: str) -> Cursor:
        """Return a cursor at the beginning of an output topic."""
        return Cursor(self._log, self.partitions(name))

    def alerts(self, choice: Choice, positions: PositionStore | None = None) -> AlertSubscriber:
        """Return a subscriber to the topic of alerts.

        Raises:
            AlertsError: it does not exist, or the kept position cannot be used.
        """
        return AlertSubscriber(self._log, self.topic("alerts"), choice, positions)

    def marks(self) -> MarkReader:
        """Return a reader of marks of alerts."""
        return MarkReader(self._log, self.topic("control"))

    def close(self) -> None:
        """Give up the connections."""
        self._log.close()
