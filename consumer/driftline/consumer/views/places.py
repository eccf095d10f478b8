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

PATIENCE = 3.0
"""Seconds that an answer waits for verdicts; then it goes without."""
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
        self._lock = threading.Lock()  # guards `_kept`
        self._turn = threading.Lock()  # of who uses the connection
        self._kept: OrderedDict[Place, Verdict | None] = OrderedDict()

    def read(self, places: Collection[Place]) -> dict[Place, Verdict | None]:
        """Return the verdicts at some places; None where one is gone, or not to be had in time."""
        with self._lock:
            found = {place: self._kept[place] for place in places if place in self._kept}
            for place in found:
                self._kept.move_to_end(place)
        missing = sorted(set(places) - found.keys())
        if missing:
            found |= dict.fromkeys(missing) | self._in_time(missing)
        return found

    def close(self) -> None:
        """Give up the connection; one that waits for a broker ends by itself."""
        if self._turn.acquire(timeout=PATIENCE):
            self._drop()
            self._turn.release()

    def _in_time(self, places: list[Place]) -> dict[Place, Verdict | None]:
        """Read places on a thread of its own, which a broker that is away keeps for a minute."""
        if not self._turn.acquire(timeout=PATIENCE):
            return {}
        found: dict[Place, Verdict | None] = {}
        done = threading.Event()

        def read() -> None:
            try:
                found.update(self._fetched(places))
            finally:
                self._turn.release()
                done.set()

        threading.Thread(target=read, name="driftline-verdicts", daemon=True).start()
        return found if done.wait(PATIENCE) else {}

    def _fetched(self, places: list[Place]) -> dict[Place, Verdict | None]:
        """Read places and keep what is found; what a broker that is away had is left out."""
        found: dict[Place, Verdict | None] = {}
        try:
            for run in _runs(places):
                found |= dict.fromkeys(run) | self._read(run)
        except (LogError, WorkerLost):
            self._drop()
            return found
        with self._lock:
            self._kept |= found
            while len(self._kept) > _KEPT:
                self._kept.popitem(last=False)
        return found

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
