"""Reads full verdicts, with their bins, from where they stand."""

from __future__ import annotations

import queue
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress

import msgspec

from driftline.consumer.log.errors import LogError, WorkerLost
from driftline.consumer.log.protocol import Log, TopicPartition
from driftline.consumer.views.lean import FULL
from driftline.consumer.views.ring import Place
from driftline.consumer.wire.records import Verdict

PATIENCE = 3.0
"""Seconds that an answer waits for the next of its verdicts; then it goes without the others."""
_KEPT = 500
"""Verdicts that are kept for the next question."""
_NEAR = 2_000
"""Offsets between two verdicts that are read in one go."""


class VerdictReader:
    """Reads verdicts by their places, over a connection of its own; from any thread.

    Args:
        connect: reaches the log.
        topic: of verdicts.
        patience: seconds that are waited for the next verdicts, those that stand together.

    Attributes:
        patience: as above.
    """

    def __init__(self, connect: Callable[[], Log], topic: str, patience: float = PATIENCE) -> None:
        self._connect, self._topic, self.patience = connect, topic, patience
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
        if self._turn.acquire(timeout=self.patience):
            self._drop()
            self._turn.release()

    def _in_time(self, places: list[Place]) -> dict[Place, Verdict | None]:
        """Read places on a thread of its own, which a broker that is away keeps for a minute."""
        if not self._turn.acquire(timeout=self.patience):
            return {}
        runs = queue.SimpleQueue[dict[Place, Verdict | None] | None]()

        def read() -> None:
            try:
                for run in self._fetched(places):
                    runs.put(run)
            finally:
                self._turn.release()
                runs.put(None)

        threading.Thread(target=read, name="driftline-verdicts", daemon=True).start()
        found: dict[Place, Verdict | None] = {}
        with suppress(queue.Empty):
            while (run := runs.get(timeout=self.patience)) is not None:
                found |= run
        return found

    def _fetched(self, places: list[Place]) -> Iterator[dict[Place, Verdict | None]]:
        """Yield what stands at places that are near each other, and keep it.

        What a broker that is away had is left out.
        """
        try:
            for run in _runs(places):
                found = dict.fromkeys(run) | self._read(run)
                with self._lock:
                    self._kept |= found
                    while len(self._kept) > _KEPT:
                        self._kept.popitem(last=False)
                yield found
        except (LogError, WorkerLost):
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
