"""Reads full verdicts, with their bins, from where they stand."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator

import msgspec

from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.protocol import Log, TopicPartition
from driftline.consumer.views.lean import FULL
from driftline.consumer.views.ring import Place
from driftline.consumer.wire.records import Verdict

_KEPT = 500
"""Verdicts that are kept for the next question."""
_NEAR = 2_000
"""Offsets between two verdicts that are read in one go."""


class VerdictReader:
    """Reads verdicts by their places, over a connection of its own; from any thread.

    Args:
        connect: reaches the log.
        topic: of verdicts.
    """

    def __init__(self, connect: Callable[[], Log], topic: str) -> None:
        self._connect, self._topic = connect, topic
        self._log: Log | None = None
        self._lock = threading.Lock()
        self._kept: OrderedDict[Place, Verdict | None] = OrderedDict()

    def read(self, places: Collection[Place]) -> dict[Place, Verdict | None]:
        """Return the verdicts at some places; None where one is gone, or the log is away."""
        with self._lock:
            found = {place: self._kept[place] for place in places if place in self._kept}
            missing = sorted(set(places) - found.keys())
            for run in _runs(missing):
                found |= dict.fromkeys(run)
                try:
                    found |= self._read(run)
                except (LogError, WorkerLost):
                    self._drop()
                    return {place: found.get(place) for place in places}
            for place in places:
                self._kept[place] = found[place]
                self._kept.move_to_end(place)
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
            return found

    def close(self) -> None:
        """Give up the connection."""
        with self._lock:
            self._drop()

    def _read(self, run: list[Place]) -> dict[Place, Verdict | None]:
        """Read places of one partition that are near each other."""
        if self._log is None:
            self._log = self._connect()
        at = TopicPartition(self._topic, run[0].partition)
        wanted, found = set(run), dict[Place, Verdict | None]()
        for record in self._log.read({at: run[0].offset}, {at: run[-1].offset + 1}):
            place = Place(record.partition, record.offset)
            if place in wanted and record.value is not None:
                try:
                    found[place] = FULL.decode(record.value)
                except msgspec.DecodeError:
                    found[place] = None
        return found

    def _drop(self) -> None:
        log, self._log = self._log, None
        if log is not None:
            log.close()


def _runs(places: list[Place]) -> Iterator[list[Place]]:
    """Yield places, in order, in runs of one partition that have no large gap."""
    run: list[Place] = []
    for place in places:
        if run and (place.partition != run[-1].partition or place.offset - run[-1].offset > _NEAR):
            yield run
            run = []
        run.append(place)
    if run:
        yield run
