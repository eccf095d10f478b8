"""What sketch keeps of one input partition in the log of states, and how far each model has come.

That is the same for all models but those that failed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, TypeVar

import msgspec

from driftline.consumer.sketch.failures import Failures, Guard
from driftline.consumer.sketch.join_progress import JoinProgress

T = TypeVar("T")

WORKER, SPARK = "worker", "spark"
BODIES: Mapping[str, str] = {WORKER: "driftline run", SPARK: "Spark (sketch_stream)"}
"""What may read an input topic, by its name on record, and what users call it."""


class ClosedPane(msgspec.Struct, frozen=True, array_like=True):
    """A final pane that is kept: counted from offset `first` until `until`, in which layout.

    `length`: ms. A later event of it, at `until` or behind it, is late.
    """

    first: int
    until: int
    length: int
    layout_id: str


class ModelProgress(msgspec.Struct, rename={"active_at": "heard", "reported": "told"}):
    """State of one model in one input partition; times in ms since 1970.

    Attributes:
        start: offset from which its events count (a model new to the config starts late).
        active_at: wall-clock time at which its latest event was read; at first, of the first look.
        progress: largest event time seen, None before the first event.
        horizon: every pane that ends there or before is final.
        stale: whether its silence has been reported.
        lost: offsets [from, to) never read, until an event shows when they may have been.
        reported: whether that loss was reported while the model was silent.
        refused: whether they were refused as a batch, not deleted.
        closed: final panes that are kept, by start (ms): they may not have been sent yet.
    """

    start: int
    active_at: int
    progress: int | None = None
    horizon: int | None = None
    stale: bool = False
    lost: tuple[int, int] | None = None
    reported: bool = False
    refused: bool = False
    closed: dict[int, ClosedPane] | msgspec.UnsetType = msgspec.UNSET

    @property
    def sent(self) -> int | None:
        """Every pane that ends then or before (ms) is final, and none of them is kept."""
        return min(self.closed or {}, default=self.horizon)


class SketchState(msgspec.Struct, tag="sketch"):
    """What a new owner of an input partition needs.

    Attributes:
        topic_id: id of the topic; a re-created topic has another.
        partitions: how many the topic had at the very first start; those above came later.
        position: everything before this offset has had its effect (R).
        rewind: smallest offset that anything still open was counted from (O).
        generation: of the owner that wrote this.
        models: progress per model as of `position`.
        joins: the same of the rows sent to the join.
        behind: models that failed: the offset before `position` up to which each has come.
        needed: as `rewind`, of all the others; None where an older version wrote the record.
        body: what reads the topic, of `BODIES`.
        batch: of Spark, the number of the batch that wrote this; None: another body did.
        awaited: of Spark, in the first partition's record: models that another body has reported,
            each with a time (ms) that all partitions are to reach before one horizon does for them.
    """

    # So that records of workers stay as they were.
    omitted: ClassVar[Mapping[str, Any]] = {"body": WORKER, "batch": None, "awaited": {}}

    topic_id: str
    partitions: int
    position: int
    rewind: int
    generation: int
    models: dict[str, ModelProgress]
    joins: dict[str, JoinProgress] = {}
    behind: dict[str, int] = {}
    needed: int | None = None
    body: str = WORKER
    batch: int | None = None
    awaited: dict[str, int] = {}

    @property
    def keeps(self) -> bool:
        """Whether a pane is kept: who does not know of that would never send it."""
        return any(progress.closed for progress in self.models.values())


class ModelPosition(msgspec.Struct, frozen=True):
    """How far one model has come in an input partition.

    Attributes:
        position: everything before this offset has had its effect on the model.
        rewind: smallest offset that anything still open of it was counted from.
        progress: as in the state record; None where only its labels are read.
        joined: the same of its rows for the join; None where it has none.
        labelled: whether its labels are read here.
    """

    position: int
    rewind: int
    progress: ModelProgress | None
    joined: JoinProgress | None
    labelled: bool

    @classmethod
    def recorded(
        cls, name: str, state: SketchState, new: ModelProgress | None, labelled: bool
    ) -> ModelPosition:
        """Return the position that a record has of a model; `new`: progress if it has none."""
        needed = state.rewind if state.needed is None else state.needed
        return cls(
            position=state.behind.get(name, state.position),
            rewind=state.rewind if name in state.behind else needed,
            progress=state.models.get(name, new),
            joined=state.joins.get(name),
            labelled=labelled,
        )


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

    def each(self, names: Iterable[str], make: Callable[[str], Iterable[T]]) -> list[T]:
        """Return what `make` makes of some models; of one that fails nothing more is made."""
        made: list[T] = []
        for name in list(names):
            with self.safely(name):
                made += make(name)
        return made

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
