"""Where reading may begin again: offsets, with what had been taken of every source there."""

from __future__ import annotations

from bisect import bisect_right

Source = tuple[str, int]
Taken = dict[Source, int]

_APART = 256  # offsets
_MOST = 128


class Marks:
    """What has been taken of every source partition, now and at some offsets before.

    A row may come twice, because a worker does again what it did before a crash; only the first
    counts. To know the first when reading begins again, one must know what was taken by then.

    Args:
        offset: of the log of joins, where reading begins.
        taken: offset in each source partition up to which rows had been taken there.

    Attributes:
        taken: the same, now.

    >>> marks = Marks(0, {})
    >>> marks.take(("in", 0), 7)
    >>> marks.note(300)
    >>> marks.before(299), marks.before(300)
    ((0, {}), (300, {('in', 0): 7}))
    """

    def __init__(self, offset: int, taken: Taken) -> None:
        self.taken = taken
        self._marks = [(offset, dict(taken))]

    def take(self, source: Source, until: int) -> None:
        """Note that the rows of a source are taken up to its offset `until`."""
        self.taken[source] = until

    def note(self, offset: int, *, now: bool = False) -> None:
        """Mark an offset, unless the last mark is near; `now`: mark it even so."""
        last = self._marks[-1][0]
        if offset > last and (now or offset - last >= _APART):
            self._marks.append((offset, dict(self.taken)))
            if len(self._marks) > _MOST:
                self._marks = [*self._marks[:-1:2], self._marks[-1]]

    def before(self, offset: int) -> tuple[int, Taken]:
        """Return the last mark at `offset` or before; those before it are not needed any more."""
        place = bisect_right([at for at, _ in self._marks], offset) - 1
        del self._marks[: max(place, 0)]
        at, taken = self._marks[0]
        return at, dict(taken)
