"""Follows what a deployment publishes, newest first, into views. Outside any group.

At the start the newest records of each partition are read, so that a page is of use within seconds;
then, chunk by chunk, those before them, until the views of its streams are full. Where some are of
few windows, or of longer ones, no more is read than four times what the views hold. Meanwhile what
comes new is read. A broker that is away is asked again and again; what is known stays to be shown.

    follower = Follower(lambda: connect(config.kafka).log, config.output, Settings.of(config))
    follower.run(wait)  # on a thread of its own
    follower.ask(lambda views: views.home())  # from any other
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import TypeVar

import msgspec

from driftline.consumer.config import OutputConfig
from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.protocol import Log, Record, TopicPartition
from driftline.consumer.log.ranges import partitions_of
from driftline.consumer.views.fold import WINDOWS, Changes, Views
from driftline.consumer.views.lean import LEAN
from driftline.consumer.views.pipeline import Status
from driftline.consumer.views.places import PATIENCE, VerdictReader
from driftline.consumer.views.ring import Place
from driftline.consumer.views.settings import Settings, read_settings
from driftline.consumer.wire.control import read_marks
from driftline.consumer.wire.messages import partition_of
from driftline.consumer.wire.records import Alert, Verdict
from driftline.errors import RecordError

logger = logging.getLogger(__name__)
Answer = TypeVar("Answer")

FIRST_CHUNK, LARGEST_CHUNK = 4_000, 40_000
"""Records of a partition that are read backwards at once: at first, and at most."""
_FORWARD = 50_000  # records of a partition that are read forwards at once
_TIMES = 4  # what views hold is read backwards at most
_ALERTS = 200_000  # records of a partition of alerts that are read backwards at most
_TOGETHER = 500  # records that are folded while no answer is given
_PATIENCE = 10.0  # seconds without an answer after which the broker counts as away
_LOOK_AGAIN = 30.0  # seconds until a topic that was not there is looked for again
_COMPACTED = ("control", "models")  # what people say of alerts, and the models they applied
_UNUSABLE = (ArithmeticError, LookupError, TypeError, ValueError, RecordError)
"""What a record raises that is JSON of the right form with figures that cannot be."""
_ALERT = msgspec.json.Decoder(Alert)


class Follower:
    """Keeps views up to date; `step` and `run` on one thread, `ask` and `status` on any.

    Args:
        connect: reaches the log; called again after it was away.
        output: names the topics.
        settings: what a configuration says of models.
        windows: of each stream that are kept at most.
        clock: the present, ms since 1970.
        changed: told, on the follower's thread, what changed.
        timer: seconds, monotonic.
        patience: seconds that an answer waits for its next verdict.

    Attributes:
        read: records that were read.
        version: another number after anything changed that an answer shows.
    """

    def __init__(
        self,
        connect: Callable[[], Log],
        output: OutputConfig,
        settings: Settings | None = None,
        windows: int = WINDOWS,
        clock: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        changed: Callable[[Changes], None] = lambda changes: None,
        timer: Callable[[], float] = time.monotonic,
        patience: float = PATIENCE,
    ) -> None:
        self._connect, self._output, self._changed = connect, output, changed
        self._timer = timer
        self._lock = threading.RLock()
        self._reader = VerdictReader(connect, output.topic("verdicts"), patience)
        self._views = Views(settings, windows, read=self._read, clock=clock)
        self._found: dict[Place, Verdict | None] = {}
        self._wanted: set[Place] = set()
        self._log: Log | None = None
        self._looked = float("-inf")
        self._next: dict[TopicPartition, int] = {}
        self._marks: dict[TopicPartition, int] = {}  # the same, of what people say of alerts
        self._refused = False
        self._back: dict[TopicPartition, int] = {}  # what is read already begins there
        self._begin: dict[TopicPartition, int] = {}
        self._behind: dict[TopicPartition, int] = {}  # records that were read backwards
        self._streams: dict[TopicPartition, set[tuple[str, str | None]]] = {}
        self._chunk = FIRST_CHUNK
        self._problem: str | None = "not connected yet"
        self._asked: float | None = None  # since when an answer of the broker is waited for
        self.read = self.version = 0

    def run(self, wait: Callable[[], bool]) -> None:
        """Follow without end; `wait` is called when all is read, False from it ends that.

        Where an error of Driftline's own ends it, the status says so.
        """
        try:
            while self.step() or wait():
                pass
        except Exception as error:
            with self._lock:
                self._problem = f"reading ended by an error of Driftline's own: {error!r}"
                self.version += 1
            raise

    def step(self) -> bool:
        """Read what is new, and a chunk of what is old; return whether more may be there."""
        try:
            self._asked = self._timer()
            more = self._step()
            problem = None
        except (LogError, WorkerLost) as error:
            more, problem = False, str(error)
            self._drop()
        self._asked = None
        with self._lock:
            changes = self._views.changes()
            if changes.models or changes.alerts or problem != self._problem:
                self.version += 1
            self._problem = problem
        if changes.models or changes.alerts:
            self._changed(changes)
        return more

    def catch_up(self) -> None:
        """Read all that is there, as far back as views hold, for one answer.

        Raises:
            LogError: a topic cannot be read.
            WorkerLost: the broker does not answer.
        """
        while self._step():
            pass

    def ask(self, question: Callable[[Views], Answer]) -> Answer:
        """Return an answer of the views; verdicts that it needs are read from the log.

        While they are read the views go on; of a broker that is away they are left out.
        """
        found: dict[Place, Verdict | None] = {}
        while True:
            with self._lock:
                self._found, self._wanted = found, set()
                answer = question(self._views)
                wanted = self._wanted
            if not wanted:
                return answer
            found = {**found, **self._reader.read(wanted)}

    def status(self, title: str = "", version: str = "", *, writable: bool = False) -> Status:
        """Return whether the log can be read, and how much of it is."""
        with self._lock:
            problem, asked = self._problem, self._asked
            silent = 0.0 if asked is None else self._timer() - asked
            if problem is None and silent > _PATIENCE:
                problem = f"the broker has given no answer for {silent:.0f} seconds"
            return Status(
                connected=problem is None,
                problem=problem,
                loading=bool(self._back) or not self._next,
                windows=self._views.windows,
                writable=writable,
                title=title or self._output.prefix,
                version=version,
            )

    def close(self) -> None:
        """Give up the connections."""
        self._drop()
        self._reader.close()

    def _read(self, place: Place) -> Verdict | None:
        if place not in self._found:
            self._wanted.add(place)
        return self._found.get(place)

    def _step(self) -> bool:
        log = self._log
        if log is None:
            log = self._log = self._connect()
        if self._timer() - self._looked > _LOOK_AGAIN:
            self._look(log)
        more = self._forward(log, self._next)
        self._marked(log)
        if self._back:
            self._backward(log)
        return more or bool(self._back)

    def _look(self, log: Log) -> None:
        """Find the topics; those of verdicts and alerts have to be there.

        Raises:
            LogError: one of them is not.
        """
        wanted = ("verdicts", "alerts", *_COMPACTED)
        names = {name: self._output.topic(name) for name in wanted}
        topics = log.topics(frozenset(names.values()))
        for name in ("verdicts", "alerts"):
            if names[name] not in topics:
                raise LogError(
                    f"{names[name]} does not exist: check output.prefix, or run"
                    "  driftline topics create"
                )
        self._looked = self._timer()
        for name, topic in names.items():
            if topic not in topics:
                continue
            new = partitions_of(topics[topic]) - self._next.keys()
            if not new:
                continue
            if name in _COMPACTED:  # all of it is what holds
                self._marks |= dict.fromkeys(new - self._marks.keys(), 0)
                continue
            ends = log.end_offsets(new)
            self._begin |= log.begin_offsets(new)
            self._next |= ends
            self._back |= {at: end for at, end in ends.items() if end > self._begin[at]}

    def _marked(self, log: Log) -> None:
        """Read what people say of alerts; where that is refused, all else goes on."""
        try:
            self._forward(log, self._marks)
        except LogError as error:
            if not self._refused:
                self._refused = True
                logger.warning("marks of alerts are unknown: %s", error)

    def _forward(self, log: Log, following: dict[TopicPartition, int]) -> bool:
        """Read what is new of some partitions; return whether that is not all of it."""
        ends = log.end_offsets(following.keys())
        start, stop = {}, {}
        for at, position in following.items():
            if ends[at] < position:  # made again
                position = following[at] = 0
            if ends[at] > position:
                start[at], stop[at] = position, min(ends[at], position + _FORWARD)
        self._fold(log, start, stop)
        following.update(stop)
        return any(ends[at] > offset for at, offset in stop.items())

    def _backward(self, log: Log) -> None:
        """Read the chunk before what is read already."""
        stop = dict(self._back)
        start = {at: max(self._begin[at], end - self._chunk) for at, end in stop.items()}
        # One chunk more than makes them full: the oldest window may be half of the one before.
        full = {at for at in stop if self._full(at)}
        self._fold(log, start, stop)
        self._chunk = min(2 * self._chunk, LARGEST_CHUNK)
        with self._lock:
            for at, offset in start.items():
                self._behind[at] = self._behind.get(at, 0) + stop[at] - offset
                read = self._behind[at] >= self._most(at)
                if offset <= self._begin[at] or read or at in full:
                    del self._back[at]
                else:
                    self._back[at] = offset

    def _full(self, at: TopicPartition) -> bool:
        """Return whether the views of all streams of a partition are full, and no model lacks.

        A model whose windows are longer than those of others has its newest verdict further back.
        """
        held = [each for each in self._streams.get(at, ()) if self._views.room(*each)]
        if not held or not all(self._views.full(*stream) for stream in held):
            return False
        partitions = sum(each.topic == at.topic for each in self._next)
        lacking = self._views.unjudged()
        return not any(partition_of(name, partitions) == at.partition for name in lacking)

    def _most(self, at: TopicPartition) -> int:
        """Return how many records of a partition are read backwards at most."""
        if at.topic == self._output.topic("alerts"):
            return _ALERTS
        room = sum(self._views.room(*stream) for stream in self._streams.get(at, ()))
        return max(LARGEST_CHUNK, _TIMES * room)

    def _fold(
        self, log: Log, start: Mapping[TopicPartition, int], stop: Mapping[TopicPartition, int]
    ) -> None:
        """Fold the records of some ranges, some of them at a time."""
        records = list[Record]()
        for record in log.read(start, stop):
            records.append(record)
            if len(records) >= _TOGETHER:
                self._take(records)
                records = []
        self._take(records)

    def _take(self, records: list[Record]) -> None:
        self._asked = self._timer()
        with self._lock:
            self.read += len(records)
            for record in records:
                try:
                    self._take_one(record)
                except (msgspec.DecodeError, *_UNUSABLE) as error:
                    where = f"{record.topic}[{record.partition}], offset {record.offset}"
                    logger.warning("%s: not a record that this version knows: %s", where, error)

    def _take_one(self, record: Record) -> None:
        value = record.value
        if record.topic == self._output.topic("control"):
            # Read in order; a topic that was made again, or widened, begins with offset 0.
            self._views.marked(read_marks(record.key, value))
        elif value is None:
            return
        elif record.topic == self._output.topic("models"):
            self._views.configured(*read_settings(value))
        elif record.topic == self._output.topic("verdicts"):
            verdict = LEAN.decode(value)
            at = TopicPartition(record.topic, record.partition)
            self._views.judged(verdict, Place(record.partition, record.offset))
            self._streams.setdefault(at, set()).add((verdict.model, verdict.segment))
        else:
            self._views.alerted(_ALERT.decode(value), record.timestamp)

    def _drop(self) -> None:
        log, self._log = self._log, None
        if log is not None:
            log.close()
