"""The stage on a partition of the log of joins: predictions are matched with their labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import ClassVar

from driftline.consumer.join.model import ModelJoin
from driftline.consumer.log.protocol import Gap, Record
from driftline.consumer.service.stage import Batch, ByModel, decoded
from driftline.consumer.service.states import join_key
from driftline.consumer.sketch.failures import Failures
from driftline.consumer.wire.messages import Block, decode_block


class JoinsPartition(ByModel[ModelJoin]):
    """Feeds the joins of one partition; see `ByModel`.

    Args:
        partition: its number.
    """

    kind: ClassVar[str] = "join"

    def __init__(
        self,
        partition: int,
        joins: Mapping[str, ModelJoin],
        begin: int,
        failures: Failures | None = None,
    ) -> None:
        super().__init__(joins, begin, failures)
        self._partition = partition
        self._takers: dict[str, list[str]] = {}  # of a model's blocks
        for name, join in joins.items():
            for model in join.models:
                self._takers.setdefault(model, []).append(name)

    def claim(self) -> Iterator[Batch]:
        """Yield the first records of a new owner."""
        for name in list(self.parts):
            yield from self._made(name, lambda join: join.claim())

    def lost(self, gap: Gap) -> Iterator[Batch]:
        """Yield the loss of blocks that were deleted before they were read."""
        self.next = gap.begin
        for name in list(self.parts):
            if gap.begin > self._begins[name]:
                self._changed.add(name)
                yield from self._made(name, lambda join: filter(None, [join.lost(gap)]))

    def tick(self, now: int) -> Sequence[Batch]:
        """Nothing here depends on the wall clock."""
        return ()

    def names(self, message: Block) -> Sequence[str]:
        """Return the joins that a block is for."""
        return self._takers.get(message.horizon.model, ())

    def _read(self, record: Record) -> tuple[Sequence[str], Block]:
        block: Block = decoded(record, decode_block)
        return self.names(block), block

    def _catch_up(self) -> None:
        for name, join in list(self.parts.items()):
            if self.next >= join.position and not join.outdated:
                with self.failures.guard(name, self.fail):
                    join.catch_up()
                    join.position = self.next

    def _key(self, name: str) -> str:
        return join_key(self._partition, name)
