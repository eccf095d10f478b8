"""A stage: what a worker runs on one partition that it owns."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Generic, NamedTuple, Protocol, TypeVar

from driftline.consumer.log.errors import LogError
from driftline.consumer.log.protocol import Gap, Record
from driftline.consumer.sketch.failures import Failures
from driftline.errors import RecordError

Batch = Sequence[tuple[str | None, Any]]
"""Outputs that are made known at once, each with the model or comparison that it is of, by its
name in the logs: of one that fails before all of them are encoded none is sent. `messages.OUTPUTS`
lists what an output may be."""

Ends = Callable[[str], list[int]]
"""From an output topic's short name to the ends of its partitions, all sends acknowledged."""


class Due(NamedTuple):
    """A state to be recorded.

    Attributes:
        key: the state's name in the log of states.
        model: whose state it is, and who alone fails with it; None: of the whole partition.
        state: returns it as of now; None while the past is still being read again.
    """

    key: str
    model: str | None
    state: Callable[[], Any]


class Stage(Protocol):
    """A deterministic function of the records of one partition, in offset order.

    Attributes:
        kind: name of the stage in the log and the metrics.
        at_once: records that are fed together; between them a worker looks at the clock.
        failures: models that raised an unexpected error; they are fed no more.
    """

    kind: ClassVar[str]
    at_once: ClassVar[int]
    failures: Failures

    @property
    def next(self) -> int:
        """Offset to be fed next; after `feed` further on where nobody needs what lies between."""

    @property
    def position(self) -> int:
        """Everything before this offset has had its effect; from `next` to it the past is read."""

    @property
    def outdated(self) -> bool:
        """Whether it is to be opened again: another version of a model holds from here on."""

    def claim(self) -> Iterable[Batch]:
        """Yield the first records of a new owner."""

    def feed(self, records: Sequence[Record], now: int) -> Iterable[Batch]:
        """Let records from `next` on have their effect at `now` (wall clock, ms)."""

    def lost(self, gap: Gap) -> Iterable[Batch]:
        """Go on after records that were deleted before they were read."""

    def tick(self, now: int) -> Iterable[Batch]:
        """Look at the wall clock (ms), about once a second."""

    def due(self, ends: Ends, *, whole: bool) -> Iterable[Due]:
        """Return the states to be recorded: of all, or of those that have changed since then."""

    def fail(self, name: str, error: Exception) -> None:
        """Let a model rest as it was recorded last; the others go on."""


class ModelPart(Protocol):
    """One model's or comparison's part of a stage.

    Attributes:
        position: everything before this offset has had its effect.
        rewind: where its reading began.
        outdated: whether another version of the model goes on from its state.
    """

    position: int

    @property
    def outdated(self) -> bool: ...  # noqa: D102

    @property
    def rewind(self) -> int: ...  # noqa: D102

    def feed(self, message: Any, offset: int) -> Iterable[Any]:
        """Take in one message; return what it makes known, in order."""

    def state(self) -> Any:
        """Return the state record as of now; encode it before feeding on."""


P = TypeVar("P", bound=ModelPart)


class ByModel(ABC, Generic[P]):
    """A stage made of parts, each of which is fed, recorded and fails alone.

    Args:
        parts: by the name of the model or comparison in the logs.
        begin: offset at which reading begins: the smallest that any part needs.
        failures: those that could not even begin.

    Attributes:
        parts: those that are fed.
    """

    at_once: ClassVar[int] = 10  # each may end windows, of many models

    def __init__(
        self, parts: Mapping[str, P], begin: int, failures: Failures | None = None
    ) -> None:
        self.parts = dict(parts)
        self.failures = Failures() if failures is None else failures
        self.next = begin
        self._begins = {name: part.rewind for name, part in parts.items()}
        self._changed: set[str] = set()  # by more than others' records, since `due`

    @property
    def position(self) -> int:
        """See `Stage.position`."""
        return max((part.position for part in self.parts.values()), default=0)

    @property
    def outdated(self) -> bool:
        """See `Stage.outdated`."""
        return any(part.outdated for part in self.parts.values())

    def feed(self, records: Sequence[Record], now: int) -> Iterator[Batch]:
        """Feed each part what is meant for it; see `Stage.feed`."""
        for record in records:
            names, message = self._read(record)
            yield from self.take(names, message, record.offset)
            self.next = record.offset + 1
        self._catch_up()
        if self.failures:  # what lies before, only those that failed need
            begins = [self._begins[name] for name in self.parts]
            self.next = max(self.next, min(begins, default=self.next))

    def take(self, names: Iterable[str], message: Any, offset: int) -> Iterator[Batch]:
        """Feed one message to the parts of some names; yield what it makes known."""
        for name in names:
            if name in self.parts and offset >= self._begins[name]:
                self._changed.add(name)
                yield from self._made(name, lambda part: part.feed(message, offset))

    def due(self, ends: Ends, *, whole: bool) -> list[Due]:
        """Return the states to be recorded; see `Stage.due`.

        Of a model that is silent nothing changes but up to where the log was read. Of one that
        still reads its past again the older record holds.
        """
        wanted = self.parts.keys() if whole else self._changed & self.parts.keys()
        names = [name for name in sorted(wanted) if self.next >= self.parts[name].position]
        self._changed.difference_update(names)
        return [Due(self._key(name), name, self.parts[name].state) for name in names]

    def fail(self, name: str, error: Exception) -> None:
        """Let a part rest: it stays in the log of states as it was recorded last."""
        self.failures.setdefault(name, error)
        self.parts.pop(name, None)

    def _made(self, name: str, make: Callable[[P], Iterable[Any]]) -> Iterator[Batch]:
        """Yield what a part makes known: all of it, or nothing."""
        outputs: list[Any] = []
        with self.failures.guard(name, self.fail):
            outputs = self._new(name, make(self.parts[name]))
        if outputs and name in self.parts:
            yield [(name, output) for output in outputs]

    def _new(self, name: str, outputs: Iterable[Any]) -> list[Any]:
        """Return those of a part's outputs that are to be sent."""
        return list(outputs)

    def _catch_up(self) -> None:
        """Note that the records up to `next` have had their effect, other parts' too."""
        for part in self.parts.values():
            if not part.outdated:
                part.position = max(part.position, self.next)

    @abstractmethod
    def names(self, message: Any) -> Iterable[str]:
        """Return the parts that a message is for."""

    @abstractmethod
    def _read(self, record: Record) -> tuple[Iterable[str], Any]:
        """Return what a record holds, and the parts that it is for."""

    @abstractmethod
    def _key(self, name: str) -> str:
        """Return the name of a part's state."""


def decoded(record: Record, decode: Callable[[bytes], Any]) -> Any:
    """Read a record of a log between stages.

    Raises:
        LogError: it cannot be read.
    """
    try:
        return decode(record.value or b"")
    except RecordError as error:
        place = f"{record.topic}[{record.partition}] at offset {record.offset}"
        raise LogError(f"the record in {place} cannot be read: {error}") from error
