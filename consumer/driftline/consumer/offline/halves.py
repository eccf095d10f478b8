"""The two halves of a file without a reference: what is normal, and what is judged."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import compress

from driftline.consumer.offline import file_rows
from driftline.consumer.offline.file_rows import Rows
from driftline.producer.records.mapping import Mapping
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

    def earlier(self, chunks: Iterable[Rows]) -> Iterator[Rows]:
        """Yield the rows before the time, chunk by chunk."""
        return self._part(chunks, earlier=True)

    def later(self, chunks: Iterable[Rows]) -> Iterator[Rows]:
        """Yield the others, chunk by chunk; a chunk may be empty."""
        return self._part(chunks, earlier=False)

    def _part(self, chunks: Iterable[Rows], *, earlier: bool) -> Iterator[Rows]:
        first = 0
        for chunk in chunks:
            if self.time is None:
                cut = min(max(self.rows - first, 0), len(chunk))
                first += len(chunk)
                yield chunk[:cut] if earlier else chunk[cut:]
                continue
            times = file_rows.all_times(chunk, self.mapping)
            before = (times < self.time) & (times != UNREADABLE)
            chosen = before if earlier else ~before
            yield chunk if chosen.all() else [*compress(chunk, chosen.tolist())]
