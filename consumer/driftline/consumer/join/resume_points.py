"""Where reading may begin again: offsets, with what was known of every source there."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from driftline.consumer.wire.clock import Heard

Source = tuple[str, int]
Taken = dict[Source, int]

_APART = 256  # offsets
_MOST = 128
_NEVER = -(1 << 62)


class Marks:
    """What had been taken and heard of every source partition at some offsets, and times before.

    A row may come twice, because a worker does again what it did before a crash; only the first
    counts. To know the first when reading begins again, one must know what was taken by then; and
    to know which rows came too late for the clock, what was heard.

    Args:
        offset: of the log of joins, where reading begins.
        taken: offset in each source partition up to which rows had been taken there.
        heard: what was last heard of each source partition there.

    Attributes:
        taken: the offsets now.

    >>> marks = Marks(0, {}, {})
    >>> marks.take(("in", 0), 7, newest=1_000)
    >>> marks.note(300, {})
    >>> marks.before(1_000), marks.before(1_001)
    ((0, {}, {}), (300, {('in', 0): 7}, {}))
    """

    def __init__(self, offset: int, taken: Taken, heard: Mapping[Source, Heard]) -> None:
        self.taken = taken
        self._newest = _NEVER
        self._marks = [(offset, _NEVER, dict(taken), _copy(heard))]

    def take(self, source: Source, until: int, newest: int | None) -> None:
        """Note that the rows of a source are taken up to its offset `until`.

        `newest`: the largest time of these rows, ms; None without any.
        """
        self.taken[source] = until
        if newest is not None:
            self._newest = max(self._newest, newest)

    def note(self, offset: int, heard: Mapping[Source, Heard], *, now: bool = False) -> None:
        """Mark an offset, unless the last mark is near; `now`: mark it even so.

        `heard`: what was last heard of each source partition by then.
        """
        last = self._marks[-1][0]
        if offset > last and (now or offset - last >= _APART):
            self._marks.append((offset, self._newest, dict(self.taken), _copy(heard)))
            if len(self._marks) > _MOST:
                self._thin()

    def before(self, time: int) -> tuple[int, Taken, dict[Source, Heard]]:
        """Return the last mark before which all rows are of times before `time` (ms).

        `time` never falls from call to call, so marks before that one are not needed any more.
        """
        while len(self._marks) > 1 and self._marks[1][1] < time:
            del self._marks[0]
        offset, _, taken, heard = self._marks[0]
        return offset, dict(taken), _copy(heard)

    def _thin(self) -> None:
        """Keep half as many marks, about equally far apart, the first and the last among them."""
        first, *between, last = self._marks
        apart = 2 * (last[0] - first[0]) // _MOST
        kept = [first]
        for mark in between:
            if mark[0] - kept[-1][0] >= apart:
                kept.append(mark)
        self._marks = [*kept, last]


def _copy(heard: Mapping[Source, Heard]) -> dict[Source, Heard]:
    return {source: msgspec.structs.replace(one) for source, one in heard.items()}
