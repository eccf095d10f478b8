"""`protocol.Log` whose records librdkafka fetches; topics and offsets are asked by kafka-python."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping

from driftline.consumer.log.confluent.fetcher import Fetcher
from driftline.consumer.log.errors import WorkerLost
from driftline.consumer.log.kafka_python.log import KafkaLog
from driftline.consumer.log.protocol import Record, TopicPartition

_POLL = 0.2  # seconds
_TUNABLE = {
    "max.partition.fetch.bytes": 8 * 1024 * 1024,
    # Where compaction or a transaction took the last records, only this wait shows the end.
    "fetch.wait.max.ms": 50,
}
_FIXED = {"queued.max.messages.kbytes": 32 * 1024}
_MOST = 10_000


class ConfluentLog(KafkaLog):
    """The log outside the group.

    Args:
        config: Where to connect and as whom.
        patience: Seconds that an outage may last before the worker is lost.

    Raises:
        LogError: The broker cannot be reached or refuses the login; known within 15 seconds.
    """

    def _read(
        self, todo: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> Iterator[Record]:
        if not todo:
            return
        left = set(todo)  # to be read by librdkafka
        fetcher = Fetcher(self._config, _TUNABLE | _FIXED, _MOST)
        rest: dict[TopicPartition, int] = {}  # where kafka-python goes on
        try:
            for partition, offset in todo.items():
                fetcher.seek(partition, offset)
            fetcher.resume(left)
            last_progress = time.monotonic()
            while left:
                fetched = fetcher.fetch(_POLL)
                # What the caller does between two records takes no time off an outage's.
                for partition, found in fetched.records.items():
                    if found[-1].offset < ends[partition]:
                        yield from found
                    else:
                        yield from (r for r in found if r.offset < ends[partition])
                # It says what cannot be read, and jumps to the beginning when that has moved.
                for partition in fetched.unreadable | fetched.gone:
                    rest[partition] = fetcher.next[partition]
                left -= rest.keys()
                if fetched.records:
                    last_progress = time.monotonic()
                elif time.monotonic() - last_progress > self._patience:
                    raise WorkerLost(f"no progress in reading {sorted(left)} to the end")
                done = {tp for tp in left if fetcher.next[tp] >= ends[tp]}
                if done:
                    fetcher.pause(done)
                    left -= done
        finally:
            fetcher.close()
        yield from super()._read(rest, ends)
