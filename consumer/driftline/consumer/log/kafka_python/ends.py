"""Where the partitions of a group member end: for all records, and for those that can be read.

A member reads committed records only. What comes after the first record of an open transaction is
kept from it, so for its client the partition ends there (the last stable offset); what is written
ends further on (the high watermark). The client gives the first only, so a second one is asked.
"""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import Any

import kafka
import kafka.errors

from driftline.consumer.config import KafkaConfig
from driftline.consumer.log.kafka_python.clients import start_client
from driftline.consumer.log.kafka_python.options import client_options

_ANSWER_MS = 1_000


class PartitionEnds:
    """Asks the broker, each question once until `forget`, for all partitions of the member.

    Args:
        config: Where to connect and as whom.
        member: The client that is a member of the group.

    Raises:
        LogError: The broker gives no answer.
    """

    def __init__(self, config: KafkaConfig, member: Any) -> None:
        options = client_options(
            config,
            kafka.KafkaConsumer,
            {"metrics_enabled": False},
            group_id=None,
            enable_auto_commit=False,
            allow_auto_create_topics=False,
            isolation_level="read_uncommitted",
        )
        self._member = member
        self._observer = start_client(config, lambda: kafka.KafkaConsumer(**options))
        self._known: dict[Any, Mapping[Any, int]] = {}  # client -> the ends that it was given

    def high_watermark(self, partition: Any) -> int | None:
        """Return the end of all records; None when the broker gives no answer."""
        return self._end(self._observer, partition)

    def last_stable(self, partition: Any) -> int | None:
        """Return the end of the records that can be read; None as above."""
        return self._end(self._member, partition)

    def forget(self) -> None:
        """Ask again at the next question."""
        self._known.clear()

    def close(self) -> None:
        """Give up the connection."""
        with contextlib.suppress(kafka.errors.KafkaError, OSError):
            self._observer.close(autocommit=False, timeout_ms=_ANSWER_MS)

    def _end(self, client: Any, partition: Any) -> int | None:
        if client not in self._known:
            self._known[client] = {}
            # Away, or a partition is gone (a KeyError of the client's): the poll will tell.
            with contextlib.suppress(kafka.errors.KafkaError, OSError, KeyError):
                held = list(self._member.assignment())
                self._known[client] = client.end_offsets(held, timeout_ms=_ANSWER_MS)
        end = self._known[client].get(partition)
        return None if end is None else int(end)
