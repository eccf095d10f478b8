"""Reading the topics that Driftline writes, outside any group."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from driftline.consumer.cli.configured import read_kafka
from driftline.consumer.cli.errors import CommandError
from driftline.consumer.config import KafkaConfig, OutputConfig
from driftline.consumer.log.protocol import Log, Record, TopicPartition


class Cursor:
    """Reads on in some partitions from where it was.

    Args:
        log: the log.
        partitions: what to read, from the beginning.
    """

    def __init__(self, log: Log, partitions: Iterable[TopicPartition]) -> None:
        self._log = log
        self._next = dict.fromkeys(partitions, 0)

    def new(self) -> Iterator[Record]:
        """Yield what has been written since the last call."""
        ends = self._log.end_offsets(self._next.keys())
        if all(ends[partition] <= offset for partition, offset in self._next.items()):
            return
        for record in self._log.read(dict(self._next)):
            self._next[TopicPartition(record.topic, record.partition)] = record.offset + 1
            yield record
        # What compaction or retention has removed leaves no record to count by.
        self._next = {p: max(offset, ends[p]) for p, offset in self._next.items()}


class OutputLog:
    """One deployment's output topics.

    Args:
        log: the log.
        output: names the topics.
    """

    def __init__(self, log: Log, output: OutputConfig) -> None:
        self._log = log
        self._output = output

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
        """Yield all records of an output topic."""
        return self._log.read(dict.fromkeys(self.partitions(name), 0))

    def read_after(self, partition: TopicPartition, time: int) -> Iterator[Record]:
        """Yield one partition's records, from the first with a timestamp of `time` (ms) or more."""
        return self._log.read(self._log.offsets_at(frozenset([partition]), time))

    def cursor(self, name: str) -> Cursor:
        """Return a cursor at the beginning of an output topic."""
        return Cursor(self._log, self.partitions(name))

    def close(self) -> None:
        """Give up the connections."""
        self._log.close()


def open_output(config: Path | None, bootstrap_servers: str | None) -> OutputLog:
    """Connect to the broker; without a configuration the topics are `driftline.*`.

    Raises:
        DriftlineError: the configuration has errors, or the broker cannot be reached.
    """
    kafka, whole = read_kafka(config, bootstrap_servers)
    return OutputLog(open_log(kafka), whole.output if whole else OutputConfig())


def open_log(kafka: KafkaConfig) -> Log:
    """Connect to the broker.

    Raises:
        LogError: it cannot be reached or refuses the login.
    """
    from driftline.consumer.log.kafka_log import KafkaLog

    return KafkaLog(kafka)
