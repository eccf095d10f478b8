"""Offsets where reading may begin again, with the positions and progress of every source there."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from driftline.consumer.wire.clock import SourceProgress

Source = tuple[str, int]
Positions = dict[Source, int]

_APART = 256  # offsets
_MOST = 128
_NEVER = -(1 << 62)


class ResumePoints:
    """What was read of every source partition, and its progress, at some offsets and times before.

    A row may come twice, because a worker repeats after a crash what it did before it; only the
    first counts. Telling which is the first needs the positions read until then, and telling which
    rows came too late for the clock needs the progress of the sources.

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
        self._points = [(offset, _NEVER, dict(positions), _copy(sources))]

    def take(self, source: Source, until: int, newest: int | None) -> None:
        """Note that the rows of a source are read up to its offset `until`.

        `newest`: the largest time of these rows, ms; None without any.
        """
        self.positions[source] = until
        if newest is not None:
            self._newest = max(self._newest, newest)

    def note(
        self, offset: int, sources: Mapping[Source, SourceProgress], *, now: bool = False
    ) -> None:
        """Mark an offset, unless the last mark is near; `now`: mark it even so.

        `sources`: the progress of each source partition by then.
        """
        last = self._points[-1][0]
        if offset > last and (now or offset - last >= _APART):
            self._points.append((offset, self._newest, dict(self.positions), _copy(sources)))
            if len(self._points) > _MOST:
                self._thin()

    def before(self, time: int) -> tuple[int, Positions, dict[Source, SourceProgress]]:
        """Return the last mark before which all rows are of times before `time` (ms).

        `time` never falls from call to call, so marks before that one are not needed any more.
        """
        while len(self._points) > 1 and self._points[1][1] < time:
            del self._points[0]
        offset, _, positions, sources = self._points[0]
        return offset, dict(positions), _copy(sources)

    def _thin(self) -> None:
        """Keep half as many marks, about equally far apart, the first and the last among them."""
        first, *between, last = self._points
        apart = 2 * (last[0] - first[0]) // _MOST
        kept = [first]
        for point in between:
            if point[0] - kept[-1][0] >= apart:
                kept.append(point)
        self._points = [*kept, last]


def _copy(sources: Mapping[Source, SourceProgress]) -> dict[Source, SourceProgress]:
    return {source: msgspec.structs.replace(one) for source, one in sources.items()}
