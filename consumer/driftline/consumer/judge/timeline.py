"""Which reference a model is compared with, and from which pane on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from driftline.detectors.reference import Reference
from driftline.errors import ReferenceError  # noqa: A004 (the operator's word for it)


class Timeline:
    """The references of one model, each from its first pane on.

    Args:
        first: holds until another one does.

    Example:
        >>> import numpy as np
        >>> from driftline.detectors.counts import Layout
        >>> from driftline.detectors.reference import ReferenceCounts
        >>> counted = ReferenceCounts((None,), np.zeros((1, 0), np.int64), np.array([5]))
        >>> first, later = (Reference(name, Layout.of([]), counted, {}) for name in ("m", "n"))
        >>> timeline = Timeline(first)
        >>> timeline.add(60_000, later)
        >>> [timeline.at(pane).model for pane in (59_000, 60_000)]
        ['m', 'n']
    """

    def __init__(self, first: Reference) -> None:
        self._entries: list[tuple[int | None, Reference]] = [(None, first)]

    @property
    def first(self) -> Reference:
        """The oldest one that is remembered."""
        return self._entries[0][1]

    @property
    def last(self) -> Reference:
        """The one that holds in the end."""
        return self._entries[-1][1]

    def __iter__(self) -> Iterator[tuple[int | None, Reference]]:
        """Yield them in order, each with the start (ms) of its first pane; None for the first."""
        return iter(self._entries)

    def add(self, start: int, reference: Reference) -> None:
        """Let another one hold from the pane that starts at `start` (ms) on.

        Where one is to follow then or later already, that is forgotten: the last one added holds.

        Raises:
            ReferenceError: it is of another layout.
        """
        if reference.layout_id != self.first.layout_id:
            raise ReferenceError(
                f"the reference {reference.id} counts something else than {self.first.id} does "
                "(their layouts differ): build it with the layout of the other one"
            )
        kept = [each for each in self._entries if each[0] is None or each[0] < start]
        self._entries = [*kept, (start, reference)]

    def at(self, pane: int | None) -> Reference:
        """Return the one that holds for a pane; None: before the first.

        Args:
            pane: its start, ms.
        """
        if pane is None:
            return self.first
        return next(
            reference for start, reference in reversed(self._entries)
            if start is None or start <= pane
        )  # fmt: skip

    def map(self, change: Callable[[Reference], Reference]) -> Timeline:
        """Return the same with another reference in place of each."""
        found = Timeline(self.first)
        found._entries = [(start, change(reference)) for start, reference in self._entries]
        return found

    def insert(self, start: int, reference: Reference) -> None:
        """Let another one hold from a pane on, until the next one does that follows already."""
        later = [each for each in self._entries if each[0] is not None and each[0] > start]
        self.add(start, reference)
        self._entries += later

    def origins(self) -> Timeline:
        """Return what performance is compared with: those that they are derived from."""
        found = Timeline(self.first.origin or self.first)
        for start, reference in self._entries[1:]:
            origin = reference.origin or reference
            if start is not None and origin is not found.last:
                found.add(start, origin)
        return found

    def forget(self, pane: int | None) -> None:
        """Forget those that no pane from one that starts at `pane` (ms) on is compared with."""
        while pane is not None and len(self._entries) > 1:
            following, _ = self._entries[1]
            if following is None or following > pane:
                return
            del self._entries[0]
