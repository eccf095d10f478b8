"""Panes of an input partition that are final and kept, to be added up with other partitions'.

What was sent once may be sent again, alone or with others than before, and judge could not tell the
two apart in a sum. So a pane is on record before it is sent in a sum, and one that was on record
when its owner began is sent alone: judge drops it where it is in a sum already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from driftline.consumer.sketch.model import ModelSketch
from driftline.consumer.sketch.open_pane import OpenPane
from driftline.consumer.sketch.pane_counts import PaneSource
from driftline.consumer.sketch.state import Standings
from driftline.consumer.wire.messages import Horizon


class KeptPane(NamedTuple):
    """A pane that may be sent.

    Attributes:
        model, start: which it is; ms since 1970.
        counts: its counts, with whose they are; None where its events are gone from the log.
        alone: whether it may have been sent before.
    """

    model: str
    start: int
    counts: tuple[OpenPane, PaneSource] | None
    alone: bool

    @property
    def end(self) -> int:
        """End of the pane, ms since 1970, exclusive; its start where it has no counts."""
        return self.start if self.counts is None else self.counts[0].end


class KeptPanes:
    """The panes of one input partition that are kept.

    Args:
        models: of the partition.
        standings: which of them still read their past.
        horizon: returns the owner and the offset that the partition has come to.
    """

    def __init__(
        self,
        models: Mapping[str, ModelSketch],
        standings: Standings,
        horizon: Callable[[], Horizon],
    ) -> None:
        self._models, self._standings, self._horizon = models, standings, horizon
        self._found = self._with_some()

    def keep(self) -> None:
        """Keep panes that are final from now on."""
        for model in self._models.values():
            model.keeps = True

    def note_recorded(self) -> None:
        """Note that what is kept now is recorded."""
        for model in self._models.values():
            model.recorded = frozenset(model.closed)
        self._found = self._with_some()

    def on_record(self) -> Iterator[KeptPane]:
        """Yield those that are on record, of models that do not still read their past."""
        self._standings.begin()
        for name in self._found:
            if name not in self._models or name in self._standings.behind:
                continue
            model = self._models[name]
            for start in sorted(model.recorded):
                yield KeptPane(name, start, model.kept(start), start in model.alone)

    def closed(self, name: str, end: int, *, read: bool) -> bool:
        """Return whether nothing of a model's pane that ends then (ms) is to come from here.

        `read`: whether the partition is read to its end.
        """
        model = self._models.get(name)
        if model is None:
            return True
        progress, horizon = model.progress.progress, model.progress.horizon
        return read if progress is None else horizon is not None and horizon >= end

    def release(self, name: str, starts: Collection[int]) -> Horizon | None:
        """Forget panes that were sent; return how far their model has come, as of that."""
        model = self._models.get(name)
        return None if model is None else model.release(starts, self._horizon())

    def _with_some(self) -> list[str]:
        """Return the models of which any is on record: most often none of very many."""
        return [name for name, model in self._models.items() if model.recorded]
