"""Events that came after all windows they belong in were judged: they are in no verdict.

The clock passes a partition that is silent or not known yet; an event with an older time may still
come there. It is no late event to its own partition, which counts it, and its pane comes here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from driftline.consumer.wire.clock import SourceProgress
from driftline.consumer.wire.messages import Horizon, MergedPart, Pane

REASONS = ("idle", "new_partition")
"""An idle mark of the partition let the clock pass; or the partition was not known yet."""

Source = tuple[str, int]


class PassedOver:
    """Counts such events of one model.

    Args:
        counts: events by reason; what is found is added.
        sources: the progress of each partition that an earlier run knew.
    """

    def __init__(self, counts: Counter[str], sources: Mapping[Source, SourceProgress]) -> None:
        self._counts = counts
        self._since = {source: known.until for source, known in sources.items()}
        self._silent = set(sources)  # partitions that the clock may have passed for their silence
        self._final: dict[Source, int] = {}  # every pane that ends there or before is final
        # Of the panes that are not: end, and events as last reported.
        self._open: dict[Source, dict[int, tuple[int, int]]] = {}

    def pane(self, pane: Pane, needed: int | None) -> None:
        """Take in a pane in the order of the log.

        Args:
            pane: as it came; it may repeat or grow an earlier one.
            needed: windows still to be judged begin there or later, ms; None before the first.
        """
        if pane.low:  # a piece adds nothing
            return
        for part in pane.whole:
            self._part((pane.source, part.partition), part, pane.start + pane.length, needed)

    def _part(self, source: Source, part: MergedPart, end: int, needed: int | None) -> None:
        """Take in what a partition has of a pane that ends at `end` (ms)."""
        final, events = self._final.get(source), part.events
        if final is not None and end <= final:  # a repeat
            return
        parts = self._open.setdefault(source, {})
        # What is new in a pane that an earlier run knew of is not known any more.
        known = events if part.first < self._since.get(source, 0) else 0
        before = parts.get(part.first, (end, known))[1]
        parts[part.first] = (end, max(events, before))
        if needed is not None and end <= needed and events > before:
            reason = "idle" if source in self._silent else "new_partition"
            self._counts[reason] += events - before

    def horizon(self, horizon: Horizon) -> None:
        """Take in how far a partition has come: its panes before that are final."""
        source = (horizon.source, horizon.partition)
        if horizon.idle:
            self._silent.add(source)
        if horizon.horizon is not None:
            final = self._final[source] = max(
                horizon.horizon, self._final.get(source, horizon.horizon)
            )
            parts = self._open.get(source, {})
            self._open[source] = {first: p for first, p in parts.items() if p[0] > final}
