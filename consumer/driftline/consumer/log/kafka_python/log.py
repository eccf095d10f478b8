"""`protocol.Log` on a real Kafka: topics and their settings, and reading outside the group."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from functools import partial
from typing import Any, TypeVar

import kafka
import kafka.errors
from kafka.admin import ConfigResource, ConfigResourceType, OffsetSpec
from kafka.protocol.consumer import IsolationLevel

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.errors import LogError, Unreachable, WorkerLost
from driftline.consumer.log.kafka_python.clients import passing, start_admin, start_client
from driftline.consumer.log.kafka_python.options import client_options
from driftline.consumer.log.kafka_python.unpacking import bound
from driftline.consumer.log.protocol import Record, TopicInfo, TopicPartition, TopicSpec

Answer = TypeVar("Answer")

_SETTINGS = ("cleanup.policy", "retention.ms", "retention.bytes")

NEW_TOPIC = 5.0  # seconds for a topic just created to be known everywhere


class KafkaLog:
    """The log outside the group.

    Args:
        config: Where to connect and as whom.
        patience: Seconds that an outage may last before the worker is lost.

    Raises:
        LogError: The broker cannot be reached or refuses the login; known within 15 seconds.
    """

    def __init__(self, config: KafkaConfig, patience: float = 60.0) -> None:
        self._config = config
        self._patience = patience
        self._admin = start_admin(config)

    def topics(self, names: Set[str], patience: float | None = None) -> dict[str, TopicInfo]:
        """Return what is known of each of `names` that exists.

        The settings are empty where this user may not see the topic's configuration.
        """
        if not names:
            return {}
        known = self._ask(lambda: self._describe(names), patience)
        settings = self._settings(known, patience)
        return {
            name: TopicInfo(
                name,
                str(topic["topic_id"]),
                len(topic["partitions"]),
                settings[name].get("cleanup.policy", ""),
                _limit(settings[name].get("retention.ms")),
                _limit(settings[name].get("retention.bytes")),
            )
            for name, topic in known.items()
        }

    def _describe(self, names: Set[str]) -> dict[str, Any]:
        known = {}
        for topic in self._admin.describe_topics(sorted(names)):
            error = kafka.errors.for_code(topic["error_code"])
            if error is kafka.errors.NoError:
                known[topic["name"]] = topic
            elif error is not kafka.errors.UnknownTopicOrPartitionError:
                raise error(topic["name"])
        return known

    def _settings(self, names: Iterable[str], patience: float | None) -> dict[str, dict[str, str]]:
        """Return by topic what it is set to, of those settings that may be seen."""
        resources = [
            ConfigResource(ConfigResourceType.TOPIC, name, dict.fromkeys(_SETTINGS))
            for name in names
        ]
        if not resources:
            return {}
        found = self._ask(
            lambda: self._admin.describe_configs(resources, config_filter="all"), patience
        )
        topics = found["topic"]
        return {
            resource.name: {
                key: str(setting["value"])
                for key, setting in topics[resource.name].items()
                if setting.get("value") is not None
            }
            for resource in resources
        }

    def create_topics(self, specs: Sequence[TopicSpec], replication_factor: int | None) -> None:
        """Create `specs`; one that exists by now is left as it is.

        Raises:
            LogError: The broker refuses; the sentence says why.
        """
        for spec in specs:
            topic = {
                "num_partitions": spec.partitions,
                "replication_factor": -1 if replication_factor is None else replication_factor,
                "configs": dict(spec.configs),
            }
            try:
                self._ask(partial(self._create, spec.name, topic))
            except LogError as error:
                raise LogError(f"{spec.name} cannot be created: {error}") from None
        self._ask(lambda: self._admin.wait_for_topics([spec.name for spec in specs]))

    def _create(self, name: str, topic: Mapping[str, Any]) -> None:
        try:
            self._admin.create_topics({name: topic})
        except kafka.errors.TopicAlreadyExistsError:
            return

    def begin_offsets(self, partitions: Set[TopicPartition]) -> dict[TopicPartition, int]:
        """First offset still held, per partition."""
        return self._offsets(partitions, OffsetSpec.EARLIEST)

    def end_offsets(self, partitions: Set[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset up to which all can be read, per partition; see `protocol.Log`."""
        return self._offsets(partitions, OffsetSpec.LATEST)

    def high_watermarks(self, partitions: Set[TopicPartition]) -> dict[TopicPartition, int]:
        """Offset after the last record written, per partition."""
        return self._offsets(partitions, OffsetSpec.LATEST, IsolationLevel.READ_UNCOMMITTED)

    def offsets_at(
        self, partitions: Set[TopicPartition], timestamp: int
    ) -> dict[TopicPartition, int]:
        """First offset with a record timestamp >= `timestamp` (ms), the end where there is none."""
        ends = self.end_offsets(partitions)
        found = self._offsets(partitions, max(0, timestamp))
        return {tp: offset if offset >= 0 else ends[tp] for tp, offset in found.items()}

    def _offsets(
        self,
        partitions: Set[TopicPartition],
        spec: Any,
        isolation: Any = IsolationLevel.READ_COMMITTED,
    ) -> dict[TopicPartition, int]:
        if not partitions:
            return {}
        wanted = {kafka.TopicPartition(*tp): spec for tp in partitions}
        found = self._ask(lambda: self._admin.list_partition_offsets(wanted, isolation))
        return {TopicPartition(*tp): int(answer.offset) for tp, answer in found.items()}

    def read(
        self,
        start: Mapping[TopicPartition, int],
        stop: Mapping[TopicPartition, int] | None = None,
    ) -> Iterator[Record]:
        """Read each partition from its offset to the end as it is at the call, or to `stop`.

        Raises:
            LogError: A topic does not exist or may not be read.
            WorkerLost: No progress for as long as an outage may last.
        """
        begins = self.begin_offsets(start.keys())
        ends = self.end_offsets(start.keys())
        if stop is not None:
            ends = {tp: min(end, stop[tp]) for tp, end in ends.items()}
        todo = {
            tp: max(offset, begins[tp])
            for tp, offset in start.items()
            if max(offset, begins[tp]) < ends[tp]
        }
        return self._read(todo, ends)

    def _read(
        self, todo: Mapping[TopicPartition, int], ends: Mapping[TopicPartition, int]
    ) -> Iterator[Record]:
        if not todo:
            return
        client = self._reader(todo)
        allowance = bound(client, self._config.max_batch_bytes)
        open_partitions = [kafka.TopicPartition(*tp) for tp in todo]
        last_progress = time.monotonic()
        try:
            while open_partitions:
                allowance.renew()
                records = self._poll(client)
                # What the caller does between two records takes no time off an outage's.
                for tp, found in records.items():
                    end = ends[tp]
                    yield from (record for record in found if record.offset < end)
                if records:
                    last_progress = time.monotonic()
                elif time.monotonic() - last_progress > self._patience:
                    raise WorkerLost(f"no progress in reading {open_partitions} to the end")
                # The position passes what compaction removed, the last record need not.
                done = [tp for tp in open_partitions if _position(client, tp) >= ends[tp]]
                client.pause(*done)
                open_partitions = [tp for tp in open_partitions if tp not in done]
        finally:
            with contextlib.suppress(kafka.errors.KafkaError, OSError):
                client.close(autocommit=False)

    def _reader(self, start: Mapping[TopicPartition, int]) -> Any:
        options = client_options(
            self._config,
            kafka.KafkaConsumer,
            {
                "max_poll_records": 10_000,
                "max_partition_fetch_bytes": 8 * 1024 * 1024,
                "metrics_enabled": False,
            },
            group_id=None,
            # The beginning may move while it is being read to; what retention took is not missed.
            auto_offset_reset="earliest",
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            isolation_level="read_committed",
        )
        client = start_client(self._config, lambda: kafka.KafkaConsumer(**options))
        client.assign([kafka.TopicPartition(*tp) for tp in start])
        for tp, offset in start.items():
            client.seek(kafka.TopicPartition(*tp), offset)
        return client

    def _poll(self, client: Any) -> Any:
        try:
            return client.poll(timeout_ms=200)
        except Exception as error:
            if not passing(error):
                raise LogError(
                    f"the log cannot be read: {type(error).__name__}: {error}"
                ) from error
            time.sleep(0.2)
            return {}

    def _ask(self, question: Callable[[], Answer], patience: float | None = None) -> Answer:
        """Ask the broker, again and again while it is away.

        Raises:
            LogError: It refuses.
            Unreachable: It was away for longer than an outage may last, or than `patience`.
        """
        start = time.monotonic()
        patience = self._patience if patience is None else patience
        while True:
            try:
                return question()
            except kafka.errors.UnknownTopicOrPartitionError as error:
                if time.monotonic() - start > NEW_TOPIC:
                    raise LogError(f"a topic or partition does not exist: {error}") from None
            except (kafka.errors.KafkaError, OSError) as error:
                if not passing(error):
                    raise LogError(f"the broker refuses: {type(error).__name__}: {error}") from None
                if time.monotonic() - start > patience:
                    raise Unreachable(f"the broker has given no answer: {error}") from None
            time.sleep(0.2)

    def close(self) -> None:
        """Give up the connections."""
        self._admin.close()


def _limit(setting: str | None) -> int | None:
    """Return a limit of a topic; None where there is none, which Kafka writes as -1."""
    value = -1 if setting is None else int(setting)
    return None if value < 0 else value


def _position(client: Any, partition: Any) -> int:
    """Return how far the client has read; -1 while that is not known."""
    try:
        position = client.position(partition, timeout_ms=0)
    except (kafka.errors.KafkaError, OSError) as error:
        if not passing(error):
            raise LogError(f"{partition.topic} cannot be read: {error!r}") from error
        return -1
    return -1 if position is None else int(position)
