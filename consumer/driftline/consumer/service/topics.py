"""The topics that a worker started with: are they still the same?"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from driftline.consumer.log.errors import LogError, Unreachable, WorkerLost
from driftline.consumer.log.protocol import Log, TopicInfo
from driftline.errors import DriftlineError

LOOK_MS = 5_000
_PATIENCE = 5.0  # seconds to ask after something has gone wrong already


class Topics:
    """The topics on the broker, and whether each is still the one it was.

    Args:
        log: the log outside the group.
        found: the topics as they were at the start, by name; kept up to date.
        now: the present, ms.
    """

    def __init__(self, log: Log, found: dict[str, TopicInfo], now: int) -> None:
        self.found = found
        self._log = log
        self._looked = now
        self._missing: frozenset[str] = frozenset()

    def look(self, now: int) -> bool:
        """Ask the broker, now and then; return whether it was asked, and has answered.

        Raises:
            LogError: a topic was made again, or is gone in two looks one after the other: a broker
                that has just started may not know of all yet.
        """
        if now - self._looked < LOOK_MS:
            return False
        self._looked = now
        try:
            gone = self._gone(self._log.topics(frozenset(self.found), 0.0))
        except WorkerLost:
            return False  # away: no time to ask
        _refuse(gone & self._missing)
        self._missing = gone
        return True

    @contextmanager
    def explained(self) -> Iterator[None]:
        """Where anything goes wrong in the block, ask the broker whether a topic is the reason.

        Raises:
            LogError: a topic was made again, or is gone.
        """
        try:
            yield
        except Unreachable:
            raise
        except Exception:  # what the client makes of a topic that is gone can be anything
            try:
                found = self._log.topics(frozenset(self.found), _PATIENCE)
            except DriftlineError:
                found = self.found
            _refuse(self._gone(found))
            raise

    def update(self, names: frozenset[str]) -> None:
        """Take over how many partitions the topics have now.

        Raises:
            LogError: a topic was made again.
        """
        found = self._log.topics(names)
        self._gone(found)
        self.found.update(found)

    def forget(self, names: frozenset[str]) -> None:
        """Look at some topics no more."""
        for name in names:
            self.found.pop(name, None)

    def _gone(self, found: Mapping[str, TopicInfo]) -> frozenset[str]:
        """Return what is gone of the topics; refuse one that was made again."""
        for name, info in found.items():
            known = self.found.get(name)
            if known is not None and info.topic_id != known.topic_id:
                raise LogError(recreated(name))
        return frozenset(self.found.keys() - found.keys())


def recreated(topic: str) -> str:
    """Say that a topic is another one than it was, and what to do."""
    return (
        f"the topic {topic} was re-created since Driftline last read it, so what is known of it"
        " means nothing any more: set output.prefix to a new name"
    )


def _refuse(gone: frozenset[str]) -> None:
    if gone:
        names = ", ".join(sorted(gone))
        which = f"topic {names} was" if len(gone) == 1 else f"topics {names} were"
        raise LogError(
            f"the {which} deleted while Driftline ran: create what is missing, and set"
            " output.prefix to a new name"
        )
