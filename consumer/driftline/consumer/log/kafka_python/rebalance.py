"""What a member of the group owns, by the history of its rebalances."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from typing import Any

import kafka

from driftline.consumer.log.protocol import Ownership, TopicPartition


class RebalanceListener(kafka.ConsumerRebalanceListener):  # type: ignore[misc]  # no types there
    """Remembers what the group gave this member, and pauses what is new.

    Its methods run on the client's own thread, which also sends the heartbeats: nothing may block.

    Args:
        client: The group member itself.
        static: Whether the group knows it again after a restart.
    """

    def __init__(self, client: Any, *, static: bool = False) -> None:
        self._client = client
        self._static = static
        self._changes: deque[Ownership] = deque()
        self._last = Ownership(-1, frozenset(), frozenset())

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> None:
        """Do nothing: every eager round revokes all and then gives most of them back."""

    def on_partitions_lost(self, lost: Iterable[Any]) -> None:
        """Keep nothing: others may own the partitions already."""
        self._change(Ownership(self._last.generation, frozenset(), frozenset()))

    def on_partitions_assigned(self, assigned: Iterable[Any]) -> None:
        """Note what was held without a break; pause the rest until the worker has sought it."""
        generation = self._client.group_metadata().generation_id
        partitions = frozenset(TopicPartition(*tp) for tp in assigned)
        # Between two generations that follow each other nobody else can have been the owner. When
        # one was missed, somebody may have read on and given the partition back.
        unbroken = generation == self._last.generation + 1
        kept = partitions & self._last.partitions if unbroken else frozenset()
        new = [kafka.TopicPartition(*tp) for tp in partitions - kept]
        self._client.pause(*new)
        for tp in new:
            # Any position will do: while one is missing, the client fetches the group's stored
            # offset, and where there is none brings no records of the other partitions either.
            self._client.seek(tp, 0)
        if self._static and self._last.generation < 0:
            # It may have come back as the group's leader without a rebalance. The client does not
            # know that it leads, and then nobody would see that a topic has more partitions.
            coordinator = self._client._coordinator  # noqa: SLF001
            coordinator._assignment_snapshot = coordinator._metadata_snapshot  # noqa: SLF001
        self._change(Ownership(generation, partitions, kept))

    def _change(self, ownership: Ownership) -> None:
        self._last = ownership
        self._changes.append(ownership)

    def take(self) -> Ownership | None:
        """Return the change since the last call, several of them as one."""
        change: Ownership | None = None
        while self._changes:
            later = self._changes.popleft()
            kept = later.kept if change is None else later.kept & change.kept
            change = Ownership(later.generation, later.partitions, kept)
        return change


def keep_finished_joins(client: Any) -> None:
    """Make a group member use a join that was finished between two polls.

    kafka-python 3.0.12 throws it away and joins again, which starts the next rebalance of the whole
    group; members that poll in turns can go on like that for ever. (`join_group_async` of its
    coordinator takes the result only of a join that ends while it waits for it.) And a leader that
    joins because a topic has more partitions forgets, once it has assigned them, that it was to
    join at all: it would own nothing and lose its place when its session ends.

    Args:
        client: The group member, before its first poll.
    """
    coordinator = client._coordinator  # noqa: SLF001
    join = coordinator._do_join_and_sync_async  # noqa: SLF001
    finished: list[tuple[Any, Any]] = []

    async def join_once() -> Any:
        # Still rebalancing, in the generation of the last join: nobody has used its result.
        if finished and coordinator.rebalance_in_progress():
            generation, assignment = finished.pop()
            if generation is coordinator._generation:  # noqa: SLF001
                return assignment
        finished.clear()
        coordinator.request_rejoin()  # until the result is used
        assignment = await join()
        finished.append((coordinator._generation, assignment))  # noqa: SLF001
        return assignment

    coordinator._do_join_and_sync_async = join_once  # noqa: SLF001


def joined(client: Any) -> bool:
    """Tell whether a group member has nothing to wait for but records."""
    coordinator = client._coordinator  # noqa: SLF001
    if coordinator.coordinator_unknown() or not coordinator.stable():
        return False
    return not coordinator.need_rejoin()


def fenced(client: Any) -> bool:
    """Tell whether another member has come with the same `group_instance_id`.

    kafka-python 3.0.12 then stops its heartbeats, reads on, and says so only when it commits.
    """
    coordinator = client._coordinator  # noqa: SLF001
    return coordinator.stable() and not coordinator._heartbeat_enabled  # noqa: SLF001
