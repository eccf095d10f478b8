"""`protocol.Consumer` on a real Kafka: a member of the group.

The rules are those found by trying the client (kafka-python 3.0.12) on a real broker: an eager
assignor, because a cooperative rebalance takes two rounds and stops all partitions as well; every
new partition paused until the worker has sought it; no silent jump when an offset is gone.
"""

from __future__ import annotations

import contextlib
import logging
import time
from collections.abc import Iterable, Mapping, Set
from functools import partial
from typing import Any

import kafka
import kafka.errors

from driftline.consumer.config import KafkaConfig
from driftline.consumer.config.client_options import (
    HEARTBEAT_MS,
    INSTANCE_ID,
    POLL_INTERVAL_MS,
    SESSION_MS,
)
from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.kafka_python.assignor import TopicStickyAssignor
from driftline.consumer.log.kafka_python.clients import passing, start_client
from driftline.consumer.log.kafka_python.ends import PartitionEnds
from driftline.consumer.log.kafka_python.options import client_options
from driftline.consumer.log.kafka_python.rebalance import (
    RebalanceListener,
    fenced,
    keep_finished_joins,
)
from driftline.consumer.log.kafka_python.unpacking import bound
from driftline.consumer.log.protocol import Gap, Polled, TopicPartition

logger = logging.getLogger(__name__)

COMMIT_MS = 2_000  # a commit is for lag tools only and never worth a longer wait
OFFSETS_MS = 10_000
BACKOFF = (0.1, 1.0)  # seconds to wait after a passing failure: the first, the longest


