"""Reading what people say of alerts: the records of `<prefix>.control`.

    marks = MarkReader(connect(kafka).log, "driftline.control")
    for changed in marks.new():
        print(changed.alert_id, changed.acknowledge)

`mark_writer` writes them.
"""

from __future__ import annotations

import logging

import msgspec

from driftline.consumer.deliver.cursor import Cursor
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Log, TopicPartition
from driftline.consumer.wire.control import Marks, read_marks

logger = logging.getLogger(__name__)


class MarkReader:
    """The marks of each alert now. Without the topic there are none, until it exists.

    Args:
        log: the log; used by one thread.
        topic: `<prefix>.control`.

    Attributes:
        newest: the newest marks by alert_id, as far as `new` has read.
    """

    def __init__(self, log: Log, topic: str) -> None:
        self.newest: dict[str, Marks] = {}
        self._log = log
        self._topic = topic
        self._cursor: Cursor | None = None
        self._refused = False

    def partitions(self) -> int:
        """Return the number of partitions of the topic; 0 where there is none.

        Raises:
            LogError, WorkerLost: as `new`.
        """
        if self._cursor is None:
            info = self._log.topics(frozenset([self._topic])).get(self._topic)
            if info is None:
                return 0
            partitions = (TopicPartition(self._topic, number) for number in range(info.partitions))
            self._cursor = Cursor(self._log, partitions)
        return len(self._cursor.next)

    def new(self) -> list[Marks]:
        """Return the newest marks of each alert that were written since the last call.

        Raises:
            LogError: the topic cannot be read.
            WorkerLost: the broker has given no answer for a minute.
        """
        if not self.partitions() or self._cursor is None:
            return []
        changed: dict[str, Marks] = {}
        for record in self._cursor.new():
            try:
                marks = read_marks(record.key, record.value)
            except msgspec.DecodeError as error:
                where = f"{record.topic}[{record.partition}], offset {record.offset}"
                logger.warning("%s: no marks that this version knows: %s", where, error)
                continue
            changed[marks.alert_id] = marks
        self.newest.update(changed)
        return list(changed.values())

    def look(self) -> list[Marks]:
        """Return what `new` does; where the topic may not be read, say so once and return nothing.

        Raises:
            WorkerLost: the broker has given no answer for a minute.
        """
        if self._refused:
            return []
        try:
            return self.new()
        except LogError as error:
            self._refused = True
            logger.warning("%s cannot be read, so marks of alerts are unknown: %s",
                           self._topic, error)  # fmt: skip
            return []
