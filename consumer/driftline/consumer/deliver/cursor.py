"""A reader of a topic that goes on where it stopped."""

from __future__ import annotations

from collections.abc import Iterable

from driftline.consumer.log.protocol import Log, Record, TopicPartition


class Cursor:
    """A place in some partitions, outside any group.

    Args:
        log: the log.
        partitions: what to read, from the beginning.

    Attributes:
        next: the offset of each partition that is read next.
    """

    def __init__(self, log: Log, partitions: Iterable[TopicPartition]) -> None:
        self._log = log
        self.next = dict.fromkeys(partitions, 0)

    def new(self) -> list[Record]:
        """Return what has been written since the last call, all of it or (an error) none.

        Raises:
            LogError: the topic cannot be read.
            WorkerLost: the broker has given no answer for a minute.
        """
        ends = self._log.end_offsets(self.next.keys())
        if all(ends[partition] <= offset for partition, offset in self.next.items()):
            return []
        records = list(self._log.read(dict(self.next)))
        for record in records:  # there may be more of them than at the time of `ends`
            ends[TopicPartition(record.topic, record.partition)] = record.offset + 1
        # What compaction or retention has removed leaves no record to count by.
        self.next = {tp: max(offset, ends[tp]) for tp, offset in self.next.items()}
        return records
