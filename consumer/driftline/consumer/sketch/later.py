"""Versions of a model that come after the present one: each counts from its own first pane on.

An event belongs to the version of its time, in every order of the events. So while panes before the
change may still be open, events are read as the present version and as those after it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from driftline.consumer.sketch.open_pane import SketchModel
from driftline.consumer.wire.messages import ModelChange
from driftline.detectors.grid import IntArray


@dataclass(frozen=True)
class LaterVersion:
    """A version after the present one.

    Attributes:
        first: start of its first pane, ms.
        model: what is counted; None: nothing, because the model is removed or reads other topics.
    """

    first: int
    model: SketchModel | None


class Versions:
    """The present version of a model in an input partition, and those after it.

    Args:
        present: what is counted now.
        later: the versions after it, by time.
        changes: what the judge is to know.
    """

    def __init__(
        self,
        present: SketchModel,
        later: Sequence[LaterVersion] = (),
        changes: Sequence[ModelChange] = (),
    ) -> None:
        self.present, self.later, self.changes = present, tuple(later), tuple(changes)
        self._models = (present, *(each.model for each in later))
        self._firsts = np.array([each.first for each in later], np.int64)
        self._lengths = np.array([1 if m is None else m.pane for m in self._models], np.int64)

    def of(self, times: IntArray) -> IntArray:
        """Return the number of the version of each time (ms), 0 for the present one."""
        return np.searchsorted(self._firsts, times, side="right")

    def starts(self, times: IntArray) -> tuple[IntArray, IntArray]:
        """Return the start and the end of the pane of each time, ms."""
        if not self.later:
            length = self.present.pane
            starts = times // length * length
            return starts, starts + length
        lengths = self._lengths[self.of(times)]
        starts = times // lengths * lengths
        return starts, starts + lengths

    def model(self, version: int) -> SketchModel | None:
        """Return what is counted by a version."""
        return self._models[version]

    def counted(self, times: IntArray) -> NDArray[np.bool_]:
        """Return which events are counted by any version."""
        watched = np.array([model is not None for model in self._models])
        return watched[self.of(times)]

    def closed(self, newest: IntArray) -> IntArray:
        """Return before which time panes are final where the newest event has a time, ms.

        The present version's rule holds up to the first pane of the next one.
        """
        found = _closed(self.present, newest)
        for each in self.later:
            found = np.minimum(found, each.first)
            if each.model is not None:
                own = _closed(each.model, newest)
                found = np.where(own > each.first, own, found)
        return found

    @property
    def ended(self) -> int | None:
        """The time (ms) from which on nothing is counted any more; None: there is none."""
        last = self.later[-1] if self.later else None
        return last.first if last is not None and last.model is None else None

    @property
    def again(self) -> bool:
        """Whether the model was removed, and was applied again."""
        ended = self.ended
        return ended is not None and any(change.first > ended for change in self.changes)


def _closed(model: SketchModel, newest: IntArray) -> IntArray:
    closed: IntArray = (newest - model.times.grace) // model.pane * model.pane
    return closed
