"""Panes of an input partition that are final and kept, to be added up with other partitions'.

What was sent once may be sent again, and judge could not tell the two apart in a sum. So what a
former owner may have sent goes alone: all that it can have read when this one began. Judge drops it
where it is in a sum already.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import NamedTuple

from driftline.consumer.sketch.model import ModelSketch
from driftline.consumer.sketch.open_pane import OpenPane
from driftline.consumer.sketch.pane_counts import PaneSource
from driftline.consumer.sketch.state import Standings
from driftline.consumer.wire.messages import Horizon, Loss, Pane

_EVERYTHING = 1 << 62


class KeptPane(NamedTuple):
    """A pane that may be sent.

    Attributes:
        model: whose it is.
        start, end: of the pane, ms since 1970.
        found: its counts, with whose they are; or what is sent in place of them.
        alone: whether it may have been sent before.
    """

    model: str
    start: int
    end: int
    found: tuple[OpenPane, PaneSource] | Pane | Loss
    alone: bool


class KeptPanes:
    """The panes of one input partition that are kept.

    Args:
        models: of the partition.
        standings: which of them still read their past.
        horizon: returns the owner and the offset that the partition has come to.

    Attributes:
        begun: end of the partition when its owner had claimed it: a former owner can have read no
            more. Until it is known all goes alone.
    """

    def __init__(
        self,
        models: Mapping[str, ModelSketch],
        standings: Standings,
        horizon: Callable[[], Horizon],
    ) -> None:
        self._models, self._standings, self._horizon = models, standings, horizon
        self.begun = _EVERYTHING
        self._keeps, self._none_left = False, False

    def keep(self) -> None:
        """Keep panes that are final from now on."""
        self._keeps = True
        for model in self._models.values():
            model.keeps = True

    def panes(self) -> Iterator[KeptPane]:
        """Yield those of models that do not still read their past."""
        if self._none_left:  # most often, of very many models
            return
        self._standings.begin()
        self._none_left = not self._keeps
        for name, model in self._models.items():
            if not model.progress.closed:
                continue
            self._none_left = False
            if name in self._standings.behind:
                continue
            for start, one in sorted(model.closed.items()):
                end, alone = start + one.length, one.until <= self.begun
                yield KeptPane(name, start, end, model.kept(start), alone)

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