class KafkaConsumer:
    """A member of the consumer group that reads `topics`.

    Args:
        config: Where to connect, as whom, and the name of the group.
        topics: Topics whose partitions the group shares.

    Raises:
        LogError: The broker gives no answer.
    """

    def __init__(self, config: KafkaConfig, topics: Set[str]) -> None:
        options = client_options(
            config,
            kafka.KafkaConsumer,
            {
                "session_timeout_ms": SESSION_MS,
                "heartbeat_interval_ms": HEARTBEAT_MS,
                "max_poll_interval_ms": POLL_INTERVAL_MS,
                # Few and large answers: 1.57 times the speed of the client's defaults.
                "max_poll_records": 10_000,
                "max_partition_fetch_bytes": 8 * 1024 * 1024,
                # A poll costs as much as some hundred records. Where few come the broker waits, but
                # not for long: a verdict waits twice, as an event and as a pane.
                "fetch_min_bytes": 256 * 1024,
                "fetch_max_wait_ms": 200,
                # Partitions added to a topic are found within this time.
                "metadata_max_age_ms": 5_000,
                "metrics_enabled": False,
            },
            group_id=config.group,
            partition_assignment_strategy=[TopicStickyAssignor],
            auto_offset_reset="none",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            isolation_level="read_committed",
        )
        self._client = start_client(config, lambda: kafka.KafkaConsumer(**options))
        keep_finished_joins(self._client)
        self._static = options[INSTANCE_ID] is not None
        self._listener = RebalanceListener(self._client, static=self._static)
        self._config = config
        self.subscribe(topics)
        self._backoff = BACKOFF[0]
        self._ends = PartitionEnds(config, self._client)
        self._allowance = bound(self._client, config.max_batch_bytes)

    def poll(self, timeout: float) -> Polled:
        """Wait up to `timeout` seconds for records or a change of ownership.

        A passing failure of the broker or the network is waited out here: it looks like a poll
        that brought nothing.

        Raises:
            LogError: The group or a topic may not be read, a topic was re-created, or a record
                cannot be decoded by the client.
            WorkerLost: Another worker has taken this one's `group_instance_id`.
        """
        if self._static and fenced(self._client):
            raise _fenced()
        records: Mapping[TopicPartition, list[Any]] = {}
        gaps: list[Gap] = []
        self._ends.forget()
        self._allowance.renew()
        self._unpark()
        try:
            records = self._client.poll(timeout_ms=int(timeout * 1000))
            self._backoff = BACKOFF[0]
        except kafka.errors.OffsetOutOfRangeError as error:
            gaps = self._go_on_after_gap(error.args[0])
        except kafka.errors.LogTruncationError as error:
            raise _truncated(error.divergent_offsets) from None
        except kafka.errors.FencedInstanceIdError:
            raise _fenced() from None
        except Exception as error:
            # Whatever else comes out of the client leaves a dead iterator behind, which it would
            # read for ever: either it is known to pass, or the worker must end.
            if not passing(error):
                raise LogError(self._unreadable(error)) from error
            logger.warning("the broker cannot be read now, trying again: %s", error)
            time.sleep(min(self._backoff, timeout))
            self._backoff = min(2 * self._backoff, BACKOFF[1])
        ownership = self._listener.take()
        if ownership is not None:
            records = {tp: found for tp, found in records.items() if tp in ownership.kept}
        return Polled(records, ownership, gaps)

    def subscribe(self, topics: Set[str]) -> None:
        """Share the partitions of other topics from now on: a change of ownership follows.

        Raises:
            LogError: The broker gives no answer.
        """
        self._client.subscribe(topics=sorted(topics), listener=self._listener)
        # Know the topics before joining: a leader that does not would assign nothing to anybody.
        for topic in sorted(topics):
            start_client(self._config, partial(self._client.partitions_for_topic, topic))

    def seek(self, partition: TopicPartition, offset: int) -> None:
        """Read `partition` from `offset` on. Nothing happens when it is not held any more."""
        for tp in self._held((partition,)):
            self._client.seek(tp, offset)

    def pause(self, partitions: Set[TopicPartition]) -> None:
        """Bring no records of `partitions` until they are resumed."""
        self._client.pause(*self._held(partitions))

    def resume(self, partitions: Set[TopicPartition]) -> None:
        """Undo `pause`."""
        self._client.resume(*self._held(partitions))

    def lag(self, partition: TopicPartition) -> int | None:
        """Records between the position and the end as it is now; None when not known yet.

        The broker is asked, once between two polls for all partitions. The client knows an end
        only from the last answer that it took records out of, which is old after a pause, after a
        rebalance, and while the records of other partitions are brought first.
        """
        for tp in self._held((partition,)):
            end, position = self._ends.high_watermark(tp), self._position(tp)
            if end is not None and position is not None:
                return max(0, end - position)
        return None

    def held(self, partition: TopicPartition) -> int | None:
        """Offset at which an open transaction keeps the rest from being read; None if none does."""
        if not self.lag(partition):
            return None
        for tp in self._held((partition,)):
            stable, position = self._ends.last_stable(tp), self._position(tp)
            if stable is not None and position is not None and position >= stable:
                return stable
        return None

    def _position(self, tp: Any) -> int | None:
        """Return the offset that is read next, None before the first answer to a fetch."""
        # The next poll raises it again; a KeyError is the client's for a partition that is gone.
        with contextlib.suppress(kafka.errors.KafkaError, OSError, KeyError):
            if self._client.highwater(tp) is not None:
                position = self._client.position(tp, timeout_ms=0)
                return None if position is None else int(position)
        return None

    def commit(self, offsets: Mapping[TopicPartition, int]) -> None:
        """Store the group's offsets, for lag tools only. A refusal is not an error.

        Raises:
            WorkerLost: Another worker has taken this one's `group_instance_id`.
        """
        # The broker would take the offsets of partitions that others own, too.
        held = self._held(offsets)
        if not held:
            return
        try:
            self._client.commit(
                {tp: kafka.OffsetAndMetadata(offsets[tp], "", -1) for tp in held},
                timeout_ms=COMMIT_MS,
            )
        except kafka.errors.FencedInstanceIdError:
            raise _fenced() from None
        except (kafka.errors.KafkaError, OSError) as error:
            logger.debug("the group's offsets were not stored: %s", error)

    def close(self) -> None:
        """Leave the group."""
        with contextlib.suppress(kafka.errors.KafkaError, OSError):
            self._client.close(autocommit=False, timeout_ms=COMMIT_MS)
        self._ends.close()

    def _unpark(self) -> None:
        """Let the client bring the records that it put aside when their partition was paused.

        It does so only while its slot for the partition in hand is None, and never when that one
        is merely used up: a partition paused halfway through a fetch would stay silent for ever
        after `resume` (kafka-python 3.0.12, `Fetcher.fetched_records`).
        """
        fetcher = self._client._fetcher  # noqa: SLF001
        if not fetcher._next_partition_records:  # noqa: SLF001
            fetcher._next_partition_records = None  # noqa: SLF001

    def _held(self, partitions: Iterable[TopicPartition]) -> list[Any]:
        assigned = self._client.assignment()
        return [kafka.TopicPartition(*tp) for tp in partitions if tp in assigned]

    def _go_on_after_gap(self, wanted: Mapping[TopicPartition, int]) -> list[Gap]:
        """Move each partition whose offset the broker does not hold to its beginning."""
        try:
            begins = self._client.beginning_offsets(list(wanted), timeout_ms=OFFSETS_MS)
            ends = self._client.end_offsets(list(wanted), timeout_ms=OFFSETS_MS)
        except KeyError:
            return []  # a partition is gone; the next poll finds the offset out of range again
        except (kafka.errors.KafkaError, OSError) as error:
            if not passing(error):
                raise LogError(f"the log's offsets cannot be read: {error}") from error
            return []
        gaps = []
        for tp, offset in wanted.items():
            if offset > ends[tp]:
                raise _truncated([tp])
            if offset < begins[tp]:
                self.seek(TopicPartition(*tp), begins[tp])
                gaps.append(Gap(TopicPartition(*tp), offset, begins[tp]))
        return gaps

    def _unreadable(self, error: Exception) -> str:
        if isinstance(error, kafka.errors.GroupAuthorizationFailedError):
            return f"not allowed to use the consumer group: grant Read on group {error.args[0]}"
        if isinstance(error, kafka.errors.TopicAuthorizationFailedError):
            names = ", ".join(sorted(error.args[0]))
            return f"not allowed to read {names}: grant Read on the topic"
        if isinstance(error, kafka.errors.InconsistentGroupProtocolError):
            return (
                f"another program is in the consumer group {self._client.config['group_id']}:"
                " give kafka.group a name that nobody else uses"
            )
        # The client says neither where it was nor, for most errors, what it read.
        reading = getattr(self._client._fetcher, "_next_partition_records", None)  # noqa: SLF001
        where = "the log"
        if reading is not None:
            tp = reading.topic_partition
            where = f"{tp.topic}, partition {tp.partition}, from offset {reading.next_fetch_offset}"
        return f"cannot read {where}: {type(error).__name__}: {error}"


def _truncated(partitions: Iterable[TopicPartition]) -> LogError:
    names = ", ".join(f"{tp[0]}[{tp[1]}]" for tp in sorted(partitions))
    return LogError(
        f"{names} ends before what was already read: the topic was re-created or has lost records;"
        " start over with another output.prefix"
    )


def _fenced() -> WorkerLost:
    return WorkerLost(
        "another worker runs with this group_instance_id (with kafka.static_membership: on a host"
        " of this name): give each its own"
    )
