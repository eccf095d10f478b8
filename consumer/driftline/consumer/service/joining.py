"""The joins of the models whose predictions and labels one partition of the log of joins holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from driftline.consumer.join.model import ModelJoin
from driftline.consumer.log.codec import RecordError
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.messages import Block, Horizon, Loss, Pane, decode_block
from driftline.consumer.log.protocol import Gap, Record


class JoinsPartition:
    """Feeds the joins of one partition.

    Args:
        joins: by the name of the model or comparison.
        begin: offset at which reading begins: the smallest that any join needs.
    """

    def __init__(self, joins: Mapping[str, ModelJoin], begin: int) -> None:
        self.joins = joins
        self.next = begin
        self._begins = {name: join.rewind for name, join in joins.items()}
        self._takers: dict[str, list[str]] = {}  # of a model's blocks
        for name, join in joins.items():
            for model in join.models:
                self._takers.setdefault(model, []).append(name)

    def claim(self) -> Iterator[Pane | Horizon]:
        """Yield the first words of a new owner."""
        for join in self.joins.values():
            yield from join.claim()

    def feed(self, records: Sequence[Record]) -> Iterator[Pane | Horizon]:
        """Let the rows of `records` meet; yield what becomes final."""
        for record in records:
            block = _block(record)
            for name in self._takers.get(block.word.model, ()):
                if record.offset >= self._begins[name]:
                    yield from self.joins[name].feed(block, record.offset)
            self.next = record.offset + 1
        for join in self.joins.values():  # other models' records have had their effect too
            if self.next >= join.position:
                join.catch_up()
                join.position = self.next

    def lost(self, gap: Gap) -> Iterator[Loss]:
        """Yield the loss of blocks that were deleted before they were read."""
        self.next = gap.begin
        for name, join in self.joins.items():
            if gap.begin > self._begins[name] and (loss := join.lost(gap)) is not None:
                yield loss


def _block(record: Record) -> Block:
    """Return what a record of the log of joins says.

    Raises:
        LogError: it cannot be read.
    """
    try:
        return decode_block(record.value or b"")
    except RecordError as error:
        place = f"{record.topic}[{record.partition}] at offset {record.offset}"
        raise LogError(f"the record in {place} cannot be read: {error}") from error
