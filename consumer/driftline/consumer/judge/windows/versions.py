"""Which model versions a stream of panes has shown, and which it shows for the first time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from driftline.detectors import OTHER

_KEPT = 200


class SeenVersions:
    """The versions seen so far, the latest last.

    Args:
        seen: as read from the log.

    >>> versions = SeenVersions([])
    >>> versions.look({"3.1": 20}), versions.look({"3.1": 12, "3.2": 7, "3.3": 2})
    (None, '3.2')
    """

    def __init__(self, seen: Iterable[str]) -> None:
        self.seen = list(seen)

    def look(self, pane: Mapping[str, int]) -> str | None:
        """Take in the events by version of a pane; return the most frequent new one.

        Of the first pane that has versions none is new.
        """
        here = {version: events for version, events in pane.items() if version != OTHER}
        new = sorted((v for v in here if v not in self.seen), key=lambda v: (-here[v], v))
        first_ever = not self.seen
        gone = [version for version in self.seen if version not in here]
        self.seen = [*gone, *sorted(here)][-_KEPT:]
        return None if first_ever or not new else new[0]
