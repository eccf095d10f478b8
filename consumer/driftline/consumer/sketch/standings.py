"""How far each model of an input partition has come: the same for all but those that failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from driftline.consumer.sketch.failures import Failures, Guard
from driftline.consumer.sketch.state import ModelPosition, SketchState


class Standings:
    """Keeps what is to be recorded of models that fail, or failed in another run.

    Args:
        behind: models that failed in another run: the offset up to which each has come.
        standing: returns how far a model has come now, and what a state record says of it.
        drop: lets a model have no part in anything more.

    Attributes:
        behind: as above; they go on from there.
        resting: models that failed in this run.
        failures: with what.
    """

    def __init__(
        self,
        behind: Mapping[str, int],
        standing: Callable[[str], ModelPosition],
        drop: Callable[[str], object],
    ) -> None:
        self.behind = dict(behind)
        self.resting: dict[str, ModelPosition] = {}
        self.failures = Failures()
        self._standing = standing
        self._drop = drop
        self._before: dict[str, ModelPosition] = {}  # models as they were before what is done now

    def begin(self) -> None:
        """Begin something that is undone of a model that fails in it."""
        self._before.clear()

    def safely(self, name: str) -> Guard:
        """Let a model fail alone; what the block changes is undone then."""
        if name not in self._before:
            self._before[name] = self._standing(name)
        return self.failures.guard(name, self.fail)

    def fail(self, name: str, error: Exception) -> None:
        """Let a model rest as it was before what was done last."""
        self.failures.setdefault(name, error)
        self.resting.setdefault(name, self._before.get(name) or self._standing(name))
        self.behind.pop(name, None)
        self._drop(name)

    def reach(self, first: int, until: int, position: int) -> None:
        """Note that records from `first` have had their effect, on the models that came there."""
        reached = {name: until if at <= first else at for name, at in self.behind.items()}
        self.behind = {name: at for name, at in reached.items() if at < position}

    def record(self, state: SketchState) -> SketchState:
        """Return a state with those that rest, as they are to be recorded."""
        resting = self.resting.items()
        progress = {name: one.progress for name, one in resting if one.progress is not None}
        joined = {name: one.joined for name, one in resting if one.joined is not None}
        return msgspec.structs.replace(
            state,
            rewind=min([state.rewind, *(one.rewind for one in self.resting.values())]),
            models=state.models | progress,
            joins=state.joins | joined,
            behind={name: one.position for name, one in resting},
        )
