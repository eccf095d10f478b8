"""The joins of the models whose predictions and labels one partition of the log of joins holds."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from driftline.consumer.join.model import ModelJoin
from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Gap, Record
from driftline.consumer.sketch.failures import Failures, Guard
from driftline.consumer.wire.messages import Block, Horizon, Loss, Pane, decode_block
from driftline.errors import RecordError

Outputs = tuple[str, Sequence[Pane | Horizon | Loss]]
"""What one message makes known of a model or comparison, by its name: all of it, or nothing."""


class JoinsPartition:
    """Feeds the joins of one partition.

    Args:
        joins: by the name of the model or comparison.
        begin: offset at which reading begins: the smallest that any join needs.
        failures: those that could not even begin.

    Attributes:
        failures: joins that raised an unexpected error; they are fed no more.
    """

    def __init__(
        self, joins: Mapping[str, ModelJoin], begin: int, failures: Failures | None = None
    ) -> None:
        self.joins = dict(joins)
        self.failures = Failures() if failures is None else failures
        self.next = begin
        self._begins = {name: join.rewind for name, join in joins.items()}
        self._changed: set[str] = set()  # by blocks of their own, since `due`
        self._takers: dict[str, list[str]] = {}  # of a model's blocks
        for name, join in joins.items():
            for model in join.models:
                self._takers.setdefault(model, []).append(name)

    def safely(self, name: str) -> Guard:
        """Let a join fail alone: it stays in the log of states as it was recorded last."""
        return self.failures.guard(name, lambda failed, _: self.joins.pop(failed, None))

    def claim(self) -> Iterator[Outputs]:
        """Yield the first words of a new owner."""
        for name, join in list(self.joins.items()):
            with self.safely(name):
                out = list(join.claim())
            if name in self.joins:
                yield name, out

    def feed(self, records: Sequence[Record]) -> Iterator[Outputs]:
        """Let the rows of `records` meet; yield what becomes final."""
        for record in records:
            block = _block(record)
            for name in self._takers.get(block.horizon.model, ()):
                if name in self.joins and record.offset >= self._begins[name]:
                    self._changed.add(name)
                    with self.safely(name):
                        out = list(self.joins[name].feed(block, record.offset))
                    if name in self.joins:
                        yield name, out
            self.next = record.offset + 1
        for name, join in list(self.joins.items()):
            if self.next >= join.position:  # other models' records have had their effect too
                with self.safely(name):
                    join.catch_up()
                    join.position = self.next
        if self.failures:  # what lies before, only those that failed need
            begins = [self._begins[name] for name in self.joins]
            self.next = max(self.next, min(begins, default=self.next))

    def due(self, whole: bool) -> list[str]:
        """Return the joins to be recorded: all, or those that have changed since the last time.

        Not those that still read their past again: their older records hold.
        """
        wanted = self.joins.keys() if whole else self._changed & self.joins.keys()
        names = [name for name in sorted(wanted) if self.next >= self.joins[name].position]
        self._changed.difference_update(names)
        return names

    def lost(self, gap: Gap) -> Iterator[Outputs]:
        """Yield the loss of blocks that were deleted before they were read."""
        self.next = gap.begin
        for name, join in list(self.joins.items()):
            if gap.begin > self._begins[name]:
                with self.safely(name):
                    loss = join.lost(gap)
                self._changed.add(name)
                if name in self.joins and loss is not None:
                    yield name, [loss]


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
