"""Offsets where reading may begin again, with the positions and progress of every source there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from driftline.consumer.wire.clock import SourceProgress

Source = tuple[str, int]
Positions = dict[Source, int]

_APART = 256  # offsets
_MOST = 128
_NEVER = -(1 << 62)


class _Mark(NamedTuple):
    """An offset, and what is new there since the mark before; of the first mark, all.

    Attributes:
        offset: of the log of joins.
        newest: the largest time of any row before it, ms.
        positions, sources: of the sources that have come further since.
    """

    offset: int
    newest: int
    positions: Positions
    sources: dict[Source, SourceProgress]


class ResumePoints:
    """What was read of every source partition, and its progress, at some offsets and times before.

    A row may come twice, because a worker repeats after a crash what it did before it; only the
    first counts. Telling which is the first needs the positions read until then, and telling which
    rows came too late for the clock needs the progress of the sources. There may be thousands of
    these, of which few have come further from one mark to the next.

    Args:
        offset: of the log of joins, where reading begins.
        positions: offset in each source partition up to which rows had been read there.
        sources: the progress of each source partition there.

    Attributes:
        positions: the offsets now.

    >>> points = ResumePoints(0, {}, {})
    >>> points.take(("in", 0), 7, newest=1_000)
    >>> points.note(300, {})
    >>> points.before(1_000), points.before(1_001)
    ((0, {}, {}), (300, {('in', 0): 7}, {}))
    """

    def __init__(
        self, offset: int, positions: Positions, sources: Mapping[Source, SourceProgress]
    ) -> None:
        self.positions = positions
        self._newest = _NEVER
        self._read: Positions = {}  # since the last mark
        self._known = _copy(sources)  # by the last mark
        self._marks = [_Mark(offset, _NEVER, dict(positions), dict(self._known))]

    def take(self, source: Source, until: int, newest: int | None) -> None:
        """Note that the rows of a source are read up to its offset `until`.

        `newest`: the largest time of these rows, ms; None without any.
        """
        self.positions[source] = self._read[source] = until
        if newest is not None:
            self._newest = max(self._newest, newest)

    def note(
        self, offset: int, sources: Mapping[Source, SourceProgress], *, now: bool = False
    ) -> None:
        """Mark an offset, unless the last mark is near; `now`: mark it even so.

        `sources`: the progress of each source partition by then.
        """
        last = self._marks[-1].offset
        if offset > last and (now or offset - last >= _APART):
            known = self._known
            new = _copy(
                {source: one for source, one in sources.items() if known.get(source) != one}
            )
            known.update(new)
            self._marks.append(_Mark(offset, self._newest, self._read, new))
            self._read = {}
            if len(self._marks) > _MOST:
                self._thin()

    def before(self, time: int) -> tuple[int, Positions, dict[Source, SourceProgress]]:
        """Return the last mark before which all rows are of times before `time` (ms).

        `time` never falls from call to call, so marks before that one are not needed any more.
        """
        (_, _, positions, sources), past = self._marks[0], 0
        while past + 1 < len(self._marks) and self._marks[past + 1].newest < time:
            past += 1
            positions.update(self._marks[past].positions)
            sources.update(self._marks[past].sources)
        first = self._marks[past]._replace(positions=positions, sources=sources)
        self._marks[: past + 1] = [first]
        return first.offset, dict(positions), _copy(sources)

    def _thin(self) -> None:
        """Keep half as many marks, about equally far apart, the first and the last among them."""
        first, last = self._marks[0], self._marks[-1]
        apart = 2 * (last.offset - first.offset) // _MOST
        kept = [first]
        positions, sources = Positions(), dict[Source, SourceProgress]()
        for mark in self._marks[1:]:
            positions |= mark.positions
            sources |= mark.sources
            if mark is last or mark.offset - kept[-1].offset >= apart:
                kept.append(mark._replace(positions=positions, sources=sources))
                positions, sources = {}, {}
        self._marks = kept


def _copy(sources: Mapping[Source, SourceProgress]) -> dict[Source, SourceProgress]:
    return {source: msgspec.structs.replace(one) for source, one in sources.items()}
