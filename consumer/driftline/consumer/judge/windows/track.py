"""The windows over one kind of panes: which are due, in what order, and what they still need.

A model has two tracks: one over the panes of its inputs and, where its labels are read, one over
those of the join, each with a clock of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from driftline.consumer.config import WindowConfig
from driftline.consumer.judge.windows.panes import PaneStore
from driftline.consumer.wire.messages import Horizon, Loss, Pane
from driftline.consumer.wire.samples import sample_size


@dataclass(frozen=True)
class DueSpan:
    """A range of event time that is due, ms since 1970: a window, or time without any event."""

    start: int
    end: int
    empty: bool = False


class Track:
    """The next window over some panes, and the panes that windows still to come need.

    Args:
        window: length and step of the windows.
        pane: length of the panes, ms: a whole part of the step.
        layouts: ids of the layout that the panes must be counted in, see `PaneStore`.
        size: length of the panes' flat layout.
        following: end of the next window less a step; None before the first pane.
        empty_since: start of the time without events that still lasts.
        next_pane: start of the next pane that is given alone; None before the first pane.

    Attributes:
        reach: how far before the next pane those are kept that it is seen beside, ms.
        kept_from: from where on panes are at hand at all (ms), where `reach` has grown; else None.
    """

    def __init__(
        self,
        window: WindowConfig,
        pane: int,
        layouts: Sequence[str],
        size: int,
        following: int | None,
        empty_since: int | None,
        next_pane: int | None = None,
    ) -> None:
        self.reach = 0
        self.kept_from: int | None = None
        self.next_pane = next_pane
        self._length, self._every, self._pane = window.length, window.every, pane
        self._grace = window.grace
        # Where they share less, adding a window up anew takes no longer than going on.
        shared = window.length if 2 * window.every < window.length else 0
        self.panes = PaneStore(pane, layouts, size, shared, sample_size(pane, self._every))
        # Windows end at multiples of the step, also after it was changed.
        self.next = None if following is None else -(-following // self._every) * self._every
        self.empty_since = empty_since
        self.losses: list[tuple[int, int]] = []
        self.refused: list[tuple[int, int]] = []  # those for a batch that could not be unpacked

    def add(self, pane: Pane, offset: int) -> None:
        """Take in a pane from `offset` of the log of panes, if a window still to come needs it."""
        needed = self.needed()
        if needed is None or pane.start + pane.length > needed:
            self.panes.add(pane, offset)

    def close(self, horizon: Horizon) -> bool:
        """Take in how far a source has closed its panes, whether that has had its effect or not.

        The join closes a pane for what is in its log; sketch also when a model is silent, or over.

        Returns:
            Whether it may be heard: not where a part of a pane that it closes is missing.
        """
        until, progress = horizon.horizon, horizon.progress
        missing = self.panes.missing.start((horizon.source, horizon.partition))
        if missing is not None and (horizon.idle or (until is not None and until > missing)):
            return False
        if until is None:
            return True
        by_events = until if horizon.outcomes else (progress or 0) - self._grace
        self.panes.close((horizon.source, horizon.partition), until, by_events)
        return True

    def needed(self) -> int | None:
        """Return from where on panes are needed (ms), None before the first pane."""
        window = self.window_start()
        if window is None or not self.reach or self.next_pane is None:
            return window
        needed = min(window, self.next_pane - self.reach)
        return needed if self.kept_from is None else min(window, max(needed, self.kept_from))

    @property
    def judged(self) -> int | None:
        """Start (ms) of the newest pane given, alone or in a window; None before the first."""
        ends = [end for end in (self.next, self.next_pane) if end is not None]
        return max(ends) - self._pane if ends else None

    @property
    def following(self) -> int | None:
        """Start (ms) of the next pane, whether it has events or not; None before the first."""
        return None if self.judged is None else self.judged + self._pane

    def look_back(self, reach: int) -> None:
        """Keep panes for as long before the next one (ms) from now on.

        Those that are gone stay gone, as they do after a restart.
        """
        needed = self.needed()
        if reach > self.reach and needed is not None:
            self.kept_from = max(needed, self.kept_from or needed)
        self.reach = reach

    def window_start(self) -> int | None:
        """Return where the next window begins (ms), None before the first pane."""
        return None if self.next is None else self.next + self._every - self._length

    def panes_due(
        self, until: int, may_judge: Callable[[int], bool] = lambda end: True
    ) -> Iterator[int]:
        """Yield the starts of the panes that end at `until` (ms) or before, each once, in order.

        `may_judge`: whether a pane that ends then (ms) may be judged already.
        """
        for start in self.panes.starts_from(self.next_pane):
            if start % self._pane == 0:
                if start + self._pane > until or not may_judge(start + self._pane):
                    return
                self.next_pane = start + self._pane
                yield start

    def due(self, final: int, may_judge: Callable[[int], bool]) -> Iterator[DueSpan]:
        """Yield what is due now that every pane before `final` (ms) is there, in order.

        Args:
            final: ms since 1970.
            may_judge: whether a window that ends then (ms) may be judged already.
        """
        every = self._every
        self.panes.fold(final)
        if self.next is None:
            starts = [s for s in self.panes.starts() if s + self._pane <= final]
            if not starts:
                return
            self.next = starts[0] // every * every
        while self.next + every <= final and may_judge(self.next + every):
            start, end = self.next + every - self._length, self.next + every
            if self.panes.any(start, end) or self.lost(start, end):
                if self.empty_since is not None:
                    yield DueSpan(self.empty_since, self.next, empty=True)
                    self.empty_since = None
                yield DueSpan(start, end)
                self.next += every
                needed = self.next + every - self._length
                self.losses = [(a, b) for a, b in self.losses if b > needed]
                self.refused = [(a, b) for a, b in self.refused if b > needed]
            else:
                self.empty_since = start if self.empty_since is None else self.empty_since
                later = [s // every * every for s in self.panes.starts() if end <= s]
                losses = [a // every * every for a, _ in self.losses if a >= end]
                self.next = min([*later, *losses, final // every * every])
            needed_now = self.needed()
            if needed_now is not None:
                self.panes.drop_before(needed_now)

    def lose(self, loss: Loss, end: int) -> None:
        """Note that events up to a time (ms) were lost."""
        self.losses.append((loss.start, end))
        if loss.refused:
            self.refused.append((loss.start, end))

    def lost(self, start: int, end: int) -> bool:
        """Return whether events within the times were lost."""
        return any(a < end and b > start for a, b in self.losses)

    def refusal(self, start: int, end: int) -> bool:
        """Return whether such a loss was of a batch that could not be unpacked."""
        return any(a < end and b > start for a, b in self.refused)
