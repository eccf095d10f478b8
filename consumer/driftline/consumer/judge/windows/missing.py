"""Parts of panes that judge had in a sum alone which it could not take."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from driftline.consumer.wire.clock import Source
from driftline.consumer.wire.messages import MergedPart


class MissingParts:
    """Parts that are still to come alone, from the new owners of their sources.

    Who sent them in the sum has said that their panes are final: nothing is heard of such a source
    that goes beyond them, until they have come.

    >>> missing, part = MissingParts(), MergedPart(3, 17, 40, 5)
    >>> missing.add("in", 600, [part])
    >>> missing.start(("in", 3)), missing.start(("in", 4))
    (600, None)
    >>> missing.came(("in", 3), 600, 17, 40)
    >>> missing.start(("in", 3)) is None
    True
    """

    def __init__(self) -> None:
        # Of each source: starts (ms) and first offsets, and up to where the part was counted.
        self._parts: dict[Source, dict[tuple[int, int], int]] = {}

    def add(self, topic: str, start: int, parts: Iterable[MergedPart]) -> None:
        """Note parts that are to come."""
        for part in parts:
            self._parts.setdefault((topic, part.partition), {})[start, part.first] = part.until

    def came(self, source: Source, start: int, first: int, until: int) -> None:
        """Note a part that came, whether it was missing or not."""
        parts = self._parts.get(source, {})
        if until >= parts.get((start, first), until + 1):
            del parts[start, first]

    def start(self, source: Source) -> int | None:
        """Return the start (ms) of the first pane of which a part of a source is missing."""
        return min((start for start, _ in self._parts.get(source, ())), default=None)

    def forget(self, source: Source, start: int, end: int | None) -> None:
        """Note that events of a source in panes of a range (ms) are lost: they may never come."""
        parts = self._parts.get(source, {})
        for at in [at for at in parts if start <= at[0] and (end is None or at[0] < end)]:
            del parts[at]

    def drop(self, starts: Collection[int]) -> None:
        """Forget the parts of panes that nobody needs any more."""
        for source, parts in self._parts.items():
            self._parts[source] = {at: n for at, n in parts.items() if at[0] not in starts}
