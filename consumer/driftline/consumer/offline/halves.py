"""The two halves of a file without a reference: what is normal, and what is judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from driftline.consumer.sketch.event_rows import event_times
from driftline.producer.records.mapping import Mapping
from driftline.producer.records.table import Table
from driftline.producer.records.timestamp_column import UNREADABLE


@dataclass(frozen=True)
class Halves:
    """Rows are parted at a time, whatever their order, and those without one come after it.

    Attributes:
        mapping: says where the times are.
        time: ms since 1970, the first of the second half; None: all rows are judged.
        rows: of a file without times, the number of rows before the second half.
    """

    mapping: Mapping
    time: int | None = None
    rows: int = 0

    def earlier(self, chunks: Iterable[Table]) -> Iterator[Table]:
        """Yield the rows before the time, chunk by chunk; a chunk may be empty."""
        return self._part(chunks, earlier=True)

    def later(self, chunks: Iterable[Table]) -> Iterator[Table]:
        """Yield the others, chunk by chunk; a chunk may be empty."""
        return self._part(chunks, earlier=False)

    def _part(self, chunks: Iterable[Table], *, earlier: bool) -> Iterator[Table]:
        first = 0
        for chunk in chunks:
            if self.time is None:
                cut = min(max(self.rows - first, 0), chunk.rows)
                first += chunk.rows
                yield chunk.take(slice(0, cut) if earlier else slice(cut, chunk.rows))
                continue
            times = event_times(chunk, self.mapping)
            before = (times < self.time) & (times != UNREADABLE)
            chosen = before if earlier else ~before
            yield chunk if chosen.all() else chunk.take(chosen)
