"""Rows of which some are kept: the same ones, in whatever order they come."""

from __future__ import annotations

import heapq

from xxhash import xxh3_64_intdigest

from driftline.consumer.offline.rows.event_row import EventRow


class Sample:
    """Keeps at most `most` rows: those whose event ids have the smallest hashes.

    Attributes:
        seen: rows that came.

    >>> sample = Sample(1)
    >>> for name in "abc":
    ...     sample.add(EventRow(0, 0, name, None, {}, None, None, None, {}))
    >>> sample.seen, len(sample.rows())
    (3, 1)
    """

    def __init__(self, most: int) -> None:
        self.seen = 0
        self._most = most
        self._kept: list[tuple[int, int, EventRow]] = []

    def add(self, row: EventRow) -> None:
        """Look at a row; one without an id is known by its time and the number of rows before."""
        self.seen += 1
        key = row.event_id or f"{row.place} {self.seen}"
        entry = (-xxh3_64_intdigest(key.encode(errors="surrogatepass")), -self.seen, row)
        if len(self._kept) < self._most:
            heapq.heappush(self._kept, entry)
        elif entry > self._kept[0]:
            heapq.heapreplace(self._kept, entry)

    def rows(self) -> list[EventRow]:
        """Return what was kept, in the order of the hashes."""
        return [row for _, _, row in sorted(self._kept, key=lambda entry: entry[:2], reverse=True)]
